"""Objects by their ids, as a sync reads them after events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.errors import NotFoundError
from tap_freshbooks.streams.families import DELETED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.subjects import Subject

DELETED_ONES: dict[str, Mapping[str, Any]] = {
    "projects": {"active": "false"},
    "time_entries": {"include_deleted": "true"},
}
"""What lists deleted rows, where it is not the filter of accounting."""


class DeletedUnreadable(StreamCheck):
    """Whether a deleted object is still answered by its id."""

    name = "deleted_unreadable"
    follow_ups = 1

    @override
    def applies(self, subject: Subject) -> bool:
        stream = subject.stream
        is_asked_for = bool(stream.webhook_noun) and stream.marks_deletions
        return subject.is_list and is_asked_for and not stream.hard_deletes

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        query = DELETED_ONES.get(subject.name, {"search[vis_state]": DELETED})
        return (subject.page(query),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        key = subject.stream.key[0]
        deleted = [
            object_id
            for row in subject.listing(evidence, ask).rows
            if row.get("vis_state") == DELETED or row.get("active") is False
            if type(object_id := row.get(key)) is int
        ]
        if not deleted:
            raise NotTestedError("nothing that is deleted was listed")
        answer = evidence.answer(subject.object(str(deleted[0])))
        if isinstance(answer.error, NotFoundError):
            return self.found("gone")
        if answer.error is not None:
            raise NotTestedError(answer.problem)
        return self.found("readable")
