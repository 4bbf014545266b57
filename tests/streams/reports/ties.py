"""How the rows of each report have to add up, by docs/freshbooks-api and docs/reports.md."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Row = dict[str, Any]
Tie = tuple[str, Decimal, Decimal]
"""What is compared, what the answer says, and what the rows add up to."""


def amount(value: Row | None) -> Decimal:
    return Decimal(value["amount"]) if value else Decimal()


def add(rows: Iterable[Row], column: str, **where: Any) -> Decimal:
    """The sum of a column over the rows that are so."""
    chosen = (row for row in rows if all(row.get(name) == value for name, value in where.items()))
    return sum((amount(row.get(column)) for row in chosen), Decimal())


def _by_group(
    rows: Iterable[Row], keys: tuple[str, ...], totals: Mapping[str, str]
) -> Iterator[Tie]:
    """Whether the rows of each group add up to the totals of the group that stand beside them."""
    groups = defaultdict(list)
    for row in rows:
        if all(row.get(key) is not None for key in keys):
            groups[tuple(row[key] for key in keys)].append(row)
    for key, members in groups.items():
        for total, column in totals.items():
            if members[0].get(total) is not None:
                yield f"{total} of {key}", amount(members[0][total]), add(members, column)


def _statement_ties(rows: list[Row], column: str, total: Row | None, **where: Any) -> Iterator[Tie]:
    """Both ways to choose the rows that add up, as the documentation has them."""
    yield f"depth 0 of {where}", amount(total), add(rows, column, depth=0, **where)
    yield f"details of {where}", amount(total), add(rows, column, is_subtotal=False, **where)


def _profit_loss(report: Row, rows: list[Row]) -> Iterator[Tie]:
    income, expenses = report["total_income"]["total"], report["total_expenses"]["total"]
    yield from _statement_ties(rows, "total", income, section="income")
    yield from _statement_ties(rows, "total", expenses, section="expenses")
    profit = add(rows, "total", depth=0, section="income") - add(
        rows, "total", depth=0, section="expenses"
    )
    yield "net profit", amount(report["net_profit"]["total"]), profit


def _balance_sheet(report: Row, rows: list[Row]) -> Iterator[Tie]:
    [assets], [others] = report["assets_total"], report["liabilities_and_equity_total"]
    yield from _statement_ties(rows, "balance", assets["balance"], account_type="asset")
    for how in ({"depth": 0}, {"is_subtotal": False}):
        owed = add(rows, "balance", account_type="liability", **how)
        owned = add(rows, "balance", account_type="equity", **how)
        yield f"liabilities and equity {how}", amount(others["balance"]), owed + owned
    top = [row for row in rows if row["depth"] == 0]
    kinds = ("account_type",)
    both = [{**row, "account_type": (row["account_type"], row["category"])} for row in top]
    yield from _by_group(both, kinds, {"group_balance": "balance"})


def _trial_balance(report: Row, rows: list[Row]) -> Iterator[Tie]:
    for side in ("debit", "credit"):
        yield side, amount(report["total"][side]), add(rows, side)


def _tax_summary(_report: Row, rows: list[Row]) -> Iterator[Tie]:
    net = add(rows, "tax_collected") - add(rows, "tax_paid")
    yield "net tax", add(rows, "net_tax"), net


def _accounts_aging(report: Row, rows: list[Row]) -> Iterator[Tie]:
    for column, total in report["totals"].items():
        yield column, amount(total), add(rows, column)
    ages = [column for column in report["totals"] if column != "total"]
    yield "ages", add(rows, "total"), sum((add(rows, age) for age in ages), Decimal())


def _payments_collected(report: Row, rows: list[Row]) -> Iterator[Tie]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["amount"]["code"]] += amount(row["amount"])
    said = {total["code"]: amount(total) for total in report["totals"]}
    for code in said.keys() | sums.keys():
        yield code, said.get(code, Decimal()), sums[code]


def _revenue_by_client(report: Row, rows: list[Row]) -> Iterator[Tie]:
    """The shape of a client is unknown: the only amount in it, or its `total`."""
    found = [row["client"].get("sum") or row["client"].get("total") for row in rows]
    yield "sales", amount(report["total_sales"]), sum(map(amount, found), Decimal())


def _invoice_details(report: Row, rows: list[Row]) -> Iterator[Tie]:
    for column in ("total", "paid", "outstanding"):
        yield column, amount(report["summary"][column]), add(rows, column)
        for row in rows:
            of_client = add(rows, column, userid=row.get("userid"))
            if row.get("client_summary"):
                yield f"{column} of client", amount(row["client_summary"][column]), of_client

    for row in rows:
        if row.get("tax"):
            taxes = sum((amount(each["tax_total"]) for each in row["tax_summaries"]), Decimal())
            yield "tax of an invoice", amount(row["tax"]), taxes


def _expense_details(_report: Row, rows: list[Row]) -> Iterator[Tie]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    said = {}
    for row in rows:
        for depth, group in enumerate(row["groups"]):
            key = str([each.get("groupid") for each in row["groups"][: depth + 1]])
            sums[key] += amount(row["amount"])
            said[key] = group.get("total")
        assert row["groupid"] == row["groups"][-1].get("groupid")
    for key, total in said.items():
        if total is not None:
            yield f"group {key}", amount(total), sums[key]


def _item_sales(report: Row, rows: list[Row]) -> Iterator[Tie]:
    totals = {"total": "amount", "total_discount": "discount"}
    yield from _by_group(rows, ("name",), totals)
    for total, column in totals.items():
        if report.get(total) is not None:
            yield total, amount(report[total]), add(rows, column)
    if report.get("total_qty") is not None:
        quantities = sum((Decimal(row["qty"]) for row in rows), Decimal())
        yield "quantity", Decimal(report["total_qty"]), quantities


def _general_ledger(report: Row, rows: list[Row]) -> Iterator[Tie]:
    for side in ("debit", "credit"):
        yield side, amount(report["summary"][f"total_{side}"]), add(rows, side)
        yield from _by_group(rows, ("accountid",), {f"account_{side}": side})
        keys = ("accountid", "sub_accountid")
        yield from _by_group(rows, keys, {f"sub_account_{side}": side})


def _cash_flow(report: Row, rows: list[Row]) -> Iterator[Tie]:
    yield "net change", amount(report["summary"]["net_cash_change"]), add(rows, "total")
    keys = ("category", "detail", "account")
    for number, key in enumerate(keys, start=1):
        yield from _by_group(rows, keys[:number], {f"{key}_total": "total"})


TIES = {
    "profit_loss": _profit_loss,
    "balance_sheet": _balance_sheet,
    "trial_balance": _trial_balance,
    "tax_summary": _tax_summary,
    "accounts_aging": _accounts_aging,
    "payments_collected": _payments_collected,
    "revenue_by_client": _revenue_by_client,
    "invoice_details": _invoice_details,
    "expense_details": _expense_details,
    "item_sales": _item_sales,
    "general_ledger": _general_ledger,
    "cash_flow": _cash_flow,
}
"""How the rows of each report have to add up."""
