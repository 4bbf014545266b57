"""Converts objects of one kind quickly, since nearly all values are right as they come.

msgspec checks a whole object at once against the values that need no conversion, and only the
others are looked at one by one. Where an object does not pass, each of its values is, and what
was odd about it is not expected of the next ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_freshbooks.schema.fields import Converter, Problems


def shape(kinds: Mapping[str, Any]) -> type[msgspec.Struct]:
    """Type of the objects that have at most these fields, each null or of its msgspec type."""
    # Any name is allowed in an object, but not in a class.
    names = {f"field_{number}": name for number, name in enumerate(kinds)}
    members = [
        (member, kinds[name] if kinds[name] is Any else kinds[name] | None, None)
        for member, name in names.items()
    ]
    return msgspec.defstruct("Shape", members, rename=names, forbid_unknown_fields=True)


class ObjectConverter:
    """The conversion of objects at one path of a record.

    Args:
        path: For problems; empty for the record itself.
        converters: Per declared field; None for one that is not emitted.
        kinds: Finds per declared field the msgspec type of what stays as it is, None if nothing
            does; called for the first object, as it takes some time.
        problems: Hears of what could not be kept.
    """

    def __init__(
        self,
        path: str,
        converters: Mapping[str, Converter | None],
        kinds: Callable[[], Mapping[str, Any]],
        problems: Problems,
    ) -> None:
        self._path = path
        self._prefix = f"{path}." if path else ""
        self._converters = converters
        self._find_kinds = kinds
        self._kinds: dict[str, Any] | None = None
        self._problems = problems
        self._shape: type[msgspec.Struct] | None = None
        self._converted: list[tuple[str, Converter]] = []
        self._dropped = [name for name, converter in converters.items() if converter is None]
        self._unknown: list[str] = []

    def __call__(self, row: Any) -> dict[str, Any] | None:
        """Convert an object; the result may be the object itself, which is not changed."""
        if not isinstance(row, dict):
            self._problems.unfit(self._path, row)
            return None
        try:
            msgspec.convert(row, self._shape or self._expect())
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
                self._problems.unknown(self._prefix + name)
        return record

    def _expect(self) -> type[msgspec.Struct]:
        """Derive what to check, and what to do after it, from the kinds."""
        if self._kinds is None:
            found = self._find_kinds()
            self._kinds = {name: kind for name, kind in found.items() if kind is not None}
        self._converted = [
            (name, converter)
            for name, converter in self._converters.items()
            if converter is not None and name not in self._kinds
        ]
        names = (*self._converters, *self._unknown)
        self._shape = shape({name: self._kinds.get(name, Any) for name in names})
        return self._shape

    def _one_by_one(self, row: dict[str, Any]) -> dict[str, Any]:
        kinds = self._kinds or {}
        record = {}
        for name, value in row.items():
            if name not in self._converters:
                self._problems.unknown(self._prefix + name)
                if name not in self._unknown:
                    self._unknown.append(name)
                    self._shape = None
                continue
            converter = self._converters[name]
            if converter is None:
                continue
            record[name] = kept = None if value is None else converter(value)
            if name in kinds and (type(kept) is not type(value) or kept != value):
                del kinds[name]
                self._shape = None
        return record
