from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import QUICK

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tests.support import Command

Run = Callable[[str, dict[str, object], Path], tuple[int, list[str], str]]


@pytest.fixture
def run(command: Command) -> Run:
    """Runs a sub-command: its status, the lines that it printed, and its error."""

    def run(name: str, config: dict[str, object], folder: Path) -> tuple[int, list[str], str]:
        path = folder / "config.json"
        if not path.exists():
            path.write_text(json.dumps({**QUICK, **config}))
        status, output, error = command(name, "--config", str(path))
        return status, output.splitlines(), error.strip()

    return run


def test_status_shows_tokens_businesses_and_what_the_token_may_read(
    run: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    config = sandbox.config(scopes=["user:profile:read", "user:invoices:read"])
    status, lines, _ = run("status", config, tmp_path)
    first, second, bare = sandbox.businesses()[:3]
    assert status == 0
    assert lines[0] == f"Tokens: {tmp_path / 'config.json'}"
    assert lines[1] == "  a refresh token that was not used yet"
    assert lines[2].startswith(f"Connected to {sandbox.url} as ")
    assert f"{first['name']} (business {first['id']}): owner" in lines[3]
    table = {line.split()[0]: line for line in lines[6:]}
    assert f"{first['id']}: yes  {second['id']}: yes" in table["invoices"]
    assert f"{bare['id']}: no account_id" in table["invoices"]
    assert f"{first['id']}: denied (user:clients:read user:invoices:read)" in table["clients"]
    assert len(table) > 50
    _, lines, _ = run("status", config, tmp_path)
    assert lines[1] == "  generation 1, made 0 min ago"
    assert lines[2].startswith("  the access token ends in 11 h 5")


def test_status_asks_for_one_row_of_each_stream(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    config = sandbox.config()
    run("status", config, tmp_path)
    paths = sandbox.stats(config["client_id"])["paths"]
    assert all(count <= 2 for path, count in paths.items() if "/projects" not in path)


def test_status_tells_a_page_of_a_firewall_from_a_refusal(
    run: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    [first, *_] = [each["id"] for each in sandbox.businesses()]
    config = {**sandbox.config(), "business_ids": [first], "max_attempts": 1}
    page = {"status": 403, "content": "<html>Blocked</html>", "client_id": config["client_id"]}
    sandbox.faults("answer", path="*/invoices/invoices", **page)
    status, lines, _ = run("status", config, tmp_path)
    sandbox.faults_clear()
    assert status == 0
    table = {line.split()[0]: line for line in lines if line}
    assert table["invoices"].endswith(
        f"  {first}: the answer was 403 Forbidden with an HTML page of a proxy or firewall, not "
        "FreshBooks' JSON; gave up after 1 attempt"
    )
    assert table["payments"].endswith(f"{first}: yes")


def test_status_of_an_account_that_must_be_authorised_again(
    run: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    config = {**sandbox.config(), "refresh_token": "0" * 64}
    assert run("status", config, tmp_path)[0] == 3
    asked = sandbox.stats(config["client_id"])["requests"]
    status, lines, error = run("status", config, tmp_path)
    assert status == 3
    assert lines[2].startswith("  flagged at 20")
    assert "spent or revoked" in lines[2]
    assert "connect the account again with `tap-freshbooks login`" in error
    assert sandbox.stats(config["client_id"])["requests"] == asked
    assert "0" * 64 not in "".join(lines) + error


def test_logout_revokes_and_forgets(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    config = sandbox.config(scopes=["user:profile:read"])
    path = tmp_path / "config.json"
    run("status", config, tmp_path)
    access_token = json.loads(path.read_text())["access_token"]
    status, lines, _ = run("logout", config, tmp_path)
    assert status == 0
    assert lines[0] == f"Disconnected: the tokens are revoked and no longer in {path}."
    left = json.loads(path.read_text())
    assert {name for name in left if "token" in name} == set()
    assert left["client_id"] == config["client_id"]
    me = {"access_token": access_token, "api_url": sandbox.url}
    (other := tmp_path / "other").mkdir()
    assert run("status", me, other)[0] == 3  # the access token is dead as well


def test_logout_forgets_nothing_that_it_could_not_revoke(
    run: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    config = sandbox.config(scopes=["user:profile:read"])
    path = tmp_path / "config.json"
    run("status", config, tmp_path)
    before = json.loads(path.read_text())
    sandbox.faults("status", client_id=config["client_id"], path="/auth/oauth/revoke", status=503)
    status, _, error = run("logout", config, tmp_path)
    sandbox.faults_clear()
    assert status == 1
    assert "could not be revoked: FreshBooks answered 503" in error
    assert "nothing was forgotten" in error
    assert json.loads(path.read_text()) == before


def test_logout_without_a_connection_says_so(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    config = {**sandbox.config(), "refresh_token": None, "token_store": str(tmp_path / "none.json")}
    status, lines, _ = run("logout", config, tmp_path)
    assert status == 0
    assert lines == [f"There is no connection: {tmp_path / 'none.json'} holds no tokens."]
