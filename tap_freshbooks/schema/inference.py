"""Fields of a stream that nobody declared: from a JSON schema, or from rows."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

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

DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


def of_schema(schema: Mapping[str, Any], *, eastern: bool) -> Object:
    """The fields of a JSON schema.

    Args:
        schema: Of an object; or only its properties.
        eastern: Whether moments without a zone are of US/Eastern.

    Raises:
        ValueError: If it is none; the text says where.
    """
    properties = schema.get("properties", schema)
    if not isinstance(properties, dict) or not properties:
        raise ValueError("it has no properties")
    return Object(**{name: _of_property(name, each, eastern) for name, each in properties.items()})


def _of_property(name: str, schema: Any, eastern: bool) -> Field:
    kinds = schema.get("type") if isinstance(schema, dict) else None
    kinds = [kinds] if isinstance(kinds, str) else kinds
    known = [kind for kind in kinds if kind != "null"] if isinstance(kinds, list) else []
    if len(known) != 1:
        raise ValueError(f"{name} needs one type, such as {{'type': 'string'}}")
    kind, form = known[0], schema.get("format")
    if kind == "object":
        inner = schema.get("properties")
        if not inner:
            return AnyJson("object")
        if not isinstance(inner, dict):
            raise ValueError(f"{name} has properties that are none")
        return Money() if inner.keys() == {"amount", "code"} else of_schema(inner, eastern=eastern)
    if kind == "array":
        items = schema.get("items")
        return Array(_of_property(f"{name}[]", items, eastern)) if items else AnyJson("array")
    if kind == "string":
        moment = EasternTime() if eastern else UtcTime()
        strings: dict[Any, Field] = {
            "date": PlainDate(),
            "date-time": moment,
            DecimalText.json_format: DecimalText(),
        }
        return strings.get(form, Text())
    others: dict[Any, Field] = {
        "integer": Integer(),
        "boolean": Boolean(),
        "number": DecimalText(),  # exact, as everywhere
    }
    if kind not in others:
        raise ValueError(f"{name} has the unknown type {kind!r}")
    return others[kind]


def of_rows(rows: Iterable[Mapping[str, Any]], *, eastern: bool) -> Object:
    """The fields that rows have, of the kinds that all their values allow."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, []).append(value)
    return Object(**{name: _of_values(found, eastern) for name, found in values.items()})


def _of_values(values: list[Any], eastern: bool) -> Field:
    known = [value for value in values if value is not None and value != ""]
    kinds = {type(value) for value in known}
    if kinds == {dict}:
        names = {name for value in known for name in value}
        return Money() if names == {"amount", "code"} else of_rows(known, eastern=eastern)
    if kinds == {list}:
        items = [item for value in known for item in value]
        scalars = not {type(item) for item in items} & {dict, list}
        is_uniform = bool(items) and (scalars or {type(item) for item in items} == {dict})
        return Array(_of_values(items, eastern)) if is_uniform else AnyJson("array")
    if kinds & {dict, list}:
        return AnyJson("object" if dict in kinds else "array")
    if kinds == {str}:
        return _of_texts(known, eastern)
    if kinds and kinds <= {int, Decimal}:
        return Integer() if kinds == {int} else DecimalText()
    return Boolean() if kinds == {bool} else Text()


def _of_texts(values: list[str], eastern: bool) -> Field:
    if all(map(DAY.fullmatch, values)):
        return PlainDate()
    if all(map(MOMENT.fullmatch, values)):
        return EasternTime() if eastern else UtcTime()
    return Text()
