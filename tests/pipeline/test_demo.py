from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest

from demo.__main__ import report
from demo.pipeline import PROJECT, PipelineError
from demo.snapshot import Snapshot


def demo(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
    ).stdout


@pytest.mark.pipeline
@pytest.mark.xdist_group("pipeline")
def test_the_demo_agrees_to_the_cent_can_be_looked_at_and_leaves_nothing_running() -> None:
    # Not in pytest's folder, see the fixture `postgres`.
    with tempfile.TemporaryDirectory() as place:
        folder = str(Path(place).resolve() / "demo")
        said = demo("--folder", folder, "--invoices", "10")
        looked = demo("sql", "select count(*) from invoices", "--folder", folder)
        processes = subprocess.run(
            ["ps", "-A", "-o", "args="], check=True, capture_output=True, text=True
        ).stdout.splitlines()
    assert "Both sides agree, to the cent." in said
    [(before, after)] = re.findall(r"^invoices +(\d+) +\1 +(\d+) +\2$", said, re.MULTILINE)
    assert int(after) == int(before) + 3
    assert after in looked
    assert [process for process in processes if folder in process] == []


def test_a_cent_of_difference_fails_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    right = Snapshot({"invoices": 2}, {"USD": Decimal("10.00")})
    wrong = Snapshot({"invoices": 2}, {"USD": Decimal("9.99")})
    with pytest.raises(PipelineError, match="differ"):
        report([right, right], [right, wrong])
    assert "9.99" in capsys.readouterr().out


def test_a_lost_row_fails_the_demo() -> None:
    right = Snapshot({"invoices": 2}, {})
    with pytest.raises(PipelineError, match="differ"):
        report([right, right], [Snapshot({"invoices": 1}, {}), right])


def test_a_python_that_is_too_old_is_told_in_a_sentence(tmp_path: Path) -> None:
    outcome = subprocess.run(
        ["make", "demo", f"VENV={tmp_path / 'venv'}", "PYTHON=false"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert outcome.returncode != 0
    assert "Python 3.11 or later is needed" in outcome.stderr
