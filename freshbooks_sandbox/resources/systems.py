"""The single objects of an account: its settings, and the style of its next invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.view import View
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

NOTHING_PAID = {"amount": "0.00", "code": "USD"}


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    return {
        "systemid": row["id"],
        "accountid": business.account_id,
        "business_uuid": business.uuid,
    }


SYSTEMS = Resource(
    name="systems",
    family=ACCOUNTING,
    # No list; the single object is a view (docs/freshbooks-api/resources/systems.yaml).
    path=None,
    plural="systems",
    single="system",
    scope="account",
    computed=_computed,
    timestamps={"date": ("date", eastern_text)},
    visibility=everything,
    blank={
        "name": "",
        "email": "",
        "info_email": "",
        "business_type": None,
        "active": True,
        "bus_phone": "",
        "mob_phone": "",
        "fax": "",
        "street": "",
        "street2": None,
        "city": "",
        "province": "",
        "code": "",
        "country": "",
        "ip": "",
        "currency_code": "CAD",
        # Not the zone of the business (docs/freshbooks-api/resources/systems.yaml).
        "timezone": "UTC",
        "timezoneid": 14,
        "duration": 30,
        "dst": True,
        "billing_status": "paid",
        "auto_bill": 0,
        "test_system": False,
        "modern_system": True,
        "masterlock_billing": False,
        "payment_amount": NOTHING_PAID,
        "payment_frequency": 1,
        "gst_amount": NOTHING_PAID,
        "discountid": None,
        "referralid": "",
        "referring_url": None,
        "landing_url": None,
        "heard_about_us_via": None,
        "salutation": None,
        "num_clients": None,
        "num_staff": None,
        "size_limit": None,
        "split_token": None,
        "vat_name": None,
        "vat_number": None,
        "migrated_to_smux_at": None,
    },
    write_rules=WriteRules(updated=None, deleted=None, delete_by_put=False, is_served=False),
)


def _system(_query: Query, context: FilterContext, text: str | None) -> Any:
    """By business id, as the vendor's collection has it, or by one of its own.

    See docs/freshbooks-api/resources/systems.yaml.
    """
    business = context.business
    row = next(iter(business.table("systems").values()), None)
    if row is None or text not in (str(business.id), str(row["id"]), business.account_id):
        raise ApiError(404, "System not found.", 1012, "systemid", text, "system")
    return {"response": {"result": {"system": SYSTEMS.record(row, business)}}}


SYSTEM_VIEW = View(
    name="systems",
    paths=(("accounting", "systems/systems/*"),),
    any_scope=("user:account:read",),
    build=_system,
    is_for_clients=False,
)


def included(_row: Row, business: Business) -> dict[str, Any]:
    """`include[]=system`: the account that issued the document.

    See docs/freshbooks-api/resources/systems.yaml (abridged here).
    """
    home = business.profile["address"]
    return {
        "id": business.profile["systemid"],
        "systemid": business.profile["systemid"],
        "accountid": business.account_id,
        "business_uuid": business.uuid,
        "name": business.name,
        "active": True,
        "currency_code": business.currency,
        "street": home["street"],
        "city": home["city"],
        "province": home["province"],
        "code": home["postal_code"],
        "country": home["country"],
        "timezone": "UTC",
        "timezoneid": 14,
        "modern_system": True,
    }


HEADINGS = (
    *("label", "description_heading", "item_heading", "quantity_heading", "rate_heading"),
    *("hours_heading", "task_heading", "unit_cost_heading", "time_entry_notes_heading"),
)
INVOICE_PRESENTATION = Resource(
    name="invoice_presentation",
    family=ACCOUNTING,
    path=None,
    plural="presentation",
    single="presentation",
    scope="invoices",
    # The default of the account belongs to no invoice
    # (docs/freshbooks-api/resources/invoice_presentation.yaml).
    hidden=("id", "updated"),
    visibility=everything,
    blank={
        "invoiceid": None,
        "date_format": "mm/dd/yyyy",
        "theme_font_name": None,
        "theme_layout": "simple",
        "theme_primary_color": "#24536e",
        "image_logo_src": None,
        "image_banner_src": None,
        "image_banner_position_y": 0,
        **dict.fromkeys(HEADINGS),
    },
    write_rules=WriteRules(deleted=None, delete_by_put=False, is_served=False),
)


def _presentation(_query: Query, context: FilterContext, _text: str | None) -> Any:
    business = context.business
    row = next(iter(business.table("invoice_presentation").values()), {"id": 1})
    record = INVOICE_PRESENTATION.record(row, business)
    return {"response": {"result": {"presentation": record}}}


PRESENTATION_VIEW = View(
    name="invoice_presentation",
    paths=(("accounting", "invoices/presentations"),),
    any_scope=("user:invoices:read",),
    build=_presentation,
    is_for_clients=False,
)
