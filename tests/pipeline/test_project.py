"""What `meltano.yml` promises is what the plugins have."""

from __future__ import annotations

import json
import subprocess
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from demo.pipeline import BIN, PROJECT
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNSTRUCTURED = {"stream_maps", "stream_map_config"}
"""Settings that are objects of any shape; the others are settings of their own."""

UNVALUED = {"full_table_interval"}
"""Numbers that may be objects: Meltano fails on an object where it knows a number."""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(PROJECT / "meltano.yml")
    return found


def about(program: Path) -> dict[str, Any]:
    answer = subprocess.run(
        [program, "--about", "--format=json"], check=True, capture_output=True
    ).stdout
    found: dict[str, Any] = json.loads(answer)
    return found


def settings_of(
    properties: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in properties.items():
        if "properties" in schema and name not in UNSTRUCTURED:
            yield from settings_of(schema["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", schema


def test_every_plugin_is_defined_in_full_and_in_its_version(project: dict[str, Any]) -> None:
    for plugin in (*project["plugins"]["extractors"], *project["plugins"]["loaders"]):
        assert plugin["namespace"]
        assert plugin["executable"]
        assert plugin["pip_url"] == "-e ." or "==" in plugin["pip_url"]
        assert all(setting["description"] for setting in plugin["settings"])


def test_the_extractor_has_the_settings_and_capabilities_of_the_tap(
    project: dict[str, Any],
) -> None:
    [plugin] = project["plugins"]["extractors"]
    tap = about(BIN / "tap-freshbooks")
    of_tap = dict(settings_of(tap["settings"]["properties"]))
    of_plugin = {setting["name"]: setting for setting in plugin["settings"]}
    assert set(of_plugin) == set(of_tap)
    assert {name for name, setting in of_plugin.items() if setting.get("sensitive")} == {
        name for name, schema in of_tap.items() if schema.get("secret")
    }
    for name, setting in of_plugin.items():
        default = None if name in UNVALUED else of_tap[name].get("default")
        assert setting.get("value") == default, name
    assert sorted(plugin["capabilities"]) == sorted(tap["capabilities"])


def test_the_extractor_selects_what_the_tap_selects_by_default(project: dict[str, Any]) -> None:
    [plugin] = project["plugins"]["extractors"]
    everything, *excluded = plugin["select"]
    assert everything == "*.*"
    assert all(pattern[0] == "!" for pattern in excluded)
    for stream in STREAMS:
        is_excluded = any(fnmatchcase(f"{stream.name}.id", each[1:]) for each in excluded)
        assert is_excluded != stream.selected_by_default, (
            f"{stream.name}: correct `select` of tap-freshbooks in meltano.yml"
        )


@pytest.mark.pipeline
@pytest.mark.xdist_group("pipeline")
def test_target_postgres_knows_each_setting(project: dict[str, Any], plugins: Path) -> None:
    [plugin] = [each for each in project["plugins"]["loaders"] if each["name"] == "target-postgres"]
    target = about(plugins / "loaders" / "target-postgres" / "venv" / "bin" / "target-postgres")
    known = {name for name, _ in settings_of(target["settings"]["properties"])}
    assert {setting["name"] for setting in plugin["settings"]} <= known
