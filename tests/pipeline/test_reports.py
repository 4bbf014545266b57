from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import duckdb
import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS
from tests.conftest import settings_for
from tests.support import sync

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]

TABLES = [stream.name for stream in STREAMS if issubclass(stream, Report | ReportRows)]
BEHAVIOURS = {"payments_collected": "all", "payables_aging": "granted"}


def test_every_report_can_be_loaded_into_duckdb_twice(plugins: Path, tmp_path: Path) -> None:
    """PostgreSQL is in test_unified.py. This loader refuses an empty text in a key."""
    with Sandbox(invoices=60, rate_limit=0, behaviours=BEHAVIOURS) as sandbox:
        years = {"start_date": "2025-01-01", "report_interval": "year"}
        messages = sync({**settings_for(sandbox, tmp_path), **years}, *TABLES)
    lines = "".join(f"{json.dumps(message, default=str)}\n" for message in messages.all)
    database, config = tmp_path / "reports.duckdb", tmp_path / "config.json"
    settings = {"path": str(database), "default_target_schema": "tap_freshbooks"}
    config.write_text(json.dumps(settings), encoding="utf-8")
    [loader] = plugins.glob("loaders/target-duckdb/venv/bin/target-duckdb")
    for _ in range(2):
        command = [str(loader), "--config", str(config)]
        subprocess.run(command, input=lines.encode(), check=True, capture_output=True)
    with duckdb.connect(database, read_only=True) as connection:
        for name in TABLES:
            table = connection.table(f"tap_freshbooks.{name}")
            assert table.count("*").fetchall() == [(len(messages.records[name]),)]
            assert messages.records[name]
