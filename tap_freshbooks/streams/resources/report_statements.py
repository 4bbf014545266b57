"""Profit and loss, balance sheet and cash flow: sums within sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

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
    Word,
)
from tap_freshbooks.streams.report_answer import ECHO, UnexpectedAnswerError, beside, parts_of
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.report_sums import Sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_freshbooks.records import Row

LINE = Object(
    description=Text(),
    entry_type=Word("credit", "debit", "none"),
    data=Array(Money()),  # per column, of which there is one unless a resolution was asked for
    total=Money(),
)

TOTAL = LINE | Object(children=AnyJson("array"))


class ProfitLoss(Report):
    """Profit and loss, accrual basis."""

    name = "report_profit_loss"
    report = "profitloss_entity"
    business_report = "profit_and_loss"
    list_key = "profitloss|profit_and_loss"
    lists = ("income", "expenses")
    totals = ("total_income", "total_expenses", "net_profit")
    parts = ECHO | Object(
        resolution=Text(),
        labels=Array(Text()),
        dates=Array(Object(start_date=PlainDate(), end_date=PlainDate())),
        total_income=TOTAL,
        total_expenses=TOTAL,
        gross_margin=TOTAL,  # a percent, with the code %
        net_profit=TOTAL,
    )

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        for section in cls.lists:
            yield from _lines(parts_of(report, section), section, 0, None)

    @classmethod
    @override
    def sums(cls, report: Row, rows: Sequence[Row]) -> Iterator[Sum]:
        for section in cls.lists:
            own = [row for row in rows if (row["section"], row["depth"]) == (section, 0)]
            total = report[f"total_{section}"].get("total")
            yield Sum(f"total_{section}", total, (row.get("total") for row in own))


class ProfitLossRows(ReportRows):
    """Lines of profit and loss; those with `depth` 0 add up to the totals.

    So do those that are no `is_subtotal`: they have no lines below them.
    """

    source = ProfitLoss
    row = LINE | Object(section=Text(), depth=Integer(), parent=Text(), is_subtotal=Boolean())


def _lines(lines: Iterable[Row], section: str, depth: int, parent: Any) -> Iterator[Row]:
    for line in lines:
        below = list(parts_of(line, "children"))
        yield {
            **{name: value for name, value in line.items() if name != "children"},
            "section": section,
            "depth": depth,
            "parent": parent,
            "is_subtotal": bool(below),
        }
        yield from _lines(below, section, depth + 1, line.get("description"))


DATED = Array(Object(date=PlainDate(), balance=Money()))


class BalanceSheet(Report):
    """Balance sheet as of the last day of the period."""

    name = "report_balance_sheet"
    report = "balance_sheet"
    query_of_period = ("dates[]",)  # start_date and end_date are ignored here
    lists = ("data",)
    totals = ("assets_total", "liabilities_and_equity_total")
    parts = ECHO | Object(assets_total=DATED, liabilities_and_equity_total=DATED)

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        for group in parts_of(report, "data"):
            kind = beside(
                _balanced(group),
                "group",
                ("accounts",),
                account_type="account_type",
                category="category",
            )
            accounts = list(parts_of(group, "accounts"))
            for account in accounts:
                yield from _account(account, kind)
            if not accounts:
                yield {**kind, "balance": kind.get("group_balance"), **_place(0)}

    @classmethod
    @override
    def sums(cls, report: Row, rows: Sequence[Row]) -> Iterator[Sum]:
        assets = [row["balance"] for row in rows if row["depth"] == 0 and _is_asset(row)]
        others = [row["balance"] for row in rows if row["depth"] == 0 and not _is_asset(row)]
        for name, balances in zip(cls.totals, (assets, others), strict=True):
            yield Sum(name, _day(report, name).get("balance"), balances)


def _is_asset(row: Row) -> bool:
    return row.get("account_type") == "asset"


class BalanceSheetRows(ReportRows):
    """Accounts and sub-accounts of the balance sheet; those with `depth` 0 add up to the totals.

    These are the accounts, and groups without accounts. So do the rows that are no `is_subtotal`:
    the same, but sub-accounts in the place of accounts that have some.
    """

    source = BalanceSheet
    row = Object(
        account_type=Word("asset", "liability", "equity"),
        category=Text(),
        group_balance=Money(),
        account_name=Text(),
        account_number=Text(),
        sub_account_name=Text(),
        sub_account_number=Text(),
        balance=Money(),
        depth=Integer(),
        is_subtotal=Boolean(),
    )


def _account(account: Row, kind: Row) -> Iterator[Row]:
    subs = list(parts_of(account, "sub_accounts"))
    own = {name: value for name, value in account.items() if name != "sub_accounts"}
    yield {**kind, **_balanced(own), **_place(0, is_subtotal=bool(subs))}
    names = {name: account.get(name) for name in ("account_name", "account_number")}
    for sub in subs:
        yield {**kind, **names, **_balanced(sub), **_place(1)}


def _place(depth: int, *, is_subtotal: bool = False) -> Row:
    return {"depth": depth, "is_subtotal": is_subtotal}


def _balanced(group: Row) -> Row:
    own = {name: value for name, value in group.items() if name != "balances"}
    balance = beside(_day(group, "balances"), "balance", ("date",))
    return {"balance": None, **own, **balance}


def _day(group: Row, name: str) -> Row:
    """A balance; there is one, as one day was asked for."""
    days = list(parts_of(group, name))
    if len(days) > 1:
        raise UnexpectedAnswerError(f"{name} has several days, where one was asked for")
    return days[0] if days else {}


class CashFlow(Report):
    """Cash flow."""

    name = "report_cash_flow"
    report = "cash_flow"
    business_report = "cash_flow"
    lists = ("activities",)
    totals = ("summary",)
    columns_of_totals: ClassVar = {"summary.net_cash_change": "total"}
    parts = ECHO | Object(
        summary=Object(
            starting_balance=Money(),
            gross_cash_inflow=Money(),
            gross_cash_outflow=Money(),
            net_cash_change=Money(),
            ending_balance=Money(),
        )
    )

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        for activity in parts_of(report, "activities"):
            yield from _flows(activity, {}, FLOW_LEVELS)


class CashFlowRows(ReportRows):
    """One row per sub-account, beside what it is a part of; they add up to the net change.

    One per account, detail or activity, where it has no parts.
    """

    source = CashFlow
    row = Object(
        category=Text(),
        category_total=Money(),
        detail=Text(),
        detail_total=Money(),
        account=Text(),
        account_total=Money(),
        sub_account=Text(),
        categoryid=Integer(),
        sub_accountid=Text(),
        total=Money(),
    )


FLOW_LEVELS = (("category", "details"), ("detail", "accounts"), ("account", "sub_accounts"))
"""What the name of a group is called, and where its parts are, from outside in."""


def _flows(group: Row, outer: Row, levels: tuple[tuple[str, str], ...]) -> Iterator[Row]:
    if not levels:
        row = {"sub_account" if name == "name" else name: value for name, value in group.items()}
        yield {**outer, **row}
        return
    (level, parts), *inner = levels
    own = {**outer, **beside(group, level, (parts,), name=level)}
    below = list(parts_of(group, parts))
    for part in below:
        yield from _flows(part, own, tuple(inner))
    if not below:
        yield {**own, "total": group.get("total")}
