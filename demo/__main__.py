"""The demo: FreshBooks (its sandbox) into PostgreSQL with Meltano, twice, with edits in between.

All that it makes lies in `demo-data/`, and nothing is left running.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from demo.pipeline import BIN, PROJECT, Meltano, PipelineError, Postgres, settings_for
from demo.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

PATIENCE = 60
"""Seconds to wait for the sandbox."""

INVOICE_LINES = [
    {"name": "Consulting", "qty": "3", "unit_cost": {"amount": "99.95", "code": "USD"}},
    {"name": "Travel", "qty": "1", "unit_cost": {"amount": "0.07", "code": "USD"}},
]

EDITS: list[tuple[str, dict[str, Any]]] = [
    (
        "three invoices written",
        {
            "action": "create",
            "resource": "invoices",
            "count": 3,
            "values": {"lines": INVOICE_LINES},
        },
    ),
    (
        "the oldest one changed",
        {
            "action": "update",
            "resource": "invoices",
            "which": "oldest",
            "values": {"lines": INVOICE_LINES},
        },
    ),
    ("the newest one deleted", {"action": "delete", "resource": "invoices", "which": "newest"}),
    (
        "a client added",
        {
            "action": "create",
            "resource": "clients",
            "values": {"organization": "Newcomer & Daughters"},
        },
    ),
    ("a payment booked", {"action": "create", "resource": "payments"}),
]


def say(text: str = "") -> None:
    """Tell the person at the keyboard."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what happens, then how long it took."""
    sys.stdout.write(f"{what} … ")
    sys.stdout.flush()
    began = time.monotonic()
    try:
        yield
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - began:.1f} s")


@contextmanager
def running_sandbox(folder: Path, invoices: int) -> Iterator[dict[str, str]]:
    """Start the sandbox as a user would, and end it.

    Yields:
        The settings for the tap.
    """
    config, log = folder / "tap-config.json", folder / "sandbox.log"
    options = ["--port", "0", "--invoices", str(invoices), "--config", str(config)]
    command = [str(BIN / "tap-freshbooks"), "sandbox", *options]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603
    try:
        deadline = time.monotonic() + PATIENCE
        while not config.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PipelineError(f"The sandbox did not start:\n{log.read_text('utf-8')}")
            time.sleep(0.05)
        yield json.loads(config.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait()


def edit(url: str) -> None:
    """Change the books, as people do between two runs."""
    for _, order in EDITS:
        requests.post(f"{url}/_sandbox/edit", json=order, timeout=60).raise_for_status()


def report(freshbooks: list[Snapshot], postgres: list[Snapshot]) -> None:
    """Print both sides after the first and after the second run.

    Raises:
        PipelineError: If they differ.
    """
    sides = [side for run in zip(freshbooks, postgres, strict=True) for side in run]
    say()
    say(f"{'':22}{'first run':>26}{'second run':>26}")
    say(f"{'rows':22}" + 2 * f"{'FreshBooks':>14}{'PostgreSQL':>12}")
    for stream in postgres[-1].rows:
        say(_line(stream, [side.rows.get(stream, 0) for side in sides]))
    say("sum of all invoices")
    for code in sorted({code for side in sides for code in side.sums}):
        say(_line(f"  {code}", [side.sums.get(code, 0) for side in sides]))
    say()
    if freshbooks != postgres:
        raise PipelineError("The two sides differ. That must not happen: please report it.")
    say("Both sides agree, to the cent.")


def _line(label: str, numbers: Sequence[int | Decimal]) -> str:
    first, first_copy, second, second_copy = numbers
    return f"{label:22}{first:14,}{first_copy:12,}{second:14,}{second_copy:12,}"


def load(folder: Path, invoices: int) -> None:
    """Run the whole demo, from nothing."""
    began = time.monotonic()
    stop_leftovers(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    freshbooks, postgres = [], []
    with ExitStack() as stack:
        with step("Starting a FreshBooks sandbox"):
            config = stack.enter_context(running_sandbox(folder, invoices))
        with step("Starting an embedded PostgreSQL"):
            server = stack.enter_context(Postgres(folder / "postgres"))
            connection = stack.enter_context(server.connect())
        settings = {**settings_for(config), "TARGET_POSTGRES_SQLALCHEMY_URL": server.url()}
        meltano = Meltano(folder / "meltano", settings, folder / "meltano.log")
        with step("meltano install"):
            meltano.install("target-postgres")
        for more in (False, True):
            if more:
                edit(config["api_url"])
                say(f"Editing in FreshBooks: {', '.join(what for what, _ in EDITS)}")
            with step("meltano run tap-freshbooks target-postgres"):
                meltano("run", "tap-freshbooks", "target-postgres")
            postgres.append(Snapshot.of_postgres(connection))
            freshbooks.append(Snapshot.of_sandbox(config["api_url"], postgres[-1].rows))
        report(freshbooks, postgres)
    say(f"It took {time.monotonic() - began:.0f} s, and nothing is left running.")
    say()
    say("Look at the tables:   make demo-sql")
    say(
        "Or ask one question:  make demo-sql "
        'QUERY="select invoice_number, due_date, amount__amount from invoices limit 5"'
    )
    say(f"What Meltano printed: {folder / 'meltano.log'}")


def stop_leftovers(folder: Path) -> None:
    """End the server of a demo that was killed, before its data go."""
    data = folder / "postgres"
    if (data / "postmaster.pid").exists():
        with Postgres(data):
            pass


def look(folder: Path, query: str) -> int:
    """Open psql on what the demo loaded."""
    data = folder / "postgres"
    if not (data / "PG_VERSION").exists():
        raise PipelineError("There is nothing to look at yet. Run this first: make demo")
    with Postgres(data) as server:
        if not query:
            say("\\d lists the tables, \\d invoices its columns, \\q leaves.")
        return server.prompt(query)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("what", choices=["load", "sql"], nargs="?", default="load")
    parser.add_argument("query", nargs="?", default="", help="for `sql`; without it: a prompt")
    parser.add_argument("--folder", type=Path, default=PROJECT / "demo-data")
    parser.add_argument("--invoices", type=int, default=120, help="of the first business")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = options.folder.resolve()
    try:
        if options.what == "sql":
            return look(folder, options.query)
        load(folder, options.invoices)
    except PipelineError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; nothing is left running.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
