"""Rows against the declared fields of their stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.checks.lists import NO_ROWS
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.schema.fields import Array, Field, Object, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.doctor.evidence import Evidence
    from tap_freshbooks.doctor.subjects import Subject

FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,39}[0-9]?")
"""A name that is certainly none of the customer's identifiers: no digits but a last one."""


class Fields:
    """Notes what a conversion by the declared fields could not keep."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self.unfit: set[str] = set()

    def on_unknown(self, path: str) -> None:
        """A field that is not declared."""
        self.unknown.add(path)

    def on_invalid(self, path: str, value: object) -> None:
        """A value of another kind."""
        del value
        self.unfit.add(path)


def fields_of(subject: Subject, evidence: Evidence) -> Fields:
    """What the rows of the first page have beyond the declaration, or otherwise.

    Raises:
        NotTestedError: If there are no rows.
    """
    rows = subject.listing(evidence).rows
    if not rows:
        raise NotTestedError(NO_ROWS)
    found = Fields()
    convert = subject.stream.fields.converter("", found)
    for row in rows:
        convert(row)
    return found


class RowFields(StreamCheck):
    """Whether rows have fields that are not declared."""

    name = "row_fields"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        unknown = fields_of(subject, evidence).unknown
        if not unknown:
            return self.found("documented")
        names = sorted(name for name in unknown if _is_field(name))
        hidden = len(unknown) - len(names)
        detail = f"{hidden} more with names that may be data" if hidden else ""
        return self.found("more", detail, names)


class RowKinds(StreamCheck):
    """Whether values are of the declared kinds."""

    name = "row_kinds"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        unfit = fields_of(subject, evidence).unfit
        return self.found("other", names=sorted(unfit)) if unfit else self.found("documented")


VIS_STATES = (0, 1, 2)
"""Active, deleted, archived (`docs/freshbooks-api/accounting.md §5`)."""


class EnumWords(StreamCheck):
    """Whether fields whose words are known hold others."""

    name = "enum_words"

    @override
    def applies(self, subject: Subject) -> bool:
        fields = subject.stream.fields
        return subject.is_list and ("vis_state" in fields.fields or _has_words(fields))

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows = subject.listing(evidence).rows
        if not rows:
            raise NotTestedError(NO_ROWS)
        unknown = {path for row in rows for path in _unknown_words(subject.stream.fields, row)}
        unknown |= {"vis_state" for row in rows if row.get("vis_state", 0) not in VIS_STATES}
        return self.found("more", names=sorted(unknown)) if unknown else self.found("documented")


def _has_words(field: Field) -> bool:
    if isinstance(field, Object):
        return any(map(_has_words, field.fields.values()))
    return _has_words(field.item) if isinstance(field, Array) else isinstance(field, Word)


def _unknown_words(field: Field, value: Any, path: str = "") -> Iterator[str]:
    """Paths of fields that hold a word which is not known."""
    if isinstance(field, Object) and isinstance(value, dict):
        for name, inner in field.fields.items():
            yield from _unknown_words(inner, value.get(name), f"{path}.{name}" if path else name)
    elif isinstance(field, Array) and isinstance(value, list):
        for each in value:
            yield from _unknown_words(field.item, each, path)
    elif isinstance(field, Word) and isinstance(value, str) and value not in {"", *field.words}:
        yield path


def _is_field(path: str) -> bool:
    return all(FIELD_NAME.fullmatch(name) for name in path.split("."))
