from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from benchmarks import machine, series
from benchmarks.bench import QUICK, Bench, Part
from benchmarks.parts import PARTS
from benchmarks.series import Series

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def part(name: str) -> Callable[[Bench], Part]:
    def measured(bench: Bench) -> Part:
        del bench
        if name == "cpu":
            raise KeyError("a figure that nobody has measured")
        return {"part": name}

    return measured


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(series, "PARTS", {name: part(name) for name in PARTS})
    monkeypatch.setattr(series, "replay", nullcontext)
    monkeypatch.setattr(series, "verify", lambda _: None)
    monkeypatch.setattr(machine, "description", lambda: "a machine")
    return tmp_path / "results.json"


def test_a_part_that_fails_costs_no_other_one(results: Path, tmp_path: Path) -> None:
    names = list(PARTS)
    assert Series(tmp_path, QUICK, results).run(names) == ["cpu"]
    stored = json.loads(results.read_text("utf-8"))
    assert sorted(stored) == sorted(set(names) - {"cpu"})
    assert stored["memory"][0]["part"] == "memory"


def test_patient_parts_go_on_while_the_window_is_waited_for(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = threading.Event()

    def memory(bench: Bench) -> Part:
        del bench
        began.set()
        return {}

    def window(bench: Bench) -> Part:
        del bench
        assert began.wait(10)
        return {}

    parts = {"window": window, "memory": memory, "startup": part("startup")}
    monkeypatch.setattr(series, "PARTS", parts)
    assert Series(tmp_path, QUICK, results).run(list(parts)) == []
    assert list(json.loads(results.read_text("utf-8"))) == ["startup", "memory", "window"]


def test_two_measurements_of_a_part_are_kept(results: Path, tmp_path: Path) -> None:
    results.write_text('{"cpu": [{"part": "before"}], "memory": [{"part": "before"}]}', "utf-8")
    for _ in range(2):
        Series(tmp_path, QUICK, results).run(["memory", "cpu"])
    stored = json.loads(results.read_text("utf-8"))
    assert [each["part"] for each in stored["memory"]] == ["memory", "memory"]
    assert [each["part"] for each in stored["cpu"]] == ["before"]
