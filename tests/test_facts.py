"""The files of docs/freshbooks-api/resources are data, and the index has them all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.facts import FACTS, FILES, fields_of, read

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = {
    *("stream", "title", "area", "identifier", "method", "list_path", "get_path", "records_path"),
    *("pagination", "primary_key", "updated_field", "updated_filter", "created_field", "sort"),
    *("filters", "includes", "scopes", "fields", "sample", "webhook_events", "quirks"),
    *("sources", "confidence"),
}


def unknown_keys(sample: Any, fields: dict[str, Any], path: str = "") -> list[str]:
    if isinstance(sample, list):
        return [key for each in sample for key in unknown_keys(each, fields, path)]
    if not isinstance(sample, dict):
        return []
    found = [f"{path}{key}" for key in sample if key not in fields]
    for key in sample.keys() & fields.keys():
        field = fields[key]
        inner = field.get("properties") or field.get("items", {}).get("properties")
        if inner is not None:
            found += unknown_keys(sample[key], inner, f"{path}{key}.")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_resource_is_told_whole(file: Path) -> None:
    resource = read(file.stem)
    assert set(resource) >= REQUIRED
    assert resource["stream"] == file.stem
    assert resource["pagination"]["style"] in {"accounting", "project", "none"}
    fields = fields_of(resource)
    assert all(isinstance(each, dict) and "type" in each for each in fields.values())
    assert unknown_keys(resource["sample"], fields) == []


def test_a_key_that_no_field_tells_of_is_found() -> None:
    fields = {
        "id": {"type": "integer"},
        "lines": {"type": "array", "items": {"properties": {"name": {"type": "string"}}}},
        "owner": {"type": "object", "properties": {"email": {"type": "string"}}},
    }
    sample = {"id": 1, "odd": 2, "lines": [{"name": "", "qty": 3}], "owner": {"fax": None}}
    assert sorted(unknown_keys(sample, fields)) == ["lines.qty", "odd", "owner.fax"]


def test_the_index_names_every_resource_and_no_other() -> None:
    index = (FACTS / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(resources/(\w+)\.yaml\)", index)
    assert sorted(linked) == [file.stem for file in FILES]


def test_the_pages_are_all_introduced() -> None:
    index = (FACTS / "README.md").read_text(encoding="utf-8")
    pages = {file.name for file in FACTS.glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\| \[([\w-]+\.md)\]\(\1\)", index)) == pages
