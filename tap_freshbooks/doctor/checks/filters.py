"""Parameters that FreshBooks may ignore in silence: filters, includes, states.

Each is believed only after a value that can match nothing was answered with nothing
(`docs/freshbooks-api/accounting.md §4`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.checks.lists import NO_ROWS
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.subjects import INCLUDES
from tap_freshbooks.streams.families import DELETED, AccountingStream, ProjectStream
from tap_freshbooks.streams.replication import Replication

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.subjects import Subject

NEVER = datetime(2099, 1, 1, tzinfo=UTC)
"""After the last change of any row."""

INCLUDE_PREFIX = "include_"
"""How project-like lists spell an include: a switch of this name and that of the field."""


class UpdatedFilter(StreamCheck):
    """Whether the filter by change leaves rows out."""

    name = "updated_filter_ignored"

    @override
    def applies(self, subject: Subject) -> bool:
        stream = subject.stream
        is_known = issubclass(stream, AccountingStream | ProjectStream)
        return subject.is_list and is_known and stream.replication is Replication.SERVER_FILTER

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (changed_never(subject),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        if not subject.listing(evidence).rows:
            raise NotTestedError(NO_ROWS)
        if subject.listing(evidence, changed_never(subject)).rows:
            return self.found("ignored", "rows came that changed before 2099")
        return self.found("honoured")


def changed_never(subject: Subject) -> Ask:
    """The first page of rows that changed at a moment that is not yet."""
    stream = subject.stream
    assert issubclass(stream, AccountingStream | ProjectStream)  # noqa: S101 - see `applies`
    return subject.page(stream.changed_since(NEVER))


class DeletedFilter(StreamCheck):
    """Whether the filter by state brings deleted rows, and only these."""

    name = "deleted_filter_ignored"

    @override
    def applies(self, subject: Subject) -> bool:
        # Nobody knows how rows of a stream that vanish without a trace could be listed.
        is_known = subject.stream.marks_deletions and not subject.stream.hard_deletes
        return subject.is_list and subject.is_accounting and is_known

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (subject.page({"search[vis_state]": DELETED}),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        if not subject.listing(evidence).rows:
            raise NotTestedError(NO_ROWS)
        rows = subject.listing(evidence, subject.page({"search[vis_state]": DELETED})).rows
        if any("vis_state" not in row for row in rows):
            raise NotTestedError("rows do not say whether they are deleted")
        if any(row["vis_state"] != DELETED for row in rows):
            return self.found("ignored", "rows came that are not deleted")
        return self.found("honoured", "" if rows else "nothing is deleted")


NOBODY = 999_999_999
SEARCHES: dict[str, tuple[str, str | int]] = {
    "bills": ("vendorid", NOBODY),
    "clients": ("userid", NOBODY),
    "credit_notes": ("clientid", NOBODY),
    "estimates": ("estimateid", NOBODY),
    "expenses": ("expenseid", NOBODY),
    "invoice_profiles": ("profileid", NOBODY),
    "invoices": ("customerid", NOBODY),
    "items": ("sku", "no such sku"),
    "journal_entry_details": ("start_date", "2099-01-01"),
    "other_incomes": ("incomeid", NOBODY),
    "payments": ("logid", NOBODY),
    "staffs": ("userid", NOBODY),
}
"""A documented filter of each list, with a value that no row has."""


class Searches(StreamCheck):
    """Whether the filters of a list leave rows out, besides those by change and by state."""

    name = "search_ignored"
    streams = tuple(SEARCHES)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        name, value = SEARCHES[subject.name]
        return (subject.page({f"search[{name}]": value}),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        if not subject.listing(evidence).rows:
            raise NotTestedError(NO_ROWS)
        [ask] = self.asks(subject)
        if subject.listing(evidence, ask).rows:
            return self.found("ignored", "rows came that were not looked for")
        return self.found("honoured")


class Includes(StreamCheck):
    """Whether what a sync asks to be included is there."""

    name = "includes_ignored"

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and bool(_included(subject))

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows = subject.listing(evidence).rows
        if not rows:
            raise NotTestedError(NO_ROWS)
        # Accounting leaves out what is not included; elsewhere it may be null.
        absent = object() if subject.is_accounting else None
        missing = [
            name
            for name in _included(subject)
            if all(row.get(name, absent) is absent for row in rows)
        ]
        if len(missing) == len(_included(subject)):
            return self.found("ignored", "no row has what was to be included", missing)
        # What is not there in these rows may have nothing to tell: an expense without an account.
        return self.found("honoured", "not seen" if missing else "", missing)


def _included(subject: Subject) -> list[str]:
    """Fields that the query of a stream asks to be included and that it declares."""
    query = subject.stream.query
    switches = (name for name in query if name.startswith(INCLUDE_PREFIX))
    names = [*query.get(INCLUDES, ()), *(each.removeprefix(INCLUDE_PREFIX) for each in switches)]
    return [name for name in names if name in subject.stream.fields.fields]
