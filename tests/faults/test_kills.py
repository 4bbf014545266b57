"""Sudden deaths at random moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.storm import Storm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.account import Account

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize(
    ("kind", "rotations", "pause"), [("file", 2000, 0), ("postgres", 150, 0.1)]
)
def test_processes_that_die_at_random_moments_lose_no_token(
    new_account: Callable[[str], Account], tmp_path: Path, kind: str, rotations: int, pause: float
) -> None:
    account = new_account(kind)
    figures = Storm(account, 4, tmp_path / "windows", pause).rage(rotations)
    print(figures)  # noqa: T201 - for whoever runs it with -s
    assert (figures.lost, figures.spent) == (0, 0), figures
    assert figures.rotations >= rotations
