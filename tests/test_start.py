"""What a start costs: only what is wanted is imported, read and made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.unified import stream_classes
from tests.support import Command, catalog_of, every_stream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The streams of each sync, which reads nothing; nor can the mappings be read."""
    every_stream()  # what catalogs are made of, with all mappings
    seen: list[set[str]] = []

    def load(folder: str | None) -> Mapping[str, Any]:
        raise AssertionError(folder)

    monkeypatch.setattr(TapFreshBooks, "sync", lambda tap: seen.append({*tap.streams}))
    monkeypatch.setattr(stream_classes, "load", load)
    return seen


@pytest.mark.parametrize("selected", [(), ("invoices", "invoice_lines")])
def test_a_sync_reads_no_mapping_of_the_unified_model_unless_one_is_wanted(
    synced: list[set[str]], command: Command, tmp_path: Path, selected: tuple[str, ...]
) -> None:
    (tmp_path / "config.json").write_text('{"access_token": "x"}')
    options = ["--config", str(tmp_path / "config.json")]
    if selected:
        (tmp_path / "catalog.json").write_text(json.dumps(catalog_of(*selected)))
        options += ["--catalog", str(tmp_path / "catalog.json")]
    status, _, errors = command(*options)
    assert (status, errors) == (0, "")
    everything = TapFreshBooks(config={}, validate_config=False, is_sync=True).streams
    assert synced == [{*everything}]


def test_a_sync_without_a_catalog_has_all_that_is_selected_by_default() -> None:
    config = {"access_token": "x"}
    few, all_ = TapFreshBooks(config=config, is_sync=True), TapFreshBooks(config=config)
    assert {name for name, stream in few.streams.items() if stream.selected} == {
        name for name, stream in all_.streams.items() if stream.selected
    }
    unified = all_.streams.keys() - few.streams.keys()
    assert unified
    assert all(name.startswith("unified_") for name in unified)


def test_a_map_of_a_unified_stream_is_known_also_where_none_is_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    maps = {"unified_invoices": {"x": "id"}, "unified_nonsense": {"x": "id"}}
    config = {"access_token": "x", "stream_maps": maps}
    TapFreshBooks(config=config, is_sync=True)
    assert ["unified_nonsense" in each for each in caplog.messages] == [True]
