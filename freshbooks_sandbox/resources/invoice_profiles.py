"""Recurring invoice profiles: what will be invoiced, to whom and how often."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents, late_terms, systems
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.resources.documents import Line
    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "accounting_systemid": None,
    "address": "",
    "auto_bill": False,
    "bill_gateway": None,
    "create_date": None,
    "currency_code": "CAD",
    "disable": False,
    "discount_value": "0",
    "due_offset_days": 0,
    "ext_archive": None,
    "frequency": "m",
    "include_unbilled_time": False,
    "language": "en",
    "notes": "",
    "numberRecurring": 0,
    "ownerid": 1,
    "payment_details": "",
    "po_number": None,
    "require_auto_bill": False,
    "retainer_id": None,
    "send_email": True,
    "send_gmail": False,
    "template": "clean-grouped",
    "terms": None,
    "total_accrued_revenue": None,
    "vis_state": 0,
}
PERIODS = {"w": 7, "2w": 14, "4w": 28, "m": 30, "2m": 61, "3m": 91, "6m": 182, "y": 365, "2y": 730}
"""Days, roughly; the codes beyond m and 2w are unverified.

See docs/freshbooks-api/resources/invoice_profiles.yaml.
"""


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    code, lines = row["currency_code"], row["_lines"]
    address = dict(documents.address(row, business))
    address.pop("current_organization", None)
    return {
        **address,
        "accounting_systemid": business.account_id,
        "amount": money(row["_total"], code),
        "discount_total": money(row["_discount"], code),
        "description": (lines[0].description or lines[0].name) if lines else "",
        "occurrences_to_date": len(business.index("invoices", "parent").get(row["id"], [])),
    }


def _lines(row: Row, _business: Business) -> list[dict[str, Any]]:
    return [
        _line(row, position, line, row["currency_code"])
        for position, line in enumerate(row["_lines"], 1)
    ]


def _line(row: Row, position: int, line: Line, code: str) -> dict[str, Any]:
    return {
        "lineid": position,
        "profileid": row["id"],
        "taskno": position,
        "type": line.type,
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


def _next_issue_date(row: Row, business: Business) -> str | None:
    """None where it is paused or through."""
    done = len(business.index("invoices", "parent").get(row["id"], []))
    if row.get("disable") or (row.get("numberRecurring") and done >= row["numberRecurring"]):
        return None
    day = date.fromisoformat(row["create_date"])
    step = timedelta(days=PERIODS.get(row.get("frequency", "m"), 30))
    while business.today is not None and day < business.today:
        day += step
    return day.isoformat()


def _project_format(row: Row, _business: Business) -> dict[str, Any] | None:
    """Only where unbilled time is pulled in."""
    if not row.get("include_unbilled_time"):
        return None
    shown = ("tname", "pname", "staff", "date", "notes", "total_hours")
    switches = {f"show_{name}": True for name in shown}
    return {"group_by": "service", "method": "detailed", **switches}


def _accrued(row: Row, business: Business) -> dict[str, str]:
    invoices = business.index("invoices", "parent").get(row["id"], [])
    return money(sum(invoice["_total"] for invoice in invoices), row["currency_code"])


def _tracking(row: Row, business: Business) -> list[dict[str, Any]]:
    invoices = business.index("invoices", "parent").get(row["id"], [])
    return [{"invoiceid": invoice["id"], "profileid": row["id"]} for invoice in invoices]


def _presentation(row: Row, business: Business) -> dict[str, Any]:
    return documents.presentation(row, business, "profileid")


IGNORED = ("accounting_systemid", "ext_archive", "total_accrued_revenue", "vis_state")


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in BLANK if name in body and name not in IGNORED}
    if "customerid" in body:
        columns["customerid"] = documents.check_client(body, "customerid", business)
    if "create_date" in body:
        day = documents.check_date(body["create_date"], "create_date", "invoice_profile")
        if business.today is not None and day < business.today.isoformat():
            message = "The start date lies in the past."
            raise ApiError(422, message, 16003, "create_date", day, "invoice_profile")
        columns["create_date"] = day
    if "discount_value" in body:
        columns["discount_value"] = str(body["discount_value"] or "0")
    if isinstance(body.get("lines"), list):
        columns["_lines"] = [documents.read_line(line) for line in body["lines"]]
    columns |= documents.written_address(body, columns, row, business)
    if row is None:
        client = business.table("clients")[columns["customerid"]]
        columns.setdefault("currency_code", client.get("currency_code", business.currency))
        columns.setdefault("_lines", [])
    stored: dict[str, Any] = row or {}
    lines = columns.get("_lines", stored.get("_lines", []))
    discount = columns.get("discount_value", stored.get("discount_value", "0"))
    columns["_discount"], columns["_total"] = documents.totals(lines, discount)
    return columns


def _example(business: Business) -> dict[str, Any]:
    start = (business.today or date.min) + timedelta(days=7)
    return {
        "create_date": start.isoformat(),
        "lines": [{"name": "Edited by hand", "qty": "1", "unit_cost": "300.00"}],
    }


INVOICE_PROFILES = Resource(
    name="invoice_profiles",
    family=ACCOUNTING,
    path="invoice_profiles/invoice_profiles",
    plural="invoice_profiles",
    single="invoice_profile",
    words="frequency",
    scope="invoices",
    alias="profileid",
    blank=BLANK,
    computed=_computed,
    timestamps={"updated": ("updated", eastern_text)},
    hidden=("_lines", "_total", "_discount"),
    client_key="customerid",
    # No updated_min: it is not in the documented table
    # (docs/freshbooks-api/resources/invoice_profiles.yaml).
    filters={
        "profileid": filters.number("id"),
        "profileids": filters.numbers("id"),
        "currency_code": filters.word("currency_code"),
        "clientid": filters.number("customerid"),
        "clientids": filters.numbers("customerid"),
        "include_unbilled_time": filters.flag("include_unbilled_time"),
        "vis_state": filters.number("vis_state"),
    },
    includes={
        "lines": _lines,
        "late_fee": late_terms.fee(),
        "late_reminders": late_terms.reminders(),
        "allowed_gateways": documents.empty,
        "audit_logs": documents.empty,
        "contacts": documents.empty,
        "presentation": _presentation,
        "system": systems.included,
        "tracking": _tracking,
        "next_issue_date": _next_issue_date,
        "project_format": _project_format,
        "total_accrued_revenue": _accrued,
    },
    write_rules=WriteRules(
        to_columns=_to_columns,
        example=_example,
        required=("customerid", "create_date", "frequency"),
    ),
)
