"""Edits of a JSON answer: one part of it is set, removed, renamed or repeated, the rest stays.

A path names keys, positions of lists (from the end where negative) and `*` for each element of a
list or value of an object: `response.result.invoices.*.amount`, or a list of parts where a key has
a dot in it. What a path does not find stays as it is.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Part = str | int
Container = dict[str, Any] | list[Any]


class Edit(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="edit"):
    """An edit at a path; the empty path is the answer as a whole."""

    path: str | list[str | int]

    def parts(self) -> list[Part]:
        """The path, taken apart."""
        if isinstance(self.path, str):
            return [*self.path.split(".")] if self.path else []
        return list(self.path)


class SetValue(Edit, tag="set"):
    """Put a value there: `value`; or what is sent as it is, valid or not.

    That is `json`, a text (`1e1000000`, `NaN`), or `base64`, bytes that may be no text.
    """

    value: Any = None
    json: str | None = None
    base64: bytes | None = None

    def new(self) -> Any:
        """What the encoder writes."""
        raw = self.base64 if self.json is None else self.json.encode()
        # A later edit must change it in one place only, and not for the next answer.
        return copy.deepcopy(self.value) if raw is None else msgspec.Raw(raw)


class Remove(Edit, tag="remove"):
    """Take a key or element away."""


class Rename(Edit, tag="rename"):
    """Give a key another name."""

    to: str


class Repeat(Edit, tag="repeat"):
    """Put an element so many times more behind itself."""

    times: int = 1


AnyEdit = SetValue | Remove | Rename | Repeat


def edited(body: bytes, edits: list[AnyEdit]) -> bytes:
    """The answer with all edits, in their order; one that is no JSON as it is."""
    if not edits:
        return body
    try:
        holder = {"": msgspec.json.decode(body)}
    except msgspec.DecodeError:
        return body
    for edit in edits:
        way: list[Part] = ["", *edit.parts()]
        last = way.pop()
        for container in _found(holder, way):
            for key in reversed(_keys(container, last, is_new=isinstance(edit, SetValue))):
                _apply(edit, container, key)
    return msgspec.json.encode(holder.get(""))


def _found(start: Any, way: list[Part]) -> Iterator[Any]:
    """All containers at the end of a way."""
    if not way:
        yield start
        return
    for key in _keys(start, way[0]):
        child = start[key]
        if isinstance(child, dict | list):
            yield from _found(child, way[1:])


def _keys(container: Container, part: Part, *, is_new: bool = False) -> list[Any]:
    """The keys or positions that a part of a path stands for; a new key only to be set."""
    if isinstance(container, dict):
        if part == "*":
            return list(container)
        return [str(part)] if is_new or str(part) in container else []
    if part == "*":
        return list(range(len(container)))
    try:
        position = range(len(container))[int(part)]
    except (ValueError, IndexError):
        return []
    return [position]


def _set(edit: SetValue, container: Any, key: Any) -> None:
    container[key] = edit.new()


def _remove(_edit: Remove, container: Any, key: Any) -> None:
    del container[key]


def _rename(edit: Rename, container: Any, key: Any) -> None:
    if isinstance(container, dict):
        container[edit.to] = container.pop(key)


def _repeat(edit: Repeat, container: Any, key: Any) -> None:
    if isinstance(container, list):
        # Each a row of its own: a later edit of one must not change the others.
        container[key:key] = [copy.deepcopy(container[key]) for _ in range(edit.times)]


_APPLY: dict[type[Edit], Callable[[Any, Any, Any], None]] = {
    SetValue: _set,
    Remove: _remove,
    Rename: _rename,
    Repeat: _repeat,
}


def _apply(edit: AnyEdit, container: Container, key: Any) -> None:
    _APPLY[type(edit)](edit, container, key)
