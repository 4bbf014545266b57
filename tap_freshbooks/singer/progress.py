"""Shows how far a sync is: bars in a terminal, else log lines; at the end a summary.

All of it goes to stderr and reads the statistics from a thread of its own. Log lines obey the log
level, the summary too; what a single stream has cost is of level debug.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from tap_freshbooks import signals
from tap_freshbooks.singer import progress_bars
from tap_freshbooks.singer.progress_text import describe_state
from tap_freshbooks.singer.stats import Cost
from tap_freshbooks.singer.summary import describe_stream, summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tap_freshbooks.singer.stats import SyncStats

logger = logging.getLogger("tap-freshbooks")

INTERVAL = 30.0
"""Seconds from one log line to the next."""

FRAME = 0.2
"""Seconds from one drawing of the bars to the next."""


@contextlib.contextmanager
def shown(
    stats: SyncStats, streams: Collection[str] = (), cost: Callable[[], Cost] = Cost
) -> Iterator[None]:
    """Show inside the block how far its sync is, and sum it up at its end.

    Bars need a terminal at stderr that nothing else writes to: no JSON logs, and no Singer
    messages because stdout is the terminal, too.

    Args:
        stats: What reading costs and brings.
        streams: Names of all that is wanted.
        cost: Tells what all requests have cost.
    """
    display, began = contextlib.ExitStack(), time.monotonic()
    try:
        with signals.deferred():
            console = progress_bars.open_console()
            if console:
                refresh = display.enter_context(progress_bars.bars(stats, console))
                display.enter_context(_repeated(FRAME, refresh))
            else:
                display.enter_context(_repeated(INTERVAL, _LogLines(stats).log))
        yield
    except BaseException:
        streams = ()  # of those that it did not come to, nobody knows whether they have new rows
        raise
    finally:
        # A signal must not leave the terminal without a cursor; a second one may, since stderr
        # could be stuck.
        with signals.deferred(defer_second=False):
            display.close()
            for each in stats.all():
                logger.debug("%s", describe_stream(each), extra={"stream_name": each.stream})
            for line in summarize(stats, streams, cost(), time.monotonic() - began):
                logger.info("%s", line)


class _LogLines:
    """Logs where the sync is, also if it stands still: silence could mean anything."""

    def __init__(self, stats: SyncStats) -> None:
        self._stats = stats
        self._before: tuple[int, ...] = ()
        self._since = time.monotonic()

    def log(self) -> None:
        """Log one line."""
        now = tuple(count for each in self._stats.all() for count in (each.rows, each.pages))
        if now != self._before:
            self._before, self._since = now, time.monotonic()
            logger.info("So far: %s", describe_state(self._stats))
        else:
            still = time.monotonic() - self._since
            logger.info("So far: %s; nothing new for %.0f s", describe_state(self._stats), still)


@contextlib.contextmanager
def _repeated(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Act again and again in a thread, which has ended when the block has."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(seconds):
            act()

    thread = threading.Thread(target=work, name="progress", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the machine has no thread left: a sync does without
        yield
        return
    try:
        yield
    finally:
        done.set()
        thread.join()
