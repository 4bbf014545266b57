"""Bars in a terminal, one for each stream that is being read; only they import rich."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.log_handlers import handlers_of_stderr, writes_json
from tap_freshbooks.singer.progress_text import (
    describe_done,
    rows_read,
    running,
    share_read,
    time_left,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

    from tap_freshbooks.singer.stats import SyncStats


def open_console() -> Console | None:
    """The console that bars can be drawn in, if there is any."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        return None
    if any(writes_json(handler) for handler in handlers_of_stderr()):
        return None
    from rich.console import Console  # noqa: PLC0415 - a pipeline needs no rich

    console = Console(file=sys.stderr)
    return console if console.is_interactive else None


@contextlib.contextmanager
def bars(stats: SyncStats, console: Console) -> Iterator[Callable[[], None]]:
    """Have a bar per stream being read, below whatever is written to stderr meanwhile.

    Yields:
        Draws them anew.
    """
    from rich.live import Live  # noqa: PLC0415

    live = Live(
        get_renderable=lambda: _picture(stats, console),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,  # Singer's
        redirect_stderr=False,  # it would wrap log lines, and miss the handlers
    )
    above = _LinesAbove(console)
    handlers = {handler: handler.stream for handler in handlers_of_stderr()}
    try:
        for handler in handlers:
            handler.setStream(above)
        with contextlib.redirect_stderr(above), live:
            yield live.refresh
    finally:
        above.end()
        for handler, stream in handlers.items():
            handler.setStream(stream)


def _picture(stats: SyncStats, console: Console) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    rows = Table.grid(padding=(0, 1))
    for _ in range(4):
        rows.add_column(no_wrap=True)
    for each in running(stats)[: max(console.height - 2, 1)]:
        share = share_read(each)
        rows.add_row(
            Text(each.stream),
            ProgressBar(total=None if share is None else 1.0, completed=share or 0.0, width=24),
            Text(rows_read(each)),
            Text(time_left(each)),
        )
    done = describe_done(stats)
    return Group(rows, *([Text(done, no_wrap=True, overflow="ellipsis")] if done else []))


class _LinesAbove(io.TextIOBase):
    """Stands for stderr while there are bars: its lines appear above them."""

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
        """Write a last line that has no end yet."""
        if self._line:
            self.write("\n")
