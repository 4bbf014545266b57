"""The types of columns: conversion of values to them, and their JSON schema."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_freshbooks.numerals import is_bounded, whole_number
from tap_freshbooks.schema.fields import (
    Boolean,
    DecimalText,
    Integer,
    LocalTime,
    Object,
    PlainDate,
    Text,
    UtcTime,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.schema.fields import Field

UNCONVERTED: dict[str, tuple[type[Field], ...]] = {
    "string": (Text, LocalTime),
    "decimal": (DecimalText,),
    "integer": (Integer,),
    "boolean": (Boolean,),
    "date": (PlainDate,),
    "datetime": (UtcTime,),
    "object": (Object,),
}
"""Native fields whose values need no conversion to a type."""


def text(value: Any) -> str | None:
    """Any scalar as text; empty text is None.

    Raises:
        TypeError: If it is no scalar.
    """
    if isinstance(value, str):
        return value or None
    return None if value is None else Text.convert(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    # As text, "50.00" is not taken: it could be of another unit.
    number = whole_number(value if isinstance(value, Decimal) else int(value))
    if number is None:
        raise ValueError
    return number


def _decimal(value: Any) -> str | None:
    if value.__class__ is not Decimal:
        return DecimalText.convert(value)
    if not is_bounded(value):
        raise ValueError
    return format(value, "f")


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "string": text,
    "decimal": _decimal,
    "integer": _integer,
    "boolean": Boolean.convert,
    "date": PlainDate.convert,
    "datetime": UtcTime.convert,
    "object": dict,
}
"""The conversion to each type."""

SCHEMAS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "decimal": {"type": "string", "format": DecimalText.json_format},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "object": {"type": "object"},
}
"""JSON schema of each type, without null."""
