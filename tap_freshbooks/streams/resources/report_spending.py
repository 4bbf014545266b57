"""Expense details, what is owed to vendors, and bank accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.schema.fields import (
    AnyJson,
    Array,
    Boolean,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
)
from tap_freshbooks.streams.report_answer import ECHO, parts_of
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.report_sums import Sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_freshbooks.records import Row


class ExpenseDetails(Report):
    """Expenses, with maps of the vendors, authors, clients and categories that are in its rows."""

    name = "report_expense_details"
    report = "expense_details"
    business_report = "expense_details"
    lists = ("data",)
    parts = ECHO | Object(
        group_by=Text(),
        exclude_personal=Boolean(),
        vendors=AnyJson(),
        authors=AnyJson(),
        clients=AnyJson(),
        categories=AnyJson(),
    )

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        for row in _expenses(parts_of(report, "data"), []):
            yield {**row, "vendor_name": _vendor(report.get("vendors"), row.get("vendorid"))}

    @classmethod
    @override
    def sums(cls, report: Row, rows: Sequence[Row]) -> Iterator[Sum]:
        for group in parts_of(report, "data"):
            own = (row.get("amount") for row in _expenses([group], []))
            yield Sum("the groups", group.get("total"), own)


class ExpenseDetailsRows(ReportRows):
    """One row per expense, beside the groups that it is in; they add up to the groups' totals.

    Groups are named from outside in, `groupid` is the innermost. One row per group, where it has
    no parts.
    """

    source = ExpenseDetails
    row = Object(
        groupid=Text(),  # of the innermost group
        groups=Array(Object(groupid=Text(), total=Money())),
        expenseid=Integer(),
        date=PlainDate(),
        vendor=Text(),
        vendorid=Text(),
        vendor_name=Text(),  # what the map `vendors` has for the vendorid, which is a hash
        categoryid=Integer(),  # ids are text in this report
        clientid=Integer(),
        authorid=Integer(),
        account_name=Text(),
        notes=Text(),
        amount=Money(),
        taxName1=Text(),
        taxPercent1=Text(),
        taxAmount1=Money(),
        taxName2=Text(),
        taxPercent2=Text(),
        taxAmount2=Money(),
        is_cogs=Boolean(),
        imported_from_csv=Boolean(),
    )


def _expenses(groups: Iterable[Row], outer: list[Row]) -> Iterator[Row]:
    for group in groups:
        own = {k: v for k, v in group.items() if k not in {"expenses", "children"}}
        path = [*outer, own]
        place = {"groupid": group.get("groupid"), "groups": path}
        expenses, below = (list(parts_of(group, name)) for name in ("expenses", "children"))
        for expense in expenses:
            yield {**expense, **place}
        yield from _expenses(below, path)
        if not expenses and not below:
            yield {**place, "amount": group.get("total")}


def _vendor(vendors: Any, key: Any) -> Any:
    """The name of a vendor: what its hash stands for, or the name in it."""
    found = vendors.get(key) if isinstance(vendors, dict) and isinstance(key, str) else None
    return found.get("name") if isinstance(found, dict) else found


class WholeReport(Report):
    """A report whose shape is a guess: delivered as it is."""

    unconfirmed = "no answer was ever published."
    parts = Object(report=AnyJson())

    @classmethod
    @override
    def whole(cls, report: Row) -> Row:
        return {"report": {k: v for k, v in report.items() if k != "download_token"}}


class AccountsPayableAging(WholeReport):
    """What is owed to vendors, by age; delivered as it is."""

    name = "report_accounts_payable_aging"
    report = "accounts_payable_aging"
    plan_features = ("accounts_payable_reports.access", "accounts_payable.access")
    query_of_period = ("end_date",)


class BankReconciliationSummary(WholeReport):
    """Bank reconciliation; delivered as it is."""

    name = "report_bank_reconciliation_summary"
    report = "bank_reconciliation_summary"
    query_of_period = ("date",)
