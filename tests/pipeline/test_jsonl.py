from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from demo.snapshot import Snapshot
from tests.pipeline.books import Books

if TYPE_CHECKING:
    from pathlib import Path

    from tap_freshbooks.sandbox import Sandbox

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]


def test_each_stream_becomes_a_file_of_records_as_the_tap_made_them(
    own_sandbox: Sandbox, plugins: Path, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    place = {"TARGET_JSONL_DESTINATION_PATH": str(files)}
    Books(own_sandbox, plugins, tmp_path, place).load("target-jsonl")

    records = {
        file.stem: [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in files.iterdir()
    }
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for invoice in records["invoices"]:
        if not invoice.get("_sdc_deleted_at"):
            sums[invoice["amount"]["code"]] += Decimal(invoice["amount"]["amount"])
    rows = Counter({stream: len(found) for stream, found in records.items()})
    assert Snapshot(rows, sums) == Snapshot.of_sandbox(own_sandbox.url, records)
