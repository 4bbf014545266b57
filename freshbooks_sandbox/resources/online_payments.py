"""Online payments: the gateways of an account, the options of its invoices, its checkout links."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import EASTERN, SECOND
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import keyed_list
from freshbooks_sandbox.families.small import PAYMENTS as FAMILY
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.view import View
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

SCOPE = "online_payments"
READ = (f"user:{SCOPE}:read",)

PAYMENT_GATEWAYS = Resource(
    name="payment_gateways",
    family=FAMILY,
    path="gateway",
    plural="gateway_connections",
    single="gateway_connection",
    scope=SCOPE,
    # `fbpay` is missing altogether on newer accounts
    # (docs/freshbooks-api/resources/payment_gateways.yaml).
    blank={"stripe": None, "stripe_unified": None, "paypal": None},
    hidden=("id",),
    order=lambda rows: sorted(rows, key=lambda row: row["id"]),
    visibility=everything,
    write_rules=WriteRules(updated=None, deleted=None, delete_by_put=False, is_served=False),
)

SWITCHES = (
    *("has_credit_card", "has_ach_transfer", "has_bacs_debit", "has_sepa_debit"),
    *("has_acss_debit", "has_paypal_smart_checkout", "allow_partial_payments"),
)
ENTITY_TYPES = ("invoice", "invoices", "invoice_profile", "checkout_link", "payment_method_setup")

PAYMENT_OPTIONS = Resource(
    name="payment_options",
    family=FAMILY,
    # A single object; the two views below serve it.
    path=None,
    plural="payment_options",
    single="payment_options",
    scope=SCOPE,
    key="entity_type",
    blank={
        "gateway_name": None,
        **dict.fromkeys(SWITCHES, False),
        "stripe_acss_payment_options": None,
        "entity_id": None,
        "gateway_info": None,
    },
    visibility=everything,
    write_rules=WriteRules(
        new_key=lambda _business, _now: "invoice_profile",
        updated=None,
        deleted=None,
        delete_by_put=False,
        is_served=False,
    ),
)


def _defaults(entity_type: str, business: Business) -> dict[str, Any]:
    """The options of the account; a type without settings of its own has those of invoices."""
    table = business.table("payment_options")
    row = table.get(entity_type) or table["invoice"]
    return {**PAYMENT_OPTIONS.record(row, business), "entity_type": entity_type}


def _account_options(query: Query, context: FilterContext, _key: str | None) -> Mapping[str, Any]:
    entity_type = query.value("entity_type")
    if entity_type not in ENTITY_TYPES:
        choices = ", ".join(f"'{name}'" for name in ENTITY_TYPES)
        message = f"value is not a valid enumeration member; permitted: {choices}"
        raise ApiError(400, message, None, "entity_type", entity_type)
    return {"payment_options": _defaults(entity_type, context.business)}


def _invoice_options(_query: Query, context: FilterContext, key: str | None) -> Mapping[str, Any]:
    """Every second invoice can be paid online, as its allowed gateways say."""
    business = context.business
    invoice = business.table("invoices").get(int(key) if key and key.isdecimal() else -1)
    if invoice is None:
        raise ApiError(404)
    options = _defaults("invoice", business) | {"entity_id": str(invoice["id"])}
    if invoice["id"] % 2:
        options |= {"gateway_name": None, **dict.fromkeys(SWITCHES, False)}
    return {"payment_options": options}


ACCOUNT_OPTIONS = View(
    name="payment_options",
    paths=(("payments", "payment_options"),),
    any_scope=READ,
    build=_account_options,
)
INVOICE_OPTIONS = View(
    name="payment_options",
    paths=(("payments", "invoice/*/payment_options"),),
    any_scope=READ,
    build=_invoice_options,
)

LINK: dict[str, Any] = {
    "item_id": None,
    "item_name": "",
    "amount": "0",
    "currency": "CAD",
    "note": None,
    "is_active": True,
    "send_admin_receipt": False,
    "created_at": None,
    "taxes": [],
}


def link_key(business: Business, serial: int) -> str:
    """32 hex digits."""
    seed = f"{business.uuid}/checkout_link/{serial}".encode()
    return hashlib.md5(seed, usedforsecurity=False).hexdigest()


def _link(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in LINK if name in body and name != "created_at"}
    if "item_id" in body:
        key = str(body["item_id"])
        item = business.table("items").get(int(key) if key.isdecimal() else -1)
        if item is None:
            raise ApiError(400, "Item does not exist.", 1004, "item_id", key)
        columns["item_id"] = key
        columns.setdefault("item_name", item["name"])
    if "amount" in body:
        columns["amount"] = str(body["amount"])
    if row is None:
        columns.setdefault("currency", business.currency)
    return columns


def _date_it(row: Row, before: Row | None, _business: Business, now: int) -> None:
    if before is None:
        row["created_at"] = datetime.fromtimestamp(now // SECOND, EASTERN).date().isoformat()


CHECKOUT_LINKS = Resource(
    name="checkout_links",
    family=FAMILY,
    path="checkout-links",
    plural="checkout_links",
    single="checkout_link",
    is_list_presumed=True,
    envelope=lambda rows, behaviours: keyed_list(behaviours.checkout_links_envelope, rows),
    scope=SCOPE,
    blank=LINK,
    order=lambda rows: sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True),
    visibility=everything,
    write_rules=WriteRules(
        to_columns=_link,
        on_write=_date_it,
        example=lambda business: {
            "item_id": str(next(iter(business.table("items")))),
            "amount": "220",
        },
        required=("item_id", "amount"),
        new_key=lambda business, _now: link_key(business, len(business.table("checkout_links"))),
        updated=None,
        deleted=("is_active", False),
        delete_by_put=False,
        http_delete="soft",
    ),
)
