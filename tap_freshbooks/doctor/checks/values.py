"""Values whose form is open: of bills, of lines, of late fees, of callbacks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.checks.work import rows_of
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.subjects import Subject
from tap_freshbooks.errors import BadRequestError
from tap_freshbooks.streams.resources.ledger import ChartOfAccounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.records import Row

WITH_LATE_FEES = ("clients", "invoices", "invoice_profiles")
"""The streams whose rows include late fees and reminders."""


class BillVendorid(StreamCheck):
    """Whether bills have their vendor's id."""

    name = "bill_vendorid"
    streams = ("bills",)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        is_shown = any("vendorid" in row for row in rows_of(subject, evidence))
        return self.found("shown" if is_shown else "absent")


class _ValueForm(StreamCheck):
    """Looks at the values of a field inside the rows."""

    part: ClassVar[str]
    """The field of a row that holds them: an object, or a list of objects."""

    field: ClassVar[str]
    """The field of such an object."""

    def form_of(self, value: Any) -> str:
        """Which of the possible answers a value speaks for; empty if it says nothing."""
        if isinstance(value, str):
            return "text" if value else ""
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return "number" if is_number else ""

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        values = self._values(rows_of(subject, evidence))
        forms = {form for value in values if (form := self.form_of(value))}
        if not forms:
            raise NotTestedError(f"no row has a {self.field} in its {self.part}")
        expected = self.question.values[0]
        return self.found(next(iter(sorted(forms - {expected})), expected))

    def _values(self, rows: list[Row]) -> Iterator[Any]:
        for row in rows:
            held = row.get(self.part)
            for each in held if isinstance(held, list) else [held]:
                if isinstance(each, dict):
                    yield each.get(self.field)


class BillCategory(_ValueForm):
    """Whether the category of a bill's line is an object."""

    name = "bill_category"
    streams = ("bills",)
    part = "lines"
    field = "category"

    @override
    def form_of(self, value: Any) -> str:
        return "object" if isinstance(value, dict) else super().form_of(value)


class LineDates(_ValueForm):
    """Whether the date of a line holds a time."""

    name = "line_dates"
    streams = ("invoices", "invoice_profiles", "estimates", "credit_notes")
    part = "lines"
    field = "date"

    @override
    def form_of(self, value: Any) -> str:
        if not isinstance(value, str) or not value:
            return ""
        return "plain" if len(value) == len("2026-01-31") else "timed"


class LateFeeValue(_ValueForm):
    """Whether the value of a late fee is a number."""

    name = "late_fee_value"
    streams = WITH_LATE_FEES
    part = "late_fee"
    field = "value"


class LateReminderId(_ValueForm):
    """Whether the id of a reminder is a number."""

    name = "late_reminder_id"
    streams = WITH_LATE_FEES
    part = "late_reminders"
    field = "id"


class InactiveAccounts(StreamCheck):
    """Whether the ledger lists accounts that are not active; the chart of accounts has them."""

    name = "inactive_accounts"
    streams = ("ledger_accounts",)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        chart = Subject(ChartOfAccounts, subject.business, subject.number)
        return [chart.ask({**FROM_THE_LEDGER, **state}) for state in ({}, {"state": "inactive"})]

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows = rows_of(subject, evidence)
        if any(_is_inactive(row) for row in rows):
            return self.found("shown")
        listed = [row.get("uuid") for row in rows]
        for ask in self.asks(subject):
            for row in evidence.listing(ask, ChartOfAccounts.records).rows:
                below = row.get("sub_accounts")
                for account in (row, *(below if isinstance(below, list) else ())):
                    if _is_inactive(account) and account.get("account_uuid") not in listed:
                        return self.found("hidden", "the chart of accounts has one")
        raise NotTestedError("no account is inactive")


class UseLedgerEntries(StreamCheck):
    """Whether the chart of accounts must be asked with its switch."""

    name = "use_ledger_entries"
    streams = (ChartOfAccounts.name,)
    takes_errors = True

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.first_page)
        if isinstance(answer.error, BadRequestError):
            return self.found("required")
        if answer.error is not None:
            raise NotTestedError(answer.problem)
        return self.found("optional")


FROM_THE_LEDGER = {"use_ledger_entries": "true"}


def _is_inactive(account: Any) -> bool:
    state = account.get("state") if isinstance(account, dict) else None
    return isinstance(state, str) and state != "active"


class CallbackTimestamps(StreamCheck):
    """In which form callbacks say when they were changed."""

    name = "callback_timestamps"
    streams = ("callbacks",)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        rows = rows_of(subject, evidence)
        texts = [text for row in rows if isinstance(text := row.get("updated_at"), str)]
        if not texts:
            raise NotTestedError("no callback says when it was changed")
        return self.found("iso" if all("T" in text for text in texts) else "sql")
