"""Projects and time: what their lists leave out unless it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.checks.lists import NO_ROWS
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.errors import BadRequestError
from tap_freshbooks.extraction.pagination import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.subjects import Subject
    from tap_freshbooks.records import Row

NO_BOOLEAN = "no-boolean"
"""A value that a service refuses for a parameter that it knows
(`docs/freshbooks-api/projects-and-time.md §3`)."""


def rows_of(subject: Subject, evidence: Evidence, ask: Ask | None = None) -> list[Row]:
    """The rows of a list that has some.

    Raises:
        NotTestedError: If it has none.
    """
    rows = subject.listing(evidence, ask).rows
    if not rows:
        raise NotTestedError(NO_ROWS)
    return rows


def without(subject: Subject, parameter: str) -> Ask:
    """The first page without one of the parameters that a sync sends."""
    number, size = subject.stream.page_parameters
    query = {name: value for name, value in subject.stream.query.items() if name != parameter}
    return subject.ask({**query, number: 1, size: PAGE_SIZE})


def _people(rows: Iterable[Row]) -> set[int]:
    return {person for row in rows if isinstance(person := row.get("identity_id"), int)}


def _has(rows: Iterable[Row], name: str, value: Any) -> bool:
    return any(row.get(name) is value for row in rows)


class DeletedProjects(StreamCheck):
    """What `active=false` brings."""

    name = "deleted_projects"
    streams = ("projects",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (subject.page({"active": "false"}),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows_of(subject, evidence)
        [ask] = self.asks(subject)
        rows = subject.listing(evidence, ask).rows
        if _has(rows, "active", True):
            return self.found("ignored", "projects came that are not deleted")
        if not _has(rows, "active", False):
            raise NotTestedError("no project is deleted")
        return self.found("listed")


class ArchivedProjects(StreamCheck):
    """Whether archived projects come without being asked for."""

    name = "archived_projects"
    streams = ("projects",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return [subject.page({"complete": value}) for value in ("true", "false")]

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        usual = subject.listing(evidence)
        if _has(usual.rows, "complete", True):
            return self.found("shown")
        archived, others = (subject.listing(evidence, ask) for ask in self.asks(subject))
        if not _has(archived.rows, "complete", True) or _has(archived.rows, "complete", False):
            raise NotTestedError("no project is archived")
        if usual.metadata.pages <= 1:
            return self.found("hidden")
        if None in (usual.metadata.total, others.metadata.total):
            raise NotTestedError("the answer has no total")
        is_hidden = usual.metadata.total == others.metadata.total
        return self.found("hidden" if is_hidden else "shown")


class ServicesPaging(StreamCheck):
    """Whether services come in pages."""

    name = "services_paging"
    streams = ("services",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        number, size = subject.stream.page_parameters
        return (subject.ask({number: 1, size: 1}),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        if subject.keys_in(rows_of(subject, evidence)) == 1:
            raise NotTestedError("there is one row only")
        [ask] = self.asks(subject)
        is_paged = subject.keys_in(rows_of(subject, evidence, ask)) == 1
        return self.found("honoured" if is_paged else "ignored")


class OthersTime(StreamCheck):
    """Whose time entries come without `team=true`."""

    name = "others_time"
    streams = ("time_entries",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (without(subject, "team"),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        if len(_people(rows_of(subject, evidence))) <= 1:
            raise NotTestedError("the latest time entries are all of one person")
        everybody, some = subject.listing(evidence), subject.listing(evidence, ask)
        if everybody.metadata.total is None or some.metadata.total is None:
            raise NotTestedError("the answer has no total")
        is_shown = some.metadata.total >= everybody.metadata.total
        return self.found("shown" if is_shown else "hidden")


class RunningTimers(StreamCheck):
    """Whether time entries of running timers come without `include_unlogged=true`."""

    name = "running_timers"
    streams = ("time_entries",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (without(subject, "include_unlogged"),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        if not _has(rows_of(subject, evidence), "is_logged", False):
            raise NotTestedError("no timer is running")
        is_shown = _has(subject.listing(evidence, ask).rows, "is_logged", False)
        return self.found("shown" if is_shown else "hidden")


class DeletedTime(StreamCheck):
    """Whether `include_deleted=true` is known.

    Where it brings nothing, perhaps nothing is deleted. Then a value that no boolean has is sent
    with it, and with `team`: a service that refuses the second alone does not know the first.
    """

    name = "deleted_time"
    streams = ("time_entries",)
    follow_ups = 2

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (subject.page({"include_deleted": "true"}),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        if _has(rows_of(subject, evidence, ask), "active", False):
            return self.found("listed")
        team, deleted = (
            evidence.answer(subject.page({name: NO_BOOLEAN}))
            for name in ("team", "include_deleted")
        )
        if isinstance(team.error, BadRequestError) and deleted.error is None:
            return self.found("ignored", "a value that is no boolean is not refused")
        raise NotTestedError("no time entry on the first page is deleted")


class InactiveRetainers(StreamCheck):
    """Whether the list has retainers that are no longer active."""

    name = "inactive_retainers"
    streams = ("retainers",)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        if _has(rows_of(subject, evidence), "active", False):
            return self.found("shown")
        raise NotTestedError("whether there are inactive ones cannot be seen")


class InvitationRates(StreamCheck):
    """Whether the list is ever filled."""

    name = "invitation_rates"
    streams = ("invitation_rates",)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows_of(subject, evidence)
        return self.found("filled")
