"""What the first page of a list says, and pages that are asked for in other ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.places import with_places
from tap_freshbooks.doctor.subjects import OVER_THE_CAP
from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.envelope import read_rows
from tap_freshbooks.extraction.pagination import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.doctor.evidence import Ask, Evidence, Listing
    from tap_freshbooks.doctor.subjects import Subject

NO_ROWS = "the list is empty"
ON_ONE_PAGE = frozenset({"journal_entry_accounts"})
"""Lists that come whole, and say so (`docs/freshbooks-api/accounting.md §3`)."""

SMALL_PAGE = 15
"""Rows to which a few lists are said to be cut (`docs/freshbooks-api/accounting.md §3`)."""


class Envelope(StreamCheck):
    """Whether the rows are where the tap reads them."""

    name = "envelope"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.first_page)
        try:
            read_rows(answer.body, subject.stream.records, "")
        except FreshBooksError:
            verdict = self.found("elsewhere", "no list is where the tap reads it")
            return with_places(verdict, answer.body)
        return self.found("known")


class PageMetadata(StreamCheck):
    """Whether lists with pages say where they are."""

    name = "page_metadata_missing"

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and (subject.stream.paged or subject.name in ON_ONE_PAGE)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        listing = subject.listing(evidence)
        if None in (listing.metadata.page, listing.metadata.total):
            return self.found("missing")
        return self.found("there")


class Totals(StreamCheck):
    """Whether `total` counts the rows of a list that fits on its first page."""

    name = "totals"

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and subject.stream.paged

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        listing = subject.listing(evidence)
        total = listing.metadata.total
        if total is None:
            raise NotTestedError("the answer has no total")
        if listing.metadata.pages > 1:
            raise NotTestedError("the list has several pages")
        if subject.keys_in(listing.rows) == total:
            return self.found("agree")
        return self.found("disagree", "there are other rows than the total counts")


class RepeatedRows(StreamCheck):
    """Whether the keys of the first page are unique."""

    name = "repeated_rows"

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and bool(subject.stream.key)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows = subject.listing(evidence).rows
        if not rows:
            raise NotTestedError(NO_ROWS)
        names = subject.stream.key
        if any(row.get(name) is None for row in rows for name in names):
            return self.found("missing", "rows have no key", names)
        if subject.keys_in(rows) == len(rows):
            return self.found("unique")
        return self.found("repeated", "a key stands twice on one page", names)


def _full_page(subject: Subject, evidence: Evidence) -> Listing:
    """The answer to more rows than may be asked for."""
    listing = subject.listing(evidence, subject.over_the_cap)
    if listing.metadata.total is None:
        raise NotTestedError("the answer has no total")
    return listing


class OverTheCap(StreamCheck):
    """How a list answers that was asked for more rows than it gives at once."""

    of_the_api = True

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and subject.stream.paged

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (subject.over_the_cap,)


class PageCap(OverTheCap):
    """Whether more than 100 rows come at once."""

    name = "page_cap"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        listing = _full_page(subject, evidence)
        if (listing.metadata.total or 0) <= PAGE_SIZE:
            raise NotTestedError(f"no list has more than {PAGE_SIZE} rows")
        if subject.keys_in(listing.rows) > PAGE_SIZE:
            return self.found("none", f"seen on {subject.name}")
        return self.found("100")


class SmallPages(StreamCheck):
    """Whether a list is cut to fewer rows than were asked for."""

    name = "small_pages"

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and (subject.stream.paged or not subject.stream.page_metadata_known)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return () if subject.stream.page_metadata_known else (_second_page(subject),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        listing = subject.listing(evidence)
        rows, total = len(listing.rows), listing.metadata.total
        is_cut = listing.is_cut
        if not subject.stream.page_metadata_known and 0 < rows < PAGE_SIZE:
            more = subject.listing(evidence, _second_page(subject)).rows
            is_cut = bool(more) and more != listing.rows
        if is_cut:
            return self.found("ignored", f"fewer rows come than the {PAGE_SIZE} asked for")
        if max(rows, total or 0) <= SMALL_PAGE:
            raise NotTestedError(f"the list has no more than {SMALL_PAGE} rows")
        return self.found("honoured")


def _second_page(subject: Subject) -> Ask:
    return subject.page({subject.stream.page_parameters[0]: 2})


class PerPageEcho(OverTheCap):
    """What `per_page` says where more than the cap was asked for."""

    name = "per_page_echo"

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        listing = _full_page(subject, evidence)
        size = listing.number("per_page")
        if size is None:
            raise NotTestedError("the answer has no per_page")
        if size == OVER_THE_CAP and len(listing.rows) <= PAGE_SIZE:
            return self.found("asked", f"seen on {subject.name}")
        return self.found("effective")
