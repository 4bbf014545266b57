"""What was found out about a question: true, false or not tested."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_freshbooks.doctor.question import Question


class Outcome(StrEnum):
    """Whether the fact that the tap goes by is true here."""

    TRUE = "true"
    FALSE = "false"
    NOT_TESTED = "not tested"


class NotTestedError(Exception):
    """The answers do not tell; the text says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says.

    Attributes:
        outcome: Whether the fact is true.
        value: The answer to the question that was found; empty if there is none.
        detail: A clause about it, of our own words and counts.
        names: Names of fields that it is about.
        private: More of them, which may be words of the user: for his eyes, not for the report.
    """

    outcome: Outcome
    value: str = ""
    detail: str = ""
    names: tuple[str, ...] = ()
    private: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict on a question, and where it holds.

    Attributes:
        question: What was asked.
        verdict: The answer.
        stream: Name of the stream; empty for the API as a whole.
        business: Place of the business among those that the user may read, from 1; 0 for none.
    """

    question: Question
    verdict: Verdict
    stream: str = ""
    business: int = 0

    @property
    def differs(self) -> bool:
        """Whether the tap goes by something that is not so."""
        return self.verdict.outcome is Outcome.FALSE

    @property
    def is_tested(self) -> bool:
        """Whether anything is known."""
        return self.verdict.outcome is not Outcome.NOT_TESTED

    def to_dict(self, *, is_private: bool = True) -> dict[str, Any]:
        """For programs.

        Args:
            is_private: Whether it stays with the user.
        """
        private = self.verdict.private if is_private else ()
        return {
            "question": self.question.name,
            "stream": self.stream or None,
            "business": self.business or None,
            "outcome": str(self.verdict.outcome),
            "value": self.verdict.value or None,
            "expected": self.question.values[0] if self.question.values else None,
            "detail": self.verdict.detail or None,
            "names": [*self.verdict.names, *private],
            "fact": self.question.text,
            "places": list(self.question.places),
        }
