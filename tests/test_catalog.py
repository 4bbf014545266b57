"""One snapshot per stream, so that every change of a schema shows in review."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.streams.resources import STREAMS
from tests.support import every_stream

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


@pytest.fixture(scope="module")
def catalog() -> dict[str, Any]:
    """What discovery prints for a user."""
    done = subprocess.run(
        [sys.executable, "-m", "tap_freshbooks", "--discover"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {entry["tap_stream_id"]: entry for entry in json.loads(done.stdout)["streams"]}


def test_discovery_lists_all_streams(catalog: dict[str, Any]) -> None:
    native = {stream.name for stream in STREAMS}
    unified = {name for name in catalog if name.startswith("unified_")}
    assert set(catalog) == native | unified
    assert len(unified) == 17


@pytest.mark.parametrize("stream", every_stream())
def test_the_schema_of_a_stream(
    catalog: dict[str, Any], stream: str, snapshot: SnapshotAssertion
) -> None:
    entry = catalog[stream]
    assert {
        "key_properties": entry["key_properties"],
        "replication_key": entry.get("replication_key"),
        "replication_method": entry["replication_method"],
        "schema": list(_lines(entry["schema"])),
    } == snapshot


def _lines(schema: dict[str, Any], path: str = "") -> Any:
    """A schema as one line per field."""
    for name, field in sorted(schema.get("properties", {}).items()):
        kind = "/".join(field["type"]) + (f" {field['format']}" if "format" in field else "")
        yield f"{path}{name}: {kind}"
        yield from _lines(field, f"{path}{name}.")
        items = field.get("items", {})
        if "properties" not in items and items:
            yield f"{path}{name}[]: {'/'.join(items['type'])}"
        yield from _lines(items, f"{path}{name}[].")
