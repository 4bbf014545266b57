"""Invoice details: the invoices of a period by client, with their lines and taxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import money
from freshbooks_sandbox.reports.journal import net_of
from freshbooks_sandbox.reports.parameters import CURRENCY, PERIOD, a_word
from freshbooks_sandbox.reports.report import company, report
from freshbooks_sandbox.reports.sales import CHOICE, chosen, paid_on
from freshbooks_sandbox.reports.taxes import taxes_of
from freshbooks_sandbox.resources.balances import paid_cents
from freshbooks_sandbox.resources.invoices import v3_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.resources.documents import Line
    from freshbooks_sandbox.store import Business, Row


def _invoice(row: Row, business: Business) -> dict[str, Any]:
    code, total = row["currency_code"], row["_total"]
    paid, net = paid_cents(row, business), net_of(row)
    return {
        "invoiceid": row["id"],
        "invoice_number": row["invoice_number"],
        "create_date": row["create_date"],
        "due_offset_days": row["due_offset_days"],
        "currency_code": code,
        "v3_status": v3_status(row, business),
        "date_paid": paid_on(row, business),
        "po_number": row.get("po_number"),
        "subtotal": money(net - row["_discount"], code),
        "discount_total": money(row["_discount"], code),
        "tax": money(total - net, code),
        "total": money(total, code),
        "paid": money(paid, code),
        "outstanding": money(total - paid, code),
        "tax_summaries": _tax_summaries(row),
        "lines": [_line(row, number, line) for number, line in enumerate(row["_lines"], 1)],
    }


def _line(row: Row, number: int, line: Line) -> dict[str, Any]:
    """In words of its own (docs/freshbooks-api/accounting.md §13); taxes are money here."""
    code = row["currency_code"]
    first, second = taxes_of(line, row.get("discount_value", "0"))
    return {
        "lineid": number,
        "taskno": number,
        "name": line.name,
        "description": line.description,
        "qty": line.qty,
        "rate": money(line.unit_cost, code),
        "amount": money(line.amount, code),
        "total": money(line.amount + first + second, code),
        "tax_name1": line.tax_name1,
        "tax_name2": line.tax_name2,
        "tax_amount1": money(first, code),
        "tax_amount2": money(second, code),
    }


def _tax_summaries(row: Row) -> list[dict[str, Any]]:
    """One for each tax by name, number and rate; they add up to the tax of the invoice."""
    sums: dict[tuple[str | None, str | None, str], int] = {}
    for line in row["_lines"]:
        kinds = (
            (line.tax_name1, line.tax_number1, line.percent1),
            (line.tax_name2, line.tax_number2, line.percent2),
        )
        for kind, part in zip(kinds, taxes_of(line, row.get("discount_value", "0")), strict=True):
            if part:
                sums[kind] = sums.get(kind, 0) + part
    return [
        {
            "tax_name": name,
            "tax_number": number,
            "tax_rate": rate,
            "tax_total": money(part, row["currency_code"]),
        }
        for (name, number, rate), part in sums.items()
    ]


def _summary(rows: list[Row], business: Business, code: str) -> dict[str, Any]:
    total = sum(row["_total"] for row in rows)
    paid = sum(paid_cents(row, business) for row in rows)
    return {
        "outstanding": money(total - paid, code),
        "paid": money(paid, code),
        "total": money(total, code),
    }


def _client(key: int, rows: list[Row], business: Business, code: str) -> dict[str, Any]:
    client = business.table("clients")[key]
    return {
        "userid": key,
        **{name: client.get(name) or "" for name in ("organization", "fname", "lname", "email")},
        "summary": _summary(rows, business, code),
        "invoices": [_invoice(row, business) for row in rows],
    }


def _invoice_details(params: Params, business: Business) -> Mapping[str, Any]:
    """Drafts are in it as well: `statusids` knows the word."""
    code, rows = params["currency_code"], list(chosen(params, business))
    clients: dict[int, list[Row]] = {}
    for row in rows:
        clients.setdefault(row["customerid"], []).append(row)
    return {
        **company(business),
        **{name: params[name] for name in ("currency_code", "start_date", "end_date")},
        **{name: params[name] for name in ("date_type", "clientids", "statusids")},
        "summary_only": False,
        "summary": _summary(rows, business, code),
        "clients": [_client(key, clients[key], business, code) for key in sorted(clients)],
    }


INVOICE_DETAILS = report(
    "invoice_details",
    _invoice_details,
    {**PERIOD, "currency_code": CURRENCY, **CHOICE, "date_type": a_word("issue")},
)
