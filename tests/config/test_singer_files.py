"""States and catalogs that a user may hand over, and what is said of those that make no sense."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.config.singer_files import read_catalog, read_state
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.tap import TapFreshBooks

if TYPE_CHECKING:
    from pathlib import Path

STATE = {"bookmarks": {"items": {"partitions": [{"context": {"account_id": "A"}}]}}}
ENTRY = {
    "tap_stream_id": "items",
    "schema": {"properties": {"id": {"type": "integer"}, "tags": {"items": {"type": "string"}}}},
    "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
}
CATALOG = {"streams": [ENTRY]}
DEEP = "[" * 100_000 + "]" * 100_000


def file_of(content: Any) -> io.TextIOWrapper:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return io.TextIOWrapper(io.BytesIO(text))


def bookmark(**partition: Any) -> dict[str, Any]:
    return {"bookmarks": {"items": {"partitions": [{"context": {"account_id": "A"}, **partition}]}}}


def entry(**changes: Any) -> dict[str, Any]:
    return {"streams": [{**ENTRY, **changes}]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be"])
def test_files_may_be_in_any_encoding_that_an_editor_or_a_shell_writes(encoding: str) -> None:
    assert read_state(file_of(json.dumps(STATE).encode(encoding))) == STATE
    catalog = read_catalog(file_of(json.dumps(CATALOG).encode(encoding)))
    assert catalog is not None
    assert list(catalog) == ["items"]


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"null", b"{}", b'{"type": "STATE", "value": {}}']
)
def test_an_empty_state_means_that_there_is_none(content: bytes) -> None:
    assert read_state(file_of(content)) is None


@pytest.mark.parametrize("wrapped", [{"type": "STATE", "value": STATE}, {"singer_state": STATE}])
def test_a_state_may_come_as_the_tap_or_meltano_shows_it(wrapped: dict[str, Any]) -> None:
    assert read_state(file_of(wrapped)) == STATE


@pytest.mark.parametrize(
    "value",
    [
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "a\0b", "", "🧾"),
        *(None, 5, 10**30, -1.5, True, [], {}, ["x"], {"a": [None]}),
    ],
)
def test_what_a_bookmark_says_may_be_anything(value: Any) -> None:
    state = bookmark(replication_key_value=value, full_read_at=value, x=value)
    assert read_state(file_of(state)) == state


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "is not valid JSON"),
        (b'{"bookmarks": {"\xe9": {}}}', "is not valid JSON"),
        (b'{"bookmarks": {"a": {"x": NaN}}}', "is not valid JSON"),
        (b'{"bookmarks": {"a": {"x": 1e999}}}', "is not valid JSON"),
        (b'{"bookmarks": {"a": {"x": %s}}}' % (b"9" * 5000), "is not valid JSON"),
        (b'{"bookmarks": {"a": {"x": "\\ud800"}}}', "is not valid JSON"),
        (DEEP.encode(), "it is nested too deeply"),
        (bookmark(x=json.loads("[" * 400 + "]" * 400)), "it is nested too deeply"),
        (b"{}\n{}", "it has several lines: keep the last, with `tail -n 1`"),
        ([], "it has no object `bookmarks`"),
        ("x", "it has no object `bookmarks`"),
        (5, "it has no object `bookmarks`"),
        ({"items": "2026-01-01"}, "it has no object `bookmarks`"),
        ({"type": "STATE"}, "it has no object `bookmarks`"),
        ({"bookmarks": None}, "it has no object `bookmarks`"),
        ({"bookmarks": []}, "it has no object `bookmarks`"),
        ({"bookmarks": {"items": "2026-01-01"}}, "bookmarks.items: Expected object, got str"),
        ({"bookmarks": {"items": None}}, "bookmarks.items: Expected object, got null"),
        ({"bookmarks": {"items": {"partitions": {}}}}, "bookmarks.items.partitions: Expected arr"),
        ({"bookmarks": {"items": {"partitions": [5]}}}, "bookmarks.items.partitions[0]: Expected"),
        ({"bookmarks": {"items": {"partitions": [{}]}}}, "missing required field context"),
        (bookmark(context=None), "partitions[0].context: Expected object, got null"),
        (bookmark(context="A"), "partitions[0].context: Expected object, got str"),
        (bookmark(context={"account_id": ["A"]}), "got array"),
        (bookmark(context={"account_id": {"A": 1}}), "got object"),
        (bookmark(progress_markers="x"), "partitions[0].progress_markers: Expected object"),
        (bookmark(progress_markers=None), "partitions[0].progress_markers: Expected object"),
        ({"bookmarks": {"items": {"progress_markers": 5}}}, "items.progress_markers: Expected obj"),
        ({"bookmarks": {"unified_x": {"sources": 5}}}, "unified_x.sources: Expected object"),
        ({"bookmarks": {"unified_x": {"sources": {"x": []}}}}, "unified_x.sources[...]: Expected"),
        (
            {
                "bookmarks": {
                    "items": {"partitions": [{"context": {"a": 1}}, {"context": {"a": 1}}]}
                }
            },
            "bookmarks.items has two partitions with one context",
        ),
    ],
)
def test_a_state_that_makes_no_sense_is_refused_in_a_sentence(content: Any, says: str) -> None:
    with pytest.raises(SettingsError, match=r"^the state file ") as refusal:
        read_state(file_of(content))
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it has no list `streams`"),
        (b"null", "it has no list `streams`"),
        (b"[", "is not valid JSON"),
        (b"{}\n{}", "it has several lines"),
        (DEEP.encode(), "nested too deeply"),
        ([], "it has no list `streams`"),
        ({}, "it has no list `streams`"),
        ({"streams": None}, "it has no list `streams`"),
        ({"streams": {}}, "it has no list `streams`"),
        ({"streams": "items"}, "it has no list `streams`"),
        ({"streams": []}, "it has no list `streams` with a stream in it"),
        ({"streams": [[]]}, "streams[0]: Expected object, got array"),
        ({"streams": [{"stream": "items"}]}, "streams[0]: Object missing required field tap_str"),
        ({"streams": [ENTRY, ENTRY]}, "it lists the stream items twice"),
        (entry(tap_stream_id=5), "5.tap_stream_id: Expected str, got int"),
        (entry(tap_stream_id=[]), "streams[0].tap_stream_id: Expected str, got array"),
        (entry(stream=5), "items.stream: Expected str | null, got int"),
        (entry(key_properties="id"), "items.key_properties: Expected array | null, got str"),
        (entry(key_properties=[5]), "items.key_properties[0]: Expected str, got int"),
        (entry(replication_key=5), "items.replication_key: Expected str"),
        (entry(replication_method=[]), "items.replication_method: Expected str"),
        (entry(schema=None), "items.schema: Expected object, got null"),
        (entry(schema=True), "items.schema: Expected object, got bool"),
        (entry(schema={"properties": []}), "items.schema.properties: Expected object | null"),
        (entry(schema={"properties": {"id": None}}), "items.schema.id: Expected object, got null"),
        (entry(schema={"properties": {"id": {"type": 5}}}), "items.schema.id.type: Expected str"),
        (entry(schema={"properties": {"id": {"items": 5}}}), "items.schema.id.items: Expected obj"),
        (
            entry(schema={"properties": {"id": {"items": {"properties": {"a": 5}}}}}),
            "items.schema.id[].a: Expected object, got int",
        ),
        (entry(schema={"properties": {"id": {"anyOf": 5}}}), "items.schema.id.anyOf: Expected arr"),
        (entry(schema={"properties": {"id": {"const": 5}}}), "items.schema.id has const, which no"),
        (entry(schema={"minProperties": 2, "not": {}}), "items.schema has minProperties, not, wh"),
        (
            entry(schema={"properties": {"id": {"items": {"$ref": "http://x/"}}}}),
            "items.schema.id[] has $ref, which no record would be held against",
        ),
        (entry(metadata=None), "items.metadata: Expected array, got null"),
        (entry(metadata={}), "items.metadata: Expected array, got object"),
        (entry(metadata=[None]), "items.metadata[0]: Expected object, got null"),
        (entry(metadata=[{"metadata": {}}]), "items.metadata[0]: Object missing required field br"),
        (
            entry(metadata=[{"breadcrumb": "properties", "metadata": {}}]),
            "breadcrumb: Expected arr",
        ),
        (entry(metadata=[{"breadcrumb": [[]], "metadata": {}}]), "breadcrumb[0]: Expected str"),
        (entry(metadata=[{"breadcrumb": [], "metadata": None}]), "metadata: Expected object"),
        (
            entry(metadata=[{"breadcrumb": [], "metadata": {"selected": "false"}}]),
            "items.metadata[0].metadata.selected: Expected bool | null, got str",
        ),
        (
            entry(metadata=[{"breadcrumb": [], "metadata": {"table-key-properties": "id"}}]),
            "metadata.table-key-properties: Expected array",
        ),
    ],
)
def test_a_catalog_that_makes_no_sense_is_refused_in_a_sentence(content: Any, says: str) -> None:
    with pytest.raises(SettingsError, match=r"^the catalog file ") as refusal:
        read_catalog(file_of(content))
    assert says in str(refusal.value)


def test_a_configuration_file_that_is_named_twice_is_one(tmp_path: Path) -> None:
    file, link = tmp_path / "config.json", tmp_path / "link.json"
    file.write_text('{"refresh_token": "r"}')
    link.symlink_to(file)
    for names in ((file, file), (file, link), (file, tmp_path / "." / "config.json")):
        settings = TapFreshBooks.read_settings([str(each) for each in names])
        assert settings.token_file == names[-1]
    other = tmp_path / "other.json"
    other.write_text('{"refresh_token": "r"}')
    assert TapFreshBooks.read_settings([str(file), str(other)]).token_file is None


def test_a_configuration_that_has_no_path_any_more_takes_no_tokens() -> None:
    """As a here-document of a shell, which is a file that was deleted."""
    descriptor = os.memfd_create("config")
    os.write(descriptor, b'{"refresh_token": "r"}')
    settings = TapFreshBooks.read_settings([f"/proc/self/fd/{descriptor}"])
    os.close(descriptor)
    assert settings["refresh_token"] == "r"
    assert settings.token_file is None
