"""Rows against the declared fields of their stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.checks.lists import NO_ROWS
from tap_freshbooks.doctor.findings import NotTestedError, Verdict

if TYPE_CHECKING:
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


def _is_field(path: str) -> bool:
    return all(FIELD_NAME.fullmatch(name) for name in path.split("."))
