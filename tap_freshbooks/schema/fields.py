"""The field types of streams.

A field is declared once: its type gives the JSON schema, the catalog and the conversion from what
FreshBooks sends to what is emitted. A value that does not fit becomes null and an undeclared field
is dropped; a `ConversionListener` is notified of both.
"""

from __future__ import annotations

from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from typing_extensions import override

from tap_freshbooks.schema.credentials import without_credentials
from tap_freshbooks.schema.object_converter import ObjectConverter, struct_type
from tap_freshbooks.schema.scalars import (
    Boolean,
    DecimalText,
    EasternTime,
    Field,
    Integer,
    LocalTime,
    PlainDate,
    Scalar,
    Text,
    UtcTime,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.schema.conversion import ConversionListener, Converter

__all__ = [
    "AnyJson",
    "Array",
    "Boolean",
    "DecimalText",
    "EasternTime",
    "Excluded",
    "Field",
    "Integer",
    "LocalTime",
    "Money",
    "Object",
    "ObjectOrName",
    "PlainDate",
    "Scalar",
    "Text",
    "UtcTime",
    "Word",
]


class AnyJson(Field):
    """An object or list whose keys are data, so that it has no fixed fields.

    What looks like a credential in it is withheld.
    """

    def __init__(self, *json_types: str) -> None:
        self.json_types = json_types or ("object",)

    @property
    @override
    def fast_type(self) -> Any:
        empty = (Annotated[each, msgspec.Meta(max_length=0)] for each in self._types)
        return reduce(or_, empty)  # else its keys are looked at

    @property
    def _types(self) -> tuple[type, ...]:
        return tuple({"object": dict, "array": list}[each] for each in self.json_types)

    @override
    def schema(self) -> dict[str, Any]:
        return {"type": [*self.json_types, "null"]}

    @override
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        expected = self._types

        def keep(value: Any) -> Any:
            if type(value) not in expected:
                listener.on_invalid(path, value)
                return None
            try:
                return without_credentials(value, path, listener)
            except ValueError:  # it is nested too deeply
                listener.on_invalid(path, value)
                return None

        return keep


class Excluded(Field):
    """A field that is known and never emitted: a credential, or what another stream holds."""

    emitted = False

    @override
    def schema(self) -> dict[str, Any]:
        raise NotImplementedError

    @override
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        raise NotImplementedError


class Object(Field):
    """Named fields. What the API leaves out stays out; what is not declared is dropped."""

    def __init__(self, /, **fields: Field) -> None:
        self.fields = fields

    @cached_property
    @override
    def fast_type(self) -> Any:
        types = self.fast_types()
        return None if None in types.values() else struct_type(types)

    def fast_types(self) -> dict[str, Any]:
        """The `fast_type` of each field."""
        return {name: field.fast_type for name, field in self.fields.items()}

    def __or__(self, other: Object) -> Object:
        """The fields of both."""
        return Object(**self.fields | other.fields)

    @override
    def schema(self) -> dict[str, Any]:
        properties = {name: field.schema() for name, field in self.fields.items() if field.emitted}
        return {"type": ["object", "null"], "properties": properties}

    @override
    def undeclared(self, value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
        if not isinstance(value, dict):
            return
        prefix = f"{path}." if path else ""
        for name, part in value.items():
            field = self.fields.get(name)
            if field is None:
                yield prefix + name, name, part
            else:
                yield from field.undeclared(part, prefix + name)

    @override
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        prefix = f"{path}." if path else ""
        return ObjectConverter(
            path,
            {
                name: field.converter(prefix + name, listener) if field.emitted else None
                for name, field in self.fields.items()
            },
            self.fast_types,
            listener,
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
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        convert_object = super().converter(path, listener)

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
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        convert_object = super().converter(path, listener)
        convert_amount = self.fields["amount"].converter(path, listener)

        def convert(value: Any) -> dict[str, Any] | None:
            if isinstance(value, dict):
                result: dict[str, Any] | None = convert_object(value)
                return result
            amount = convert_amount(value)
            return None if amount is None else {"amount": amount, "code": None}

        return convert


class Array(Field):
    """A list of values of one type; null elements stay null."""

    def __init__(self, item: Field) -> None:
        self.item = item

    @property
    @override
    def fast_type(self) -> Any:
        item = self.item.fast_type
        return None if item is None else list[item | None]  # type: ignore[valid-type] # only msgspec reads it

    @override
    def schema(self) -> dict[str, Any]:
        return {"type": ["array", "null"], "items": self.item.schema()}

    @override
    def undeclared(self, value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
        for position, item in enumerate(value if isinstance(value, list) else ()):
            yield from self.item.undeclared(item, f"{path}[{position}]")

    @override
    def converter(self, path: str, listener: ConversionListener) -> Converter:
        convert_item = self.item.converter(path, listener)

        def convert(values: Any) -> list[Any] | None:
            if not isinstance(values, list):
                listener.on_invalid(path, values)
                return None
            return [None if value is None else convert_item(value) for value in values]

        return convert
