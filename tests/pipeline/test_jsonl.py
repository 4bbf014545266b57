from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from demo.snapshot import Snapshot
from tests.pipeline.books import KEEPING, NEW_FIELDS, Books, add_new_fields

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]


def test_each_stream_becomes_a_file_of_records_as_the_tap_made_them(
    own_sandbox: Sandbox, plugins: Path, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    custom = {
        "name": "my_taxes",
        "path": "/accounting/account/{account_id}/taxes/taxes",
        "records_path": "response.result.taxes",
    }
    place = {
        "TARGET_JSONL_DESTINATION_PATH": str(files),
        "TAP_FRESHBOOKS_CUSTOM_STREAMS": json.dumps([custom]),
        **KEEPING,
    }
    add_new_fields(own_sandbox)
    Books(own_sandbox, plugins, tmp_path, place).load("target-jsonl")

    records = {
        file.stem: [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in files.iterdir()
    }
    mine, theirs = records.pop("my_taxes"), records["taxes"]
    assert [(row["account_id"], row["id"]) for row in mine] == [
        (row["account_id"], row["id"]) for row in theirs
    ]
    assert all(row["_extra"]["newly_added"] == NEW_FIELDS for row in records["invoices"])
    assert {row["_extra"] for row in records["taxes"]} == {None}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for invoice in records["invoices"]:
        if not invoice.get("_sdc_deleted_at"):
            sums[invoice["amount"]["code"]] += Decimal(invoice["amount"]["amount"])
    rows = Counter({stream: len(found) for stream, found in records.items()})
    assert Snapshot(rows, sums) == Snapshot.of_sandbox(own_sandbox.url, records)
