"""The order of lists: without `sort`, and with the keys that are documented."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.streams.families import AccountingStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.subjects import Subject

NEWEST_FIRST_BY_ANALOGY = frozenset({"estimates", "projects", "time_entries"})
"""Lists that are said to begin with the newest row; no sync relies on it
(`docs/freshbooks-api/accounting.md §3`, `docs/freshbooks-api/projects-and-time.md §2`)."""

BY_NAME = frozenset({"tasks", "expense_categories"})
"""Lists that are sorted by name, which may be the order of their ids as well."""

SORTS = {
    "invoices": ("invoice_date_asc", "create_date"),
    "clients": ("updated_asc", "updated"),
    "projects": ("created_at", "created_at"),
    "time_entry_details": ("started_at", "started_at"),
}
"""For a stream a value of `sort` that is documented, ascending, and the field that it sorts by."""

DAY = len("2026-01-31")
TOO_FEW = "there are too few rows to tell"


class OldestFirst(StreamCheck):
    """Whether the newest row comes first.

    It is known of some lists only; of another it is told if the oldest does.
    """

    name = "oldest_first"

    @override
    def applies(self, subject: Subject) -> bool:
        if not (subject.is_list and subject.stream.paged) or subject.name in BY_NAME:
            return False
        return subject.is_accounting or subject.name in NEWEST_FIRST_BY_ANALOGY

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows = subject.listing(evidence).rows
        ids = [row.get(subject.stream.key[0]) for row in rows]
        if len(set(map(repr, ids))) < 2 or not all(type(each) is int for each in ids):  # noqa: PLR2004
            raise NotTestedError(TOO_FEW)
        if _ascends(ids[::-1]):
            return self.found("newest")
        if _ascends(ids):
            return self.found("oldest")
        if not _is_known(subject):
            raise NotTestedError("the list has an order of its own")
        return self.found("other")


def _is_known(subject: Subject) -> bool:
    """Whether the newest row is said to come first."""
    stream = subject.stream
    proven = issubclass(stream, AccountingStream) and stream.newest_first
    return proven or subject.name in NEWEST_FIRST_BY_ANALOGY


class SortIgnored(StreamCheck):
    """Whether a documented `sort` sorts."""

    name = "sort_ignored"
    streams = tuple(SORTS)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (subject.page({"sort": SORTS[subject.name][0]}),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        _, field = SORTS[subject.name]
        before, after = (
            # By day: in the hour that November has twice, text does not ascend with time.
            [str(row.get(field))[:DAY] for row in subject.listing(evidence, each).rows]
            for each in (subject.first_page, ask)
        )
        if _ascends(before):
            raise NotTestedError("the list is in that order without it")
        return self.found("honoured" if _ascends(after) else "ignored")


def _ascends(values: list[Any]) -> bool:
    return all(a <= b for a, b in pairwise(values))
