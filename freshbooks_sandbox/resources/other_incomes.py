"""Other income: money that came in without an invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import cents, money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row

BLANK: dict[str, Any] = {
    "category_name": "other",
    "source": None,
    "sourceid": None,
    "userid": None,
    "payment_type": None,
    "note": None,
    "date": None,
    "taxes": [],
    "vis_state": 0,
}
CATEGORIES = ("advertising", "in_person_sales", "online_sales", "rentals", "other")
CARDS = ("VISA", "MASTERCARD", "DISCOVER", "AMEX", "DINERS", "JCB")


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    names = ("category_name", "source", "payment_type", "note", "taxes")
    columns = {name: body[name] for name in names if name in body}
    if columns.get("category_name", "other") not in CATEGORIES:
        raise ValueError(columns["category_name"])
    if str(columns.get("payment_type")).upper() in CARDS:
        # "Visa" comes back as "VISA" (docs/freshbooks-api/resources/other_incomes.yaml).
        columns["payment_type"] = columns["payment_type"].upper()
    if "date" in body:
        columns["date"] = documents.check_date(body["date"], "date", "other_income")
    if "amount" in body:
        columns["_cents"] = cents(body["amount"])
        code = body["amount"].get("code") if isinstance(body["amount"], dict) else None
        if code or row is None:
            columns["_code"] = code or business.currency
    return columns


OTHER_INCOMES = Resource(
    name="other_incomes",
    family=ACCOUNTING,
    path="other_incomes/other_incomes",
    # Singular in the list as well (docs/freshbooks-api/accounting.md §2).
    plural="other_income",
    single="other_income",
    words="category_name",
    scope="other_income",
    alias="incomeid",
    # No plain id on this resource (docs/freshbooks-api/resources/other_incomes.yaml).
    hidden=("id", "_cents", "_code"),
    blank=BLANK,
    computed=lambda row, _business: {"amount": money(row["_cents"], row["_code"])},
    timestamps={
        "created_at": ("created_at", eastern_text),
        "updated_at": ("updated_at", eastern_text),
    },
    filters={
        "incomeid": filters.number("id"),
        "category_name": filters.word("category_name"),
        "vis_state": filters.number("vis_state"),
    },
    write_rules=WriteRules(
        to_columns=_to_columns,
        required=("amount", "category_name", "date"),
        needs_all_on_put=True,
        created=("created_at",),
        updated="updated_at",
        # A deletion leaves the timestamp alone (docs/freshbooks-api/accounting.md §5).
        delete_moves_timestamp=False,
        http_delete="soft",
    ),
)
