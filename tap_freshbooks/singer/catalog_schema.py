"""What a catalog changes of a schema, and how records follow it.

A user may give a field another type there, with the extra `schema` of Meltano, say. It is converted
to where the conversion is exact, and refused where it is not: a record is always of its schema.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_freshbooks.errors import FreshBooksError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Schema = dict[str, Any]
    Converter = Callable[[Any], Any]

DECIMALS = ("x-singer.decimal", "singer.decimal")
"""Two spellings of one format: that of our schemas, and that of the SDK."""

CONSTRAINTS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "enum", "anyOf", "allOf", "oneOf"),
    *("required", "patternProperties", "additionalProperties"),
)
"""Keywords of which only a look at each value tells whether it fits."""


def _json_text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


EXACT: dict[tuple[str, str], Converter] = {
    ("decimal", "number"): Decimal,
    ("integer", "string"): str,
    ("boolean", "string"): _json_text,
    ("boolean", "integer"): int,
    ("boolean", "number"): int,
    ("object", "string"): _json_text,
    ("array", "string"): _json_text,
}
"""Conversions that keep all of a value; to a type that has the values already, there is none."""


class CatalogSchema:
    """The schema that a catalog has of a stream, and the conversion of records to it.

    Args:
        stream: Name of the stream.
        own: The schema of the records.
        wanted: The schema of the catalog.

    Attributes:
        schema: What to send: the wanted one, where null stays possible.
        convert: Makes a record of this schema; None if each is of it already.
        unknown: Fields that the catalog has, and the stream does not.
        missing: Fields that the stream has, and the catalog does not.

    Raises:
        SettingsError: If a field cannot be what the catalog says.
    """

    def __init__(self, stream: str, own: Schema, wanted: Schema) -> None:
        self.unknown: list[str] = []
        self.missing: list[str] = []
        self._stream = stream
        self.schema, self.convert = self._node("", own, wanted)

    def _node(self, path: str, own: Schema, wanted: Schema) -> tuple[Schema, Converter | None]:
        if not wanted.get("type") and "anyOf" not in wanted:
            wanted = {**own, **wanted}
        kinds = _kinds(wanted if wanted.get("type") else own)
        schema = {**wanted, "type": [*kinds, *(["null"] if "null" in own["type"] else [])]}
        if wanted.get("format") and "string" not in kinds:
            del schema["format"]
        for keyword, kind in (("properties", "object"), ("items", "array")):
            if keyword in schema and kind not in kinds:
                del schema[keyword]  # left over from the type that it was
        convert: Converter | None
        if {"properties"} <= own.keys() & schema.keys():
            schema["properties"], convert = self._properties(path, own, wanted)
        elif {"items"} <= own.keys() & schema.keys():
            schema["items"], convert = self._items(path, own, wanted)
        else:
            convert = self._value(path, own, schema, kinds)
        return schema, self._checked(path, own, schema, convert)

    def _properties(
        self, path: str, own: Schema, wanted: Schema
    ) -> tuple[dict[str, Schema], Converter | None]:
        prefix = f"{path}." if path else ""
        properties, converters = {}, {}
        for name, inner in own["properties"].items():
            if name in wanted["properties"]:
                properties[name], converters[name] = self._node(
                    prefix + name, inner, wanted["properties"][name]
                )
            elif wanted.get("additionalProperties"):
                converters[name] = None
            else:
                self.missing.append(prefix + name)
        self.unknown += [prefix + name for name in wanted["properties"].keys() - properties.keys()]
        if len(converters) == len(own["properties"]) and not any(converters.values()):
            return properties, None
        return properties, lambda value: _each_property(value, converters)

    def _items(self, path: str, own: Schema, wanted: Schema) -> tuple[Schema, Converter | None]:
        items, convert = self._node(f"{path}[]", own["items"], wanted["items"])
        if convert is None:
            return items, None
        return items, lambda value: None if value is None else [convert(each) for each in value]

    def _value(self, path: str, own: Schema, schema: Schema, kinds: list[str]) -> Converter | None:
        """How a value without declared parts becomes one of the wanted kinds."""
        own_kinds, form = _kinds(own), schema.get("format")
        source = "decimal" if own.get("format") in DECIMALS else own_kinds[0]
        if set(own_kinds) <= {*kinds, *(["integer"] if "number" in kinds else [])}:
            is_same = form in {None, own.get("format")} or {form, own.get("format")} <= {*DECIMALS}
            if is_same and not schema.keys() & {"properties", "items"}:
                return None
        for kind in kinds if len(own_kinds) == 1 else ():
            convert = EXACT.get((source, kind))
            fits = form is None or (form in DECIMALS and source == "integer")
            if convert and (kind != "string" or fits):
                return lambda value: None if value is None else convert(value)
        raise self._refusal(path, own, schema)

    def _checked(
        self, path: str, own: Schema, schema: Schema, convert: Converter | None
    ) -> Converter | None:
        """The conversion, followed by a look at what only each value tells."""
        rules = {
            name: schema[name]
            for name in CONSTRAINTS
            if name in schema and schema[name] != own.get(name)
        }
        if rules.get("additionalProperties") in ({}, True, False) and (
            rules["additionalProperties"] is not False or schema.get("properties")
        ):
            del rules["additionalProperties"]  # no record has other fields than its schema
        if not rules:
            return convert
        names = ", ".join(rules)
        if "additionalProperties" in rules:
            rules["properties"] = {name: {} for name in schema.get("properties", ())}
        validator = self._validator(path, rules, names)

        def check(value: Any) -> Any:
            value = convert(value) if convert else value
            if not _is_valid(validator, value):
                raise FreshBooksError(
                    f"{self._stream}: a value of {path or 'a record'} does not fit what the "
                    f"catalog says of it with {names}; change that there"
                )
            return value

        return check

    def _validator(self, path: str, rules: Schema, names: str) -> Any:
        try:
            DEFAULT_JSONSCHEMA_VALIDATOR.check_schema(rules)
            validator = DEFAULT_JSONSCHEMA_VALIDATOR(rules)
            for value in ("", 1, {"": ""}, ["", 1]):  # a regular expression may be none
                validator.is_valid(value)
        except Exception:  # noqa: BLE001 - whatever it is that cannot be understood
            raise SettingsError(
                f"the catalog says of {self._stream}.{path} something with {names} that cannot be "
                "understood; take it out"
            ) from None
        return validator

    def _refusal(self, path: str, own: Schema, schema: Schema) -> SettingsError:
        return SettingsError(
            f"the catalog makes {self._stream}.{path} {_words(schema)}, but it is {_words(own)}, "
            "which cannot be converted exactly; take that out of the catalog, or of the extra "
            "`schema` of Meltano. A catalog of an older release is made anew with --discover, by "
            "Meltano with --refresh-catalog"
        )


def _kinds(schema: Schema) -> list[str]:
    """The types of a value, without null."""
    kinds = schema.get("type") or []
    return [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]


def _words(schema: Schema) -> str:
    """A type as messages name it."""
    form = f" ({schema['format']})" if schema.get("format") else ""
    if not form and schema.get("properties"):
        form = " with fields of its own"
    return f"{' or '.join(_kinds(schema)) or 'null'}{form}"


def _each_property(
    value: Mapping[str, Any] | None, converters: Mapping[str, Converter | None]
) -> dict[str, Any] | None:
    """The fields that the catalog knows, each converted."""
    if value is None:
        return None
    converted = {}
    for name, each in value.items():
        if name in converters:
            convert = converters[name]
            converted[name] = convert(each) if convert else each
    return converted


def _is_valid(validator: Any, value: Any) -> bool:
    try:
        return bool(validator.is_valid(value))
    except Exception:  # noqa: BLE001 - a decimal that is to be a multiple of a float, say
        return False
