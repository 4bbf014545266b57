"""Payments on bills. They carry no timestamp; that of their bill moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import cents, money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row

WRITABLE = ("payment_type", "note", "matched_with_expense")


def payments_of(bill: Row, business: Business) -> list[Row]:
    """The payments that count."""
    payments = business.index("bill_payments", "billid").get(bill["id"], [])
    return [payment for payment in payments if payment["vis_state"] != 1]


def _bill_of(body: Mapping[str, Any], business: Business) -> Row:
    value = body["billid"]
    bill = business.table("bills").get(int(value) if str(value).isdecimal() else -1)
    if bill is None:
        raise ApiError(404, "Bill not found.", 1012, "billid", value, "bill")
    return bill


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in WRITABLE if name in body}
    if "paid_date" in body:
        date = documents.check_date(body["paid_date"], "paid_date", "bill_payment")
        columns["paid_date"] = date
    if "amount" in body:
        columns["_cents"] = cents(body["amount"])
    if row is None:
        bill = _bill_of(body, business)
        columns |= {"billid": bill["id"], "_code": bill["currency_code"]}
    return columns


def _on_write(row: Row, _before: Row | None, business: Business, now: int) -> None:
    """The bill's status, paid and outstanding change, so its timestamp moves.

    By analogy with invoices, docs/freshbooks-api/accounting.md §5.
    """
    bill = business.table("bills")[row["billid"]]
    bill["updated_at"] = now
    business.notify("bills", "update", bill, is_caused=True)


BILL_PAYMENTS = Resource(
    name="bill_payments",
    family=ACCOUNTING,
    path="bill_payments/bill_payments",
    plural="bill_payments",
    single="bill_payment",
    words="payment_type",
    scope="bill_payments",
    blank={
        "paid_date": None,
        "payment_type": "Other",
        "note": None,
        "matched_with_expense": False,
        "vis_state": 0,
    },
    computed=lambda row, _business: {"amount": money(row["_cents"], row["_code"])},
    hidden=("_cents", "_code"),
    # billid, bill_id and paid_date_min are ignored, as seen live
    # (docs/freshbooks-api/resources/bill_payments.yaml).
    filters={"vis_state": filters.number("vis_state")},
    write_rules=WriteRules(
        to_columns=_to_columns,
        on_write=_on_write,
        example=lambda _business: {"amount": "1.00", "payment_type": "Other"},
        required=("billid", "amount", "paid_date"),
        updated=None,
    ),
)
