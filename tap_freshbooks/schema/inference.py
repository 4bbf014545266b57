"""The fields of a custom stream: from a JSON schema, or inferred from records."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_freshbooks.schema.credentials import is_credential
from tap_freshbooks.schema.fields import (
    AnyJson,
    Array,
    Boolean,
    DecimalText,
    EasternTime,
    Field,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
    UtcTime,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MONEY = {"amount", "code"}
"""The fields of an amount of money."""

DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


def fields_from_schema(schema: Mapping[str, Any], *, eastern: bool) -> Object:
    """The fields of a JSON schema.

    Args:
        schema: Of an object; or only its properties.
        eastern: True if moments without a zone are US/Eastern, else they are UTC.

    Raises:
        ValueError: If it cannot be read; the text says where.
    """
    properties = schema.get("properties", schema)
    if not isinstance(properties, dict) or not properties:
        raise ValueError("it has no properties")
    return Object(
        **{name: _field_from_property(name, each, eastern) for name, each in properties.items()}
    )


def _field_from_property(name: str, schema: Any, eastern: bool) -> Field:
    types = schema.get("type") if isinstance(schema, dict) else None
    types = [types] if isinstance(types, str) else types
    known = [each for each in types if each != "null"] if isinstance(types, list) else []
    if len(known) != 1:
        raise ValueError(f"{name} needs one type, such as {{'type': 'string'}}")
    json_type, json_format = str(known[0]), str(schema.get("format"))
    if json_type == "object":
        return _object_from_properties(name, schema.get("properties"), eastern)
    if json_type == "array":
        items = schema.get("items")
        if not items:
            return AnyJson("array")
        return Array(_field_from_property(f"{name}[]", items, eastern))
    if json_type == "string":
        strings: dict[Any, Field] = {
            "date": PlainDate(),
            "date-time": _moment(eastern),
            DecimalText.json_format: DecimalText(),
        }
        return strings.get(json_format, Text())
    others: dict[Any, Field] = {
        "integer": Integer(),
        "boolean": Boolean(),
        "number": DecimalText(),  # exact, as everywhere
    }
    if json_type not in others:
        raise ValueError(f"{name} has the unknown type {json_type!r}")
    return others[json_type]


def _object_from_properties(name: str, properties: Any, eastern: bool) -> Field:
    if not properties:
        return AnyJson("object")
    if isinstance(properties, dict):
        is_money = properties.keys() == MONEY
        return Money() if is_money else fields_from_schema(properties, eastern=eastern)
    raise ValueError(f"{name} has properties that are no object")


def _moment(eastern: bool) -> Field:
    return EasternTime() if eastern else UtcTime()


def fields_from_records(records: Iterable[Mapping[str, Any]], *, eastern: bool) -> Object:
    """The fields of records, of the types that all their values allow.

    What looks like a credential becomes no field: who wants it has to declare it.

    Args:
        records: As FreshBooks sends them.
        eastern: True if moments without a zone are US/Eastern, else they are UTC.
    """
    values: dict[str, list[Any]] = {}
    for record in records:
        for name, value in record.items():
            values.setdefault(name, []).append(value)
    values = {
        name: found
        for name, found in values.items()
        if not any(is_credential(name, value) for value in found)
    }
    return Object(**{name: _field_from_values(found, eastern) for name, found in values.items()})


def _field_from_values(values: list[Any], eastern: bool) -> Field:
    known = [value for value in values if value is not None and value != ""]
    types = {type(value) for value in known}
    if types == {dict}:
        names = {name for value in known for name in value}
        return Money() if names == MONEY else fields_from_records(known, eastern=eastern)
    if types == {list}:
        items = [item for value in known for item in value]
        scalars = not {type(item) for item in items} & {dict, list}
        is_uniform = bool(items) and (scalars or {type(item) for item in items} == {dict})
        return Array(_field_from_values(items, eastern)) if is_uniform else AnyJson("array")
    if types & {dict, list}:
        return AnyJson("object" if dict in types else "array")
    if types == {str}:
        return _field_from_texts(known, eastern)
    if types and types <= {int, Decimal}:
        return Integer() if types == {int} else DecimalText()
    return Boolean() if types == {bool} else Text()


def _field_from_texts(values: list[str], eastern: bool) -> Field:
    if all(map(DAY.fullmatch, values)):
        return PlainDate()
    if all(map(MOMENT.fullmatch, values)):
        return _moment(eastern)
    return Text()
