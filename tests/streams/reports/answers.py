"""Answers with reports, and their variants."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tests.streams.reports.book_answers import (
    BALANCE_SHEET,
    CASH_FLOW,
    GENERAL_LEDGER,
    PROFIT_LOSS,
    TAX_SUMMARY,
    TRIAL_BALANCE,
    Row,
)
from tests.streams.reports.sales_answers import (
    ACCOUNTS_AGING,
    EXPENSE_DETAILS,
    INVOICE_DETAILS,
    ITEM_SALES,
    PAYMENTS_COLLECTED,
    REVENUE_BY_CLIENT,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS: dict[str, Row] = {
    "profit_loss": PROFIT_LOSS,
    "balance_sheet": BALANCE_SHEET,
    "trial_balance": TRIAL_BALANCE,
    "tax_summary": TAX_SUMMARY,
    "accounts_aging": ACCOUNTS_AGING,
    "payments_collected": PAYMENTS_COLLECTED,
    "revenue_by_client": REVENUE_BY_CLIENT,
    "invoice_details": INVOICE_DETAILS,
    "expense_details": EXPENSE_DETAILS,
    "item_sales": ITEM_SALES,
    "general_ledger": GENERAL_LEDGER,
    "cash_flow": CASH_FLOW,
}
"""By the name of the stream, without `report_`."""

LISTS = {
    "profit_loss": ("income", "expenses"),
    "balance_sheet": ("data",),
    "trial_balance": ("data", "closing row"),
    "tax_summary": ("taxes",),
    "accounts_aging": ("accounts",),
    "payments_collected": ("payments",),
    "revenue_by_client": ("clients",),
    "invoice_details": ("clients",),
    "expense_details": ("data",),
    "item_sales": ("items",),
    "general_ledger": ("data",),
    "cash_flow": ("activities",),
}
"""Of an answer, where its rows are."""

GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "profit_loss": (("expenses", "children"), ("expenses", "children", "children")),
    "balance_sheet": (("data", "accounts"), ("data", "accounts", "sub_accounts")),
    "invoice_details": (("clients", "invoices"),),
    "expense_details": (("data", "expenses|children"), ("data", "children", "expenses|children")),
    "item_sales": (("items", "invoices"),),
    "general_ledger": (("data", "sub_accounts"), ("data", "sub_accounts", "transactions")),
    "cash_flow": (
        ("activities", "details"),
        ("activities", "details", "accounts"),
        ("activities", "details", "accounts", "sub_accounts"),
    ),
}
"""Where the parts of groups are, which a group may be without."""


def without_parts(answer: Row, way: tuple[str, ...], how: str) -> Row:
    """An answer in which groups have no parts: `absent` in the first one, `null`, `empty`."""
    changed = deepcopy(answer)
    *outer, names = way
    found = list(_at(changed, outer))
    for group in found[:1] if how == "absent" else found:
        for name in names.split("|"):
            if how == "absent":
                group.pop(name, None)
            else:
                group[name] = None if how == "null" else []
    return changed


def _at(group: Row, way: list[str]) -> Iterator[Row]:
    if not way:
        yield group
        return
    for part in group.get(way[0]) or []:
        yield from _at(part, way[1:])


def empty(answer: Row, lists: tuple[str, ...]) -> Row:
    """An answer of a period in which nothing happened."""
    without = {name: [] if name in lists else _zero(value) for name, value in answer.items()}
    if "total_qty" in without:
        without["total_qty"] = "0"
    if "closing row" in lists:
        without["data"] = [_zero(answer["data"][-1])]
    return without


def _zero(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "0.00" if k == "amount" else _zero(each) for k, each in value.items()}
    return [_zero(each) for each in value] if isinstance(value, list) else value
