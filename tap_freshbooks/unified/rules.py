"""The few readings that no table and no path can express."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


EXACT = Context(prec=200)
"""FreshBooks sends amounts with 26 places, which Python's own context would round."""


def document_status(
    word: str | None = None,
    number: str | None = None,
    payment: str | None = None,
    total: str | None = None,
    paid: str | None = None,
    due: str | None = None,
) -> str | None:
    """The status of an invoice or bill: amounts decide, words only help.

    One word of FreshBooks stands for several independent facts: an invoice that is half paid and
    late is just `overdue`.

    Args:
        word: What the status word says, as one of our own.
        number: What the status number says, as one of our own.
        payment: What the state of payment says, as one of our own.
        total: The document's total, an exact decimal.
        paid: What of it is paid.
        due: What of it is not.
    """
    if "draft" in (word, number):
        return "draft"
    if payment == "paid" or (total and due and Decimal(total) > 0 and Decimal(due) == 0):
        return "paid"
    if payment == "partially_paid" or (paid and Decimal(paid) > 0):
        return "partially_paid"
    if not (paid and due):
        return word or number or payment
    return "open" if word or number or payment else None


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
"""By the name that mappings call them; their parameters are filled with expressions."""
