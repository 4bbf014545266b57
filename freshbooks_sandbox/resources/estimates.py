"""Estimates and proposals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents, systems
from freshbooks_sandbox.resources.clients import CLIENTS
from freshbooks_sandbox.resources.invoice_includes import attachments
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Raw

    from freshbooks_sandbox.store import Business, Row

WORDS = {1: "draft", 2: "sent", 3: "viewed", 4: "replied", 5: "accepted", 6: "invoiced"}
DRAFT, VIEWED, ACCEPTED, INVOICED = 1, 3, 5, 6
BLANK = {
    "accounting_systemid": None,
    "address": "",
    "create_date": None,
    "currency_code": "CAD",
    "discount_value": "0",
    "estimate_number": "",
    "ext_archive": 0,
    "language": "en",
    "modern_projectid": None,
    "notes": "",
    "ownerid": 1,
    "po_number": None,
    "reply_status": None,
    "require_client_signature": False,
    "rich_proposal": False,
    "sentid": 1,
    "status": DRAFT,
    "template": "clean-grouped",
    "terms": "",
    "vis_state": 0,
}


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    code, status, lines = row["currency_code"], row["status"], row["_lines"]
    return {
        **documents.address(row, business),
        "accounting_systemid": business.account_id,
        "amount": money(row["_total"], code),
        "discount_total": money(row["_discount"], code),
        "description": (lines[0].description or lines[0].name) if lines else "",
        "display_status": WORDS[status],
        # The three spellings may disagree: 3, "viewed" and "open" were seen on one estimate.
        "ui_status": "open" if status == VIEWED else WORDS[status],
        "accepted": status in (ACCEPTED, INVOICED),
        "invoiced": status == INVOICED,
    }


def _lines(row: Row, business: Business) -> list[Raw]:
    return documents.line_records(row, "estimateid", business)


def _presentation(row: Row, business: Business) -> dict[str, Any]:
    return documents.presentation(row, business, "estimateid")


def _client(row: Row, business: Business) -> dict[str, Any]:
    return CLIENTS.record(business.table("clients")[row["customerid"]], business)


def _invoices(row: Row, business: Business) -> list[dict[str, Any]]:
    invoices = business.index("invoices", "estimateid").get(row["id"], [])
    return [{"id": invoice["id"], "invoiceid": invoice["id"]} for invoice in invoices]


def _sections(row: Row, _business: Business) -> list[dict[str, Any]]:
    if not row.get("rich_proposal"):
        return []
    return [
        {"type": "overview", "group_name": "overview", "title": "Overview", "body": row["_pitch"]}
    ]


def _direct_links(row: Row, business: Business) -> dict[str, Any]:
    token = business.uuid_of("estimate", row["id"])
    return {"client_view": f"https://my.freshbooks.com/#/link/{token}"}


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    if body.get("action_accept"):
        return {"status": ACCEPTED}
    if body.get("action_email") or body.get("action_mark_as_sent"):
        return {"status": 2}
    ignored = ("status", "accounting_systemid", "reply_status")
    columns = {name: body[name] for name in BLANK if name in body and name not in ignored}
    stored: dict[str, Any] = row or {}
    if "customerid" in body:
        columns["customerid"] = documents.check_client(body, "customerid", business)
    if "create_date" in body:
        date = documents.check_date(body["create_date"], "create_date", "estimate")
        columns["create_date"] = date
    if isinstance(body.get("lines"), list):
        columns["_lines"] = [documents.read_line(line) for line in body["lines"]]
    columns |= documents.written_address(body, columns, row, business)
    if row is None:
        client = business.table("clients")[columns["customerid"]]
        columns.setdefault("currency_code", client["currency_code"])
        columns.setdefault("_lines", [])
    lines = columns.get("_lines", stored.get("_lines", []))
    discount_value = columns.get("discount_value", stored.get("discount_value", "0"))
    columns["_discount"], columns["_total"] = documents.totals(lines, str(discount_value))
    return columns


def _defaults(business: Business, _now: int) -> dict[str, Any]:
    number = len(business.table("estimates")) + 1
    return {"estimate_number": f"{number:07d}", "status": DRAFT, "_pitch": ""}


ESTIMATES = Resource(
    name="estimates",
    family=ACCOUNTING,
    path="estimates/estimates",
    plural="estimates",
    single="estimate",
    words="display_status",
    scope="estimates",
    alias="estimateid",
    blank=BLANK,
    computed=_computed,
    timestamps={"created_at": ("created_at", eastern_text), "updated": ("updated", eastern_text)},
    hidden=("_lines", "_total", "_discount", "_pitch"),
    client_key="customerid",
    filters={
        "estimateid": filters.number("id"),
        "estimateids": filters.numbers("id"),
        "estimate_number": filters.word("estimate_number"),
        "estimate_number_like": filters.like("estimate_number"),
        "notes": filters.like("notes"),
        "statusid": filters.number("status"),
        "statusids": filters.numbers("status"),
        **filters.updated(),
        "vis_state": filters.number("vis_state"),
    },
    unknown_sort_ascends=True,
    includes={
        "lines": _lines,
        "presentation": _presentation,
        "owner": documents.owner,
        "contacts": documents.empty,
        "comments": documents.empty,
        "audit_logs": documents.empty,
        "direct_links": _direct_links,
        "project": documents.empty,
        "invoices": _invoices,
        "system": systems.included,
        "attachments": attachments,
        "client": _client,
        "signature": documents.nothing,
        "sections": _sections,
    },
    write_rules=WriteRules(
        to_columns=_to_columns,
        defaults=_defaults,
        required=("customerid", "create_date"),
        created=("created_at",),
        http_delete="soft",
        can_be_mailed=True,
    ),
)
