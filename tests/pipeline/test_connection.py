"""Meltano, which writes the configuration of each run anew and deletes it afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from demo.pipeline import Meltano, settings_for
from tests.faults.account import Account
from tests.pipeline.conftest import new_system_dir

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]

LOADER = "target-jsonl"


def secrets_of(sandbox: Sandbox, client_id: str) -> set[str]:
    """Every token that the sandbox has ever issued to an app."""
    oauth = sandbox.state.oauth
    return {
        token
        for issued in (oauth.access_tokens, oauth.refresh_tokens)
        for token, about in issued.items()
        if about.app.client_id == client_id
    }


def state_of(meltano: Meltano) -> dict[str, Any]:
    printed = meltano("state", "get", f"dev:tap-freshbooks-to-{LOADER}")
    state: dict[str, Any] = json.loads(printed[printed.index("{") :])
    return state


def test_runs_and_a_discovery_share_one_refresh_until_the_user_authorises_anew(
    own_sandbox: Sandbox, plugins: Path, tmp_path: Path
) -> None:
    account = Account(own_sandbox, "", tmp_path)
    settings = {
        "TAP_FRESHBOOKS__SELECT": '["taxes.*"]',
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path / "files"),
        **settings_for(
            {
                "api_url": account.client.api_url,
                "auth_url": account.client.api_url,
                "client_id": account.client.client_id,
                "client_secret": account.client.client_secret,
                "redirect_uri": account.client.redirect_uri,
            }
        ),
    }
    system = new_system_dir(plugins, tmp_path / "system")
    meltano = Meltano(system, settings, tmp_path / "meltano.log")

    def run() -> None:
        meltano("run", "tap-freshbooks", LOADER, TAP_FRESHBOOKS_REFRESH_TOKEN=seed_of(account))

    run()
    meltano("invoke", "tap-freshbooks", "--discover", TAP_FRESHBOOKS_REFRESH_TOKEN=seed_of(account))
    run()
    assert (account.refreshes, account.spent, account.requests) == (1, 0, 1)

    account.authorise_anew()
    exchanges = account.requests
    run()
    assert (account.refreshes, account.spent, account.requests) == (2, 0, exchanges + 1)

    state = json.dumps(state_of(meltano))
    assert "taxes" in state
    printed = meltano.log.read_text(encoding="utf-8")
    tokens = secrets_of(own_sandbox, account.client_id)
    assert len(tokens) == 8
    assert not [token for token in tokens if token in state or token in printed]


def seed_of(account: Account) -> str:
    """The refresh token that the user has configured."""
    assert account.client.seed
    return account.client.seed
