from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.lists import lists
from benchmarks.manifest import NAMES, STREAMS, incremental, manifest
from benchmarks.target import Target, differences, outdated

if TYPE_CHECKING:
    from pathlib import Path

READ = lists(["taxes", "projects"])
TAXES = READ[0]


def tax(number: int, **rest: Any) -> dict[str, Any]:
    return {"account_id": "Qx7Lm2", "id": number, **rest}


def singer(number: int, version: int = 1, **rest: Any) -> dict[str, Any]:
    record = tax(number, **rest)
    return {"type": "RECORD", "stream": "taxes", "record": record, "version": version}


def airbyte(number: int) -> dict[str, Any]:
    return {"type": "RECORD", "record": {"stream": "taxes", "data": tax(number)}}


def load(target: Target, path: Path, *messages: dict[str, Any]) -> set[str]:
    path.write_text("".join(json.dumps(message) + "\n" for message in messages), "utf-8")
    target.load(path)
    return {key for _, key in target.alive("taxes")}


def test_rows_stay_until_a_version_or_a_mark_deletes_them(tmp_path: Path) -> None:
    target, path = Target(READ), tmp_path / "output.jsonl"
    assert load(target, path, singer(1), singer(2), singer(3)) == {"1", "2", "3"}
    assert load(target, path, singer(2, _sdc_deleted_at="2026-01-31")) == {"1", "3"}
    version = {"type": "ACTIVATE_VERSION", "stream": "taxes", "version": 2}
    assert load(target, path, singer(3, version=2), version) == {"3"}
    assert load(target, path, version, {**version, "stream": "unknown"}) == {"3"}


def test_a_run_replaces_tables_that_are_overwritten(tmp_path: Path) -> None:
    target, path = Target(READ, frozenset({"taxes"})), tmp_path / "output.jsonl"
    assert load(target, path, airbyte(1), airbyte(2)) == {"1", "2"}
    assert load(target, path, airbyte(2)) == {"2"}
    assert load(Target(READ), path, airbyte(3)) == {"3"}


def test_rows_are_missed_or_too_many(tmp_path: Path) -> None:
    target = Target(READ)
    load(target, tmp_path / "output.jsonl", singer(1), singer(2))
    books = {"taxes": {("Qx7Lm2", "2"): tax(2), ("Qx7Lm2", "3"): tax(3)}, "projects": {}}
    found = differences(target, books).numbers()
    assert found == {"missing": {"taxes": 1}, "surplus": {"taxes": 1}}


def test_rows_are_out_of_date_where_a_new_reading_has_other_content(tmp_path: Path) -> None:
    old, new, path = Target(READ), Target(READ), tmp_path / "output.jsonl"
    load(old, path, singer(1, name="HST"), singer(2, name="GST"), singer(3))
    load(new, path, singer(1, 2, name="HST", _sdc_deleted_at=None), singer(2, 2, name="PST"))
    assert outdated(old, new) == {"taxes": 1}


def test_an_inactive_project_is_deleted_an_inactive_tax_is_none() -> None:
    target = Target(READ)
    target.tables = {name: {("1", "2"): {"active": False}} for name in ("taxes", "projects")}
    assert [list(target.alive(name)) for name in target.tables] == [[("1", "2")], []]


@pytest.mark.parametrize("published", [True, False])
def test_the_manifest_has_the_ten_streams_of_the_connector(published: bool) -> None:
    found = lists(STREAMS)
    streams = {each["name"]: each for each in manifest(found, published=published)["streams"]}
    assert sorted(streams) == sorted(NAMES)
    assert len(streams) == 10
    cursors = {name for name, stream in streams.items() if "incremental_sync" in stream}
    assert cursors == incremental(found, published=published)
    assert bool(cursors) != published


def test_what_is_no_plain_list_is_left_out() -> None:
    names = ["identity", "systems", "invoice_lines", "taxes", "project_threads"]
    assert [each.name for each in lists(names)] == ["taxes"]
    assert TAXES.path == "/accounting/account/{account_id}/taxes/taxes"
    assert TAXES.rows == ("response", "result", "taxes")


def test_filters_are_those_that_are_documented() -> None:
    names = ("invoices", "projects", "taxes", "time_entries", "journal_entry_details")
    found = {each.name: (each.changed, each.since) for each in lists(names)}
    assert found.pop("invoices") == ("updated", "search[updated_min]")
    assert found.pop("projects") == ("updated_at", "updated_since")
    assert found == dict.fromkeys(names[2:], (None, None))
