"""The few rules of mappings that are code, as no table and no path can express them."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


EXACT = Context(prec=200)
"""FreshBooks sends amounts with 26 places, which Python's own context would round."""


def document_status(
    status: str | None = None,
    status_number: str | None = None,
    payment_status: str | None = None,
    total: str | None = None,
    paid: str | None = None,
    due: str | None = None,
) -> str | None:
    """The status of an invoice or bill: amounts decide, statuses only help.

    One status of FreshBooks stands for several independent facts: an invoice that is half paid and
    late is just `overdue`.

    Args:
        status: The status, in words of the unified model.
        status_number: The same of its number.
        payment_status: The same of the status of its payment.
        total: The document's total, an exact decimal.
        paid: The part of it that is paid.
        due: The part of it that is not.
    """
    if "draft" in (status, status_number):
        return "draft"
    if payment_status == "paid" or (total and due and Decimal(total) > 0 and Decimal(due) == 0):
        return "paid"
    if payment_status == "partially_paid" or (paid and Decimal(paid) > 0):
        return "partially_paid"
    known = status or status_number or payment_status
    if not (paid and due):
        return known
    return "open" if known else None


def sum_of_taxes(
    amount_1: str | None = None,
    percent_1: str | None = None,
    amount_2: str | None = None,
    percent_2: str | None = None,
) -> Decimal | None:
    """Both taxes of an expense; a missing amount is nothing only where there is no percent."""
    total = Decimal(0)
    for amount, percent in ((amount_1, percent_1), (amount_2, percent_2)):
        if amount is not None:
            total = EXACT.add(total, Decimal(amount))
        elif percent is not None and Decimal(percent) != 0:
            return None
    return total


def difference(minuend: str | None = None, subtrahend: str | None = None) -> Decimal | None:
    """One amount less another; a missing one is nothing, unless both are missing."""
    if minuend is None and subtrahend is None:
        return None
    return EXACT.subtract(Decimal(minuend or 0), Decimal(subtrahend or 0))


RULES: dict[str, Callable[..., Any]] = {
    rule.__name__: rule for rule in (document_status, sum_of_taxes, difference)
}
"""By the name that mapping files use; their parameters are filled with expressions."""
