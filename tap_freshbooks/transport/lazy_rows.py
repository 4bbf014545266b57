"""LazyRows: the rows of an answer, each of which is decoded when it is looked at.

A decoded page is several times as large as its text, and more than the cache of a processor: what
was decoded long before it is converted and written has to come from memory, field by field, and
costs half as much again. Rows that nobody looks at, as those of a second reading, are not decoded
at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, overload

import msgspec
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_freshbooks.records import Row

METADATA = ("page", "pages", "per_page", "total", "meta")
"""What may stand beside a list; an answer with more is decoded at once."""

OPENING_BRACE = ord("{")

PLAIN_NAME = re.compile(r"[\w-]+")
"""A name that types of msgspec can have."""


class LazyRows(Sequence["Row"]):
    """Objects that are decoded anew each time they are looked at; they are known to be sound.

    Args:
        texts: Of each.
        decode: Decodes one.
    """

    __slots__ = ("_decode", "_texts")

    def __init__(self, texts: list[msgspec.Raw], decode: Callable[[bytes], Any]) -> None:
        self._texts = texts
        self._decode = decode

    @override
    def __len__(self) -> int:
        return len(self._texts)

    @override
    def __iter__(self) -> Iterator[Row]:
        return map(self._decode, self._texts)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> LazyRows: ...

    @override
    def __getitem__(self, place: int | slice) -> Row | LazyRows:
        if isinstance(place, slice):
            return LazyRows(self._texts[place], self._decode)
        row: Row = self._decode(self._texts[place])
        return row

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment] # as a list

    def chosen(self, are_chosen: Iterable[bool]) -> LazyRows:
        """Some of them, still not decoded."""
        return LazyRows(list(compress(self._texts, are_chosen)), self._decode)

    def whole_numbers(self, *names: str) -> list[Any] | None:
        """The values of a field, or tuples of those of several, without the rest of the rows.

        Returns:
            None if one of them is anything but a whole number.
        """
        if not names or not all(map(PLAIN_NAME.fullmatch, names)):
            return None
        read, pick = _number_reader(names)
        try:
            return [pick(read(text)) for text in self._texts]
        except msgspec.ValidationError:
            return None


def chosen(rows: Sequence[Row], are_chosen: Iterable[bool]) -> Sequence[Row]:
    """Some of these rows; where they are not decoded, they stay so."""
    if isinstance(rows, LazyRows):
        return rows.chosen(are_chosen)
    return list(compress(rows, are_chosen))


@cache
def _number_reader(names: tuple[str, ...]) -> tuple[Callable[[bytes], Any], Callable[[Any], Any]]:
    members = [f"field_{number}" for number in range(len(names))]
    kind = msgspec.defstruct(
        "Numbers",
        [(member, int) for member in members],
        rename=dict(zip(members, names, strict=True)),
    )
    return msgspec.json.Decoder(kind).decode, attrgetter(*members)


def decode_around(
    content: bytes, keys: tuple[str, ...], decode: Callable[[bytes], Any]
) -> dict[str, Any] | None:
    """Decode a body but for the rows of its list.

    Args:
        content: Of the body: UTF-8, in which no text has an escape that `decode` does not take.
        keys: To the list, from outside in.
        decode: Decodes a value.

    Returns:
        The body with `LazyRows`; None if there is anything besides the list and page metadata.
    """
    if keys[-1] in METADATA or not all(map(PLAIN_NAME.fullmatch, keys)):
        return None
    try:
        holder = _envelope_decoder(keys)(content)
    except msgspec.MsgspecError:
        return None
    for name in ("key",) * (len(keys) - 1):
        holder = getattr(holder, name)
    texts: list[msgspec.Raw] = holder.rows
    if not all(memoryview(text)[0] == OPENING_BRACE for text in texts):
        return None
    body: dict[str, Any] = {keys[-1]: LazyRows(texts, decode)}
    for name in METADATA:
        text = getattr(holder, name)
        if text is not msgspec.UNSET:
            body[name] = decode(text)
    for key in reversed(keys[:-1]):
        body = {key: body}
    return body


@cache
def _envelope_decoder(keys: tuple[str, ...]) -> Callable[[bytes], Any]:
    """Decodes nothing but the way to a list, and where each row begins and ends."""
    *outer, name = keys
    fields: list[Any] = [("rows", list[msgspec.Raw])]
    fields += [(each, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for each in METADATA]
    kind = msgspec.defstruct("Holder", fields, rename={"rows": name}, forbid_unknown_fields=True)
    for key in reversed(outer):
        kind = msgspec.defstruct(
            "Level", [("key", kind)], rename={"key": key}, forbid_unknown_fields=True
        )
    return msgspec.json.Decoder(kind).decode
