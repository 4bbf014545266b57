"""Reports: where they are, who may read them, and what they cover when nothing is said."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.checks.envelopes import OTHERS_FAIL, clients_of
from tap_freshbooks.doctor.checks.samples import of_this_month, report_in, since
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.subjects import Subject
from tap_freshbooks.errors import BadRequestError
from tap_freshbooks.streams.report_answer import (
    UnexpectedAnswerError,
    check_lists,
    check_totals,
)
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources.report_sales import AccountsAging

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_freshbooks.doctor.evidence import Answer, Ask, Evidence
    from tap_freshbooks.records import Row

NOTHING_TO_SEE = "there is too little in the period"


def _report(answer: Answer, name: str) -> Row:
    """The report of an answer.

    Raises:
        NotTestedError: If there is none.
    """
    if answer.error is not None:
        raise NotTestedError(answer.problem)
    body = answer.body
    for key in ("response", "result", name):
        body = body.get(key) if isinstance(body, dict) else None
    if not isinstance(body, dict):
        raise NotTestedError("the report is not where it was expected")
    return body


def _parts(holder: Row, name: str) -> list[Row]:
    """The objects in a list."""
    parts = holder.get(name)
    return [each for each in parts if isinstance(each, dict)] if isinstance(parts, list) else []


def _of_this_year_and_the_last(subject: Subject) -> Ask:
    return since(subject, f"{datetime.now(UTC).year - 1}-01-01")


class ReportParts(StreamCheck):
    """Whether a report has the lists and totals that its tables are made of."""

    name = "report_parts"

    @override
    def applies(self, subject: Subject) -> bool:
        return issubclass(subject.stream, Report)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (of_this_month(subject),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        stream = subject.stream
        assert issubclass(stream, Report)  # noqa: S101 - see `applies`
        try:
            report = report_in(subject, evidence, of_this_month(subject))
            check_lists(report, stream.lists)
            check_totals(report, {name: stream.parts.fields[name] for name in stream.totals})
        except UnexpectedAnswerError:
            return self.found("other", "a list or a total is not where it is expected")
        return self.found("known")


class AccountReports(StreamCheck):
    """Whether reports are still where the documentation no longer has them."""

    name = "account_reports"

    @override
    def applies(self, subject: Subject) -> bool:
        return issubclass(subject.stream, Report) and bool(subject.stream.business_report)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return subject.bare, clients_of(subject)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.bare)
        if answer.status == HTTPStatus.NOT_FOUND:
            if evidence.answer(clients_of(subject)).error is not None:
                raise NotTestedError(OTHERS_FAIL)
            return self.found("gone")
        # A parameter that is missing was looked for, too.
        if answer.error is None or isinstance(answer.error, BadRequestError):
            return self.found("served")
        raise NotTestedError(answer.problem)


class PayablesAging(StreamCheck):
    """Whether the plan includes the aging of payables: it is refused, and another report is not."""

    name = "payables_aging"
    streams = ("report_accounts_payable_aging",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return subject.bare, Subject(AccountsAging, subject.business, subject.number).bare

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        payables, receivables = (evidence.answer(ask) for ask in self.asks(subject))
        if payables.error is None:
            return self.found("granted")
        if not payables.is_refused:
            raise NotTestedError(payables.problem)
        if receivables.error is not None:
            raise NotTestedError("the aging of receivables is not answered, either")
        return self.found("refused")


class PaymentsCollected(StreamCheck):
    """Which currencies the report covers where none is named."""

    name = "payments_collected"
    streams = ("report_payments_collected",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (_of_this_year_and_the_last(subject),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        report = _report(evidence.answer(ask), self.name)
        codes = {str(each.get("code")) for each in _parts(report, "totals")}
        if len(codes) > 1:
            return self.found("all")
        echoed = report.get("currency_codes")
        if codes and echoed == list(codes):
            return self.found("business")
        raise NotTestedError(NOTHING_TO_SEE)


class ExpenseGroups(StreamCheck):
    """Whether groups of expenses have groups below them.

    That none has says something only where one might: where a group, which is that of a category,
    has expenses of another category, too.
    """

    name = "expense_groups"
    streams = ("report_expense_details",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (_of_this_year_and_the_last(subject),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        [ask] = self.asks(subject)
        groups = _parts(_report(evidence.answer(ask), "expense_details"), "data")
        if any(_parts(group, "children") for group in groups):
            return self.found("nested")
        if {_is_of_its_category(*each) for each in _expenses(groups)} < {True, False}:
            raise NotTestedError(NOTHING_TO_SEE)
        return self.found("flat")


def _expenses(groups: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    return ((group, expense) for group in groups for expense in _parts(group, "expenses"))


def _is_of_its_category(group: Row, expense: Row) -> bool:
    return str(expense.get("categoryid")) == str(group.get("groupid"))
