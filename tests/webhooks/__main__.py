"""Meltano, PostgreSQL and webhooks under faults, for some minutes.

`python -m tests.webhooks edits` edits a thousand objects while receivers are killed and deliveries
are disturbed, and then compares the database with one that was loaded afresh. `python -m
tests.webhooks seconds` reports how long an edit takes to become a row.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from psycopg import sql
from psycopg.rows import dict_row

from demo.pipeline import BIN, SCHEMA, Meltano, Postgres
from freshbooks_sandbox import Sandbox
from tests.pipeline.books import Books
from tests.pipeline.conftest import LOADERS
from tests.webhooks.random_edits import RandomEdits, disturb_deliveries
from tests.webhooks.receivers import TAP, ReceiverProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

LOADER = LOADERS[0]
COPIES = {"expenses": {"isduplicate", "status", "category"}}
"""Columns that follow other objects without a timestamp, with what is nested in them."""


class Pipeline:
    """A sandbox, a receiver, and Meltano that loads into PostgreSQL."""

    def __init__(self, folder: Path, server: Postgres, sandbox: Sandbox) -> None:
        self.folder, self.server, self.sandbox = folder, server, sandbox
        self.plugins = folder / "plugins"
        self.plugins.mkdir()
        Meltano(self.plugins, {}, folder / "install.log").install(LOADER)
        self.inbox = str(folder / "inbox.db")
        self.books = self.books_in("with_webhooks", TAP_FRESHBOOKS_WEBHOOK_INBOX=self.inbox)
        self.settings = {
            **sandbox.config(),
            "webhook_inbox": self.inbox,
            "token_store": str(folder / "tokens.json"),
        }
        self.receiver = ReceiverProcess(self.settings, folder)
        url = ["--config", str(self.receiver.config_file), "--url", self.receiver.url]
        subprocess.run([*TAP, "webhooks", "register", *url], check=True, capture_output=True)

    def books_in(self, database: str, **settings: str) -> Books:
        """Books in a database of their own."""
        with self.server.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        (self.folder / database).mkdir()
        settings["TARGET_POSTGRES_SQLALCHEMY_URL"] = self.server.url(database)
        return Books(self.sandbox, self.plugins, self.folder / database, settings)

    def restart(self) -> None:
        """Kill the receiver, and start it again at the same address."""
        self.receiver.kill()
        self.receiver = ReceiverProcess(self.settings, self.folder, self.receiver.port)

    @contextmanager
    def killing_receivers(self, seed: int) -> Iterator[list[float]]:
        """Kill the receiver now and then, and leave it dead for some seconds, until the end."""
        rng, kills, ended = random.Random(seed), [], threading.Event()  # noqa: S311

        def kill() -> None:
            while not ended.wait(rng.uniform(1, 15)):
                self.receiver.kill()
                kills.append(time.monotonic())
                ended.wait(rng.uniform(0, 5))
                self.receiver = ReceiverProcess(self.settings, self.folder, self.receiver.port)

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            yield kills
        finally:
            ended.set()
            thread.join()


@contextmanager
def pipeline(invoices: int) -> Iterator[Pipeline]:
    """All of it, on free ports, until the block ends."""
    with (
        tempfile.TemporaryDirectory() as name,
        Postgres(Path(name) / "data") as server,
        Sandbox(invoices=invoices, rate_limit=0) as sandbox,
    ):
        built = Pipeline(Path(name), server, sandbox)
        try:
            yield built
        finally:
            built.receiver.kill()


def random_edits(edits: str = "1000", seed: str = "1") -> None:
    """Edit at random while receivers are killed and deliveries disturbed; then compare."""
    with pipeline(120) as here:
        here.sandbox.webhooks.settings(scale=0.02)
        here.books.load(LOADER)
        disturb_deliveries(here.sandbox, int(seed))
        editor = RandomEdits(here.sandbox, int(seed))
        with here.killing_receivers(int(seed)) as kills:
            loads = 0
            while editor.number < int(edits):
                loading = threading.Thread(target=here.books.load, args=(LOADER,))
                loading.start()
                while loading.is_alive() and editor.number < int(edits):
                    editor.apply(1)
                    time.sleep(0.1)  # about a hundred edits for each run
                loading.join()
                loads += 1
        outcomes: dict[str, int] = {}
        for delivery in here.sandbox.webhooks.settle(300):
            outcome = delivery["forgery"] or delivery["status"]
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        here.sandbox.faults_clear()
        click.echo(
            f"{editor.number} edits, {loads} runs, {len(kills)} kills; deliveries: {outcomes}"
        )
        here.books.meltano(
            "run",
            "tap-freshbooks",
            LOADER,
            TAP_FRESHBOOKS_RECONCILE_INTERVAL="0",
            TAP_FRESHBOOKS_POLL_INTERVAL="0",
        )
        fresh = here.books_in("fresh")
        fresh.load(LOADER)
        _compare(here.server)


def _compare(server: Postgres) -> None:
    with server.connect("with_webhooks") as one, server.connect("fresh") as other:
        tables = _tables(other)
        different = 0
        total = 0
        for table in tables:
            ours, theirs = _rows(one, table), _rows(other, table)
            if "document_updated" in next(iter(theirs.values()), {}):  # lines that were removed
                ours = {key: row for key, row in ours.items() if key in theirs}
            total += len(theirs)
            for key in ours.keys() | theirs.keys():
                if ours.get(key) != theirs.get(key):
                    different += 1
                    click.echo(f"{table} {key}: {_difference(ours.get(key), theirs.get(key))}")
        click.echo(f"{total} living rows of {len(tables)} tables compared: {different} differ")


def _tables(connection: psycopg.Connection) -> list[str]:
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY 1"
    return [name for (name,) in connection.execute(query, (SCHEMA,)).fetchall()]


def _rows(connection: psycopg.Connection, table: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    keys = connection.execute(
        "SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = %s"
        " AND table_name = %s ORDER BY ordinal_position",
        (SCHEMA, table),
    ).fetchall()
    query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query).fetchall()
    return {
        tuple(row[name] for (name,) in keys): {
            name: value
            for name, value in row.items()
            if not name.startswith("_sdc") and name.split("__")[0] not in COPIES.get(table, ())
        }
        for row in rows
        if row.get("_sdc_deleted_at") is None
    }


def _difference(one: dict[str, Any] | None, other: dict[str, Any] | None) -> str:
    if one is None or other is None:
        return "missing" if one is None else "too many"
    return ", ".join(f"{n}: {one.get(n)!r} / {other[n]!r}" for n in other if one.get(n) != other[n])


def seconds(edits: str = "10") -> None:
    """How long an edit takes to become a row, with Meltano and without."""
    with pipeline(120) as here:
        # Meltano keeps what it discovers of a released tap, but not of one in a working tree.
        catalog = here.folder / "catalog.json"
        discover = [str(BIN / "tap-freshbooks"), "--discover"]
        catalog.write_bytes(subprocess.run(discover, check=True, capture_output=True).stdout)
        here.books.meltano.environment["TAP_FRESHBOOKS__CATALOG"] = str(catalog)
        here.books.load(LOADER)
        here.sandbox.stats_clear()
        idle = [_time(lambda: here.books.load(LOADER)) for _ in range(3)]
        asked = here.books.stats["requests"]
        click.echo(
            f"An idle run of Meltano: {min(idle):.1f} to {max(idle):.1f} s, {asked} requests"
        )
        times = _edit_to_row(here, "with_webhooks", lambda: here.books.load(LOADER), int(edits))
        click.echo(f"Meltano, a run after the other or every 5 s: {_spread(times)}")
        pipe = Pipe(here)
        pipe.load()
        idle = [_time(pipe.load) for _ in range(3)]
        click.echo(f"An idle run of tap | target: {min(idle):.1f} to {max(idle):.1f} s")
        times = _edit_to_row(here, "piped", pipe.load, int(edits))
        click.echo(f"tap | target, a run every 5 s: {_spread(times)}")


class Pipe:
    """The tap piped into the target, with the state that the target confirms."""

    def __init__(self, here: Pipeline) -> None:
        self._here = here
        self._state = here.folder / "state.json"
        self._config = here.folder / "piped.json"
        with here.server.connect() as connection:
            connection.execute("CREATE DATABASE piped")
        self._config.write_text(json.dumps({**here.settings, "requests_per_second": 1000}))
        self._target = here.folder / "target.json"
        self._target.write_text(
            json.dumps(
                {
                    "sqlalchemy_url": here.server.url("piped"),
                    "default_target_schema": SCHEMA,
                    "use_copy": False,
                }
            )
        )

    def load(self) -> None:
        """Run once."""
        state = ["--state", str(self._state)] if self._state.exists() else []
        target = self._here.plugins / "loaders" / LOADER / "venv" / "bin" / LOADER
        with (self._here.folder / "piped.log").open("a") as log:
            tap = subprocess.Popen(
                [str(BIN / "tap-freshbooks"), "--config", str(self._config), *state],
                stdout=subprocess.PIPE,
                stderr=log,
            )
            done = subprocess.run(
                [str(target), "--config", str(self._target)],
                stdin=tap.stdout,
                stdout=subprocess.PIPE,
                stderr=log,
                check=True,
            )
        assert tap.wait() == 0
        if lines := done.stdout.splitlines():
            self._state.write_bytes(lines[-1])


def _time(work: Any) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _edit_to_row(here: Pipeline, database: str, load: Any, edits: int) -> list[float]:
    """Seconds from random edits to their rows, with a run started every five seconds."""
    made: dict[str, float] = {}
    seen: dict[str, float] = {}
    ended = threading.Event()

    def watch() -> None:
        query = "SELECT notes FROM invoices WHERE notes LIKE 'edit %%'"
        with here.server.connect(database) as connection:
            while not ended.wait(0.05):
                for (note,) in connection.execute(query).fetchall():
                    seen.setdefault(note, time.monotonic())

    def edit() -> None:
        rng = random.Random(1)  # noqa: S311
        invoices = [row["id"] for row in here.sandbox.truth("invoices")][:edits]
        for number, invoice in enumerate(invoices):
            time.sleep(rng.uniform(1, 8))
            note = f"edit {database} {number}"
            made[note] = time.monotonic()
            here.sandbox.update("invoices", invoice, notes=note)

    watching, editing = threading.Thread(target=watch), threading.Thread(target=edit)
    watching.start()
    editing.start()
    while editing.is_alive() or made.keys() - seen.keys():
        started = time.monotonic()
        load()
        time.sleep(max(0.0, started + 5 - time.monotonic()))
    editing.join()
    ended.set()
    watching.join()
    return [seen[note] - moment for note, moment in made.items()]


def _spread(times: list[float]) -> str:
    return (
        f"{len(times)} edits became rows after {min(times):.1f} to {max(times):.1f} s, half of "
        f"them within {statistics.median(times):.1f} s"
    )


if __name__ == "__main__":
    {"edits": random_edits, "seconds": seconds}[sys.argv[1]](*sys.argv[2:])
