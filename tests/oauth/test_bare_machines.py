"""Machines that lack a home, a temporary directory, or any writable place but the store's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.oauth.stores import fallback
from tests.support import catalog_of

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox

MACHINE = """
import errno, os, pwd, sys
from pathlib import Path

WRITERS = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def nobody(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")

def guard(event, arguments):
    # What the kernel says of a read-only root, whoever the user is.
    if event == "open":
        places = arguments[:1] if (arguments[2] or 0) & WRITERS else ()
    elif event in {"os.mkdir", "os.remove", "os.rename", "os.link", "os.symlink", "os.truncate"}:
        places = arguments[:2] if event in {"os.rename", "os.link"} else arguments[:1]
    else:
        return
    for place in places:
        if isinstance(place, (str, bytes)):
            path = Path(os.path.abspath(os.fsdecode(place)))
            if str(path) != os.devnull and not any(map(path.is_relative_to, volumes)):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

def fill():
    # The store fails once the token is spent.
    from tap_freshbooks.oauth import rotation
    from tap_freshbooks.oauth.token_endpoint import TokenEndpoint

    refresh = TokenEndpoint.refresh

    def last_refresh(*arguments):
        fresh = refresh(*arguments)
        volumes.remove(store)
        return fresh

    TokenEndpoint.refresh = last_refresh
    rotation.STORE_TIMEOUT = 0

store, *others = map(Path, sys.argv[1].split(os.pathsep))
volumes = [store, *others]
lacks = sys.argv[2].split(",")
del sys.argv[1:3]
if "home" in lacks:
    os.environ.pop("HOME", None)
    pwd.getpwuid = nobody
if "store" in lacks:
    fill()
sys.addaudithook(guard)
from tap_freshbooks.cli import main
main()
"""
"""The command line on such a machine: its writable folders, the store's first; what it lacks."""


class Machine:
    """A volume for the store, a working directory, and an environment that can be changed."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.volume, self.cwd, self.home = (folder / name for name in ("volume", "cwd", "home"))
        for each in (self.volume, self.cwd, self.home):
            each.mkdir()
        self.settings = {**config, "token_store": str(self.volume / "tokens.json")}
        (self.cwd / "catalog.json").write_text(json.dumps(catalog_of("taxes")))
        theirs = ("XDG_", "COVERAGE_")
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith(theirs)},
            "HOME": str(self.home),
            "TMPDIR": "/nonexistent",
        }

    def run(self, *arguments: str, lacks: str, writable: tuple[Path, ...] = ()) -> tuple[int, str]:
        """Run a command: exit status, and errors."""
        (self.cwd / "config.json").write_text(json.dumps(self.settings))
        volumes = os.pathsep.join(map(str, (self.volume, *writable)))
        command = [sys.executable, "-c", MACHINE, volumes, lacks, *arguments]
        done = subprocess.run(
            [*command, "--config", "config.json"],
            cwd=self.cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in done.stderr
        assert "unexpected" not in done.stderr
        return done.returncode, done.stderr

    @property
    def rescued(self) -> list[Path]:
        return [*self.cwd.parent.rglob("tap-freshbooks-rescue-*")]


@pytest.fixture
def machine(tmp_path: Path, config: dict[str, Any]) -> Machine:
    return Machine(tmp_path, config)


def stats(sandbox: Sandbox, machine: Machine, name: str) -> int:
    count: int = sandbox.stats(machine.settings["client_id"])[name]
    return count


SYNC = ("--catalog", "catalog.json")


@pytest.mark.parametrize("lacks", ["home", "none"])
@pytest.mark.parametrize("name", ["tokens.json", "tokens.db"])
def test_a_sync_needs_no_place_but_its_store(
    sandbox: Sandbox, machine: Machine, lacks: str, name: str
) -> None:
    path = machine.volume / name
    machine.settings["token_store"] = f"sqlite:///{path}" if name.endswith("db") else str(path)
    for expected in (1, 2):
        sandbox.expire_tokens(machine.settings["client_id"])
        status, error = machine.run(*SYNC, lacks=lacks)
        assert status == 0, error
        assert stats(sandbox, machine, "refreshes") == expected
    assert stats(sandbox, machine, "spent_refresh_tokens") == 0
    assert not machine.rescued


@pytest.mark.parametrize(
    "home", ["", "relative", "/", "/dev/null", pytest.param("/" + 300 * "x", id="too long")]
)
def test_whatever_home_says_a_token_is_refreshed(
    sandbox: Sandbox, machine: Machine, home: str
) -> None:
    machine.environment["HOME"] = home
    status, error = machine.run("api", "/auth/api/v1/users/me", lacks="none")
    assert status == 0, error
    assert stats(sandbox, machine, "refreshes") == 1


def test_without_a_home_a_pair_is_rescued_to_the_next_place(
    sandbox: Sandbox, machine: Machine
) -> None:
    status, error = machine.run(*SYNC, lacks="home,store", writable=(machine.cwd,))
    [path] = machine.rescued
    assert path.parent == machine.cwd
    assert status == 1
    assert f"rescued to {path}" in error
    # Its place cannot be written any more when the pair is taken from there.
    for _ in range(2):
        status, error = machine.run(*SYNC, lacks="home")
        assert status == 0, error
    assert (stats(sandbox, machine, "refreshes"), path.exists()) == (1, True)
    assert stats(sandbox, machine, "spent_refresh_tokens") == 0


@pytest.mark.parametrize("lacks", ["home,store", "store"])
def test_a_pair_that_has_no_place_at_all_is_lost_with_a_word(machine: Machine, lacks: str) -> None:
    status, error = machine.run(*SYNC, lacks=lacks)
    assert status == 3
    assert "could be stored nowhere" in error
    assert "they are lost" in error


def test_without_a_home_and_a_token_store_a_sentence_asks_for_one(
    sandbox: Sandbox, machine: Machine
) -> None:
    del machine.settings["token_store"]
    seed = machine.settings.pop("refresh_token")
    machine.environment["TAP_FRESHBOOKS_REFRESH_TOKEN"] = seed
    status, error = machine.run(*SYNC, "--config", "ENV", lacks="home")
    assert status == 2
    assert "there is no home directory in which the tokens could be kept: set token_store" in error
    assert stats(sandbox, machine, "requests") == 0


@pytest.mark.parametrize("store", ["~/tokens.json", "sqlite:///~/tokens.db"])
def test_a_store_in_a_home_that_is_not_there_is_a_sentence(machine: Machine, store: str) -> None:
    machine.settings["token_store"] = store
    status, error = machine.run(*SYNC, lacks="home")
    assert status == 2
    assert "token_store" in error


def test_a_folder_of_mappings_in_a_home_that_is_not_there_is_a_sentence(machine: Machine) -> None:
    machine.settings["unified_mappings"] = "~/mappings"
    status, error = machine.run(*SYNC, lacks="home")
    assert status == 2
    assert "unified_mappings: ~/mappings is no folder" in error


def test_a_login_page_that_has_no_place_for_its_certificate_is_a_sentence(
    machine: Machine,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free_port = server.getsockname()[1]
    machine.settings["redirect_uri"] = f"https://localhost:{free_port}/callback"
    status, error = machine.run("login", "--no-browser", lacks="home")
    assert status == 2
    assert "set TMPDIR to a folder where it can, or run this again with --paste" in error


def test_a_place_that_is_not_absolute_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As older versions of platformdirs say it where there is no home."""
    monkeypatch.setattr(fallback, "user_state_path", lambda name: Path("~/.local/state", name))
    assert all(place.is_absolute() for place in fallback.fallback_folders())
