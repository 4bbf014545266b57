from __future__ import annotations

import json
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_EXTRA = """
import sys
sys.modules["uvicorn"] = None
"""


def start(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "freshbooks_sandbox", "--port", "0", "--invoices", "10"]
    command += options
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def announcement(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "Ctrl+C" in line:
            break
    return "".join(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_writes_a_ready_configuration_and_ends_cleanly(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "config.json"
    with start("--config", str(path)) as process:
        text = announcement(process)
        config = json.loads(path.read_text())
        assert config["api_url"] in text
        assert path.stat().st_mode & 0o777 == 0o600
        assert sorted(tmp_path.iterdir()) == [path]
        fields = {**config, "grant_type": "refresh_token"}
        answer = requests.post(f"{config['api_url']}/auth/oauth/token", fields, timeout=30)
        assert answer.status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--behaviour", "nonsense=1"), "no behaviour named 'nonsense'"),
        (("--behaviour", "total=some"), "all, visible"),
        (("--behaviour", "small_pages=invioces"), "no resource invioces"),
        (("--invoices", "0"), "--invoices"),
        (("--host", "203.0.113.1"), "Cannot listen"),
    ],
)
def test_wrong_usage_is_a_sentence_without_a_traceback(options: tuple[str, ...], text: str) -> None:
    with start(*options) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode in (1, 2)
    assert text in err
    assert "Traceback" not in err


def run(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *options]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_the_console_script_has_a_name_of_its_own() -> None:
    (script,) = entry_points(group="console_scripts", name="freshbooks-sandbox")
    module, _, function = script.value.partition(":")
    done = run(f"from {module} import {function}; {function}()", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: freshbooks-sandbox [OPTIONS]")


def test_a_missing_extra_is_a_sentence() -> None:
    done = run(f"{WITHOUT_EXTRA}from freshbooks_sandbox.__main__ import main; main()")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "Error: The sandbox needs more packages (missing: uvicorn); "
        "install them with: pip install 'tap-freshbooks[sandbox]'\n"
    )


def test_a_missing_extra_is_a_sentence_in_a_program_too() -> None:
    done = run(f"{WITHOUT_EXTRA}from freshbooks_sandbox import Sandbox")
    assert done.stderr.splitlines()[-1].startswith("ImportError: The sandbox needs more packages")


def test_a_defect_of_the_package_is_not_taken_for_a_missing_extra() -> None:
    code = "import sys; sys.modules['freshbooks_sandbox.app'] = None\n"
    done = run(f"{code}from freshbooks_sandbox.__main__ import main; main()")
    assert "freshbooks_sandbox.app" in done.stderr.splitlines()[-1]
    assert "pip install" not in done.stderr
