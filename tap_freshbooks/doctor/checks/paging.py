"""Pages that are asked for in unusual ways: none, no number, past the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.streams.families import AccountingStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.subjects import Subject

FAR_PAGE = 1_000_000
"""Past the end of every list."""

NO_NUMBER = "abc"

ACCOUNTING_DEFAULT = 15
DEFAULTS = {"projects": 30}
"""Rows on a page, where accounting's 15 do not hold and nothing else asks about it."""


class WithoutPerPage(StreamCheck):
    """How a list answers that was asked for no number of rows."""

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (subject.bare,)


class DefaultPerPage(WithoutPerPage):
    """How many rows come where no number is asked for."""

    name = "default_per_page"

    @override
    def applies(self, subject: Subject) -> bool:
        is_known = subject.name in DEFAULTS or issubclass(subject.stream, AccountingStream)
        return subject.is_list and subject.stream.paged and is_known

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        size = _per_page(subject, evidence)
        if size == DEFAULTS.get(subject.name, ACCOUNTING_DEFAULT):
            return self.found("documented")
        return self.found("other")


class TeamMembersPerPage(WithoutPerPage):
    """The same for team members, where it is open."""

    name = "team_members_per_page"
    streams = ("team_members",)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        size = str(_per_page(subject, evidence))
        return self.found(size if size in self.question.values else "other")


class TimeEntriesDefault(WithoutPerPage):
    """The same for time entries, which come all at once."""

    name = "time_entries_default"
    streams = ("time_entries",)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        size = _per_page(subject, evidence)
        total = subject.listing(evidence, subject.bare).metadata.total
        if size == total:
            if str(size) in self.question.values:
                raise NotTestedError("there are as many time entries as a page might have")
            return self.found("unpaged")
        return self.found(str(size) if str(size) in self.question.values else "other")


def _per_page(subject: Subject, evidence: Evidence) -> int:
    if subject.listing(evidence).is_cut:
        raise NotTestedError("the list is cut to less than was asked for")
    size = subject.listing(evidence, subject.bare).number("per_page")
    if size is None:
        raise NotTestedError("the answer has no per_page")
    return size


class OddPage(StreamCheck):
    """How accounting answers a page that no list has."""

    page: ClassVar[str | int]
    """The page that is asked for."""

    of_the_api = True

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and subject.is_accounting and subject.stream.paged

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (subject.ask({subject.stream.page_parameters[0]: self.page}),)


class PastTheEnd(OddPage):
    """Which page an answer past the last one names."""

    name = "past_the_end"
    page = FAR_PAGE

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        listing = subject.listing(evidence, ask)
        if listing.rows:
            return self.found("rows", "there are rows past the end")
        page = listing.metadata.page
        if page is None:
            raise NotTestedError("the answer names no page")
        if page == FAR_PAGE:
            return self.found("asked")
        return self.found("last" if page == listing.metadata.pages else "other")


class BadPage(OddPage):
    """What a page is answered with that is no number."""

    name = "bad_page"
    page = NO_NUMBER

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        answer = evidence.answer(ask)
        if answer.error is None:
            return self.found("first")
        if answer.status == 0:
            raise NotTestedError(answer.problem)
        status = str(answer.status)
        return self.found(status if status in self.question.values else "other")
