"""Goes through the checks, and says beforehand how many requests they need at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_freshbooks.doctor.checks.base import ConnectionCheck, StreamCheck
from tap_freshbooks.doctor.evidence import LimitReachedError
from tap_freshbooks.doctor.findings import Finding, NotTestedError, Outcome, Verdict
from tap_freshbooks.doctor.questions import QUESTIONS
from tap_freshbooks.errors import FreshBooksError, TapError, sentence_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.doctor.checks.base import Check
    from tap_freshbooks.doctor.evidence import Evidence
    from tap_freshbooks.doctor.subjects import Subject

NO_SUBJECT = "no stream that it concerns is examined"
NO_REFRESH = "it takes a refresh: --spend-a-refresh allows one"


@dataclass(frozen=True)
class Examination:
    """Holds streams, and the API as a whole, against the facts.

    Attributes:
        checks: What is looked at, in this order.
        subjects: The streams, in their businesses.
        spends_a_refresh: Whether checks may refresh the tokens only to see what happens.
    """

    checks: Sequence[Check]
    subjects: Sequence[Subject]
    spends_a_refresh: bool = False

    def bound(self) -> int:
        """How many requests the checks send at most, repetitions of failed ones apart."""
        asks = {subject.first_page for subject in self.subjects if subject.is_list}
        follow_ups = 0
        for check in self.checks:
            if isinstance(check, StreamCheck):
                subjects = self._subjects_of(check)
                for subject in subjects[:1] if _is_dear(check, subjects) else subjects:
                    asks.update(check.asks(subject))
                    follow_ups += check.follow_ups
            elif self._allows(check):
                follow_ups += check.follow_ups
        return len(asks) + follow_ups

    def run(self, connection: Connection, evidence: Evidence) -> list[Finding]:
        """Find out what can be found out, in the order of the questions.

        Raises:
            TapError: Where the connection itself is at fault.
        """
        found = {
            question.name: [
                Finding(question, Verdict(Outcome.NOT_TESTED, detail=question.untestable))
            ]
            for question in QUESTIONS.values()
            if question.untestable
        }
        for check in self.checks:
            if isinstance(check, StreamCheck):
                found[check.name] = list(self._of_streams(check, evidence))
            elif isinstance(check, ConnectionCheck):
                found[check.name] = [self._of_connection(check, connection, evidence)]
        return [finding for name in QUESTIONS for finding in found.get(name, ())]

    def _subjects_of(self, check: StreamCheck) -> list[Subject]:
        return [subject for subject in self.subjects if check.applies(subject)]

    def _allows(self, check: Check) -> bool:
        spends = isinstance(check, ConnectionCheck) and check.spends_a_refresh
        return self.spends_a_refresh or not spends

    def _of_connection(
        self, check: ConnectionCheck, connection: Connection, evidence: Evidence
    ) -> Finding:
        def judge() -> Verdict:
            if not self._allows(check):
                raise NotTestedError(NO_REFRESH)
            if not evidence.allows(check.follow_ups):
                raise LimitReachedError
            return check.judge(connection, evidence)

        return Finding(check.question, _verdict(judge))

    def _of_streams(self, check: StreamCheck, evidence: Evidence) -> Iterator[Finding]:
        subjects = self._subjects_of(check)
        if not subjects:
            yield Finding(check.question, Verdict(Outcome.NOT_TESTED, detail=NO_SUBJECT))
        elif check.of_the_api:
            yield Finding(check.question, _of_the_api(check, subjects, evidence))
        else:
            for subject in subjects:
                verdict = _verdict_on(check, subject, evidence)
                yield Finding(check.question, verdict, subject.name, subject.number)


def _is_dear(check: StreamCheck, subjects: Sequence[Subject]) -> bool:
    """Whether a check of the whole API sends requests of its own: it does so for one stream."""
    return check.of_the_api and (
        check.follow_ups > 0 or any(True for subject in subjects[:1] for _ in check.asks(subject))
    )


def _of_the_api(check: StreamCheck, subjects: Sequence[Subject], evidence: Evidence) -> Verdict:
    """One verdict of all subjects: a difference anywhere is one."""
    if _is_dear(check, subjects):
        longest = max(subjects, key=lambda subject: _rows_of(subject, evidence))
        return _verdict_on(check, longest, evidence)
    verdicts = [_verdict_on(check, subject, evidence) for subject in subjects]
    for outcome in (Outcome.FALSE, Outcome.TRUE):
        for verdict in verdicts:
            if verdict.outcome is outcome:
                return verdict
    return verdicts[0]


def _rows_of(subject: Subject, evidence: Evidence) -> int:
    """How many rows a list has, as far as it says; -1 if it cannot be read."""
    try:
        listing = subject.listing(evidence)
    except NotTestedError:
        return -1
    return listing.metadata.total or len(listing.rows)


def _verdict_on(check: StreamCheck, subject: Subject, evidence: Evidence) -> Verdict:
    def judge() -> Verdict:
        asks = list(check.asks(subject))
        if subject.is_list:
            answer = evidence.answer(subject.first_page)
            if answer.error is not None and not check.takes_errors:
                raise NotTestedError(answer.problem)
        if not evidence.allows(check.follow_ups, asks):
            raise LimitReachedError
        return check.judge(subject, evidence)

    return _verdict(judge)


def _verdict(judge: Callable[[], Verdict]) -> Verdict:
    try:
        return judge()
    except NotTestedError as reason:
        return Verdict(Outcome.NOT_TESTED, detail=str(reason))
    except FreshBooksError:  # whose words are not ours
        return Verdict(Outcome.NOT_TESTED, detail="the answer cannot be read")
    except TapError:  # the connection itself
        raise
    except Exception as error:  # noqa: BLE001 - no answer costs more than the check that stumbles
        return Verdict(Outcome.NOT_TESTED, detail=sentence_of(error))
