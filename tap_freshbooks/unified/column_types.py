"""The types of columns: conversion of values to them, and their JSON schema."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

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
    return int(value)  # "50.00" is not taken: it could be of another unit


def _decimal(value: Any) -> str | None:
    return format(value, "f") if value.__class__ is Decimal else DecimalText.convert(value)


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
