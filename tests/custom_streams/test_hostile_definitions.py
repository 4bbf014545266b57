"""Definitions of custom streams that make no sense: each is refused before a request."""

from __future__ import annotations

from typing import Any

import pytest

from tap_freshbooks.custom_streams.definitions import stream_classes
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.tap import TapFreshBooks

LIST = "/accounting/account/{account_id}/items/items"
GOOD: dict[str, Any] = {
    "name": "mine",
    "path": LIST,
    "records_path": "response.result.items",
    "schema": {"id": {"type": "integer"}},
}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def each_of(keyword: str, *values: Any) -> list[tuple[dict[str, Any], str]]:
    return [({keyword: value}, keyword.removesuffix("s")) for value in values]


def no_connection() -> Any:
    raise AssertionError


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"headers": {"X-Tenant": "a b", "Accept-Language": ""}},
        {"query": {"a": "\0é", "b": [1, "x"], "c": True}},
        {"queries": [{"a": 1}, {}]},
        {"schema": {"id": {"type": "integer"}, "self": {"type": "string"}}},
        {"schema": {"id": {"type": "integer"}, "": {"type": "string"}, "a b": {"type": "array"}}},
        {"replication_key": ""},
    ],
)
def test_what_can_be_sent_and_read_is_taken(more: dict[str, Any]) -> None:
    names = [each.name for each in stream_classes([{**GOOD, **more}], no_connection, {})]
    assert "mine" in names


@pytest.mark.parametrize(
    ("more", "says"),
    [
        *each_of("name", 5, "", "A", "a b", "é", "a\0", "a\n", []),
        *(
            ({"path": path}, "path")
            for path in (
                *(5, "", "x", "/", "/x", f"{LIST}?page=2", f"{LIST}#x", f"{LIST}\n", f"/a {LIST}"),
                *(f"/é{LIST}", f"/\0{LIST}", f"/\\{LIST}", f"/{LIST}", f"/..{LIST}", f"/.{LIST}"),
                *(f"{LIST}//x", LIST * 2, f"{LIST}{{", "/{account_id!r}", "/{account_id[0]}"),
            )
        ),
        *(
            ({"headers": {name: "x"}}, "header")
            for name in (
                *("", " ", "a b", "a:b", "a\nb", "a\n", "é", "a\0", "X(y)", "\ud800"),
                *("Authorization", "HOST", "content-length", "Transfer-Encoding", "Connection"),
            )
        ),
        *each_of("headers", *({"X": each} for each in ("a\n", "a\r\nb", " a", "é", 5, None))),
        *each_of("headers", [], "X: y", 5),
        *each_of("query", {"": 1}, {"a": None}, {"a": {}}, {"a": [[]]}),
        ({"queries": [{"a": None}]}, "query"),
        ({"query": []}, "query"),
        ({"records_path": ""}, "records_path"),
        ({"primary_keys": ["nope"]}, "no field nope"),
        ({"primary_keys": [5]}, "primary_keys"),
        *(
            ({"primary_keys": ["id"], "schema": {"id": each}}, "id cannot be one of its primary_")
            for each in (
                *({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
                *({"type": "object"}, {"type": "object", "properties": {"a": {"type": "string"}}}),
            )
        ),
        *(
            (
                {"replication_key": "id", "schema": {"id": each}},
                "replication_key id is no date-time",
            )
            for each in (
                *({"type": "integer"}, {"type": "string"}, {"type": "boolean"}, {"type": "object"}),
                {"type": "string", "format": "date"},
            )
        ),
        (
            {"name": "items", "override": True, "primary_keys": ["unit_cost"], "schema": None},
            "unit_cost cannot be one of",
        ),
        ({"schema": {}}, "schema"),
        ({"schema": {"properties": None}}, "schema"),
        ({"schema": {"id": 5}}, "schema"),
        ({"schema": {"id": {"type": [5]}}}, "schema"),
        ({"schema": {"id": {"type": "string", "format": []}, "x": {"type": 5}}}, "schema"),
        ({"schema": {"id": {"type": "integer"}, "x": deep(5000)}}, "nested too deeply"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(more: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        stream_classes([{**GOOD, **more}], no_connection, {})
    assert says in str(refusal.value)


def test_columns_of_the_tap_are_what_they_are_whatever_a_schema_says_of_them() -> None:
    names = ("id", "vis_state", "account_id", "_sdc_deleted_at")
    schema = {name: {"type": "integer"} for name in names}
    definition = {**GOOD, "schema": schema, "primary_keys": ["id", "id"]}
    streams = stream_classes([definition], no_connection, {})
    [stream] = (each for each in streams if each.name == "mine")
    properties = stream.record_properties()
    assert properties["account_id"]["type"] == ["string", "null"]
    assert properties["_sdc_deleted_at"] == {"type": ["string", "null"], "format": "date-time"}
    assert stream.record_keys() == ("account_id", "id")


@pytest.mark.parametrize(
    ("value", "says"),
    [("\ud800", "half a character"), (deep(200), "nested too deeply"), ({"\udfff": 1}, "half a")],
)
def test_what_no_message_could_carry_is_refused_in_every_setting(value: Any, says: str) -> None:
    for name in ("stream_map_config", "stream_maps", "custom_streams"):
        given = [{**GOOD, "query": {"a": value}}] if name == "custom_streams" else {"a": value}
        with pytest.raises(SettingsError, match=f"{name} cannot be used: it .*{says}"):
            TapFreshBooks(config={name: given}, setup_mapper=False)
