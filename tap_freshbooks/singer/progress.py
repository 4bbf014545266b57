"""Tells people how far a sync is: bars in a terminal, else log lines; at the end a summary.

All of it goes to stderr and reads the tallies from a thread of its own. Log lines obey the log
level, the summary too; rich is imported where bars are drawn and nowhere else.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from tap_freshbooks import signals
from tap_freshbooks.extraction.pagination import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from rich.console import Console, RenderableType

    from tap_freshbooks.singer.stats import StreamStats, SyncStats

logger = logging.getLogger("tap-freshbooks")

INTERVAL = 30.0
"""Seconds from one log line to the next."""

FRAME = 0.2
"""Seconds from one drawing of the bars to the next."""


@contextlib.contextmanager
def shown(tallies: SyncStats) -> Iterator[None]:
    """Show inside the block how far its sync is, and log a line per stream at its end.

    Bars need a terminal at stderr that nothing else writes to: no JSON logs, and no Singer
    messages because stdout is the terminal, too.
    """
    display = contextlib.ExitStack()
    try:
        with signals.deferred():
            console = _console()
            display.enter_context(_bars(tallies, console) if console else _lines(tallies))
        yield
    finally:
        # A signal must not leave the terminal without a cursor; a second one may, since stderr
        # could be stuck.
        with signals.deferred(patient=False):
            display.close()
            _summarize(tallies)


# What is said


def _summarize(tallies: SyncStats) -> None:
    for tally in tallies.all():
        logger.info("%s", _summary(tally), extra={"stream_name": tally.stream})


def _summary(tally: StreamStats) -> str:
    """The line of a stream; one that is made of another's answers has only rows."""
    said = [f"{tally.stream}: {_some(tally.rows, 'row')}"]
    if tally.requests:
        said += [
            _some(tally.pages, "page"),
            _some(tally.requests, "request"),
            _some(tally.retries, "retry", "retries"),
            _some(tally.throttled, "429"),
            f"{tally.seconds:,.1f} s",
        ]
        if tally.ended is None:
            said.append("not finished")
    return ", ".join(said)


def _state(tallies: SyncStats) -> str:
    """What is being read now, and what is done, on one line."""
    running = [
        f"{tally.stream} ({', '.join(filter(None, (_rows(tally), _left(tally))))})"
        for tally in _running(tallies)
    ]
    reading = f"reading {', '.join(running)}" if running else ""
    return "; ".join(filter(None, (reading, _done(tallies)))) or "nothing read yet"


def _running(tallies: SyncStats) -> list[StreamStats]:
    return [tally for tally in tallies.all() if tally.began is not None and tally.ended is None]


def _done(tallies: SyncStats) -> str:
    """How many streams are done, with their rows; empty if none is."""
    done = [tally for tally in tallies.all() if tally.ended is not None]
    if not done:
        return ""
    rows = sum(tally.rows for tally in done)
    return f"{_some(len(done), 'stream')} done, {_some(rows, 'row')}"


def _rows(tally: StreamStats) -> str:
    rows, total = tally.rows, tally.total
    return f"{rows:,} of {_some(total, 'row')}" if 0 < total >= rows else _some(rows, "row")


def _share(tally: StreamStats) -> float | None:
    """How much of a stream is delivered, from 0 to 1; None if its rows do not tell.

    They do not where they are far fewer than the pages read could hold: where only those that
    changed are delivered, or where there are many short lists, of which few have begun.
    """
    rows, total = tally.rows, tally.total
    if not total or not rows:
        return None
    if rows >= total:
        return 1.0
    return rows / total if 2 * rows >= PAGE_SIZE * tally.pages else None


def _left(tally: StreamStats) -> str:
    """The time that a stream still needs at its pace so far; empty if that cannot be told."""
    share = _share(tally)
    if not share or share == 1.0:
        return ""
    seconds = round(tally.seconds * (1 - share) / share)
    minutes = round(seconds / 60)
    if seconds < 60:  # noqa: PLR2004
        return f"{max(seconds, 1)} s left"
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min left"
    return f"{minutes // 60} h {minutes % 60} min left"


def _some(number: int, one: str, many: str = "") -> str:
    noun = one if number == 1 else many or f"{one}s"
    return f"{number:,} {noun}" if number else f"no {noun}"


# Log lines


@contextlib.contextmanager
def _lines(tallies: SyncStats) -> Iterator[None]:
    """Log where the sync is, also if it stands still: silence could mean anything."""
    before: tuple[int, ...] = ()
    since = time.monotonic()

    def say() -> None:
        nonlocal before, since
        now = tuple(count for tally in tallies.all() for count in (tally.rows, tally.pages))
        if now != before:
            before, since = now, time.monotonic()
            logger.info("So far: %s", _state(tallies))
        else:
            still = time.monotonic() - since
            logger.info("So far: %s; nothing new for %.0f s", _state(tallies), still)

    with _every(INTERVAL, say):
        yield


@contextlib.contextmanager
def _every(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Act again and again in a thread, which has ended when the block has."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(seconds):
            act()

    thread = threading.Thread(target=work, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


# Bars


def _console() -> Console | None:
    """Where bars can be drawn, if anywhere."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        return None
    if any(_writes_json(handler) for handler in _handlers()):
        return None
    from rich.console import Console  # noqa: PLC0415 - a pipeline needs no rich

    console = Console(file=cast("TextIO", _Terminal(sys.stderr)))
    return console if console.is_interactive else None


@contextlib.contextmanager
def _bars(tallies: SyncStats, console: Console) -> Iterator[None]:
    """Draw a bar per stream being read, below whatever is written to stderr meanwhile."""
    from rich.live import Live  # noqa: PLC0415

    live = Live(
        get_renderable=lambda: _picture(tallies, console),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,  # Singer's
        redirect_stderr=False,  # it would wrap log lines, and miss the handlers
    )
    above = _Above(console)
    handlers = {handler: handler.stream for handler in _handlers()}
    try:
        for handler in handlers:
            handler.setStream(above)
        with contextlib.redirect_stderr(above), live, _every(FRAME, live.refresh):
            yield
    finally:
        above.end()
        for handler, stream in handlers.items():
            handler.setStream(stream)


def _picture(tallies: SyncStats, console: Console) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    bars = Table.grid(padding=(0, 1))
    for _ in range(4):
        bars.add_column(no_wrap=True)
    for tally in _running(tallies)[: max(console.height - 2, 1)]:
        share = _share(tally)
        bars.add_row(
            Text(tally.stream),
            ProgressBar(total=None if share is None else 1.0, completed=share or 0.0, width=24),
            Text(_rows(tally)),
            Text(_left(tally)),
        )
    done = _done(tallies)
    return Group(bars, *([Text(done, no_wrap=True, overflow="ellipsis")] if done else []))


def _handlers() -> list[logging.StreamHandler[Any]]:
    """The log handlers that hold stderr, of whatever logger."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = [
        handler
        for each in loggers
        if isinstance(each, logging.Logger)
        for handler in each.handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
    ]
    return list(dict.fromkeys(handlers))


def _writes_json(handler: logging.Handler) -> bool:
    """Whether the log lines of a handler are JSON; a log configuration has many ways to say so."""
    record = logging.LogRecord(logger.name, logging.INFO, __file__, 0, "", None, None)
    try:
        return handler.format(record).startswith("{")
    except Exception:  # noqa: BLE001 - a formatter that wants fields of its own
        return False


class _Terminal(io.TextIOBase):
    """A terminal that may go away: a run that goes on without it (nohup) has to survive that.

    rich would keep what it cannot write, and fail.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @override
    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    @override
    def isatty(self) -> bool:
        return self._stream.isatty()

    @override
    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override] # an attribute there
        return self._stream.encoding


class _Above(io.TextIOBase):
    """Stands for stderr while there are bars: what is written appears above them, line by line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line = ""
        self._mutex = threading.RLock()  # the handler of a signal may log, too

    @override
    def write(self, text: str, /) -> int:
        with self._mutex:
            *lines, self._line = (self._line + text).split("\n")
            if lines:
                self._console.out("\n".join(lines), highlight=False)
        return len(text)

    @override
    def isatty(self) -> bool:
        return True

    @override
    def fileno(self) -> int:
        return self._console.file.fileno()

    def end(self) -> None:
        """Write the line that nobody has ended."""
        if self._line:
            self.write("\n")
