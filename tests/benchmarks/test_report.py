from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest

from benchmarks import venvs
from benchmarks.report import goals, page

if TYPE_CHECKING:
    from pathlib import Path


COSTS = {"tap": 10.0, "sdk-default": 50.0, "airbyte": 20.0, "decode-encode": 8.0}


def cpu(**other: float) -> dict[str, Any]:
    costs = {**COSTS, **other}
    runs = {name: [{"cpu": 1.0 + seconds}] for name, seconds in costs.items()}
    start = {name: [{"cpu": 1.0}] for name in costs}
    return {"records": 100_100, "runs": runs, "page": start}


def stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((venvs.HERE / "results.json").read_text("utf-8"))
    return found


def test_a_missed_goal_says_by_how_much() -> None:
    found = {goal.key: goal.missed_by for goal in goals.goals({"cpu": cpu()})}
    assert found == {
        "cpu-sdk": None,
        "cpu-airbyte": "100.0%",
        "cpu-floor": None,
    }


def test_a_goal_that_one_of_two_measurements_misses_is_missed() -> None:
    text = goals.section({"cpu": cpu()}, {"cpu": cpu(tap=12.0)})
    row = next(line for line in text.splitlines() if "SDK-default" in line)
    assert "0.20" in row
    assert "0.24" in row
    assert "**missed** by 20.0%" in row


@pytest.mark.parametrize(
    ("figure", "shown"),
    [(0.2004, "0.2004"), (0.1996, "0.1996"), (0.2, "0.20"), (0.206, "0.21"), (0.203, "0.203")],
)
def test_a_figure_is_seen_to_be_on_its_side_of_a_limit(figure: float, shown: str) -> None:
    assert goals.beside(figure, 0.2) == shown


def test_the_least_time_is_full_windows_and_a_last_one_in_haste() -> None:
    case = {"requests": 600, "processes": 1, "refused": 1, "seconds": 140.0}
    two = {**case, "processes": 2, "refused": 9, "seconds": 149.0}
    part = {"limit": 250, "window": 60, "per_second": 10, "cases": {"one": case, "two": two}}
    found = {goal.key: (goal.figure, goal.missed_by) for goal in goals.goals({"window": part})}
    assert found == {
        "window-one": ("1.08 ×", "2.6%"),  # noqa: RUF001
        "refused-one": ("1", "1"),
        "window-two": ("1.19 ×", "3.7%"),  # noqa: RUF001
        "refused-two": ("9", None),
    }


def test_only_missed_goals_have_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("## cpu-sdk\nNobody knows.\n\n## cpu-airbyte\nTheirs got\nfaster.\n", "utf-8")
    monkeypatch.setattr(goals, "NOTES", notes)
    text = goals.section({"cpu": cpu()}, {})
    assert "Theirs got\nfaster." in text
    assert "Nobody knows." not in text


def test_each_reason_belongs_to_a_goal() -> None:
    assert set(goals.notes()) <= set(get_args(goals.Key))


def test_the_page_is_made_of_the_stored_results() -> None:
    written = (page.DOCS / "benchmarks.md").read_text("utf-8")
    assert written == page.page(stored()), "make bench ARGS=--report writes it"
