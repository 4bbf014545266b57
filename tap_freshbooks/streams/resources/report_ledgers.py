"""General ledger, trial balance and taxes: what was booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_freshbooks.schema.fields import Boolean, Integer, Money, Object, PlainDate, Text
from tap_freshbooks.streams.report_answer import ECHO, beside, parts_of
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_freshbooks.records import Row


class TrialBalance(Report):
    """Trial balance."""

    name = "report_trial_balance"
    report = "trial_balance"
    business_report = "trial_balance"
    lists = ("data",)
    columns_of_totals: ClassVar = {"total.debit": "debit", "total.credit": "credit"}
    parts = ECHO | Object(total=Object(account_name=Text(), debit=Money(), credit=Money()))

    @classmethod
    @override
    def whole(cls, report: Row) -> Row:
        return {**report, "total": _split(report)[1]}

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterable[Row]:
        return _split(report)[0]


def _split(report: Row) -> tuple[list[Row], Row | None]:
    """The accounts, and the closing row, which is the total of the others and has no ids.

    See `docs/freshbooks-api/resources/report_trial_balance.yaml`.
    """
    rows = list(parts_of(report, "data"))
    if rows and not any(rows[-1].get(name) for name in ("account_number", "sub_accountid")):
        total = {name: value for name, value in rows[-1].items() if value is not None}
        return rows[:-1], total
    return rows, None


class TrialBalanceRows(ReportRows):
    """Accounts of the trial balance; they add up to the `total`, which is its closing row."""

    source = TrialBalance
    row = Object(
        account_name=Text(),
        account_number=Text(),
        account_sub_name=Text(),
        account_sub_number=Text(),
        sub_accountid=Integer(),
        debit=Money(),
        credit=Money(),
    )


MOVED = Object(
    debit=Money(), credit=Money(), net_movement_debit=Money(), net_movement_credit=Money()
)


class GeneralLedger(Report):
    """General ledger, in the currency of the business."""

    name = "report_general_ledger"
    report = "general_ledger"
    business_report = "general_ledger"
    plan_features = ("accounting_reports_v2_general_ledger.access", "advanced_accounting.access")
    lists = ("data",)
    totals = ("summary",)
    columns_of_totals: ClassVar = {
        "summary.total_debit": "debit",
        "summary.total_credit": "credit",
    }
    parts = ECHO | Object(
        locale=Text(),
        summary_only=Boolean(),
        summary=Object(total_credit=Money(), total_debit=Money()),
    )

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        for account in parts_of(report, "data"):
            outer = beside(account, "account", ("sub_accounts",), id="account_row_id")
            subs = list(parts_of(account, "sub_accounts"))
            for sub in subs:
                inner = beside(sub, "sub_account", ("transactions",), id="sub_account_row_id")
                transactions = list(parts_of(sub, "transactions"))
                for transaction in transactions or [_moved(sub)]:
                    yield {**outer, **inner, **transaction}
            if not subs:
                yield {**outer, **_moved(account)}


def _moved(group: Row) -> Row:
    return {name: group.get(name) for name in ("debit", "credit")}


class GeneralLedgerRows(ReportRows):
    """One row per transaction, beside its account and sub-account; they add up to the summary.

    One per account or sub-account, where it has no parts.
    """

    source = GeneralLedger
    row = Object(
        accountid=Text(),
        account_row_id=Text(),
        account_name=Text(),
        account_number=Text(),
        **{f"account_{name}": field for name, field in MOVED.fields.items()},
        sub_accountid=Text(),
        sub_account_row_id=Text(),
        sub_account_name=Text(),
        sub_account_number=Text(),
        **{f"sub_account_{name}": field for name, field in MOVED.fields.items()},
        entity_type=Text(),
        reference=Text(),
        description=Text(),
        date=PlainDate(),
        client_name=Text(),
        clientid=Integer(),
        debit=Money(),
        credit=Money(),
        expenseid=Text(),
        invoiceid=Text(),
        paymentid=Text(),
        incomeid=Text(),
        creditid=Text(),
        billid=Text(),
        bill_paymentid=Text(),
    )


class TaxSummary(Report):
    """Taxes collected and paid."""

    name = "report_tax_summary"
    report = "taxsummary"
    lists = ("taxes",)
    totals = ("total_invoiced",)
    parts = ECHO | Object(total_invoiced=Money())

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterable[Row]:
        return parts_of(report, "taxes")


class TaxSummaryRows(ReportRows):
    """One row per tax; the report has no sum of them."""

    source = TaxSummary
    row = Object(
        tax_name=Text(),
        tax_collected=Money(),
        taxable_amount_collected=Money(),
        tax_paid=Money(),
        taxable_amount_paid=Money(),
        net_tax=Money(),
        net_taxable_amount=Money(),
    )
