"""Field types without parts: text, numbers, dates, moments.

Each reads every form in which FreshBooks is known to write such a value, and emits one.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from typing_extensions import override

from tap_freshbooks.numerals import MAX_DIGITS, MAX_INTEGER, bounded_decimal, whole_number
from tap_freshbooks.timestamps import (
    eastern_to_utc,
    fast_eastern_text,
    fast_utc_text,
    parse_time,
    utc_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.schema.conversion import ConversionListener, Converter


MOMENTS_KEPT = 1024
"""Moments whose conversion is remembered."""


class Field(ABC):
    """A type of value: its JSON schema, and the conversion to it."""

    emitted = True

    @property
    def fast_type(self) -> Any:
        """The msgspec type of values that stay as they are; None if each is converted."""
        return None

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """JSON schema of the emitted value; null is always allowed."""

    def undeclared(self, value: Any, path: str) -> Iterator[tuple[str, str, Any]]:  # noqa: ARG002
        """What a value has beyond the declared fields: paths, names and values."""
        return iter(())

    @abstractmethod
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        """Compile the conversion of values other than null at this path of a record.

        It never changes what it is given, but may return it or parts of it.
        """


class Scalar(Field):
    """A field without parts."""

    json_type: str
    json_format: str | None = None

    @override
    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": [self.json_type, "null"]}
        if self.json_format:
            schema["format"] = self.json_format
        return schema

    @staticmethod
    @abstractmethod
    def convert(value: Any) -> Any:
        """Convert one value.

        Raises:
            ValueError: If the value does not fit.
            TypeError: If its type does not fit.
        """

    @override
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        convert = self.convert

        def convert_or_null(value: Any) -> Any:
            try:
                return convert(value)
            except (ValueError, TypeError, ArithmeticError):
                listener.on_invalid(path, value)
                return None

        return convert_or_null


class Text(Scalar):
    """Text as it is, `""` included; numbers become text, as some ids change type with age."""

    json_type = "string"
    fast_type = str

    @override
    @staticmethod
    def convert(value: Any) -> str | None:
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | Decimal):
            return str(value)
        raise TypeError


class Word(Text):
    """Text of which some words are known; any other is delivered all the same.

    Args:
        words: The known ones.
    """

    def __init__(self, *words: str) -> None:
        self.words = words


class Integer(Scalar):
    """An integer of 64 bits; also read from `"12"`, `"12.00"`, `12.0` and `""` (null)."""

    json_type = "integer"
    fast_type = Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]

    @override
    @staticmethod
    def convert(value: Any) -> int | None:
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, str) and not value.strip():
            return None
        number = whole_number(value)
        if number is None:
            raise ValueError
        return number


class Boolean(Scalar):
    """A boolean; also read from 0, 1 and their texts, and `""` (null)."""

    json_type = "boolean"
    fast_type = bool
    values = {"true": True, "1": True, "false": False, "0": False, "": None}  # noqa: RUF012

    @override
    @staticmethod
    def convert(value: Any) -> bool | None:
        if isinstance(value, bool):
            return value
        if not isinstance(value, str | int):
            raise TypeError
        try:
            return Boolean.values[str(value).strip().lower()]
        except KeyError:
            raise ValueError from None


class DecimalText(Scalar):
    """An exact decimal as text, whatever its number of places; `numeric` in a database."""

    json_type = "string"
    # SDK targets make a decimal column of this format; `th.SingerDecimalType` of the SDK
    # writes `singer.decimal`, which they take for plain text.
    json_format = "x-singer.decimal"
    plain = re.compile(rf"-?[0-9]{{1,{MAX_DIGITS}}}(\.[0-9]{{1,{MAX_DIGITS}}})?")
    fast_type = Annotated[str, msgspec.Meta(pattern=rf"\A{plain.pattern}\Z")]

    @override
    @staticmethod
    def convert(value: Any) -> str | None:
        if isinstance(value, str):
            if DecimalText.plain.fullmatch(value):
                return value
            if not value.strip():
                return None
        elif isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise TypeError
        number = bounded_decimal(str(value))
        if number is None:
            raise ValueError
        return format(number, "f")


class PlainDate(Scalar):
    """A calendar date without a zone; a time behind it is left out, `0000-00-00` is null."""

    json_type = "string"
    json_format = "date"
    fast_type = date

    @override
    @staticmethod
    def convert(value: Any) -> str | None:
        if not isinstance(value, str):
            raise TypeError
        day = value[:10]
        if not day or day == "0000-00-00":
            return None
        if value[10:11] not in {"", " ", "T"}:
            raise ValueError
        return _iso_day(day)

    @override
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        convert = super().converter(path, listener)

        def convert_and_tell(value: Any) -> Any:
            day = convert(value)
            if day is not None and value[11:].strip("0:.Z"):
                listener.on_shortened(path)
            return day

        return convert_and_tell


@lru_cache(maxsize=4096)
def _iso_day(day: str) -> str:
    return date.fromisoformat(day).isoformat()


class UtcTime(Scalar):
    """A moment that FreshBooks writes in UTC, with or without `Z`, with `T` or a blank."""

    json_type = "string"
    json_format = "date-time"
    # The parts of a document mostly have changed when it did.
    fast_text = staticmethod(lru_cache(maxsize=MOMENTS_KEPT)(fast_utc_text))
    """Converts the common forms of a text; None for all others."""

    @override
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        fast_text, convert = self.fast_text, super().converter(path, listener)

        def convert_fast(value: Any) -> Any:
            return (fast_text(value) if type(value) is str else None) or convert(value)

        return convert_fast

    @override
    @staticmethod
    def convert(value: Any) -> str | None:
        if fast := fast_utc_text(value):
            return fast
        moment = parse_time(value)
        return None if moment is None else utc_text(moment)


class EasternTime(UtcTime):
    """A moment that FreshBooks writes in US/Eastern without a zone; with a `T` it is UTC.

    Source: `docs/freshbooks-api/accounting.md §7`, the rule of the official SDKs.
    """

    fast_text = staticmethod(lru_cache(maxsize=MOMENTS_KEPT)(fast_eastern_text))

    @override
    @staticmethod
    def convert(value: Any) -> str | None:
        if fast := fast_eastern_text(value):
            return fast
        moment = parse_time(value)
        if moment is None:
            return None
        if moment.tzinfo is None and " " in value:
            moment = eastern_to_utc(moment)
        return utc_text(moment)


class LocalTime(Scalar):
    """A wall-clock time in a zone that another field of the record names."""

    json_type = "string"

    @override
    @staticmethod
    def convert(value: Any) -> str | None:
        moment = parse_time(value)
        return None if moment is None else moment.isoformat()
