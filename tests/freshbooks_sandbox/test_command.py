from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from pathlib import Path

START = "from freshbooks_sandbox.command import sandbox; sandbox()"


def start(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START, "--port", "0", "--invoices", "10", *options]
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
        (("--invoices", "0"), "--invoices"),
        (("--host", "203.0.113.1"), "Cannot listen"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback(options: tuple[str, ...], text: str) -> None:
    with start(*options) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode in (1, 2)
    assert text in err
    assert "Traceback" not in err
