"""Numbers of FreshBooks, bounded: `1e1000000` is short to write, and takes a megabyte to hold."""

from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import Any

MAX_DIGITS = 100
"""Digits before the point of a number; amounts with 26 behind it have been seen."""

MAX_LENGTH = 200
"""Characters of a number."""

MAX_INTEGER = 2**63 - 1
"""The largest whole number that databases have a column for."""


def bounded_decimal(text: str) -> Decimal | None:
    """The number that a text is; None if it is none, or one with more digits than anybody means."""
    if len(text) > MAX_LENGTH or "_" in text:  # which Python alone allows between digits
        return None
    try:
        number = Decimal(text)
    except DecimalException:
        return None
    return number if is_bounded(number) else None


def is_bounded(number: Decimal) -> bool:
    """Whether a number of so many characters at most can be written out."""
    return number.is_finite() and abs(number.adjusted()) <= MAX_DIGITS


def whole_number(value: Any) -> int | None:
    """The whole number that a value is, or its text; None if it is none, or too large."""
    number = bounded_decimal(value) if isinstance(value, str) else value
    if type(number) is Decimal and is_bounded(number) and number == int(number):
        number = int(number)
    return number if type(number) is int and abs(number) <= MAX_INTEGER else None
