"""The balance of an invoice by its payments and by the day: paid, outstanding, overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business, Row

DISPUTED, DRAFT, SENT, VIEWED, PAID, AUTO_PAID = range(6)


def is_draft(invoice: Row) -> bool:
    """Whether it was never sent nor paid into."""
    return bool(invoice["status"] == DRAFT)


def payments_of(invoice: Row, business: Business) -> list[Row]:
    """The payments that count."""
    payments = business.index("payments", "invoiceid").get(invoice["id"], [])
    return [payment for payment in payments if payment["vis_state"] != 1]


def paid_cents(invoice: Row, business: Business) -> int:
    """The sum of the payments."""
    return sum(payment["_cents"] for payment in payments_of(invoice, business))


def outstanding_cents(invoice: Row, business: Business) -> int:
    """Amount minus paid."""
    return int(invoice["_total"]) - paid_cents(invoice, business)


def is_overdue(invoice: Row, business: Business) -> bool:
    """Computed when read; a draft past its due date stays a draft.

    See docs/freshbooks-api/resources/invoices.yaml.
    """
    return (
        not is_draft(invoice)
        and business.today is not None
        and invoice["due_date"] < business.today.isoformat()
        and outstanding_cents(invoice, business) > 0
    )


def overdue_cents(invoice: Row, business: Business) -> int:
    """Outstanding amounts that are late."""
    return outstanding_cents(invoice, business) if is_overdue(invoice, business) else 0
