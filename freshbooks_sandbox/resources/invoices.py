"""Invoices: what is stored of one, what follows from its payments and the day, how it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text, eastern_version
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents, invoice_includes
from freshbooks_sandbox.resources.balances import (
    AUTO_PAID,
    DISPUTED,
    DRAFT,
    PAID,
    SENT,
    VIEWED,
    is_overdue,
    payments_of,
)
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "address": "",
    "attach_pdf_to_email": False,
    "auto_bill": False,
    "autobill_status": None,
    "basecampid": 0,
    "create_date": None,
    "currency_code": "CAD",
    "deposit_percentage": None,
    "discount_description": None,
    "discount_value": "0",
    "due_date": None,
    "due_offset_days": 30,
    "estimateid": 0,
    "ext_archive": 0,
    "generation_date": None,
    "gmail": False,
    "invoice_number": "",
    "language": "en",
    "last_order_status": None,
    "lock_status": "unlocked",
    "notes": "",
    "ownerid": 1,
    "parent": 0,
    "payment_details": "",
    "po_number": None,
    "return_uri": None,
    "sentid": 1,
    "series": "",
    "show_attachments": False,
    "status": DRAFT,
    "template": "clean-grouped",
    "terms": None,
    "use_default_presentation": True,
    "vis_state": 0,
}
WORDS = {DISPUTED: "disputed", DRAFT: "draft", SENT: "sent", VIEWED: "viewed"}


def _states(row: Row, business: Business, paid: int) -> dict[str, Any]:
    """The status in its many spellings (docs/freshbooks-api/resources/invoices.yaml)."""
    status, total = row["status"], row["_total"]
    word = WORDS[status]
    display = "sent" if status == DISPUTED else word
    payment_status = "unpaid"
    if paid >= total and (paid > 0 or status != DRAFT):
        status = AUTO_PAID if row.get("auto_bill") else PAID
        payment_status = "auto-paid" if row.get("auto_bill") else "paid"
        word = "autopaid" if row.get("auto_bill") else "paid"
    elif paid > 0:
        # The number stays 2 while the payment is partial.
        payment_status = word = "partial"
        display = "outstanding"
    if payment_status in ("unpaid", "partial") and status != DRAFT:
        if status == DISPUTED:
            word = "disputed"
        elif is_overdue(row, business):
            word = "overdue"
        elif row.get("autobill_status") in ("failed", "retry"):
            word = row["autobill_status"]
    return {
        "status": status,
        "display_status": display,
        "v3_status": word,
        "payment_status": payment_status,
        "dispute_status": "disputed" if row["status"] == DISPUTED else None,
    }


def _deposit(row: Row, paid: int) -> dict[str, Any]:
    percentage = row.get("deposit_percentage")
    if percentage is None:
        return {"deposit_amount": None, "deposit_status": "none"}
    wanted = round(row["_total"] * float(percentage) / 100)
    status = "paid" if paid >= wanted else "partial" if paid else "unpaid"
    return {"deposit_amount": money(wanted, row["currency_code"]), "deposit_status": status}


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    code, total, discount = row["currency_code"], row["_total"], row["_discount"]
    payments = payments_of(row, business)
    paid = sum(payment["_cents"] for payment in payments)
    states = _states(row, business, paid)
    settled = states["payment_status"] in ("paid", "auto-paid") and payments
    lines = row["_lines"]
    paid_money, discount_money = money(paid, code), money(discount, code)
    return {
        **documents.address(row, business),
        **states,
        **_deposit(row, paid),
        "accountid": business.account_id,
        "accounting_systemid": business.account_id,
        "uuid": business.uuid_of("invoice", row["id"]),
        "amount": money(total, code),
        "paid": paid_money,
        "outstanding": money(total - paid, code),
        "net_paid_amount": paid_money,
        "discount_total": discount_money,
        "discount": {
            "amount": discount_money,
            "rate": row.get("discount_value", "0"),
            "type": "percent",
        },
        "date_paid": max(payment["date"] for payment in payments) if settled else None,
        "fulfillment_date": None if row["status"] == DRAFT else row["create_date"],
        "description": (lines[0].description or lines[0].name) if lines else "",
        "sender_address": business.profile["sender_address"],
    }


def v3_status(row: Row, business: Business) -> str:
    """Paid, overdue, draft and so on, as the invoice shows it."""
    paid = sum(payment["_cents"] for payment in payments_of(row, business))
    return str(_states(row, business, paid)["v3_status"])


def _is_paid(row: Row, business: Business) -> bool:
    return v3_status(row, business) in ("paid", "autopaid")


def _is_outstanding(row: Row, business: Business) -> bool:
    return row["status"] != DRAFT and not _is_paid(row, business)


def _line_text(row: Row, _business: Business) -> str:
    return str(row.get("notes", ""))


def _status(body: Mapping[str, Any]) -> dict[str, int]:
    """A number from 0 to 3, or one of the two actions that send it."""
    if body.get("action_email") or body.get("action_mark_as_sent"):
        return {"status": SENT}
    if "status" not in body:
        return {}
    value = body["status"]
    if isinstance(value, bool) or not str(value).lstrip("-").isdecimal():
        message = "The field 'status' must be a number."
        raise ApiError(422, message, 1015, "status", value, "invoice")
    if int(value) not in WORDS:
        # 4 to 8 are driven by payments (docs/freshbooks-api/resources/invoices.yaml).
        raise ApiError(422, "Invalid value for status.", 1004, "status", value, "invoice")
    return {"status": int(value)}


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    status = _status(body)
    if any(name.startswith("action_") for name in body):
        # All other data of such a body is dropped silently (docs/freshbooks-api/accounting.md §5).
        return status
    columns = {name: body[name] for name in BLANK if name in body and name not in IGNORED}
    columns |= status
    stored: dict[str, Any] = row or {}
    if "customerid" in body:
        columns["customerid"] = documents.check_client(body, "customerid", business)
    if "discount_value" in body:
        columns["discount_value"] = str(body["discount_value"] or "0")
    if "create_date" in body:
        columns["create_date"] = documents.check_date(body["create_date"], "create_date", "invoice")
    if isinstance(body.get("lines"), list):
        columns["_lines"] = [documents.read_line(line) for line in body["lines"]]
    columns |= documents.written_address(body, columns, row, business)
    if row is None:
        client = business.table("clients")[columns["customerid"]]
        columns.setdefault("currency_code", client["currency_code"])
        columns.setdefault("_lines", [])
    lines = columns.get("_lines", stored.get("_lines", []))
    discount_value = columns.get("discount_value", stored.get("discount_value", "0"))
    columns["_discount"], columns["_total"] = documents.totals(lines, discount_value)
    create_date = columns.get("create_date", stored.get("create_date"))
    offset = columns.get("due_offset_days", stored.get("due_offset_days", 0 if row is None else 30))
    columns["due_offset_days"] = int(offset)
    columns["due_date"] = documents.due_date(str(create_date), int(offset))
    return columns


IGNORED = ("due_date", "generation_date", "last_order_status", "lock_status", "ext_archive")


def _defaults(business: Business, _now: int) -> dict[str, Any]:
    numbers = [row["invoice_number"] for row in business.table("invoices").values()]
    highest = max((int(number) for number in numbers if number.isdecimal()), default=0)
    return {"invoice_number": f"{highest + 1:07d}", "status": DRAFT, "vis_state": 0}


INVOICES = Resource(
    name="invoices",
    family=ACCOUNTING,
    path="invoices/invoices",
    plural="invoices",
    single="invoice",
    words="deposit_status",
    scope="invoices",
    alias="invoiceid",
    blank=BLANK,
    computed=_computed,
    timestamps={
        "created_at": ("created_at", eastern_text),
        "updated": ("updated", eastern_text),
        "version": ("updated", eastern_version),
    },
    hidden=("_lines", "_total", "_discount"),
    client_key="customerid",
    filters={
        **filters.dates("date", "create_date"),
        **filters.updated(),
        "customerid": filters.number("customerid"),
        "customerids": filters.numbers("customerid"),
        "invoiceid": filters.number("id"),
        "invoiceids": filters.numbers("id"),
        "invoice_number": filters.word("invoice_number"),
        "invoice_number_like": filters.like("invoice_number"),
        "estimateid": filters.number(lambda row, _: row.get("estimateid", 0)),
        "estimateids": filters.numbers(lambda row, _: row.get("estimateid", 0)),
        "notes": filters.like(_line_text),
        "v3_status": filters.word(v3_status),
        "paid": filters.flag(_is_paid),
        "outstanding": filters.flag(_is_outstanding),
        "statusids": filters.numbers(lambda row, business: _computed(row, business)["status"]),
        "vis_state": filters.number("vis_state"),
    },
    sorts={"invoice_date": lambda row, _: row["create_date"]},
    unknown_sort_ascends=True,
    includes=invoice_includes.INCLUDES,
    write_rules=WriteRules(
        to_columns=_to_columns,
        defaults=_defaults,
        example=lambda _business: {
            "lines": [{"name": "Edited by hand", "qty": "1", "unit_cost": "100.00"}]
        },
        required=("customerid", "create_date"),
        forbidden=("due_date",),
        created=("created_at",),
        http_delete="soft",
        can_be_mailed=True,
    ),
)
