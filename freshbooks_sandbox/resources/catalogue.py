"""Items and taxes: what a business sells, and what it adds on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import cents, money
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row


def _account(_row: Row, business: Business) -> Mapping[str, Any]:
    return {"accounting_systemid": business.account_id}


def _item(body: Mapping[str, Any], _row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in ITEM if name in body and name != "accounting_systemid"}
    if "unit_cost" in body:
        # The currency sent may be replaced by the account's own
        # (docs/freshbooks-api/resources/items.yaml).
        columns["unit_cost"] = money(cents(body["unit_cost"] or 0), business.currency)
    return columns


ITEM = {
    "accounting_systemid": None,
    "name": "",
    "description": "",
    "qty": "1",
    "sku": None,
    "inventory": None,
    "unit_cost": {"amount": "0.00", "code": "CAD"},
    "tax1": 0,
    "tax2": 0,
    "vis_state": 0,
}
ITEMS = Resource(
    name="items",
    family=ACCOUNTING,
    path="items/items",
    plural="items",
    single="item",
    scope="billable_items",
    alias="itemid",
    blank=ITEM,
    computed=_account,
    timestamps={"updated": ("updated", eastern_text)},
    filters={
        "sku": filters.word("sku"),
        **filters.updated(),
        "vis_state": filters.number("vis_state"),
    },
    write_rules=WriteRules(to_columns=_item, required=("name",)),
)


def _tax(body: Mapping[str, Any], _row: Row | None, _business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in ("name", "number", "compound") if name in body}
    if "amount" in body:
        columns["amount"] = str(body["amount"])
    return columns


TAXES = Resource(
    name="taxes",
    family=ACCOUNTING,
    path="taxes/taxes",
    plural="taxes",
    single="tax",
    scope="taxes",
    alias="taxid",
    blank={
        "accounting_systemid": None,
        "name": "",
        "amount": "0",
        "number": None,
        "compound": False,
    },
    computed=_account,
    timestamps={"updated": ("updated", eastern_text)},
    visibility=everything,
    # No vis_state, and a DELETE is final (docs/freshbooks-api/accounting.md §5).
    write_rules=WriteRules(
        to_columns=_tax,
        required=("name",),
        deleted=None,
        http_delete="hard",
        delete_by_put=False,
    ),
)
