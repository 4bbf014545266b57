from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks import measure
from benchmarks.measure import BenchmarkError
from benchmarks.server import FIRST_ID, Books, Stage

if TYPE_CHECKING:
    from pathlib import Path

LINES = '{"type":"RECORD","n":1}\\n{"type": "RECORD","n":2}\\n{"type":"STATE"}\\n'
PROGRAM = f"import sys; sys.stdout.write('{LINES}' * 500); data = bytearray(40_000_000)"


@pytest.mark.parametrize("chunk", [1, 17, 1000])
def test_records_are_counted_wherever_the_output_is_cut(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "CHUNK", chunk)
    done = measure.run([sys.executable, "-c", PROGRAM], folder=tmp_path)
    assert done.records == 1000
    assert done.wall >= done.cpu / 2 > 0
    assert 40_000_000 < done.memory < 80_000_000


def test_a_command_that_fails_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="ended with 3"):
        measure.run([sys.executable, "-c", "raise SystemExit(3)"], folder=tmp_path)


def test_the_replay_has_every_row_once() -> None:
    stage = Stage(Books.from_sandbox(), records=250)
    rows = []
    for page in ("1", "2", "3", "4"):
        answer = json.loads(stage.invoices({"page": page, "per_page": "100"}))
        result = answer["response"]["result"]
        assert (result["pages"], result["total"]) == (3, 250)
        rows += result["invoices"]
    assert [row["id"] for row in rows] == list(range(FIRST_ID, FIRST_ID + 250))
    assert all(line["invoiceid"] == row["id"] for row in rows for line in row["lines"])
    assert (
        json.loads(stage.invoices({"search[vis_state]": "1"}))["response"]["result"]["total"] == 0
    )
