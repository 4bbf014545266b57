"""The includes of an invoice, most of them following from its id so that nothing need be stored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resources import documents, late_terms, systems
from freshbooks_sandbox.resources.balances import is_draft, payments_of
from freshbooks_sandbox.resources.invoice_profiles import INVOICE_PROFILES

if TYPE_CHECKING:
    from msgspec import Raw

    from freshbooks_sandbox.resource import Include
    from freshbooks_sandbox.store import Business, Row


def _lines(row: Row, business: Business) -> list[Raw]:
    return documents.line_records(row, "invoiceid", business)


def _presentation(row: Row, business: Business) -> dict[str, Any]:
    return documents.presentation(row, business, "invoiceid")


def _allowed_gateways(row: Row, business: Business) -> list[dict[str, Any]]:
    """Online payment on every second invoice."""
    if row["id"] % 2:
        return []
    connection = hashlib.md5(str(business.account_id).encode(), usedforsecurity=False).hexdigest()
    return [
        {
            "id": row["id"] * 10,
            "allowedid": row["id"] * 10,
            "gatewayid": 26,
            "gateway_name": "Stripe",
            "connectionid": connection,
        }
    ]


def _contacts(row: Row, business: Business) -> list[dict[str, Any]]:
    """Copies of the client's contacts.

    An inference; see docs/freshbooks-api/resources/invoices.yaml.
    """
    client = business.table("clients")[row["customerid"]]
    if client["id"] % 4:
        return []
    return [
        {
            "contactid": client["id"] * 10 + 1,
            "userid": client["id"],
            "invoiceid": row["id"],
            "fname": client["fname"],
            "lname": client["lname"],
            "email": f"accounts.{client['id']}@example.com",
        }
    ]


def attachments(row: Row, business: Business) -> list[dict[str, Any]]:
    """A file on every seventh document."""
    if row["id"] % 7:
        return []
    return [attachment(row["id"] * 10, business)]


def attachment(key: int, business: Business) -> dict[str, Any]:
    """One attached file."""
    return {
        "id": key,
        "attachmentid": key,
        "jwt": f"sandbox.{business.uuid_of('attachment', key)}.file",
        "media_type": "application/pdf",
    }


def _direct_links(row: Row, business: Business) -> dict[str, Any]:
    token = business.uuid_of("link", row["id"])
    return {"client_view": f"https://my.freshbooks.com/#/link/{token}"}


def _history(verb: str, least: int) -> Include:
    def include(row: Row, _business: Business) -> list[dict[str, Any]]:
        if is_draft(row) or row["status"] < least:
            return []
        return [{"invoiceid": row["id"], verb: eastern_text(row["created_at"]), "userid": 1}]

    return include


def _payment_history(row: Row, business: Business) -> list[dict[str, Any]]:
    return [
        {
            "paymentid": payment["id"],
            "date": payment["date"],
            "amount": money(payment["_cents"], payment["_code"]),
        }
        for payment in payments_of(row, business)
    ]


def _estimate(row: Row, business: Business) -> dict[str, Any] | None:
    estimate = business.table("estimates").get(row.get("estimateid", 0))
    if estimate is None:
        return None
    return {
        "id": estimate["id"],
        "estimateid": estimate["id"],
        "estimate_number": estimate["estimate_number"],
    }


def _profile(row: Row, business: Business) -> dict[str, Any] | None:
    profile = business.table("invoice_profiles").get(row.get("parent") or 0)
    return None if profile is None else INVOICE_PROFILES.record(profile, business)


def _object(_row: Row, _business: Business) -> dict[str, Any]:
    return {}


INCLUDES: dict[str, Include] = {
    "lines": _lines,
    "presentation": _presentation,
    "allowed_gateways": _allowed_gateways,
    "contacts": _contacts,
    "owner": documents.owner,
    "late_fee": late_terms.fee("invoiceid"),
    "late_reminders": late_terms.reminders("invoiceid"),
    "direct_links": _direct_links,
    "system": systems.included,
    "attachments": attachments,
    "audit_logs": documents.empty,
    "invoice_view_history": _history("viewed_at", 3),
    "invoice_send_history": _history("sent_at", 2),
    "invoice_payment_history": _payment_history,
    "client_audits": documents.empty,
    "comments": documents.empty,
    "latest_journal_entry": documents.nothing,
    "invoice_profile": _profile,
    "payment_schedule": documents.empty,
    "estimate": _estimate,
    "invoice_customized_email": documents.nothing,
    "project_total_amounts": documents.empty,
}
