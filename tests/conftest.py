from __future__ import annotations

import atexit
import gc
import logging
import os
import pickle
import signal
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demo.pipeline import Postgres
from freshbooks_sandbox import Sandbox, state
from freshbooks_sandbox.seed_data import generate
from tap_freshbooks import cli
from tap_freshbooks.transport import client, outage
from tests.shared_sandbox import SharedSandbox
from tests.support import QUICK, Command

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers a core: tests of processes and outages wait more than they work.

    A few tests that are named are run in this process, before workers would have begun.
    """
    few = config.getoption("keyword") or any("::" in each for each in config.args)
    return 0 if few else 2 * (os.cpu_count() or 1)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let tests that share what a fixture made run in one worker, so that it is made once."""
    if not isinstance(item, pytest.Function) or item.get_closest_marker("xdist_group"):
        return
    scopes = {fixtures[-1].scope for fixtures in item._fixtureinfo.name2fixturedefs.values()}
    if scopes & {"class", "module"}:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while modules are imported, which takes half of the time, and later less.

    Almost all objects live until the end, and each search goes through many of them in vain.
    """
    gc.disable()
    result = yield
    gc.freeze()
    atexit.register(gc.unfreeze)  # extension modules complain of objects that outlive them
    gc.enable()
    gc.set_threshold(20_000, 20, 20)
    return result


@pytest.fixture(autouse=True, scope="session")
def _signals_end_processes() -> None:
    """Heed the signals that a shell lets its background jobs, or `nohup` its command, ignore.

    Processes of the tests inherit what is ignored, and are told by these signals to end.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True, scope="session")
def _seed_data_generated_once() -> Iterator[None]:
    """Hundreds of sandboxes begin with the same data: to unpickle it is 20 times as quick."""

    @lru_cache
    def pickled(seed: int, invoices: int) -> bytes:
        return pickle.dumps(generate(seed, invoices))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "generate", lambda *scale: pickle.loads(pickled(*scale)))  # noqa: S301
        yield


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests that only read."""
    with SharedSandbox(rate_limit=0) as running:
        yield running


@pytest.fixture
def own_sandbox() -> Iterator[Sandbox]:
    """A sandbox of the test's own, to write to or to disturb."""
    with Sandbox(invoices=60, rate_limit=0) as running:
        yield running


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Settings of a fresh connection to the shared sandbox."""
    return settings_for(sandbox, tmp_path)


@pytest.fixture
def own_config(own_sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Settings of a fresh connection to the test's own sandbox."""
    return settings_for(own_sandbox, tmp_path)


def settings_for(sandbox: Sandbox, folder: Path) -> dict[str, Any]:
    """Settings of a fresh connection without a pace, with the tokens in a folder of the test."""
    return {**sandbox.config(), **QUICK, "token_store": str(folder / "tokens.json")}


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process, where everything is imported already."""

    def run(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = cli.run(args)
        output, error = capfd.readouterr()
        assert "Traceback" not in error
        return status, output, error

    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests.

    Its data are not in pytest's folder: for root, PostgreSQL runs as another user, which another
    session of pytest would lock out of that folder.
    """
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder) / "data") as server:
        yield server


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait hundredths of seconds between tries where a user's run waits seconds."""
    monkeypatch.setattr(client, "FIRST_BACKOFF", 0.02)
    monkeypatch.setattr(outage, "LONGEST_WAIT", 0.02)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(("FRESHBOOKS_", "MELTANO_", "TAP_FRESHBOOKS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_DOTENV_DISABLED", "1")


@pytest.fixture(autouse=True)
def _bare_logging() -> Iterator[None]:
    """Take back what a command of the SDK adds: a handler for a stderr that ends with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
