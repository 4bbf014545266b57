"""Late fees and reminders: what clients agreed to, copied to their invoices and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import eastern_text

if TYPE_CHECKING:
    from freshbooks_sandbox.resource import Include
    from freshbooks_sandbox.store import Business, Row


def _written(row: Row, parent: str | None) -> dict[str, Any]:
    """Whom it belongs to and when it was written; unknown on profiles.

    See docs/freshbooks-api/resources/invoices.yaml and docs/freshbooks-api/resources/clients.yaml.
    """
    if parent is None:
        return {}
    moment = eastern_text(row.get("created_at") or row["_signup"])
    return {parent: row["id"], "created_at": moment, "updated_at": moment}


def fee(parent: str | None = None) -> Include:
    """`include[]=late_fee`, null where none was agreed; every fifth record has one."""
    # Captured answers of invoices have the singular; one fixture as well.
    tax_key = "compounded_tax" if parent == "invoiceid" else "compounded_taxes"

    def include(row: Row, business: Business) -> dict[str, Any] | None:
        if row["id"] % 5:
            return None
        return {
            **_written(row, parent),
            "enabled": True,
            "days": 10,
            "type": "percent",
            # A number, or text (docs/freshbooks-api/resources/invoices.yaml).
            "value": 10 if business.behaviours.late_fee_value == "number" else "10",
            "repeat": False,
            "calculation_type": "total",
            tax_key: False,
            "first_tax_name": None,
            "first_tax_percent": None,
            "second_tax_name": None,
            "second_tax_percent": None,
        }

    return include


def reminders(parent: str | None = None) -> Include:
    """`include[]=late_reminders`, at most three."""

    def include(row: Row, business: Business) -> list[dict[str, Any]]:
        kind = int if business.behaviours.late_reminder_id == "number" else str
        more = {}
        if parent == "invoiceid":
            more = {"subject": "A reminder", "userid": row["customerid"]}
        return [
            {
                "id": kind(row["id"] * 10 + position),
                **_written(row, parent),
                **more,
                "position": position,
                "enabled": position == 1,
                "delay": 7 * position,
                "body": "A friendly reminder.",
            }
            for position in range(1, row["id"] % 3 + 1)
        ]

    return include
