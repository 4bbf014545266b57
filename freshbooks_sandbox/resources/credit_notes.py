"""Credit notes: what a client has in hand, and what of it was applied to invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.resources.documents import Line
    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "accounting_systemid": None,
    "credit_number": "",
    "credit_type": "goodwill",
    "status": "created",
    "dispute_status": None,
    "last_order_status": None,
    "payment_type": None,
    "create_date": None,
    "currency_code": "CAD",
    "language": "en",
    "notes": "",
    "terms": "",
    "sentid": 1,
    "template": "clean-grouped",
    "ext_archive": 0,
    "vis_state": 0,
}
TYPES = ("goodwill", "overpayment", "prepayment")


def applied_cents(note: Row, business: Business) -> int:
    """The amount that payments on invoices have used of it."""
    payments = business.index("payments", "creditid").get(note["id"], [])
    return sum(
        payment["_cents"]
        for payment in payments
        if payment.get("from_credit") and payment["vis_state"] != 1
    )


def available(client: Row, business: Business) -> list[dict[str, Any]]:
    """The rest that a client has, one entry per currency."""
    sums: dict[str, int] = {}
    for note in business.index("credit_notes", "clientid").get(client["id"], []):
        rest = note["_total"] - applied_cents(note, business)
        if note["vis_state"] != 1 and rest:
            sums[note["currency_code"]] = sums.get(note["currency_code"], 0) + rest
    return [{"amount": money(total, code)} for code, total in sums.items()]


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    code, applied = row["currency_code"], applied_cents(row, business)
    lines = row["_lines"]
    status = "unpaid"
    if applied:
        status = "paid" if applied >= row["_total"] else "partial"
    return {
        **documents.address({**row, "customerid": row["clientid"]}, business),
        "accounting_systemid": business.account_id,
        "amount": money(row["_total"], code),
        "paid": money(applied, code),
        "display_status": row.get("status", "created"),
        "payment_status": status,
        "description": (lines[0].description or lines[0].name) if lines else "",
    }


def _lines(row: Row, _business: Business) -> list[dict[str, Any]]:
    return [
        _line(row, position, line, row["currency_code"])
        for position, line in enumerate(row["_lines"], 1)
    ]


def _line(row: Row, position: int, line: Line, code: str) -> dict[str, Any]:
    return {
        "creditid": row["id"],
        "taskno": position,
        "name": line.name,
        "description": line.description,
        "qty": line.qty,
        "unit_cost": money(line.unit_cost, code),
        "amount": money(line.amount, code),
        "taxName1": line.tax_name1,
        "taxAmount1": line.percent1,
        "taxName2": line.tax_name2,
        "taxAmount2": line.percent2,
        "compounded_tax": line.compounded_tax,
    }


def new_number(business: Business) -> str:
    """The next credit number."""
    return f"{len(business.table('credit_notes')) + 1:07d}"


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    ignored = ("accounting_systemid", "status", "ext_archive", "vis_state")
    columns = {name: body[name] for name in BLANK if name in body and name not in ignored}
    if "clientid" in body:
        columns["clientid"] = documents.check_client(body, "clientid", business)
    if "create_date" in body:
        date = documents.check_date(body["create_date"], "create_date", "credit_note")
        columns["create_date"] = date
    if columns.get("credit_type", TYPES[0]) not in TYPES:
        raise ValueError(columns["credit_type"])
    if isinstance(body.get("lines"), list):
        columns["_lines"] = [documents.read_line(line) for line in body["lines"]]
    if row is None:
        client = business.table("clients")[columns["clientid"]]
        columns.setdefault("currency_code", client.get("currency_code", business.currency))
        columns.setdefault("_lines", [])
    stored: dict[str, Any] = row or {}
    lines = columns.get("_lines", stored.get("_lines", []))
    columns["_total"] = documents.totals(lines, "0")[1]
    return columns


CREDIT_NOTES = Resource(
    name="credit_notes",
    family=ACCOUNTING,
    path="credit_notes/credit_notes",
    plural="credit_notes",
    single="credit_note",
    other_keys=lambda behaviours: ("credit_notes", behaviours.credit_note_key),
    words="credit_type",
    scope="credit_notes",
    alias="creditid",
    blank=BLANK,
    computed=_computed,
    hidden=("_lines", "_total"),
    client_key="clientid",
    # client_id and create_date_min are ignored, as seen live
    # (docs/freshbooks-api/resources/credit_notes.yaml).
    filters={
        "clientid": filters.number("clientid"),
        **filters.dates("date", "create_date"),
        "vis_state": filters.number("vis_state"),
    },
    includes={"lines": _lines},
    write_rules=WriteRules(
        to_columns=_to_columns,
        defaults=lambda business, _now: {"credit_number": new_number(business)},
        example=lambda _business: {
            "lines": [{"name": "Edited by hand", "qty": "1", "unit_cost": "75.00"}]
        },
        required=("clientid", "create_date"),
        updated=None,  # no timestamp at all (docs/freshbooks-api/accounting.md §7)
    ),
)
