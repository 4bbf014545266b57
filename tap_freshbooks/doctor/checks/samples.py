"""Samples: what was answered for a stream, beside the fields that it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tap_freshbooks.doctor.checks.envelopes import threads_of
from tap_freshbooks.doctor.checks.lists import NO_ROWS
from tap_freshbooks.doctor.findings import NotTestedError
from tap_freshbooks.doctor.structure import Shape
from tap_freshbooks.streams.report_answer import UnexpectedAnswerError, find_report
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.subjects import Subject
    from tap_freshbooks.records import Row
    from tap_freshbooks.schema.fields import Object


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of one form.

    Attributes:
        fields: The declared ones.
        rows: As they were answered, or as the table of a report has them.
        repeats: Whether they repeat what stands once in the answer.
    """

    fields: Object
    rows: list[Row]
    repeats: bool = False

    def shape(self) -> Shape:
        """What they are made of."""
        return Shape(self.fields, repeats=self.repeats).see_all(self.rows)


def samples_of(subject: Subject, evidence: Evidence) -> list[Sample]:
    """The rows of a list; of a report its own fields, and those of its table.

    Raises:
        NotTestedError: If there are none.
    """
    stream = subject.stream
    if issubclass(stream, Report):
        try:
            return _samples_in(report_in(subject, evidence, of_this_month(subject)), stream)
        except UnexpectedAnswerError:  # whose text has words of the answer
            raise NotTestedError("the report is not where it was expected") from None
    ask = None if subject.is_list else threads_of(subject, evidence)
    rows = subject.listing(evidence, ask).rows
    if not rows:
        raise NotTestedError(NO_ROWS)
    return [Sample(stream.fields, rows)]


def _samples_in(report: Row, stream: type[Report]) -> list[Sample]:
    tables = (each for each in STREAMS if issubclass(each, ReportRows) and each.source is stream)
    return [
        Sample(stream.fields, [stream.whole(report)]),
        *(Sample(table.row, list(stream.rows(report)), repeats=True) for table in tables),
    ]


def since(subject: Subject, first_day: str) -> Ask:
    """A report up to today, by the parameters that it knows."""
    assert issubclass(subject.stream, Report)  # noqa: S101 - see those who call it
    days = {"start_date": first_day}
    today = datetime.now(UTC).date().isoformat()
    period = {name: days.get(name, today) for name in subject.stream.query_of_period}
    return subject.ask({**subject.stream.query, **period})


def of_this_month(subject: Subject) -> Ask:
    """The period for which every report is asked."""
    return since(subject, f"{datetime.now(UTC):%Y-%m}-01")


def report_in(subject: Subject, evidence: Evidence, ask: Ask) -> Row:
    """The report in an answer.

    Raises:
        NotTestedError: If the answer is an error.
        UnexpectedAnswerError: If it is not where a sync reads it.
    """
    answer = evidence.answer(ask)
    if answer.error is not None:
        raise NotTestedError(answer.problem)
    *outer, key = subject.stream.records
    result: Any = answer.body
    for name in outer:
        result = result.get(name) if isinstance(result, dict) else None
    result = result if isinstance(result, dict) else {}
    return find_report(result, key, is_certain=not subject.stream.unconfirmed)
