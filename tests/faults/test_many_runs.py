"""Sequences of edits and runs that chance draws; `python -m tests.faults.many_runs` plays more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.many_runs.drawing import Drawing
from tests.faults.many_runs.play import play

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", [32])
def test_after_each_quiet_run_the_target_is_what_a_first_run_would_make_it(
    tmp_path: Path, seed: int
) -> None:
    check(tmp_path, seed)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [26, *range(100, 118)])
def test_nor_is_a_row_missing_stale_or_left_over_in_more_of_them(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)


def check(folder: Path, seed: int) -> None:
    result = play(Drawing(seed).draw(), folder)
    assert not result.problem, f"python -m tests.faults.many_runs 1 {seed}: {result.problem}"
    assert result.compared > 0
