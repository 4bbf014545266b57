"""Rows against the declared fields of their stream."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import Check, ConnectionCheck, StreamCheck
from tap_freshbooks.doctor.checks.lists import NO_ROWS
from tap_freshbooks.doctor.checks.samples import Sample, of_this_month, samples_of
from tap_freshbooks.doctor.findings import NotTestedError
from tap_freshbooks.schema.conversion import SilentListener
from tap_freshbooks.schema.fields import Array, Field, Object, Word
from tap_freshbooks.streams.resources.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.findings import Verdict
    from tap_freshbooks.doctor.subjects import Subject


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


def _documented(check: Check, samples: Iterable[Sample]) -> Verdict:
    """Nothing differs: which says something where there are rows.

    Raises:
        NotTestedError: Where there are none, as in a report of a month without them.
    """
    if not all(sample.rows for sample in samples):
        raise NotTestedError(NO_ROWS)
    return check.found("documented")


def _verdict_on(check: Check, samples: Sequence[Sample]) -> Verdict:
    """Whether rows have fields that are not declared."""
    unknown = sorted({path for sample in samples for path in sample.shape().unknown_paths()})
    if not unknown:
        return _documented(check, samples)
    names = [path for path, is_shown in unknown if is_shown]
    private = [path for path, is_shown in unknown if not is_shown]
    return replace(check.found("more", names=names), private=tuple(private[:MOST_NAMES]))


class FieldsCheck(StreamCheck):
    """Looks at the fields of lists, of reports, and of what lies below a project."""

    @override
    def applies(self, subject: Subject) -> bool:
        return True

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (of_this_month(subject),) if subject.is_report else ()


class UnknownFields(FieldsCheck):
    """Whether rows have fields that are not declared."""

    name = "unknown_fields"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        return _verdict_on(self, samples_of(subject, evidence))


class OtherKinds(FieldsCheck):
    """Whether values are of the declared kinds."""

    name = "other_kinds"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        found, samples = Fields(), samples_of(subject, evidence)
        for sample in samples:
            convert = sample.fields.converter("", found)
            for row in sample.rows:
                convert(row)
        if found.unfit:
            return self.found("other", names=sorted(found.unfit))
        return _documented(self, samples)


class IdentityFields(ConnectionCheck):
    """Whether users/me has fields that are not declared."""

    name = "identity_fields"

    @override
    def judge(self, connection: Connection, evidence: Evidence) -> Verdict:
        del evidence
        return _verdict_on(self, [Sample(Identity.fields, [connection.me])])


VIS_STATES = (0, 1, 2, None)
"""Active, deleted, archived, not told (`docs/freshbooks-api/accounting.md §5`)."""


class UnknownWords(FieldsCheck):
    """Whether fields whose words are known hold others."""

    name = "unknown_words"

    @override
    def applies(self, subject: Subject) -> bool:
        fields = subject.stream.fields
        return "vis_state" in fields.fields or _has_words(fields)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        unknown: set[str] = set()
        samples = samples_of(subject, evidence)
        for sample in samples:
            for row in sample.rows:
                unknown.update(_unknown_words(sample.fields, row))
                if row.get("vis_state") not in VIS_STATES:
                    unknown.add("vis_state")
        if unknown:
            return self.found("more", names=sorted(unknown))
        return _documented(self, samples)


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
