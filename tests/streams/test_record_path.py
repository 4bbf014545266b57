"""Records are written by a short way; what arrives is what the SDK's own way would write."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream

from tap_freshbooks.records import DELETED_AT
from tap_freshbooks.schema.fields import Array, Field, Object
from tap_freshbooks.streams.base import RecordStream
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.tap import TapFreshBooks
from tests.support import Messages, catalog_of

if TYPE_CHECKING:
    from collections.abc import Callable

Catalog = dict[str, Any]


def deselected(catalog: Catalog, stream: str, *path: str) -> None:
    """Deselect a field, or a part of one."""
    breadcrumb = [crumb for name in path for crumb in ("properties", name)]
    entry = next(entry for entry in catalog["streams"] if entry["stream"] == stream)
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] == breadcrumb:
            metadata["metadata"]["selected"] = False
            return
    entry["metadata"].append({"breadcrumb": breadcrumb, "metadata": {"selected": False}})


def with_deselected_fields() -> Catalog:
    catalog = catalog_of("invoices", "invoice_lines")
    deselected(catalog, "invoices", "notes")
    deselected(catalog, "invoices", "amount", "code")
    deselected(catalog, "invoice_lines", "unit_cost", "code")
    return catalog


def with_an_older_schema() -> Catalog:
    catalog = catalog_of("invoices", "invoice_lines")
    for entry in catalog["streams"]:
        if entry["stream"] == "invoices":
            del entry["schema"]["properties"]["notes"]
            del entry["schema"]["properties"]["amount"]["properties"]["code"]
    return catalog


def of_invoices() -> Catalog:
    return catalog_of("invoices", "invoice_lines", "clients")


def written(config: dict[str, Any], catalog: Catalog | None) -> list[dict[str, Any]]:
    """The records of a run, with their streams and versions."""
    messages = Messages()
    tap = TapFreshBooks(config=config, catalog=deepcopy(catalog), message_writer=messages)
    tap.connection.open()
    tap.sync_all()
    assert messages.all[-1]["type"] == "STATE"
    return [
        {name: message.get(name) for name in ("stream", "record", "version")}
        for message in messages.all
        if message["type"] == "RECORD"
    ]


@pytest.mark.parametrize(
    ("settings", "catalog"),
    [
        ({}, of_invoices),
        ({"flattening_enabled": True, "flattening_max_depth": 2}, of_invoices),
        ({"stream_maps": {"invoices": {"__alias__": "bills", "notes": None}}}, of_invoices),
        ({"stream_maps": {"invoices": {"digest": "md5(v3_status)"}}}, of_invoices),
        ({"stream_maps": {"invoices": {"__filter__": "v3_status == 'paid'"}}}, of_invoices),
        ({"stream_maps": {"clients": {}, "__else__": None}}, of_invoices),
        (
            {
                "stream_maps": {
                    "invoices": {"account_id": "account_id", "id": "id", "__else__": None}
                }
            },
            of_invoices,
        ),
        ({}, with_deselected_fields),
        ({}, with_an_older_schema),
        ({"flattening_enabled": True, "flattening_max_depth": 1}, with_deselected_fields),
    ],
)
def test_the_records_are_those_of_the_sdk(
    own_config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    catalog: Callable[[], Catalog],
) -> None:
    ours = written({**own_config, **deepcopy(settings)}, catalog())
    use_the_sdk(monkeypatch)
    theirs = written({**own_config, **deepcopy(settings)}, catalog())
    assert ours == theirs
    assert ours


def test_the_records_of_all_streams_are_those_of_the_sdk(
    own_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = catalog_of(*(stream.name for stream in STREAMS))
    ours = written(own_config, catalog)
    use_the_sdk(monkeypatch)
    theirs = written(own_config, catalog)
    for record in (*ours, *theirs):
        record["record"].pop("read_at", None)
        record["record"][DELETED_AT] = bool(record["record"].get(DELETED_AT))
        record["version"] = record["version"] and "some"
    assert ours == theirs


def use_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_sync_records", "_write_record_message", "_generate_record_messages"):
        monkeypatch.setattr(RecordStream, name, vars(Stream)[name])
    monkeypatch.setattr(RecordStream, "write_record", vars(Stream)["_write_record_message"])
    # It removes deselected fields from a record itself, parts of which belong to lines too.
    process_parent = DerivedStream.process_parent
    monkeypatch.setattr(
        DerivedStream,
        "process_parent",
        lambda self, record, source: process_parent(self, deepcopy(record), source),
    )


@pytest.mark.parametrize("stream", [each for each in STREAMS if issubclass(each, LineItems)])
def test_a_line_has_no_field_that_its_stream_does_not_declare(stream: type[LineItems]) -> None:
    source = stream.source.fields.fields[stream.list_field]
    assert isinstance(source, Array)
    line: Field = source.item
    assert isinstance(line, Object)
    assert {name for name, field in line.fields.items() if field.emitted} <= set(
        stream.record_properties()
    )
