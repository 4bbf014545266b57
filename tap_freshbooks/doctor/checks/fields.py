"""Rows against the declared fields of their stream."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import Check, ConnectionCheck, StreamCheck
from tap_freshbooks.doctor.checks.lists import NO_ROWS
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.structure import Shape
from tap_freshbooks.printable import printable
from tap_freshbooks.schema.conversion import SilentListener
from tap_freshbooks.schema.fields import Array, Field, Object, Word
from tap_freshbooks.streams.resources.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.doctor.evidence import Evidence
    from tap_freshbooks.doctor.subjects import Subject
    from tap_freshbooks.records import Row


MOST_NAMES = 20
"""Names, at most, of those that may be data."""


class Fields(SilentListener):
    """Notes what a conversion by the declared fields could not keep."""

    def __init__(self) -> None:
        self.unfit: set[str] = set()

    @override
    def on_invalid(self, path: str, value: object) -> None:
        """A value of another kind."""
        del value
        self.unfit.add(path)


def _rows(subject: Subject, evidence: Evidence) -> list[Row]:
    rows = subject.listing(evidence).rows
    if not rows:
        raise NotTestedError(NO_ROWS)
    return rows


def _verdict_on(check: Check, shape: Shape, rows: list[Row]) -> Verdict:
    """Whether rows have fields that are not declared."""
    unknown = sorted(set(shape.see_all(rows).unknown_paths()))
    if not unknown:
        return check.found("documented")
    names = [path for path, is_shown in unknown if is_shown]
    private = [printable(path) for path, is_shown in unknown if not is_shown]
    return replace(check.found("more", names=names), private=tuple(private[:MOST_NAMES]))


class UnknownFields(StreamCheck):
    """Whether rows have fields that are not declared."""

    name = "unknown_fields"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        return _verdict_on(self, Shape(subject.stream.fields), _rows(subject, evidence))


class OtherKinds(StreamCheck):
    """Whether values are of the declared kinds."""

    name = "other_kinds"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        found = Fields()
        convert = subject.stream.fields.converter("", found)
        for row in _rows(subject, evidence):
            convert(row)
        return (
            self.found("other", names=sorted(found.unfit))
            if found.unfit
            else self.found("documented")
        )


class IdentityFields(ConnectionCheck):
    """Whether users/me has fields that are not declared."""

    name = "identity_fields"

    @override
    def judge(self, connection: Connection, evidence: Evidence) -> Verdict:
        del evidence
        return _verdict_on(self, Shape(Identity.fields), [connection.me])


VIS_STATES = (0, 1, 2, None)
"""Active, deleted, archived, not told (`docs/freshbooks-api/accounting.md §5`)."""


class UnknownWords(StreamCheck):
    """Whether fields whose words are known hold others."""

    name = "unknown_words"

    @override
    def applies(self, subject: Subject) -> bool:
        fields = subject.stream.fields
        return subject.is_list and ("vis_state" in fields.fields or _has_words(fields))

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows = _rows(subject, evidence)
        unknown = {path for row in rows for path in _unknown_words(subject.stream.fields, row)}
        unknown |= {"vis_state" for row in rows if row.get("vis_state") not in VIS_STATES}
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
