"""Shape: what rows are made of, without a value of them.

Names of fields are shown where they are declared. An unknown name is shown only if it can be none
of the customer's words: a plain identifier, beside declared fields, and in several rows. Keys below
an unknown name, or below a field whose keys are data, are never shown.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_freshbooks.schema.fields import Array, Object, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_freshbooks.schema.fields import Field

FIELD_NAME = re.compile(r"[a-z][a-z]*(?:_[a-z]+|[A-Z][a-z]*)*_?[0-9]?")
LONGEST_NAME = 40
ENOUGH_ROWS = 2
"""Rows that have a name, so that it is none of one row's words."""

FORMS = (
    ("empty", re.compile(r"")),
    ("digits", re.compile(r"[0-9]+")),
    ("decimal", re.compile(r"-?[0-9]+\.[0-9]+")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("time with a blank", re.compile(r"\d{4}-\d\d-\d\d \d\d?:\d\d:\d\d(\.\d+)?")),
    ("time with a T", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")),
    ("time with a zone", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")),
    ("uuid", re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("hexadecimal", re.compile(r"[0-9a-fA-F]{16,}")),
)
"""The forms of texts that are told apart; any other is text."""

SIZES = ((0, "0"), (1, "1"), (15, "2-15"), (100, "16-100"), (1000, "101-1000"))


def size_class(number: int) -> str:
    """The class of a count or a length."""
    return next((name for most, name in SIZES if number <= most), "more than 1000")


def kind_of(value: Any) -> str:
    """The kind of a JSON value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    for types, name in (
        (str, "string"),
        (int, "integer"),
        ((Decimal, float), "number"),
        (dict, "object"),
    ):
        if isinstance(value, types):
            return name
    return "array"


class Shape:
    """What was seen at one place of rows.

    Args:
        field: As which the place is declared, None if it is not.
        repeats: Whether rows repeat what stands once in the answer, as those of a report repeat
            the fields of their group: then no name is in several rows by itself.
    """

    def __init__(self, field: Field | None, *, repeats: bool = False) -> None:
        self.field = field
        self.repeats = repeats
        self.kinds: Counter[str] = Counter()
        self.forms: set[str] = set()
        self.sizes: set[str] = set()
        self.words: set[str] = set()
        self.fields: dict[str, Shape] = {}
        self.items: Shape | None = None
        self._unknown: dict[str, Shape] = {}
        self._in_records: Counter[str] = Counter()
        """How many objects with declared fields, and so no maps, have an unknown name."""

    def see_all(self, values: Iterable[Any]) -> Shape:
        """Look at values that stand at this place."""
        for value in values:
            self.see(value)
        return self

    def see(self, value: Any) -> None:
        """Look at a value."""
        self.kinds[kind_of(value)] += 1
        if isinstance(value, str):
            self._see_text(value)
        elif isinstance(value, dict):
            self._see_object(value)
        elif isinstance(value, list):
            self.sizes.add(size_class(len(value)))
            if self.items is None:
                item = self.field.item if isinstance(self.field, Array) else None
                self.items = Shape(item, repeats=self.repeats)
            self.items.see_all(value)

    def _see_text(self, text: str) -> None:
        self.sizes.add(size_class(len(text)))
        form = next((name for name, pattern in FORMS if pattern.fullmatch(text)), "text")
        self.forms.add(form)
        if isinstance(self.field, Word) and text:
            self.words.add(text if text in self.field.words else "another word")

    def _see_object(self, value: dict[str, Any]) -> None:
        if not isinstance(self.field, Object):
            self.sizes.add(size_class(len(value)))
            return
        declared = self.field.fields
        is_record = not value.keys().isdisjoint(declared)
        for name, each in value.items():
            if name in declared:
                self.fields.setdefault(name, Shape(declared[name], repeats=self.repeats)).see(each)
            else:
                self._unknown.setdefault(name, Shape(None)).see(each)
                self._in_records[name] += is_record

    @property
    def unknown(self) -> dict[str, Shape]:
        """Fields that are not declared, under names that can be shown."""
        return {name: shape for name, shape in self._unknown.items() if self._is_field(name)}

    @property
    def unnamed(self) -> int:
        """How many more there are, under names that may be data."""
        return len(self._unknown) - len(self.unknown)

    def _is_field(self, name: str) -> bool:
        is_plain = len(name) <= LONGEST_NAME and FIELD_NAME.fullmatch(name)
        in_several = not self.repeats and self._in_records[name] >= ENOUGH_ROWS
        return bool(is_plain) and in_several

    def unknown_paths(self, path: str = "") -> Iterator[tuple[str, bool]]:
        """Paths of the fields that are not declared, and whether each may be shown to others."""
        prefix = f"{path}." if path else ""
        shown = self.unknown
        yield from ((prefix + name, name in shown) for name in self._unknown)
        for name, shape in self.fields.items():
            yield from shape.unknown_paths(prefix + name)
        if self.items is not None:
            yield from self.items.unknown_paths(path)

    def to_dict(self, rows: int) -> dict[str, Any]:
        """For the report.

        Args:
            rows: How many could have had a value here.
        """
        seen = sum(self.kinds.values())
        found: dict[str, Any] = {"kinds": sorted(self.kinds)}
        if seen < rows:
            found["absent"] = "sometimes"
        for name in ("forms", "sizes", "words"):
            if values := sorted(getattr(self, name)):
                found[name] = values
        objects = self.kinds["object"]
        if self.fields:
            found["fields"] = {
                name: shape.to_dict(objects) for name, shape in sorted(self.fields.items())
            }
        if self._unknown:
            found["unknown"] = {
                name: shape.to_dict(objects) for name, shape in sorted(self.unknown.items())
            }
            found["unnamed"] = size_class(self.unnamed)
        if self.items is not None:
            found["items"] = self.items.to_dict(sum(self.items.kinds.values()))
        return found
