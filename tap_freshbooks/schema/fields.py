"""The vocabulary of field types.

A field is declared once: its type gives the JSON schema, the catalog and the conversion
from what FreshBooks sends to what is emitted. A value that fits in no way becomes null
and an undeclared field is dropped; a `Problems` listener hears of both.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Annotated, Any, Protocol

import msgspec
from typing_extensions import override

from tap_freshbooks.schema.object_converter import ObjectConverter, shape
from tap_freshbooks.timestamps import (
    eastern_to_utc,
    parse_time,
    usual_eastern_text,
    usual_utc_text,
    utc_text,
)

Converter = Callable[[Any], Any]


class Problems(Protocol):
    """Hears of values that a conversion could not keep. Paths look like `lines.unit_cost`."""

    def unknown(self, path: str) -> None:
        """A field that is not declared was dropped."""

    def unfit(self, path: str, value: object) -> None:
        """A value of an unexpected kind became null."""


class Field(ABC):
    """A kind of value: how it looks in the catalog and how it is read."""

    emitted = True

    @property
    def kind(self) -> Any:
        """The msgspec type of values that stay as they are; None if there are none such."""
        return None

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """JSON schema of the emitted value; null is always allowed."""

    @abstractmethod
    def converter(self, path: str, problems: Problems) -> Converter:
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
            TypeError: If its kind does not fit.
        """

    @override
    def converter(self, path: str, problems: Problems) -> Converter:
        convert = self.convert

        def convert_or_null(value: Any) -> Any:
            try:
                return convert(value)
            except (ValueError, TypeError, ArithmeticError):
                problems.unfit(path, value)
                return None

        return convert_or_null


class Text(Scalar):
    """Text as it is, `""` included; numbers become text, as some ids change kind with age."""

    json_type = "string"
    kind = str

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


class Integer(Scalar):
    """An integer; also read from `"12"`, `"12.00"`, `12.0` and `""` (null)."""

    json_type = "integer"
    kind = int

    @override
    @staticmethod
    def convert(value: Any) -> int | None:
        if type(value) is int:
            return value
        if isinstance(value, str):
            if not value.strip():
                return None
            value = Decimal(value)
        if isinstance(value, bool | Decimal) and value == int(value):
            return int(value)
        raise ValueError


class Boolean(Scalar):
    """A boolean; also read from 0, 1 and their texts, and `""` (null)."""

    json_type = "boolean"
    kind = bool
    words = {"true": True, "1": True, "false": False, "0": False, "": None}  # noqa: RUF012

    @override
    @staticmethod
    def convert(value: Any) -> bool | None:
        if isinstance(value, bool):
            return value
        try:
            return Boolean.words[str(value).strip().lower()]
        except KeyError:
            raise ValueError from None


class DecimalText(Scalar):
    """An exact decimal as text, whatever its number of places; `numeric` in a database."""

    json_type = "string"
    # SDK targets make a decimal column of this format; `th.SingerDecimalType` of the SDK
    # writes `singer.decimal`, which they take for plain text.
    json_format = "x-singer.decimal"
    plain = re.compile(r"-?[0-9]+(\.[0-9]+)?")
    kind = Annotated[str, msgspec.Meta(pattern=rf"\A{plain.pattern}\Z")]

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
        number = Decimal(value)
        if not number.is_finite():
            raise ValueError
        return format(number, "f")


class PlainDate(Scalar):
    """A calendar date without a zone; a time behind it is dropped, `0000-00-00` is null."""

    json_type = "string"
    json_format = "date"
    kind = date

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


@lru_cache(maxsize=4096)
def _iso_day(day: str) -> str:
    return date.fromisoformat(day).isoformat()


class UtcTime(Scalar):
    """A moment that FreshBooks writes in UTC, with or without `Z`, with `T` or a blank."""

    json_type = "string"
    json_format = "date-time"

    @override
    @staticmethod
    def convert(value: Any) -> str | None:
        if usual := usual_utc_text(value):
            return usual
        moment = parse_time(value)
        return None if moment is None else utc_text(moment)


class EasternTime(UtcTime):
    """A moment that FreshBooks writes in US/Eastern without a zone; with a `T` it is UTC.

    Source: `docs/freshbooks-api/accounting.md §7`, the rule of the official SDKs.
    """

    @override
    @staticmethod
    def convert(value: Any) -> str | None:
        if usual := usual_eastern_text(value):
            return usual
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


class AnyJson(Field):
    """An object or list whose keys are data, so that it has no fixed shape."""

    def __init__(self, json_type: str = "object") -> None:
        self.json_type = json_type
        self._type: type = {"object": dict, "array": list}[json_type]

    @property
    @override
    def kind(self) -> Any:
        return self._type

    @override
    def schema(self) -> dict[str, Any]:
        return {"type": [self.json_type, "null"]}

    @override
    def converter(self, path: str, problems: Problems) -> Converter:
        def keep(value: Any) -> Any:
            if isinstance(value, self._type):
                return value
            problems.unfit(path, value)
            return None

        return keep


class Excluded(Field):
    """A field that is known and never emitted: a credential, or what another stream holds."""

    emitted = False

    @override
    def schema(self) -> dict[str, Any]:
        raise NotImplementedError

    @override
    def converter(self, path: str, problems: Problems) -> Converter:
        raise NotImplementedError


class Object(Field):
    """Named fields. What the API leaves out stays out; what is not declared is dropped."""

    def __init__(self, **fields: Field) -> None:
        self.fields = fields

    @cached_property
    @override
    def kind(self) -> Any:
        kinds = self.kinds()
        return None if None in kinds.values() else shape(kinds)

    def kinds(self) -> dict[str, Any]:
        """The `kind` of each field."""
        return {name: field.kind for name, field in self.fields.items()}

    def __or__(self, other: Object) -> Object:
        """The fields of both."""
        return Object(**self.fields | other.fields)

    @override
    def schema(self) -> dict[str, Any]:
        properties = {name: field.schema() for name, field in self.fields.items() if field.emitted}
        return {"type": ["object", "null"], "properties": properties}

    @override
    def converter(self, path: str, problems: Problems) -> Converter:
        prefix = f"{path}." if path else ""
        return ObjectConverter(
            path,
            {
                name: field.converter(prefix + name, problems) if field.emitted else None
                for name, field in self.fields.items()
            },
            self.kinds,
            problems,
        )


class ObjectOrName(Object):
    """An object that older answers replace by its name alone.

    Args:
        name: The field that the name goes into.
        fields: The object's fields.
    """

    def __init__(self, name: str, /, **fields: Field) -> None:
        super().__init__(**fields)
        self.name = name

    @override
    def converter(self, path: str, problems: Problems) -> Converter:
        convert_object = super().converter(path, problems)

        def convert(value: Any) -> Any:
            return convert_object({self.name: value} if isinstance(value, str) else value)

        return convert


class Money(Object):
    """`{"amount": "41.94", "code": "CAD"}`; older shapes are a bare number.

    See `docs/freshbooks-api/accounting.md §6`.
    """

    def __init__(self) -> None:
        super().__init__(amount=DecimalText(), code=Text())

    @override
    def converter(self, path: str, problems: Problems) -> Converter:
        convert_object = super().converter(path, problems)
        convert_amount = self.fields["amount"].converter(path, problems)

        def convert(value: Any) -> dict[str, Any] | None:
            if isinstance(value, dict):
                result: dict[str, Any] | None = convert_object(value)
                return result
            amount = convert_amount(value)
            return None if amount is None else {"amount": amount, "code": None}

        return convert


class Array(Field):
    """A list of values of one kind; null elements stay null."""

    def __init__(self, item: Field) -> None:
        self.item = item

    @property
    @override
    def kind(self) -> Any:
        kind = self.item.kind
        return None if kind is None else list[kind | None]  # type: ignore[valid-type] # msgspec reads it, nobody else

    @override
    def schema(self) -> dict[str, Any]:
        return {"type": ["array", "null"], "items": self.item.schema()}

    @override
    def converter(self, path: str, problems: Problems) -> Converter:
        convert_item = self.item.converter(path, problems)

        def convert(values: Any) -> list[Any] | None:
            if not isinstance(values, list):
                problems.unfit(path, values)
                return None
            return [None if value is None else convert_item(value) for value in values]

        return convert
