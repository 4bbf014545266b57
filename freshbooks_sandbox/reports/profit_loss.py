"""Profit and loss: income and costs by category, in one column or several."""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import money
from freshbooks_sandbox.reports.chart import GOODS
from freshbooks_sandbox.reports.journal import entries
from freshbooks_sandbox.reports.parameters import CURRENCY, FLAG, PERIOD, Parameter
from freshbooks_sandbox.reports.report import company, is_there, ledger_report, report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.reports.chart import Account
    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.store import Business

MONTHS_OF_YEAR = 12
Column = tuple[str, str]


def _resolution(_name: str, values: list[str]) -> str | None:
    """`m`, `3m`, `y`; another form is dropped as an unknown parameter is."""
    return values[-1] if re.fullmatch(r"[1-9]?\d?[my]", values[-1]) else None


def _width(resolution: str | None) -> int | None:
    """Months in a column."""
    if resolution is None:
        return None
    count = int(resolution[:-1] or 1)
    return count * (MONTHS_OF_YEAR if resolution.endswith("y") else 1)


def columns(start: str, end: str, months: int | None) -> list[Column]:
    """The period cut at month ends; one column where no width is asked for."""
    if months is None:
        return [(start, end)]
    found, begin, last = [], date.fromisoformat(start), date.fromisoformat(end)
    while begin <= last:
        year, month = divmod(begin.year * MONTHS_OF_YEAR + begin.month - 1 + months, MONTHS_OF_YEAR)
        following = date(year, month + 1, 1)
        found.append((begin.isoformat(), min(following - timedelta(days=1), last).isoformat()))
        begin = following
    return found


class _Sums:
    """Cents by row and column."""

    def __init__(self, params: Params, business: Business) -> None:
        self.code = params["currency_code"]
        self.columns = columns(
            params["start_date"], params["end_date"], _width(params["resolution"])
        )
        self.income: dict[str, list[int]] = {}
        self.costs: dict[tuple[Account, int | None], list[int]] = {}
        ends = [end for _, end in self.columns]
        for entry in entries(business, self.code, cash_based=params["cash_based"]):
            if not params["start_date"] <= entry.date <= params["end_date"]:
                continue
            place = bisect_left(ends, entry.date)
            for account, amount, key in entry.legs:
                if account.type == "income":
                    self.income.setdefault(account.name, self.blank())[place] -= amount
                elif account.type == "expense":
                    self.costs.setdefault((account, key), self.blank())[place] += amount

    def blank(self) -> list[int]:
        """Nothing in any column."""
        return [0] * len(self.columns)

    def row(
        self, name: str, kind: str, sums: list[int], children: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """A row of the report."""
        return {
            "description": name,
            "entry_type": kind,
            "data": [money(amount, self.code) for amount in sums],
            "total": money(sum(sums), self.code),
            "children": children or [],
        }

    def expenses(self, business: Business) -> list[dict[str, Any]]:
        """Parent categories with their children; costs without a category under the account."""
        categories = business.table("expense_categories")
        tree: dict[str, dict[str, list[int]]] = {}
        for (account, key), sums in self.costs.items():
            own = categories.get(key or 0)
            name = own["category"] if own else account.name
            parent = categories.get(own["parentid"] or 0) if own else None
            children = tree.setdefault(parent["category"] if parent else name, {})
            children[name] = added(children.get(name, self.blank()), sums)
        rows = []
        for name, children in sorted(tree.items()):
            total = self.blank()
            for sums in children.values():
                total = added(total, sums)
            below = [self.row(child, "debit", sums) for child, sums in sorted(children.items())]
            is_alone = list(children) == [name]
            rows.append(self.row(name, "debit", total, [] if is_alone else below))
        return rows

    def sum_of(self, parts: Mapping[Any, list[int]]) -> list[int]:
        """By column."""
        total = self.blank()
        for sums in parts.values():
            total = added(total, sums)
        return total

    def margin(self, income: list[int]) -> dict[str, Any]:
        """The income after the cost of goods, in percent of it."""
        goods = self.sum_of({k: v for k, v in self.costs.items() if k[0].number == GOODS})
        data = [_percent(had - cost, had) for had, cost in zip(income, goods, strict=True)]
        total = _percent(sum(income) - sum(goods), sum(income))
        return {
            "description": "Gross Margin",
            "entry_type": "none",
            "data": data,
            "total": total,
            "children": [],
        }


def added(first: list[int], second: list[int]) -> list[int]:
    """Column by column."""
    return [one + other for one, other in zip(first, second, strict=True)]


def _percent(part: int, whole: int) -> dict[str, str]:
    return {"amount": f"{100 * part / whole if whole else 0:.2f}", "code": "%"}


def _profit_loss(params: Params, business: Business) -> Mapping[str, Any]:
    sums = _Sums(params, business)
    income, costs = sums.sum_of(sums.income), sums.sum_of(sums.costs)
    profit = [had - cost for had, cost in zip(income, costs, strict=True)]
    is_split = params["resolution"] is not None
    return {
        **company(business),
        "cash_based": params["cash_based"],
        "currency_code": sums.code,
        "start_date": params["start_date"],
        "end_date": params["end_date"],
        "resolution": params["resolution"],
        "labels": [start for start, _ in sums.columns] if is_split else [],
        "dates": [{"start_date": start, "end_date": end} for start, end in sums.columns],
        "income": [sums.row(name, "credit", row) for name, row in sorted(sums.income.items())],
        "expenses": sums.expenses(business),
        "gross_margin": sums.margin(income),
        "net_profit": sums.row(f"Net Profit ({sums.code})", "credit", profit),
        "total_income": sums.row("Total", "credit", income),
        "total_expenses": sums.row("Total Expenses", "debit", costs),
    }


_PARAMETERS = {
    **PERIOD,
    "currency_code": CURRENCY,
    "cash_based": FLAG,
    "resolution": Parameter(_resolution),
    "fiscal_year_view": FLAG,
    "group_by_account": FLAG,
    "group_by_category_id": FLAG,
    "report_mode": Parameter(lambda _name, values: values[-1]),
}
PROFIT_LOSS = report(
    "profit_loss",
    _profit_loss,
    _PARAMETERS,
    path="profitloss_entity",
    key="profitloss",
    guard=is_there,
)
MODERN_PROFIT_LOSS = ledger_report("profit_and_loss", _profit_loss, _PARAMETERS)
