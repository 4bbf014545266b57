"""Under which key the rows of single resources are, and whether they are there at all."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.checks.work import rows_of
from tap_freshbooks.doctor.evidence import Ask
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.places import with_places
from tap_freshbooks.doctor.subjects import Subject
from tap_freshbooks.errors import BadRequestError, NotFoundError
from tap_freshbooks.streams.resources.people import Clients
from tap_freshbooks.streams.resources.projects import Projects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.doctor.evidence import Evidence

OTHERS_FAIL = "the list of clients is not answered, either"

BARE_LIST = "list"
"""The value for an answer that is the list itself."""


class _ListKey(StreamCheck):
    """Looks for the key of a list, at the top of an answer or where accounting has it."""

    within: tuple[str, ...] = ()
    """Keys that lead to it."""

    def key_in(self, answered: Any) -> Verdict:
        """The first of the possible keys that is there."""
        body = answered
        for name in self.within:
            body = body.get(name) if isinstance(body, dict) else None
        if isinstance(body, list) and BARE_LIST in self.question.values:
            return self.found(BARE_LIST)
        for key in self.question.values:
            if isinstance(body, dict) and isinstance(body.get(key), list | dict):
                return self.found(key)
        return with_places(self.found("other", "it is under another key"), answered)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        return self.key_in(evidence.answer(subject.first_page).body)


class JournalEnvelope(_ListKey):
    """The key of journal entries."""

    name = "journal_envelope"
    streams = ("journal_entries",)


class CheckoutLinksEnvelope(_ListKey):
    """The key of checkout links."""

    name = "checkout_links_envelope"
    streams = ("checkout_links",)


class StaffKey(_ListKey):
    """The key of the list of staff."""

    name = "staff_key"
    streams = ("staffs",)
    within = ("response", "result")


class CreditNoteKey(_ListKey):
    """The key of a single credit note."""

    name = "credit_note_key"
    streams = ("credit_notes",)
    within = ("response", "result")
    follow_ups = 1

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.object(_first_id(subject, evidence)))
        if answer.error is not None:
            raise NotTestedError(answer.problem)
        return self.key_in(answer.body)


class ThreadsEnvelope(_ListKey):
    """The key of the discussions of a project."""

    name = "threads_envelope"
    streams = ("project_threads",)
    follow_ups = 1

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (_projects(subject).first_page,)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(threads_of(subject, evidence))
        if answer.error is not None:
            raise NotTestedError(answer.problem)
        return self.key_in(answer.body)


def _first_id(subject: Subject, evidence: Evidence) -> str:
    """The id of the first row.

    Raises:
        NotTestedError: If there is none that could stand in a path.
    """
    found = rows_of(subject, evidence)[0].get("id")
    if type(found) is not int:
        raise NotTestedError("the first row has no id that is a whole number")
    return str(found)


def threads_of(subject: Subject, evidence: Evidence) -> Ask:
    """A request for the discussions of the first project.

    Raises:
        NotTestedError: If there is none.
    """
    business_id = subject.business.business_id
    project_id = _first_id(_projects(subject), evidence)
    return Ask.of(subject.stream.path.format(business_id=business_id, project_id=project_id))


def _projects(subject: Subject) -> Subject:
    return Subject(Projects, subject.business, subject.number)


def clients_of(subject: Subject) -> Ask:
    """A list that each account has: what it is not answered with either, is no answer."""
    return Subject(Clients, subject.business, subject.number).first_page


class JournalVersion(StreamCheck):
    """Whether journal entries need a header that names the version."""

    name = "journal_version"
    streams = ("journal_entries",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (_versionless(subject),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(_versionless(subject))
        if answer.error is None:
            return self.found("optional")
        if isinstance(answer.error, BadRequestError | NotFoundError):
            return self.found("required")
        raise NotTestedError(answer.problem)


def _versionless(subject: Subject) -> Ask:
    page = subject.first_page
    return Ask(page.path, page.query)


class PresumedLists(StreamCheck):
    """Whether lists that nobody has seen are there."""

    name = "presumed_lists"
    streams = ("expense_profiles", "billable_items", "checkout_links")
    takes_errors = True

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (clients_of(subject),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.first_page)
        if answer.error is None:
            return self.found("served")
        if evidence.answer(clients_of(subject)).error is not None:
            raise NotTestedError(OTHERS_FAIL)
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            return self.found("missing")
        raise NotTestedError(answer.problem)
