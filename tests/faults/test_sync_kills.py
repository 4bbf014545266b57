"""Syncs that end at random moments and are run again: nothing is missing, ever."""

from __future__ import annotations

import json
import signal
import time
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.faults.commands import PATIENCE, Command
from tests.faults.target import CommittingTarget, Target

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.target import Key

pytestmark = pytest.mark.heavy

TEXTS = {
    "clients": "note",
    "invoices": "notes",
    "estimates": "notes",
    "expenses": "notes",
    "payments": "note",
    "credit_notes": "notes",
    "other_incomes": "note",
    "bills": "bill_number",
    "items": "description",
    "projects": "description",
    "time_entries": "note",
    "taxes": "name",
}
"""Streams, and the field that an edit changes."""

OF_BUSINESSES = ("projects", "time_entries")
KEYS = {"other_incomes": "incomeid"}
FULL_TABLE: dict[str, dict[str, Any]] = {
    "projects": {"title": "A project"},
    "time_entries": {"is_logged": True, "started_at": "2026-01-05T10:00:00Z", "duration": 600},
}
"""What each edit has to repeat."""

KILLS = 5

Table = dict["Key", tuple[str, bool]]
"""Keys, the text, and whether the row is deleted."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rate_limit=0) as running:
        yield running


class Books:
    """What is edited between and during the runs, and what a target should have in the end."""

    def __init__(self, sandbox: Sandbox, random: Random) -> None:
        self._sandbox = sandbox
        self._random = random
        self._marker = 0

    def edit(self, streams: int) -> None:
        """Create, change and delete rows of some streams of the first business."""
        for stream in self._random.sample(sorted(TEXTS), streams):
            for action in self._random.choices((self._create, self._update, self._delete), k=2):
                action(stream)

    def _create(self, stream: str) -> None:
        values = self._values(stream)
        if stream == "payments":
            values["invoiceid"] = self._random.choice(self._living("invoices"))
        self._sandbox.create(stream, count=self._random.randint(1, 3), **values)

    def _update(self, stream: str) -> None:
        key = self._random.choice(self._living(stream))
        self._sandbox.update(stream, key, **self._values(stream))

    def _delete(self, stream: str) -> None:
        living = self._living(stream)
        if len(living) > 2:
            self._sandbox.delete(stream, self._random.choice(living))

    def _values(self, stream: str) -> dict[str, Any]:
        self._marker += 1
        return {**FULL_TABLE.get(stream, {}), TEXTS[stream]: f"marker {self._marker}"}

    def _living(self, stream: str) -> list[int]:
        rows = self._sandbox.truth(stream)
        return [row[KEYS.get(stream, "id")] for row in rows if not _is_deleted(row)]

    def table(self, stream: str) -> Table:
        """All rows of all businesses."""
        return {
            (scope, row[KEYS.get(stream, "id")]): (row[TEXTS[stream]] or "", _is_deleted(row))
            for scope, row in self._rows(stream)
        }

    def lines(self) -> dict[Key, bool]:
        """Lines of invoices, and whether their invoice is deleted."""
        return {
            (scope, row["id"], line["lineid"]): _is_deleted(row)
            for scope, row in self._rows("invoices", include="lines")
            for line in row["lines"]
        }

    def _rows(
        self, stream: str, include: str | None = None
    ) -> Iterator[tuple[str | int, dict[str, Any]]]:
        scope = "id" if stream in OF_BUSINESSES else "account_id"
        for business in self._sandbox.businesses()[:3]:
            if business[scope] is not None:
                for row in self._sandbox.truth(stream, business["id"], include=include):
                    yield business[scope], row


def _is_deleted(row: dict[str, Any]) -> bool:
    return row.get("vis_state") == 1 or row.get("active") is False


def assert_nothing_is_wrong(target: Target, books: Books) -> None:
    for stream, text in TEXTS.items():
        found = {
            key: (record[text] or "", record.get("_sdc_deleted_at") is not None)
            for key, record in target.table(stream).items()
        }
        wanted = books.table(stream)
        if stream == "taxes" and not isinstance(target, CommittingTarget):
            # What a run had delivered before its state was lost is nobody's to take back.
            found = {key: row for key, row in found.items() if key in wanted}
        # A row that came and went between two runs may be deleted without a word.
        silent = {key for key, (_, is_deleted) in wanted.items() if is_deleted} - found.keys()
        assert found == {key: row for key, row in wanted.items() if key not in silent}, stream
    lines = {
        key: record["_sdc_deleted_at"] is not None
        for key, record in target.table("invoice_lines").items()
    }
    assert {key for key, is_deleted in books.lines().items() if not is_deleted} == {
        key for key, is_deleted in lines.items() if not is_deleted
    }


@pytest.mark.parametrize(
    ("seed", "kind"),
    [(1, CommittingTarget), (2, Target)],
    ids=["commits at each state", "keeps every line"],
)
def test_runs_that_are_killed_leave_no_hole(
    sandbox: Sandbox, tmp_path: Path, seed: int, kind: type[Target]
) -> None:
    random = Random(seed)  # noqa: S311 - reproducible
    books = Books(sandbox, random)
    target = kind()
    command = Command(
        tmp_path,
        {**sandbox.config(), "max_concurrency": 4},
        *TEXTS,
        "invoice_lines",
    )
    with command.start() as process:
        length = target.run(_output(process))
    assert process.returncode == 0
    target = kind()
    kills = 0
    while kills < KILLS:
        kills += _killed(command, target, books, random, length)
        if random.random() < 0.7:
            books.edit(4)
    with command.start(target.state) as process:
        target.run(_output(process))
    assert process.returncode == 0
    assert_nothing_is_wrong(target, books)
    assert sandbox.stats(command.client_id)["spent_refresh_tokens"] == 0


def _killed(command: Command, target: Target, books: Books, random: Random, length: int) -> bool:
    """Run it and send a signal at a random moment; whether that came before its end.

    Args:
        command: What to run.
        target: Takes the output.
        books: Edited now and then.
        random: Draws the moment and the signal.
        length: How many lines a first run has.
    """
    signum = random.choice((signal.SIGTERM, signal.SIGKILL))
    # Anywhere in a first run, early in a second one.
    moment = random.randrange(1, length if target.state is None else max(2, length // 8))
    with command.start(target.state) as process:
        output = _output(process)
        target.begin()
        last = b""
        for last in islice(output, moment):
            target.take(last)
            if random.random() < 0.001:
                books.edit(1)
        if random.random() < 0.5:
            time.sleep(random.uniform(0, 0.3))  # meanwhile reading goes on
        process.send_signal(signum)
        for last in output:
            target.take(last)
    if process.returncode in (0, -signal.SIGTERM):  # Python itself was about to end
        # Without rows, a state that says nothing new (two runs within a second) is not written.
        assert json.loads(last)["type"] in {"SCHEMA", "STATE"}
        assert command.errors == []
        return False
    if signum == signal.SIGTERM:
        assert process.returncode == 143
        assert json.loads(last)["type"] == "STATE"
        assert command.errors == ["Error: interrupted; the state so far is written"]
    return True


def _output(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert process.stdout is not None
    yield from process.stdout


def test_a_target_that_closes_its_input_in_the_middle_is_a_failure_with_one_sentence(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    command = Command(tmp_path, {**sandbox.config(), "max_concurrency": 4}, *TEXTS)
    with command.start() as process:
        assert process.stdout is not None
        for _ in range(20):
            assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 1
    assert command.errors == [
        "Error: what reads standard output, a target say, closed it before the end"
    ]
