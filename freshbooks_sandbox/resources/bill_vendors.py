"""The vendors that send bills; what is owed to them follows from the bills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import utc_text
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources.bill_payments import payments_of
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "vendor_name": "",
    "account_number": None,
    "primary_contact_first_name": None,
    "primary_contact_last_name": None,
    "primary_contact_email": None,
    "phone": None,
    "website": None,
    "street": None,
    "street2": None,
    "city": None,
    "province": None,
    "postal_code": None,
    "country": None,
    "currency_code": "CAD",
    "language": "en",
    "is_1099": False,
    "note": None,
    "vis_state": 0,
}


def _owed(row: Row, business: Business, *, overdue: bool) -> list[dict[str, Any]]:
    """One entry per currency, [] where nothing is owed.

    See docs/freshbooks-api/resources/bill_vendors.yaml.
    """
    today = "" if business.today is None else business.today.isoformat()
    sums: dict[str, int] = {}
    for bill in business.index("bills", "vendorid").get(row["id"], []):
        if bill["vis_state"] == 1 or (overdue and bill["due_date"] >= today):
            continue
        total = sum(line.amount + sum(line.taxes()) for line in bill["_lines"])
        paid = sum(payment["_cents"] for payment in payments_of(bill, business))
        code = bill["currency_code"]
        sums[code] = sums.get(code, 0) + total - paid
    return [{"amount": money(total, code)} for code, total in sums.items() if total]


def _tax_defaults(row: Row, business: Business) -> list[dict[str, Any]]:
    if not row.get("_tax_defaults"):
        return []
    return [
        {
            "taxid": row["id"] * 10 + position,
            "vendorid": row["id"],
            "system_taxid": tax["id"],
            "enabled": position == 0,
            "name": tax["name"],
            "amount": tax.get("amount", "0"),
            "tax_authorityid": None,
            "created_at": utc_text(row["created_at"]),
            "updated_at": utc_text(row["created_at"]),
        }
        for position, tax in enumerate(list(business.table("taxes").values())[:2])
    ]


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    def owed(*, overdue: bool) -> list[dict[str, Any]]:
        # Each of a vendor's bills shows him.
        key = ("owed", row["id"], overdue)
        return business.cached(key, lambda: _owed(row, business, overdue=overdue))

    return {
        "outstanding_balance": owed(overdue=False),
        "overdue_balance": owed(overdue=True),
        "tax_defaults": _tax_defaults(row, business),
    }


BILL_VENDORS = Resource(
    name="bill_vendors",
    family=ACCOUNTING,
    path="bill_vendors/bill_vendors",
    plural="bill_vendors",
    single="bill_vendor",
    scope="bill_vendors",
    alias="vendorid",
    # No plain id on this resource (docs/freshbooks-api/resources/bill_vendors.yaml).
    hidden=("id", "_tax_defaults"),
    blank=BLANK,
    computed=_computed,
    timestamps={"created_at": ("created_at", utc_text), "updated_at": ("updated_at", utc_text)},
    # Every filter by name or e-mail was seen to be ignored
    # (docs/freshbooks-api/resources/bill_vendors.yaml).
    filters={"vis_state": filters.number("vis_state")},
    write_rules=WriteRules(
        required=("vendor_name",),
        ignored=("vis_state",),
        created=("created_at",),
        updated="updated_at",
    ),
)
