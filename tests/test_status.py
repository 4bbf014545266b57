from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tap_freshbooks.sandbox import Sandbox

STATUS = [sys.executable, "-m", "tap_freshbooks", "status", "--config"]


def status(config: dict[str, object], folder: Path) -> str:
    path = folder / "config.json"
    path.write_text(json.dumps({**config, "requests_per_second": 1000}))
    return subprocess.run([*STATUS, str(path)], capture_output=True, text=True, check=True).stdout


def test_status_shows_businesses_and_what_the_token_may_read(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = sandbox.config(scopes=["user:profile:read", "user:invoices:read"])
    lines = status(config, tmp_path).splitlines()
    first, second, bare = sandbox.businesses()[:3]
    assert lines[0].startswith(f"Connected to {sandbox.url} as ")
    assert f"{first['name']} (business {first['id']}): owner" in lines[1]
    table = {line.split()[0]: line for line in lines[4:]}
    assert f"{first['id']}: yes  {second['id']}: yes" in table["invoices"]
    assert f"{bare['id']}: no account_id" in table["invoices"]
    assert f"{first['id']}: denied (user:clients:read)" in table["clients"]
    assert len(table) > 50


def test_status_asks_for_one_row_of_each_stream(sandbox: Sandbox, tmp_path: Path) -> None:
    config = sandbox.config()
    status(config, tmp_path)
    paths = sandbox.stats(config["client_id"])["paths"]
    assert all(count <= 2 for path, count in paths.items() if "/projects" not in path)
