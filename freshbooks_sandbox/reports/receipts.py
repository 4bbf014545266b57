"""Payments collected, the statement of one client, and what stands on a bank account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.money import money
from freshbooks_sandbox.reports.journal import entries, is_booked
from freshbooks_sandbox.reports.parameters import (
    CURRENCY,
    DAY,
    NUMBER,
    NUMBERS,
    PERIOD,
    TEXT,
    TEXTS,
    Parameter,
)
from freshbooks_sandbox.reports.report import company, report
from freshbooks_sandbox.reports.statements import cash_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.store import Business, Row


def _all_or_own(params: Params, context: FilterContext) -> Params:
    """The currencies that a report covers when none is named."""
    if params["currency_codes"] or context.behaviours.payments_collected == "all":
        return params
    return {**params, "currency_codes": [context.business.currency]}


def _payments_collected(params: Params, business: Business) -> Mapping[str, Any]:
    """The payments that count, by date; they carry no id."""
    rows = []
    totals: dict[str, int] = {}
    for row in business.table("payments").values():
        if row["vis_state"] == 1 or not _is_asked_for(row, params):
            continue
        rows.append(_payment(row, business))
        totals[row["_code"]] = totals.get(row["_code"], 0) + row["_cents"]
    return {
        **{name: params[name] for name in ("clientids", "currency_codes", "payment_methods")},
        **{name: params[name] for name in ("start_date", "end_date")},
        "summary_only": False,
        "totals": [money(amount, code) for code, amount in sorted(totals.items())],
        "payments": sorted(rows, key=lambda row: str(row["date"])),
    }


def _is_asked_for(row: Row, params: Params) -> bool:
    return (
        params["start_date"] <= row["date"] <= params["end_date"]
        and row["_code"] in (params["currency_codes"] or [row["_code"]])
        and row["clientid"] in (params["clientids"] or [row["clientid"]])
        and row.get("type", "Other") in (params["payment_methods"] or [row.get("type", "Other")])
    )


def _payment(row: Row, business: Business) -> dict[str, Any]:
    client = business.table("clients")[row["clientid"]]
    invoice = business.table("invoices").get(row.get("invoiceid") or 0)
    credit = business.table("credit_notes").get(row.get("creditid") or 0)
    return {
        "amount": money(row["_cents"], row["_code"]),
        "client": client["organization"] or f"{client['fname']} {client['lname']}",
        "clientid": row["clientid"],
        "date": row["date"],
        "description": row.get("note") or "",
        "from_credit": bool(row.get("from_credit")),
        "invoiceid": invoice["id"] if invoice else None,
        "invoice_number": invoice["invoice_number"] if invoice else None,
        "creditid": credit["id"] if credit else None,
        "credit_number": credit.get("credit_number") if credit else None,
        "method": row.get("type", "Other"),
    }


def _no_client(_business: Business) -> int:
    raise ApiError(422, "clientid is required.", 1001, "clientid", "", "report")


def _account_statement(params: Params, business: Business) -> Mapping[str, Any]:
    """Invoices and payments of one client with a running balance; its true shape is unknown."""
    code, key = params["currency_code"], params["clientid"]
    client = business.table("clients").get(key)
    if client is None:
        raise ApiError(404, "Client not found.", 1012, "clientid", key, "client")
    opening = balance = 0
    rows = []
    for day, kind, number, amount in sorted(_movements(key, code, business)):
        if day > params["end_date"]:
            continue
        balance += amount
        if day < params["start_date"]:
            opening = balance
            continue
        rows.append(
            {
                "date": day,
                "type": kind,
                "id": number,
                "amount": money(amount, code),
                "balance": money(balance, code),
            }
        )
    return {
        **company(business),
        **{name: params[name] for name in ("clientid", "currency_code", "start_date", "end_date")},
        "opening_balance": money(opening, code),
        "closing_balance": money(balance, code),
        "entries": rows,
    }


def _movements(key: int, code: str, business: Business) -> list[tuple[str, str, int, int]]:
    invoices = [
        (row["create_date"], "invoice", row["id"], row["_total"])
        for row in business.index("invoices", "customerid").get(key, [])
        if is_booked(row) and row["currency_code"] == code
    ]
    every = business.table("invoices")
    payments = [
        (row["date"], "payment", row["id"], -row["_cents"])
        for row in business.index("payments", "clientid").get(key, [])
        if row["vis_state"] != 1
        and row["_code"] == code
        and is_booked(every.get(row.get("invoiceid") or 0))
    ]
    return invoices + payments


def _bank_reconciliation(params: Params, business: Business) -> Mapping[str, Any]:
    """The cash account and the expenses of one bank account; its true shape is unknown."""
    code, day, bank = params["currency_code"], params["date"], params["bank_accountid"]
    balance = sum(cash_of(entry) for entry in entries(business, code) if entry.date <= day)
    spent = [
        row["_cents"]
        for row in business.table("expenses").values()
        if row["vis_state"] != 1
        and row["_code"] == code
        and row["date"] <= day
        and row.get("accountid") is not None
        and bank in (None, row["accountid"])
    ]
    return {
        **company(business),
        "currency_code": code,
        "date": day,
        "bank_accountid": bank,
        "ledger_balance": money(balance, code),
        "imported_expenses": len(spent),
        "imported_total": money(-sum(spent), code),
    }


PAYMENTS_COLLECTED = report(
    "payments_collected",
    _payments_collected,
    {
        **PERIOD,
        "currency_codes[]": TEXTS,
        "clientids[]": NUMBERS,
        "payment_methods[]": TEXTS,
        "payment_for": TEXT,
    },
    defaults=_all_or_own,
)
ACCOUNT_STATEMENT = report(
    "account_statement",
    _account_statement,
    {**PERIOD, "clientid": Parameter(NUMBER.read, _no_client), "currency_code": CURRENCY},
)
BANK_RECONCILIATION_SUMMARY = report(
    "bank_reconciliation_summary",
    _bank_reconciliation,
    {"currency_code": CURRENCY, "date": DAY, "bank_accountid": NUMBER},
)
