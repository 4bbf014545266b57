"""Plays a sequence, and compares after each run that nothing disturbed."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from unittest import mock

from freshbooks_sandbox import Sandbox, paging
from tap_freshbooks.transport import client, outage
from tests.conftest import settings_for
from tests.faults.many_runs.books import Books
from tests.faults.many_runs.clock import SharedClock
from tests.faults.many_runs.drawing import sources, streams
from tests.faults.many_runs.events import Events
from tests.faults.many_runs.judge import Difference, Judge, Lateness
from tests.faults.many_runs.paces import Paces
from tests.faults.many_runs.pipeline import Pipeline
from tests.faults.many_runs.steps import DAY, HOUR, Change, Edit, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.many_runs.steps import Sequence, Step
    from tests.faults.target import Target

LATEST = 8 * DAY
"""Seconds after which, beyond the interval of full reads, nothing may be late."""

RECONCILED = 25 * HOUR
"""Seconds after which lists are read whatever webhooks say, `reconcile_interval` being a day."""

SENT_ONCE_MORE = {"clients", "time_entries"}
"""Streams of which rows may be sent once more after a full read (docs/reading.md)."""

PARTLY_SHOWN = {"timers", "callbacks", "time_entry_details", "ledger_accounts"}
"""Streams that may show some rows only: the user's, the app's, those that are logged or active."""


@dataclass
class Result:
    """What was seen.

    Attributes:
        problem: Of the first wrong run; empty if there is none.
        step: Position of that run.
        sent: Streams that the idle run at the end has sent again.
        asked: Requests of the one after it, by path.
    """

    problem: str = ""
    step: int = 0
    runs: int = 0
    edits: int = 0
    compared: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)


class Play:
    """One sequence, from its first step to the end.

    Args:
        sequence: What happens.
        sandbox: In which it happens.
        folder: For tokens.
        clock: Of both sides.
    """

    def __init__(
        self, sequence: Sequence, sandbox: Sandbox, folder: Path, clock: SharedClock
    ) -> None:
        self._sequence = sequence
        self._sandbox = sandbox
        self._clock = clock
        self._books = Books(sandbox)
        self._events = Events(sandbox, folder) if sequence.with_inbox else None
        settings = {**settings_for(sandbox, folder), "max_attempts": 2, **sequence.settings}
        if self._events:
            settings |= self._events.settings
        self._pipeline = Pipeline(sandbox, self._books, settings, sequence.streams)
        self._changed_at = 0.0
        self._modes: set[str] = set()
        self._paces = Paces()
        self._last_run = 0.0
        self._result = Result()

    def run(self) -> Result:
        """Play all steps, then wait until nothing may be late, and compare again."""
        result = self._result
        for result.step, step in enumerate(self._sequence.steps):
            self._take(step)
            if result.problem:
                break
        else:
            self._clock.ahead += LATEST + DAY * self._pipeline.settings["full_refresh_interval"]
            self._quiet_run(is_over=True)
        if not result.problem:
            self._clock.ahead += 60
            self._idle_run()
        result.edits = self._books.edits
        return result

    def _take(self, step: Step) -> None:
        if isinstance(step, Edit):
            key = self._books.apply(step)
            if self._events and key is not None:
                self._events.deliver(step, key)
        elif isinstance(step, Wait):
            self._clock.ahead += step.seconds
        elif isinstance(step, Change):
            self._change(step)
        elif step.disturbance:
            self._begin_run()
            self._pipeline.disturbed(step.disturbance)
        else:
            self._quiet_run()

    def _change(self, change: Change) -> None:
        pipeline = self._pipeline
        pipeline.settings = {**pipeline.settings, **change.settings}
        if change.streams is not None:
            pipeline.streams = change.streams
        if change.without is not None:
            pipeline.without = change.without
        if change.without is not None or change.settings.keys() - {"hard_deletes"}:
            self._changed_at = self._clock.time()

    def _begin_run(self) -> set[str]:
        """Note that a run begins; the streams that it has to read."""
        self._result.runs += 1
        self._modes.add(self._pipeline.settings["hard_deletes"])
        self._last_run = self._clock.time()
        if self._events:
            self._events.go_on()
        pipeline = self._pipeline
        return self._paces.begin(pipeline.streams, pipeline.settings, self._last_run)

    def _quiet_run(self, *, is_over: bool = False) -> None:
        listed = self._events is None or self._clock.time() - self._last_run > RECONCILED
        due = self._begin_run()
        pipeline = self._pipeline
        lateness = Lateness(
            state=pipeline.state,
            now=datetime.fromtimestamp(self._clock.time(), UTC),
            changed_at=self._changed_at,
            interval=pipeline.settings["full_refresh_interval"],
            vanished=len(self._modes) > 1 or "keep" in self._modes,
            is_over=is_over,
            told=None if listed or not self._events else frozenset(self._events.told),
        )
        try:
            pipeline.run()
            fresh = pipeline.fresh()
        except Exception as error:  # noqa: BLE001 - whatever ends an undisturbed run
            self._result.problem = f"{type(error).__name__}: {error}"
            return

        @cache
        def wide() -> Target:
            return pipeline.fresh(include_deleted=True, start_date=None)

        if self._events:
            self._events.told.clear()
        judge = Judge(self._sandbox.state.behaviours, pipeline.target, fresh, wide)
        found = [*self._unread(fresh, due), *judge.differences(sorted(due), lateness)]
        self._result.problem = "\n".join(map(str, found[:5]))
        self._result.compared += sum(len(fresh.table(name)) for name in due)

    def _unread(self, fresh: Target, names: set[str]) -> Iterator[Difference]:
        """Rows of the books that no first run finds."""
        if "start_date" in self._pipeline.settings:
            return
        for name in sorted(names):
            stream = streams()[name]
            is_own = sources(name) == [name] and name not in PARTLY_SHOWN
            if is_own and stream.key and not stream.unconfirmed:
                keys = {key[-len(stream.key) :] for key in fresh.table(name)}
                for key in self._books.living(name, stream.key) - keys:
                    yield Difference(name, key, "in the books, and not in a first run")

    def _idle_run(self) -> None:
        """Run twice more with nothing changed; the first may send what docs/reading.md names."""
        first = self._pipeline.run().records.keys()
        self._clock.ahead += 60
        client_id = self._pipeline.settings["client_id"]
        before = Counter(self._sandbox.stats(client_id)["paths"])
        second = self._pipeline.run().records.keys()
        self._result.asked = Counter(self._sandbox.stats(client_id)["paths"]) - before
        self._result.sent = Counter(first)
        wrong = {name for name in first if not SENT_ONCE_MORE & {name, *sources(name)}}
        self._result.problem = "\n".join(
            f"{name} was sent again in an idle run" for name in sorted({*wrong, *second})
        )


def play(sequence: Sequence, folder: Path) -> Result:
    """Play a sequence in a sandbox of its own."""
    with (
        _quick(sequence.page),
        SharedClock() as clock,
        Sandbox(invoices=3, rate_limit=0, behaviours=sequence.behaviours) as sandbox,
    ):
        return Play(sequence, sandbox, folder, clock).run()


@contextmanager
def _quick(page: int) -> Iterator[None]:
    """Small pages, no waits between tries, and no log."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            mock.patch.object(paging, "SMALL_CAP", page),
            mock.patch.object(client, "FIRST_BACKOFF", 0.001),
            mock.patch.object(outage, "LONGEST_WAIT", 0.001),
        ):
            yield
    finally:
        logging.disable(before)
