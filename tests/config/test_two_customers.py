"""Two customers in one Meltano project: one in its `.env`, one in a plugin that inherits."""

from __future__ import annotations

import json
import os
import pkgutil
from typing import TYPE_CHECKING, Any

import click
import pytest

from tap_freshbooks.cli import COMMANDS
from tap_freshbooks.commands import options
from tap_freshbooks.config.unknown_names import variable_of
from tap_freshbooks.tap import TapFreshBooks
from tests.support import QUICK, catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Command

ME = ["api", "/auth/api/v1/users/me"]
SYNC = ["--catalog", "catalog.json"]
OTHERS = [["status"], ["estimate"], ["doctor"], ["webhooks", "list"], ["webhooks", "delete"]]


@pytest.fixture
def first(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.config()


@pytest.fixture
def second(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.config()


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: dict[str, Any]) -> Path:
    """The project of Meltano, where it starts the tap; the first customer is in its `.env`."""
    lines = [f"{variable_of(name)}='{value}'\n" for name, value in first.items()]
    (tmp_path / ".env").write_text("".join(lines))
    (tmp_path / "catalog.json").write_text(json.dumps(catalog_of("taxes")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start_as_plugin(project: Path, settings: dict[str, Any]) -> None:
    """What `meltano invoke tap-freshbooks-b:…` sets: each value under the names of both plugins."""
    more = {**QUICK, "webhook_inbox": project / "inbox.db", "include_deleted": "true", **settings}
    for name, value in more.items():
        for variable in (variable_of(name), variable_of(f"b_{name}"), f"MELTANO_EXTRACT_{name}"):
            os.environ[variable] = str(value)
    for extra in ("_SELECT", "B__SELECT", "_LOAD_SCHEMA"):
        os.environ[variable_of(extra)] = "[]"
    os.environ |= {
        "MELTANO_PROJECT_ROOT": str(project),
        "MELTANO_EXTRACTOR_NAME": "tap-freshbooks-b",
        "MELTANO_EXTRACTOR_NAMESPACE": "tap_freshbooks_b",
    }


def stored(project: Path) -> str:
    return "".join(path.read_text() for path in project.glob(".meltano/**/*.json"))


@pytest.mark.parametrize("arguments", [ME, SYNC, ["--discover"], ["unified"], ["webhooks", "list"]])
def test_a_plugin_uses_its_own(
    sandbox: Sandbox,
    command: Command,
    project: Path,
    first: dict[str, Any],
    second: dict[str, Any],
    arguments: list[str],
) -> None:
    start_as_plugin(project, second)
    status, _, error = command(*arguments, "--config", "ENV")
    asks = arguments not in (["--discover"], ["unified"])
    assert status == (1 if arguments[0] == "webhooks" else 0)  # nothing is registered yet
    assert sandbox.stats(first["client_id"])["requests"] == 0
    assert bool(sandbox.stats(second["client_id"])["requests"]) == asks
    assert first["refresh_token"] not in stored(project)
    assert "is unknown" not in error


@pytest.mark.parametrize("arguments", [ME, SYNC, *OTHERS])
def test_one_that_is_not_connected_yet_takes_no_token_of_another(
    sandbox: Sandbox,
    command: Command,
    project: Path,
    first: dict[str, Any],
    second: dict[str, Any],
    arguments: list[str],
) -> None:
    start_as_plugin(project, {**second, "refresh_token": ""})  # as docs/connection.md says
    status, _, error = command(*arguments, "--config", "ENV")
    assert status == 2
    assert "there is no connection yet" in error
    assert sandbox.stats(first["client_id"])["requests"] == 0
    assert first["refresh_token"] not in stored(project)


def all_commands() -> Iterator[tuple[str, click.Command]]:
    for name, (place, _) in COMMANDS.items():
        found = pkgutil.resolve_name(place)
        if isinstance(found, click.Group):
            yield from ((f"{name} {each}", sub) for each, sub in found.commands.items())
        elif name != "sandbox":
            yield name, found


def test_all_commands_read_their_settings_by_one_path() -> None:
    for name, each in all_commands():
        [option] = [option for option in each.params if "--config" in option.opts]
        assert option.callback is options._read_settings, name
    [option] = [option for option in TapFreshBooks.cli.params if "--config" in option.opts]
    assert option.callback == TapFreshBooks.cb_config
