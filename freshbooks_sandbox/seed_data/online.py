"""Connections of a business: payment gateways, checkout links, webhooks, and logins."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.resources.online_payments import link_key
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, day_of, spread
from freshbooks_sandbox.webhooks.verifiers import verifier_of

if TYPE_CHECKING:
    from freshbooks_sandbox.seed_data.context import SeedContext

FIRST_CALLBACK, FIRST_CONNECTION = 2401, 31


def write_group(context: SeedContext) -> None:
    """The members of the team who have a login."""
    business = context.business
    for position, member in enumerate(business.table("team_members").values()):
        if member["identity_id"] is None:
            continue
        is_user = position == 0 and "uuid" in business.profile["owner"]
        identity_uuid = business.uuid_of("identity", member["identity_id"])
        row = {
            "id": (business.membership_id or 6_950_000) + position,
            "identity_uuid": business.profile["owner"]["uuid"] if is_user else identity_uuid,
            "company": business.name if position == 0 else None,
            "active": True,
            "_team_member": member["uuid"],
        }
        business.add("business_group_members", row)


def write_online(context: SeedContext) -> None:
    """All that needs an account."""
    _write_gateways(context)
    _write_links(context)
    _write_callbacks(context)


def _write_gateways(context: SeedContext) -> None:
    """A newer account; every second business has the older kinds instead."""
    business = context.business
    row: dict[str, Any] = {"id": FIRST_CONNECTION}
    gateway = "stripe_unified"
    if context.position % 2:
        gateway = "stripe"
        row |= {"fbpay": _wepay(context), "stripe": _stripe(context)}
    else:
        row["stripe_unified"] = _stripe_unified(context)
    business.add("payment_gateways", row)
    options = {
        "entity_type": "invoice",
        "gateway_name": gateway,
        "has_credit_card": True,
        "allow_partial_payments": True,
        "gateway_info": {"user_publishable_key": f"pk_test_{_hex(context, 'publishable')}"},
    }
    business.add("payment_options", options, "entity_type")


def _hex(context: SeedContext, kind: str) -> str:
    return context.business.uuid_of(kind, 0).replace("-", "")


def _stripe_unified(context: SeedContext) -> dict[str, Any]:
    return {
        "id": _hex(context, "connection"),
        "stripe_account_id": f"acct_{_hex(context, 'stripe')[:16]}",
        "country": "CA",
        "publishable_key": f"pk_test_{_hex(context, 'publishable')}",
        "stripe_email": context.business.profile["owner"]["email"],
        "account_status": "fully_enabled",
        "available_onboarding_strategies": ["hosted"],
        "onboarding_completion_percent": 100,
        "has_currently_due_requirements": False,
        "has_pending_verifications": False,
        "stripe_requirements_current_deadline": None,
        "stripe_charges_enabled": True,
        "stripe_payouts_enabled": True,
        "stripe_payouts_schedule_interval": "daily",
        "stripe_payouts_schedule_delay_days": 3,
        "stripe_tos_accepted_date": "2023-11-06T15:20:11Z",
        "charges_first_enabled_at": "2023-11-06T15:24:40Z",
        "payouts_first_enabled_at": "2023-11-07T09:02:13Z",
        "stripe_account_updated_at": "2025-12-02T18:45:09Z",
        "configuration": {},
        "capabilities": [{"capability": "card_payments", "is_active": True}],
    }


def _stripe(context: SeedContext) -> dict[str, Any]:
    return {
        "id": _hex(context, "connection"),
        "gateway_user_id": f"acct_{_hex(context, 'stripe')[:16]}",
        "user_state": "registered",
        "email": context.business.profile["owner"]["email"],
        "country": "US",
        "currencies": ["USD"],
        "publishable_key": f"pk_test_{_hex(context, 'publishable')}",
        "bank_transfer_enabled": False,
        "max_ach_fee": 500,
    }


def _wepay(context: SeedContext) -> dict[str, Any]:
    return {
        "id": _hex(context, "wepay"),
        "account_id": str(context.business.profile["systemid"] * 3),
        "state": "complete_kyc",
        "email": context.business.profile["owner"]["email"],
        "country": "US",
        "currencies": ["USD"],
        "action_reasons": ["kyc", "bank_account"],
        "tos_accepted": True,
        "manage_account_url": None,
        "visa_debit_accepted": True,
        "bank_transfer_enabled": True,
        "bank_info": None,
        "pricing": None,
    }


def _write_links(context: SeedContext) -> None:
    """Three; the second is switched off."""
    business, items = context.business, list(context.business.table("items").values())
    for position, moment in enumerate(spread(context.random("checkout_links"), 3)):
        item = items[position * 2]
        row = {
            "id": link_key(business, position),
            "item_id": str(item["id"]),
            "item_name": item["name"],
            "amount": item["unit_cost"]["amount"].removesuffix(".00"),
            "currency": business.currency,
            "note": ("Thank you", None, "")[position],
            "is_active": position != 1,
            "send_admin_receipt": position == 0,
            "created_at": day_of(moment).isoformat(),
            "taxes": [{"name": "HST", "amount": 13}] if position == 0 else [],
        }
        business.add("checkout_links", row)


def _write_callbacks(context: SeedContext) -> None:
    """Two that are verified, one that waits for it; the second stands for all of its noun."""
    business = context.business
    moments = spread(context.random("callbacks"), 3, BEGIN, END)
    for position, event in enumerate(("invoice.create", "client", "time_entry.update")):
        key = FIRST_CALLBACK + position
        row = {
            "callbackid": key,
            "event": event,
            "uri": f"https://hooks.example.test/freshbooks/{position}",
            "verified": position < 2,
            "updated_at": moments[position],
            "_verifier": verifier_of(key, business),
        }
        business.add("callbacks", row, "callbackid")
