"""Converts objects with the same fields quickly, since nearly all values are right as they come.

msgspec checks a whole object at once against the types of values that need no conversion; then only
the other fields are converted. If an object fails this check, each of its values is converted, and
the next objects are checked against types that also admit what was unusual about this one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_freshbooks.schema.conversion import ConversionListener, Converter


MOST_UNKNOWN = 100
"""Names of unknown fields that objects are expected to have: with more, the keys are data."""


UNNAMABLE = re.compile(r'["\\\x00-\x1f]')
"""What names in a type of msgspec must not have."""


def struct_type(fast_types: Mapping[str, Any]) -> type[msgspec.Struct]:
    """Type of the objects that have at most these fields, each null or of its msgspec type."""
    # Any name is allowed in an object, but not in a class; and some are not in msgspec's, so that
    # objects that have them are converted value by value.
    known = [name for name in fast_types if not UNNAMABLE.search(name)]
    names = {f"field_{number}": name for number, name in enumerate(known)}
    members = [
        (member, fast_types[name] if fast_types[name] is Any else fast_types[name] | None, None)
        for member, name in names.items()
    ]
    return msgspec.defstruct("Expected", members, rename=names, forbid_unknown_fields=True)


class ObjectConverter:
    """The conversion of objects at one path of a record.

    Args:
        path: For the listener; empty for the record itself.
        converters: Per declared field; None for one that is not emitted.
        fast_types: Gives per declared field the msgspec type of values that stay as they are, None
            if each is converted; called for the first object, as it takes some time.
        listener: Is notified of what could not be kept.
    """

    def __init__(
        self,
        path: str,
        converters: Mapping[str, Converter | None],
        fast_types: Callable[[], Mapping[str, Any]],
        listener: ConversionListener,
    ) -> None:
        self._path = path
        self._prefix = f"{path}." if path else ""
        self._converters = converters
        self._find_fast_types = fast_types
        self._fast_types: dict[str, Any] | None = None
        self._listener = listener
        self._expected: type[msgspec.Struct] | None = None
        self._converted: list[tuple[str, Converter]] = []
        self._dropped = [name for name, converter in converters.items() if converter is None]
        self._unknown: list[str] = []

    def __call__(self, row: Any) -> dict[str, Any] | None:
        """Convert an object; the result may be the object itself, which is not changed."""
        if not isinstance(row, dict):
            self._listener.on_invalid(self._path, row)
            return None
        try:
            msgspec.convert(row, self._expected or self._expect(row))
        except msgspec.ValidationError:
            return self._one_by_one(row)
        if not (self._converted or self._dropped or self._unknown):
            return row
        record = row.copy()
        for name, converter in self._converted:
            value = record.get(name)
            if value is not None:
                record[name] = converter(value)
        for name in self._dropped:
            record.pop(name, None)
        for name in self._unknown:
            if name in record:
                del record[name]
                self._listener.on_unknown(self._prefix + name)
        return record

    def _expect(self, row: Mapping[str, Any]) -> type[msgspec.Struct]:
        """Derive from the fast types what an object is checked against, and what is converted.

        Args:
            row: Its fields come first, in its order: msgspec looks for a field behind the last one.
        """
        if self._fast_types is None:
            found = self._find_fast_types()
            self._fast_types = {name: each for name, each in found.items() if each is not None}
        self._converted = [
            (name, converter)
            for name, converter in self._converters.items()
            if converter is not None and name not in self._fast_types
        ]
        known = dict.fromkeys((*self._converters, *self._unknown))
        names = (*(name for name in row if name in known), *known)
        types = {name: self._fast_types.get(name, Any) for name in names}
        self._expected = struct_type(types)
        return self._expected

    def _one_by_one(self, row: dict[str, Any]) -> dict[str, Any]:
        fast_types = self._fast_types or {}
        record = {}
        for name, value in row.items():
            if name not in self._converters:
                self._listener.on_unknown(self._prefix + name)
                if name not in self._unknown and len(self._unknown) < MOST_UNKNOWN:
                    self._unknown.append(name)
                    self._expected = None
                continue
            converter = self._converters[name]
            if converter is None:
                continue
            record[name] = None if value is None else converter(value)
            if name in fast_types and not _fits(value, fast_types[name]):
                del fast_types[name]
                self._expected = None
        return record


def _fits(value: Any, fast_type: Any) -> bool:
    try:
        msgspec.convert(value, fast_type | None)
    except msgspec.ValidationError:
        return False
    return True
