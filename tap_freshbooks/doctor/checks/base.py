"""The form of a check."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tap_freshbooks.doctor.findings import Outcome, Verdict
from tap_freshbooks.doctor.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.question import Question
    from tap_freshbooks.doctor.subjects import Subject


class Check(ABC):
    """Finds the answer to one question."""

    name: ClassVar[str]
    """Of the question."""

    follow_ups: ClassVar[int] = 0
    """Requests, at most, that follow from the answers to those that are known beforehand."""

    @property
    def question(self) -> Question:
        """What is asked."""
        return QUESTIONS[self.name]

    def found(self, value: str, detail: str = "", names: Iterable[str] = ()) -> Verdict:
        """The verdict for an answer; the first value of the question is what the tap goes by."""
        outcome = Outcome.TRUE if value == self.question.values[0] else Outcome.FALSE
        return Verdict(outcome, value, detail, tuple(names))


class StreamCheck(Check):
    """Looks at lists."""

    streams: ClassVar[tuple[str, ...]] = ()
    """The streams that it is about; empty for every one that `applies` admits."""

    of_the_api: ClassVar[bool] = False
    """Whether the answer holds for the API as a whole: then one stream is enough, the first whose
    answers tell. Where the check sends requests of its own, only the first that may be read."""

    takes_errors: ClassVar[bool] = False
    """Whether it looks at a first page that is an error, too."""

    def applies(self, subject: Subject) -> bool:
        """Whether the question makes sense for a subject."""
        return subject.name in self.streams if self.streams else subject.is_list

    def asks(self, subject: Subject) -> Iterable[Ask]:
        """The requests that are known beforehand, besides the first page."""
        del subject
        return ()

    @abstractmethod
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        """Look at the answers.

        Raises:
            NotTestedError: If they do not tell.
        """


class ConnectionCheck(Check):
    """Looks at what concerns no list: tokens, say."""

    spends_a_refresh: ClassVar[bool] = False
    """Whether it is allowed with `--spend-a-refresh` only."""

    @abstractmethod
    def judge(self, connection: Connection, evidence: Evidence) -> Verdict:
        """Look at the answers.

        Raises:
            NotTestedError: If they do not tell.
        """
