"""Keys of a table in little space, for the Singer state: ids are whole numbers, near each other.

Keys are sorted, and of each column only the differences are kept: all of their lowest bytes first,
then all of the next ones, since the upper ones are mostly the same. That is compressed, and
written as text that JSON needs not escape.
"""

from __future__ import annotations

import base64
import json
import uuid
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

Key = tuple[Any, ...]
"""The values of a primary key's columns."""

NUMBER_SIZE = 8
UUID_SIZE = 16


class KeyFormatError(ValueError):
    """Something in the state stands for no set of keys."""


UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What reading a state raises that somebody has edited, `zlib.error` beside them."""


class _Kind(NamedTuple):
    """How the values of a column become whole numbers, and come back.

    Attributes:
        size: Bytes of a number; 0 where the values stay what they are.
        parse: A number out of a value; raises a ValueError if that would not come back the same.
        restore: The value of a number.
    """

    size: int
    parse: Callable[[Any], Any]
    restore: Callable[[Any], Any]


def encode(keys: Collection[Key]) -> dict[str, Any]:
    """A set of keys as JSON.

    Args:
        keys: Each once, all with the same columns.
    """
    found = [_kind_of(column) for column in zip(*keys, strict=True)]
    rows: Sequence[Key] = list(zip(*(values for _, _, values in found), strict=True))
    try:
        rows = sorted(rows)
    except TypeError:  # values of several types in a column
        rows = sorted(rows, key=repr)
    columns = [
        {"kind": kind, "prefix": prefix, "data": _pack(KINDS[kind].size, values)}
        for (kind, prefix, _), values in zip(found, zip(*rows, strict=True), strict=True)
    ]
    return {"count": len(keys), "columns": columns}


def decode(encoded: Any, columns: int) -> set[Key]:
    """The keys of what `encode` made.

    Args:
        encoded: From the state, in which users may have changed anything.
        columns: How many columns the key has.

    Raises:
        KeyFormatError: If it stands for no set of such keys.
    """
    try:
        count = encoded["count"]
        values = [_column(each, count) for each in encoded["columns"]]
        if not count:
            return set()
        keys = set(zip(*values, strict=True)) if values else {()}
        if len(keys) != count or len(values) != columns:
            raise KeyFormatError
    except (*UNREADABLE, zlib.error) as error:
        raise KeyFormatError(type(error).__name__) from None
    return keys


def _column(encoded: Any, count: int) -> list[Any]:
    kind, prefix = KINDS[encoded["kind"]], encoded["prefix"]
    numbers = _unpack(kind.size, encoded["data"], count)
    return [prefix + kind.restore(each) if prefix else kind.restore(each) for each in numbers]


def _kind_of(column: Sequence[Any]) -> tuple[str, str, Sequence[Any]]:
    """The kind of a column, what all of its texts begin with, and the numbers of the rest."""
    prefix = "".join(str(column[0]).rpartition(":")[:2])  # as in `invoices:880417`
    if not all(type(value) is str and value.startswith(prefix) for value in column):
        prefix = ""
    rest = [value[len(prefix) :] for value in column] if prefix else column
    for name, kind in KINDS.items():
        try:
            return name, prefix, list(map(kind.parse, rest))
        except ValueError:
            continue
    raise AssertionError(column)


def _number(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _number_in_text(value: Any) -> int:
    if type(value) is not str or not value.isdecimal() or str(number := int(value)) != value:
        raise ValueError
    return _number(number)


def _uuid(value: Any) -> int:
    if type(value) is not str or str(parsed := uuid.UUID(value)) != value:
        raise ValueError
    return parsed.int


KINDS = {
    "numbers": _Kind(NUMBER_SIZE, _number, lambda number: number - 2**64 * (number >> 63)),
    "numbers in text": _Kind(NUMBER_SIZE, _number_in_text, str),
    "uuids": _Kind(UUID_SIZE, _uuid, lambda number: str(uuid.UUID(int=number))),
    "values": _Kind(0, lambda value: value, lambda value: value),
}
"""In the order in which they are tried: the last one takes everything."""


def _pack(size: int, values: Sequence[Any]) -> str:
    if size:
        limit = 1 << 8 * size
        before = 0
        differences = bytearray()
        for value in values:
            differences += ((value - before) % limit).to_bytes(size, "little")
            before = value
        raw = b"".join(differences[place::size] for place in range(size))
    else:
        raw = json.dumps(values, separators=(",", ":")).encode()
    return base64.b85encode(zlib.compress(raw, 9)).decode()


def _unpack(size: int, text: str, count: int) -> list[Any]:
    raw = zlib.decompress(base64.b85decode(text))
    if not size:
        values = json.loads(raw)
        if not isinstance(values, list) or len(values) != count:
            raise KeyFormatError
        return values
    if len(raw) != size * count:
        raise KeyFormatError
    differences = bytearray(len(raw))
    for place in range(size):
        differences[place::size] = raw[place * count : (place + 1) * count]
    limit = 1 << 8 * size
    value, values = 0, []
    for start in range(0, len(raw), size):
        value = (value + int.from_bytes(differences[start : start + size], "little")) % limit
        values.append(value)
    return values
