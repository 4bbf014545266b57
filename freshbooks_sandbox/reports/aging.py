"""Accounts aging: who owes how much for how long; and what the business owes itself."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.money import money
from freshbooks_sandbox.reports.journal import is_booked
from freshbooks_sandbox.reports.parameters import CURRENCY, DAY, a_word
from freshbooks_sandbox.reports.report import company, report
from freshbooks_sandbox.resources.balances import payments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.store import Business, Row

BUCKETS = ((30, "0-30"), (60, "31-60"), (90, "61-90"))
OLDEST = "91+"
NAMES = (*(name for _, name in BUCKETS), OLDEST)


def _bucket(day: str, end: date) -> str:
    age = (end - date.fromisoformat(day)).days
    return next((name for limit, name in BUCKETS if age <= limit), OLDEST)


def _amounts(sums: Mapping[str, int], code: str) -> dict[str, dict[str, str]]:
    parts = {name: money(sums.get(name, 0), code) for name in NAMES}
    return {**parts, "total": money(sum(sums.values()), code)}


def _sort(
    debts: Iterable[tuple[int, str, int]], end: date
) -> tuple[dict[int, dict[str, int]], dict[str, int]]:
    """Cents by debtor and bucket, and of all."""
    rows: dict[int, dict[str, int]] = {}
    totals: dict[str, int] = {}
    for key, day, amount in debts:
        name = _bucket(day, end)
        row = rows.setdefault(key, {})
        row[name] = row.get(name, 0) + amount
        totals[name] = totals.get(name, 0) + amount
    return rows, totals


def _accounts_aging(params: Params, business: Business) -> Mapping[str, Any]:
    """Outstanding amounts on a day, by the age of the invoice; `overdue` by its due date."""
    code, end = params["currency_code"], params["end_date"]
    is_late_only = params["group_by"] == "overdue"
    column = "due_date" if is_late_only else "create_date"
    debts = []
    for row in business.table("invoices").values():
        if row["currency_code"] != code or row["create_date"] > end or not is_booked(row):
            continue
        paid = sum(part["_cents"] for part in payments_of(row, business) if part["date"] <= end)
        rest = row["_total"] - paid
        if rest > 0 and not (is_late_only and row["due_date"] >= end):
            debts.append((row["customerid"], row[column], rest))
    rows, totals = _sort(debts, date.fromisoformat(end))
    clients = business.table("clients")
    return {
        **company(business),
        "currency_code": code,
        "end_date": end,
        "totals": _amounts(totals, code),
        "accounts": [
            {**_client(clients[key]), **_amounts(rows[key], code)} for key in sorted(rows)
        ],
    }


def _client(row: Row) -> dict[str, Any]:
    names = {name: row.get(name) or "" for name in ("organization", "fname", "lname", "email")}
    return {"userid": row["id"], **names}


def _refused(context: FilterContext) -> None:
    """All accounts that were probed lacked the entitlement.

    See docs/freshbooks-api/resources/report_accounts_payable_aging.yaml.
    """
    if context.behaviours.payables_aging == "refused":
        raise ApiError(403, "Permission Denied.", 1003)


def _payables_aging(params: Params, business: Business) -> Mapping[str, Any]:
    """In the shape of accounts_aging; none was ever published."""
    code, end = params["currency_code"], params["end_date"]
    paid: dict[int, int] = {}
    for row in business.table("bill_payments").values():
        if row["vis_state"] != 1 and row["paid_date"] <= end:
            paid[row["billid"]] = paid.get(row["billid"], 0) + row["_cents"]
    debts = []
    for row in business.table("bills").values():
        if row["currency_code"] != code or row["issue_date"] > end or row["vis_state"] == 1:
            continue
        total = sum(line.amount + sum(line.taxes()) for line in row["_lines"])
        rest = total - paid.get(row["id"], 0)
        if rest > 0:
            debts.append((row["vendorid"], row["issue_date"], rest))
    rows, totals = _sort(debts, date.fromisoformat(end))
    vendors = business.table("bill_vendors")
    return {
        **company(business),
        "currency_code": code,
        "end_date": end,
        "totals": _amounts(totals, code),
        "accounts": [
            {
                "vendorid": key,
                "vendor_name": vendors[key]["vendor_name"],
                **_amounts(rows[key], code),
            }
            for key in sorted(rows)
        ],
    }


ACCOUNTS_AGING = report(
    "accounts_aging",
    _accounts_aging,
    {"end_date": DAY, "currency_code": CURRENCY, "group_by": a_word("outstanding")},
)
ACCOUNTS_PAYABLE_AGING = report(
    "accounts_payable_aging",
    _payables_aging,
    {"end_date": DAY, "currency_code": CURRENCY},
    guard=_refused,
    denied_status=403,
)
