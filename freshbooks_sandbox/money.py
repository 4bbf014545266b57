"""Money as FreshBooks writes it, from whole cents as the sandbox counts it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


def text(cents: int) -> str:
    """`-1205` as `-12.05`."""
    if cents < 0:
        return f"-{text(-cents)}"
    whole, rest = divmod(cents, 100)
    return f"{whole}.{rest:02d}"


def money(cents: int, code: str) -> dict[str, str]:
    """The money object of docs/freshbooks-api/accounting.md §6."""
    return {"amount": text(cents), "code": code}


def cents(value: Any) -> int:
    """Whole cents of a money object, a decimal text or a number.

    Raises:
        ValueError: When there is no number in it.
    """
    if isinstance(value, dict):
        value = value.get("amount")
    try:
        amount = Decimal(str(value)).quantize(CENT, ROUND_HALF_UP)
    except ArithmeticError as problem:
        raise ValueError(f"not an amount: {value!r}") from problem
    return int(amount * 100)


def share(amount: int, percent: str) -> int:
    """`percent` of an amount in cents, rounded half up."""
    if percent == "0":
        return 0
    return int((amount * Decimal(percent) / 100).quantize(Decimal(1), ROUND_HALF_UP))
