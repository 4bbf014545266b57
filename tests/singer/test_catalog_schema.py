"""What a catalog may change of a stream: each is followed exactly, or refused in a sentence."""

from __future__ import annotations

import logging
from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_freshbooks.config.singer_files import singer_catalog
from tap_freshbooks.errors import FreshBooksError, SettingsError
from tap_freshbooks.singer.catalog_schema import CatalogSchema
from tap_freshbooks.singer.record_filter import compile_record_filter
from tap_freshbooks.tap import TapFreshBooks
from tests.support import Messages, catalog_of, sync

if TYPE_CHECKING:
    from tap_freshbooks.streams.base import RecordStream

OWN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": ["integer"]},
        "count": {"type": ["integer", "null"]},
        "name": {"type": ["string", "null"]},
        "paid": {"type": ["boolean", "null"]},
        "cost": {"type": ["string", "null"], "format": "x-singer.decimal"},
        "day": {"type": ["string", "null"], "format": "date"},
        "updated": {"type": ["string", "null"], "format": "date-time"},
        "free": {"type": ["object", "null"]},
        "list": {"type": ["array", "null"]},
        "amount": {
            "type": ["object", "null"],
            "properties": {
                "amount": {"type": ["string", "null"], "format": "x-singer.decimal"},
                "code": {"type": ["string", "null"]},
            },
        },
        "lines": {
            "type": ["array", "null"],
            "items": {
                "type": ["object", "null"],
                "properties": {"id": {"type": ["integer", "null"]}},
            },
        },
    },
}
RECORD: dict[str, Any] = {
    "id": 1,
    "count": 2**63,
    "name": "Ö\u2028",
    "paid": False,
    "cost": "0.1000000000000000000001",
    "day": "2026-02-03",
    "updated": "2026-02-03T14:15:00Z",
    "free": {"a": [1, None]},
    "list": [1, "x"],
    "amount": {"amount": "41.94", "code": "CAD"},
    "lines": [{"id": 1}, None],
}
EMPTY: dict[str, Any] = {**dict.fromkeys(RECORD), "id": 1}


def override(name: str, wanted: dict[str, Any]) -> CatalogSchema:
    """The schema with some keywords put over those of a field, as Meltano does."""
    schema = deepcopy(OWN)
    schema["properties"][name].update(wanted)
    return CatalogSchema("things", OWN, schema)


def converted(found: CatalogSchema, record: dict[str, Any]) -> dict[str, Any]:
    """A record as it is delivered, which is of the schema that is sent."""
    result: dict[str, Any] = found.convert(record) if found.convert else record
    validator = DEFAULT_JSONSCHEMA_VALIDATOR({**found.schema, "additionalProperties": False})
    assert not [error.message for error in validator.iter_errors(result)]
    return result


@pytest.mark.parametrize(
    ("name", "wanted", "becomes"),
    [
        ("cost", {"type": "number"}, Decimal("0.1000000000000000000001")),
        ("cost", {"type": ["null", "number"]}, Decimal("0.1000000000000000000001")),
        ("cost", {"type": "string"}, "0.1000000000000000000001"),
        ("cost", {"format": "singer.decimal"}, "0.1000000000000000000001"),
        ("count", {"type": "string"}, "9223372036854775808"),
        ("count", {"type": "string", "format": "x-singer.decimal"}, "9223372036854775808"),
        ("count", {"type": ["string", "null"]}, "9223372036854775808"),
        ("count", {"type": "number"}, 2**63),
        ("count", {"type": ["integer", "string"]}, 2**63),
        ("id", {"type": "string"}, "1"),
        ("id", {"type": ["integer", "null"]}, 1),
        ("paid", {"type": "string"}, "false"),
        ("paid", {"type": "integer"}, 0),
        ("day", {"type": "string"}, "2026-02-03"),
        ("updated", {"type": []}, "2026-02-03T14:15:00Z"),
        ("free", {"type": "string"}, '{"a":[1,null]}'),
        ("list", {"type": "string"}, '[1,"x"]'),
        ("amount", {"type": "string"}, '{"amount":"41.94","code":"CAD"}'),
        ("lines", {"type": "string"}, '[{"id":1},null]'),
        ("lines", {"items": {"type": "string"}}, ['{"id":1}', None]),
        (
            "amount",
            {"properties": {"amount": {"type": "number"}, "code": {"type": "string"}}},
            {"amount": Decimal("41.94"), "code": "CAD"},
        ),
        ("amount", {"properties": {"code": {"type": "string"}}}, {"code": "CAD"}),
        ("name", {"maxLength": 2}, "Ö\u2028"),
        ("name", {"pattern": "^Ö"}, "Ö\u2028"),
        ("count", {"minimum": 0, "maximum": 2**70}, 2**63),
        ("name", {"enum": ["Ö\u2028", None]}, "Ö\u2028"),
        ("name", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "Ö\u2028"),
        ("amount", {"additionalProperties": False}, {"amount": "41.94", "code": "CAD"}),
        ("name", {"title": "Name", "x-sql-datatype": "text"}, "Ö\u2028"),
    ],
)
def test_what_is_exact_is_converted_to(name: str, wanted: dict[str, Any], becomes: Any) -> None:
    found = override(name, wanted)
    result = converted(found, RECORD)
    assert result == {**RECORD, name: becomes}
    assert type(result[name]) is type(becomes)
    converted(found, EMPTY)


@pytest.mark.parametrize(
    ("name", "wanted", "says"),
    [
        ("name", {"type": "number"}, "things.name number, but it is string"),
        ("name", {"type": "integer"}, "things.name integer, but it is string"),
        ("name", {"type": "nonsense"}, "things.name nonsense, but"),
        ("name", {"type": "null"}, "things.name null, but"),
        ("name", {"format": "date-time"}, "things.name string (date-time), but it is string,"),
        ("name", {"format": "uuid"}, "things.name string (uuid)"),
        ("updated", {"format": "date"}, "string (date), but it is string (date-time)"),
        ("day", {"format": "date-time"}, "string (date-time), but it is string (date)"),
        ("cost", {"type": "integer"}, "things.cost integer, but it is string (x-singer.decimal)"),
        ("count", {"type": "boolean"}, "things.count boolean, but it is integer"),
        ("count", {"type": "string", "format": "date-time"}, "things.count string (date-time)"),
        ("paid", {"type": "object"}, "things.paid object, but it is boolean"),
        ("amount", {"type": "number"}, "things.amount number, but it is object"),
        ("amount", {"properties": {"code": {"type": "integer"}}}, "things.amount.code integer"),
        ("free", {"properties": {"a": {"type": "array"}}}, "things.free object with fields"),
        ("lines", {"type": "object"}, "things.lines object, but it is array"),
        ("lines", {"items": {"type": "integer"}}, "things.lines[] integer"),
        ("name", {"pattern": "("}, "things.name something with pattern that cannot be understood"),
        ("name", {"maxLength": "x"}, "something with maxLength that cannot be understood"),
        ("name", {"anyOf": [{"type": 5}]}, "something with anyOf that cannot be understood"),
    ],
)
def test_what_is_not_exact_is_refused_before_anything_is_read(
    name: str, wanted: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        override(name, wanted)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("name", {"maxLength": 1}),
        ("name", {"pattern": "^O"}),
        ("name", {"enum": ["x"]}),
        ("name", {"anyOf": [{"type": "integer"}]}),
        ("count", {"maximum": 5}),
        ("cost", {"type": "number", "multipleOf": 0.5}),
        ("free", {"additionalProperties": False}),
        ("free", {"required": ["b"]}),
    ],
)
def test_a_value_that_a_rule_of_the_catalog_forbids_is_told_and_not_delivered(
    name: str, wanted: dict[str, Any]
) -> None:
    convert = override(name, wanted).convert
    assert convert
    with pytest.raises(FreshBooksError, match=f"^things: a value of {name} does not fit what the"):
        convert(RECORD)


@pytest.fixture(scope="module")
def tap() -> TapFreshBooks:
    return TapFreshBooks(config={}, validate_config=False, setup_mapper=False)


@pytest.fixture(scope="module")
def entries() -> dict[str, dict[str, Any]]:
    found = catalog_of("items", "taxes")["streams"]
    return {entry["stream"]: entry for entry in found if entry["stream"] in {"items", "taxes"}}


def applied(tap: TapFreshBooks, entry: dict[str, Any]) -> RecordStream:
    """A stream of the tap that was shown an entry of a catalog."""
    stream: Any = type(tap.streams[entry["tap_stream_id"]])(tap)
    stream.apply_catalog(singer_catalog({"streams": [entry]}))
    return stream  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "changes",
    [
        {"key_properties": None, "metadata": []},
        {"key_properties": [], "replication_key": None, "replication_method": None},
        {"key_properties": ["id", "account_id"]},
        {"stream": None},
        {"metadata": [{"breadcrumb": ["properties"], "metadata": {"selected": False}}]},
        {
            "metadata": [
                {"breadcrumb": [], "metadata": {"selected": True}},
                {"breadcrumb": ["properties", "id"], "metadata": {"selected": False}},
            ]
        },
    ],
)
def test_what_a_catalog_does_not_say_is_as_it_was(
    tap: TapFreshBooks, entries: dict[str, Any], changes: dict[str, Any]
) -> None:
    stream = applied(tap, {**entries["items"], **changes})
    assert list(stream.primary_keys) == ["account_id", "id"]
    assert stream.replication_key == "updated"
    assert stream.replication_method == "INCREMENTAL"
    assert stream.selected
    assert all(stream.mask[("properties", name)] for name in ("account_id", "id", "updated"))
    assert compile_record_filter(stream)({"id": 1}) == {"id": 1}


def metadata(**root: Any) -> dict[str, Any]:
    names = {name.replace("_", "-"): value for name, value in root.items()}
    return {"metadata": [{"breadcrumb": [], "metadata": {"selected": True, **names}}]}


@pytest.mark.parametrize(
    "changes",
    [
        {"replication_method": "FULL_TABLE"},
        metadata(replication_method="FULL_TABLE"),
        metadata(forced_replication_method="FULL_TABLE"),
    ],
)
def test_a_user_may_want_everything_each_time(
    tap: TapFreshBooks, entries: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert applied(tap, {**entries["items"], **changes}).replication_method == "FULL_TABLE"


@pytest.mark.parametrize(
    ("stream", "changes", "says"),
    [
        ("items", {"stream": "my_items"}, 'stream_maps: {"items": {"__alias__": "my_items"}}'),
        ("items", {"key_properties": ["id"]}, "the stream items the keys id, but its rows are"),
        ("items", metadata(table_key_properties=["name"]), "the keys name, but its rows are"),
        ("items", {"replication_key": "name"}, "the replication key name, but it finds changes by"),
        ("items", metadata(replication_key="id"), "key id, but it finds changes by updated"),
        ("items", {"replication_method": "LOG_BASED"}, "replicated by LOG_BASED; it can be by INC"),
        ("items", metadata(replication_method="x"), "by x; it can be by INCREMENTAL or FULL_TABLE"),
        ("items", {"schema": {}}, "no fields of the stream items"),
        ("items", {"schema": {"properties": None}}, "no fields of the stream items"),
        ("items", {"schema": {"properties": {"id": {}}}}, "lacks account_id of the stream items"),
    ],
)
def test_what_a_stream_cannot_follow_is_refused(
    tap: TapFreshBooks, entries: dict[str, Any], stream: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        applied(tap, {**entries[stream], **changes})
    assert says in str(refusal.value)
    unselected = [{"breadcrumb": [], "metadata": {"selected": False}}]
    assert not applied(tap, {**entries[stream], **changes, "metadata": unselected}).selected


def test_records_are_of_the_schema_that_is_sent(
    config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    catalog = catalog_of("items", "invoices")
    selected = {entry["stream"]: entry for entry in catalog["streams"]}
    items, invoices = (selected[each]["schema"]["properties"] for each in ("items", "invoices"))
    items["id"]["type"] = "string"
    items["qty"]["type"] = "number"
    items["unit_cost"]["properties"]["amount"]["type"] = "number"
    items["nmae"] = {"type": "string"}
    del items["description"]
    invoices["lines"]["type"] = "string"
    invoices["amount"] = {"type": "object"}
    messages = Messages()
    TapFreshBooks(config=config, catalog=catalog, message_writer=messages).sync()
    schemas = {each["stream"]: each["schema"] for each in messages.all if each["type"] == "SCHEMA"}
    for stream in ("items", "invoices"):
        validator = DEFAULT_JSONSCHEMA_VALIDATOR({**schemas[stream], "additionalProperties": False})
        for record in messages.records[stream]:
            assert not [error.message for error in validator.iter_errors(record)]
    item = messages.records["items"][0]
    assert isinstance(item["id"], str)
    assert isinstance(item["qty"], Decimal)
    assert isinstance(item["unit_cost"]["amount"], Decimal)
    assert isinstance(messages.records["invoices"][0]["lines"], str)
    assert "nmae" not in schemas["items"]["properties"]
    assert "The catalog has a field nmae that items has not (did you mean name?)" in caplog.text
    assert "The catalog has no description of items" in caplog.text


def test_streams_that_are_not_there_are_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    [entry] = (each for each in catalog_of("items")["streams"] if each["stream"] == "items")
    catalog = {"streams": [{**entry, "tap_stream_id": "itmes"}]}
    TapFreshBooks(config={}, validate_config=False, catalog=catalog)
    assert "selects a stream itmes, which is not there (did you mean items?)" in caplog.text
    assert "The catalog selects no stream: there is nothing to read" in caplog.text


def test_a_state_of_another_tap_is_told(
    config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    state = {"bookmarks": {"orders": {"replication_key_value": "2026-01-01"}}}
    sync(config, "identity", state=state)
    assert "The state knows no stream of this tap, but orders: everything is read" in caplog.text


def test_the_extras_of_meltano_are_followed() -> None:
    from meltano.core.plugin.singer import catalog as meltano  # noqa: PLC0415 - takes a second
    from meltano.core.plugin.singer.tap import (  # noqa: PLC0415
        config_metadata_rules,
        config_schema_rules,
    )

    def tap_with(**extras: Any) -> TapFreshBooks:
        catalog = catalog_of("items")
        schema = config_schema_rules(extras.get("schema", {}))
        meltano.visit(catalog, meltano.SchemaExecutor(schema))
        metadata = config_metadata_rules(extras.get("metadata", {}))
        meltano.visit(catalog, meltano.MetadataExecutor(metadata))
        return TapFreshBooks(config={}, validate_config=False, catalog=catalog)

    types = {"qty": {"type": ["number", "null"]}, "id": {"type": "string"}}
    whole = {"replication-method": "FULL_TABLE"}
    tap = tap_with(schema={"items": types}, metadata={"items": whole})
    properties = tap.streams["items"].effective_schema["properties"]
    assert properties["qty"]["type"] == ["number", "null"]
    assert "format" not in properties["qty"]
    assert properties["id"]["type"] == ["string"]
    assert tap.streams["items"].replication_method == "FULL_TABLE"
    for refused in (
        {"schema": {"items": {"updated": {"format": "date"}}}},
        {"metadata": {"items": {"replication-method": "LOG_BASED"}}},
        {"metadata": {"items": {"replication-key": "name"}}},
        {"metadata": {"items": {"table-key-properties": ["name"]}}},
    ):
        with pytest.raises(SettingsError, match="of Meltano"):
            tap_with(**refused)
