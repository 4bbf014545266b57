"""Payments on invoices; making, changing or deleting one moves the invoice in the same second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import cents, money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents
from freshbooks_sandbox.resources.balances import DRAFT, SENT, outstanding_cents
from freshbooks_sandbox.resources.clients import CLIENTS
from freshbooks_sandbox.resources.credit_notes import CREDIT_NOTES, new_number
from freshbooks_sandbox.resources.invoices import INVOICES
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "accounting_systemid": None,
    "bulk_paymentid": None,
    "creditid": None,
    "date": None,
    "from_credit": False,
    "gateway": None,
    "note": "",
    "orderid": None,
    "overpaymentid": None,
    "send_client_notification": None,
    "transaction_uuid": None,
    "transactionid": None,
    "type": "Other",
    "vis_state": 0,
}
WRITABLE = ("date", "note", "type", "send_client_notification")


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    return {
        "accounting_systemid": business.account_id,
        "amount": money(row["_cents"], row["_code"]),
    }


def _client(row: Row, business: Business) -> dict[str, Any] | None:
    client = business.table("clients").get(row["clientid"])
    return None if client is None else CLIENTS.record(client, business)


def _invoice(row: Row, business: Business) -> dict[str, Any] | None:
    invoice = business.table("invoices").get(row["invoiceid"] or 0)
    return None if invoice is None else INVOICES.record(invoice, business)


def _credit_note(row: Row, business: Business) -> dict[str, Any] | None:
    note = business.table("credit_notes").get(row.get("creditid") or 0)
    return None if note is None else CREDIT_NOTES.record(note, business)


def _gateway(row: Row, _business: Business) -> dict[str, Any] | None:
    """The key turns from a word into an object.

    An inference; see docs/freshbooks-api/resources/payments.yaml.
    """
    name = row.get("gateway")
    return {"gateway_name": name, "gatewayid": 26} if name else None


def _client_name(row: Row, business: Business) -> str:
    return str(business.table("clients")[row["clientid"]]["organization"])


def _number(row: Row, business: Business) -> str:
    invoice = business.table("invoices").get(row["invoiceid"] or 0)
    return "" if invoice is None else str(invoice["invoice_number"])


def _kind(row: Row, _business: Business) -> str:
    return "invoice" if row["invoiceid"] else "credit"


def _invoice_of(body: Mapping[str, Any], business: Business) -> Row:
    value = body["invoiceid"]
    invoice = business.table("invoices").get(int(value) if str(value).isdecimal() else -1)
    if invoice is None:
        raise ApiError(404, "Invoice not found.", 1012, "invoiceid", value, "invoice")
    return invoice


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in WRITABLE if name in body}
    if "date" in body:
        columns["date"] = documents.check_date(body["date"], "date", "payment")
    if "amount" in body:
        amount = body["amount"]
        try:
            columns["_cents"] = cents(amount)
        except ValueError:
            raise ApiError(
                422, "amount must be a number.", 1015, "amount", None, "payment"
            ) from None
    if row is None:
        invoice = _invoice_of(body, business)
        columns |= {
            "invoiceid": invoice["id"],
            "clientid": invoice["customerid"],
            "_code": invoice["currency_code"],
        }
    return columns


def _on_write(row: Row, before: Row | None, business: Business, now: int) -> None:
    invoice = business.table("invoices").get(row["invoiceid"] or 0)
    if invoice is None:
        return
    if before is None:
        _book_the_rest(row, -outstanding_cents(invoice, business), business)
    if invoice["status"] == DRAFT and row["vis_state"] == 0:
        invoice["status"] = SENT
    invoice["updated"] = now
    business.notify("invoices", "update", invoice, is_caused=True)


def _book_the_rest(row: Row, excess: int, business: Business) -> None:
    """More than is due: the payment is cut to it, the rest booked apart.

    See docs/freshbooks-api/resources/payments.yaml. A credit note comes of it by itself
    (docs/freshbooks-api/resources/credit_notes.yaml).
    """
    if excess <= 0:
        return
    note = {
        "id": business.next_id("credit_notes"),
        "credit_number": new_number(business),
        "credit_type": "overpayment",
        "clientid": row["clientid"],
        "currency_code": row["_code"],
        "create_date": row["date"],
        "_lines": [documents.Line("Overpayment", "", "1", excess)],
        "_total": excess,
        "vis_state": 0,
    }
    business.add("credit_notes", note)
    rest = {**row, "id": business.next_id("payments"), "_cents": excess, "invoiceid": 0}
    rest["creditid"] = note["id"]
    row["_cents"] -= excess
    row |= {"overpaymentid": rest["id"], "creditid": note["id"]}
    business.add("payments", rest)
    business.notify("credit_notes", "create", note, is_caused=True)
    business.notify("payments", "create", rest, is_caused=True)


def _example(business: Business) -> dict[str, Any]:
    """A dollar on the newest invoice that is not yet paid."""
    invoices = reversed(business.table("invoices").values())
    unpaid = (row for row in invoices if outstanding_cents(row, business) > 0)
    invoice = next(unpaid, None)
    return {"invoiceid": invoice["id"], "amount": "1.00", "type": "Other"} if invoice else {}


PAYMENTS = Resource(
    name="payments",
    family=ACCOUNTING,
    path="payments/payments",
    plural="payments",
    single="payment",
    words="type",
    scope="payments",
    alias="logid",
    blank=BLANK,
    computed=_computed,
    timestamps={"updated": ("updated", eastern_text)},
    hidden=("_cents", "_code"),
    client_key="clientid",
    filters={
        "logid": filters.number("id"),
        "logids": filters.numbers("id"),
        **filters.dates("date", "date"),
        **filters.updated(),
        **filters.amounts("amount", lambda row, _: row["_cents"]),
        "type": filters.word("type"),
        "customerid": filters.number("clientid"),
        "customerids": filters.numbers("clientid"),
        "clientid": filters.number("clientid"),
        "clientids": filters.numbers("clientid"),
        "currency": filters.word("_code"),
        "invoiceid": filters.number("invoiceid"),
        "notes": filters.like("note"),
        "from_credit": filters.flag("from_credit"),
        "client_name": filters.like(_client_name),
        "number": filters.like(_number),
        "payment_or_credit": filters.word(_kind),
        "vis_state": filters.number("vis_state"),
    },
    unknown_sort_ascends=True,
    includes={
        "client": _client,
        "invoice": _invoice,
        "credit_note": _credit_note,
        "order": documents.nothing,
        "gateway": _gateway,
    },
    write_rules=WriteRules(
        to_columns=_to_columns,
        on_write=_on_write,
        example=_example,
        required=("invoiceid", "amount", "date", "type"),
    ),
)
