from __future__ import annotations

import codecs
import contextlib
import json
import logging
import os
import re
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import pytest

from tap_freshbooks.singer import progress
from tap_freshbooks.singer.progress_text import describe_state, time_left
from tap_freshbooks.singer.stats import StreamStats, SyncStats
from tests.support import unmeasured

if TYPE_CHECKING:
    from pathlib import Path

pty = pytest.importorskip("pty")

PROGRAM = """
import logging, sys, threading
from singer_sdk._logging import _setup_console_logging
from tap_freshbooks.singer import progress
from tap_freshbooks.singer.stats import SyncStats
from tap_freshbooks.standard_streams import take_over

take_over()
stderr = sys.stderr
_setup_console_logging()
logger = logging.getLogger("tap-freshbooks")
handlers = [(handler, handler.stream) for handler in logging.root.handlers]
stats = SyncStats()
progress.INTERVAL = progress.FRAME = 0.02


def read(stream, rows, total, pages):
    each = stats.for_stream(stream)
    each.count(requests=pages, total=total, pages=pages, capacity=100 * pages)
    each.rows += rows
    return each


def wait():
    sys.stdin.readline()


def end(stream):
    each = stats.for_stream(stream)
    each.ended = each.began + 2.3
"""
"""What each program begins with; `wait` waits until the test has seen what it wants."""

FINISHED = """
with progress.shown(stats):
    read("clients", 20, 20, 1)
    end("clients")
    read("invoices", 250, 1000, 3)
    wait()
    end("invoices")
print("rich" in sys.modules)
print(handlers == [(handler, handler.stream) for handler in logging.root.handlers])
print(sys.stderr is stderr)
"""


SUMMARY = ["Total: 270 rows, no requests, … s", "Rows: clients 20, invoices 250"]
"""The last lines of that, as the program has counted no requests in all."""


class Program:
    """A program with fake stats, its stderr a terminal or a pipe."""

    def __init__(
        self,
        text: str,
        *,
        terminal: bool,
        environment: dict[str, str],
        stdout_too: bool = False,
    ) -> None:
        quiet = {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"}
        kept = {name: value for name, value in unmeasured().items() if name not in quiet}
        self._reader: int
        self._reader, writer = pty.openpty() if terminal else os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM + text],
            stdin=subprocess.PIPE,
            stdout=writer if stdout_too else subprocess.PIPE,
            stderr=writer,
            text=True,
            env={**kept, "TERM": "xterm-256color", **environment},
        )
        os.close(writer)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.stderr = ""
        self.stdout = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self.hang_up()

    def wait_for(self, pattern: str) -> str:
        """Read stderr until it has what is wanted."""
        deadline = time.monotonic() + 30
        while not (found := re.search(pattern, self.stderr)):
            assert time.monotonic() < deadline, self.stderr
            assert self._read(), self.stderr
        return found[0]

    def go_on(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> int:
        """Let it go on to its end; its exit status."""
        self.go_on()
        while self._reader >= 0 and self._read():
            pass
        self.stdout, _ = self._process.communicate(timeout=30)
        return self._process.returncode

    def hang_up(self) -> None:
        """Close the terminal, unless that is done."""
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def _read(self) -> bool:
        select.select([self._reader], [], [], 30)
        chunk = b""
        with contextlib.suppress(OSError):  # Linux: a terminal that nobody holds any more
            chunk = os.read(self._reader, 65536)
        self.stderr += self._decoder.decode(chunk)  # which may end inside a character
        return bool(chunk)

    @property
    def lines(self) -> list[str]:
        """The text of the log lines that begin and end as lines, not behind or before a bar."""
        begin = r"(?:^|\n|\x1b\[2K|\x1b\[\?25l)[0-9-]+ [0-9:,]+ \| INFO {5}\| \S+ +\| "
        return re.findall(begin + r"([^\r\n]*)(?=\r?\n)", self.stderr)


def in_terminal(text: str, **environment: str) -> Program:
    return Program(text, terminal=True, environment=environment)


def in_pipe(text: str, **environment: str) -> Program:
    return Program(text, terminal=False, environment=environment)


def without_seconds(lines: list[str]) -> list[str]:
    return [re.sub(r"[0-9.]+ s$", "… s", line) for line in lines]


def has_cursor(stderr: str) -> bool:
    return stderr.rfind("\x1b[?25h") > stderr.rfind("\x1b[?25l")


def test_a_terminal_shows_a_bar_per_stream_being_read() -> None:
    with in_terminal(FINISHED) as program:
        program.wait_for("invoices +\x1b.*250 of 1,000 rows +[0-9]+ s left")
        program.wait_for("1 stream done, 20 rows")
        assert not has_cursor(program.stderr)
        assert program.end() == 0
    assert has_cursor(program.stderr)
    assert program.stdout.split() == ["True", "True", "True"]
    assert without_seconds(program.lines) == SUMMARY


def test_log_lines_stay_whole_above_the_bars() -> None:
    text = """
        def log(name):
            for number in range(100):
                logger.info("%s %d [bold]%s", name, number, "x" * 100)

        with progress.shown(stats):
            read("invoices", 250, 1000, 3)
            wait()
            threads = [threading.Thread(target=log, args=(name,)) for name in "ab"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            print("no log line", file=sys.stderr)
            print("nor ended", file=sys.stderr, end="")
            wait()
    """
    with in_terminal(dedented(text)) as program:
        program.wait_for("250 of 1,000 rows")
        program.go_on()
        program.wait_for("no log line\r?\n")
        assert program.end() == 0
    assert "nor ended\r\n" in program.stderr
    for name in "ab":
        wanted = [f"{name} {number} [bold]{'x' * 100}" for number in range(100)]
        assert [line for line in program.lines if line.startswith(name)] == wanted


@pytest.mark.parametrize("how", ["raise KeyboardInterrupt", "raise ValueError('x' * 99)"])
def test_a_terminal_is_in_order_after_an_error(how: str) -> None:
    with in_terminal(
        f'with progress.shown(stats):\n    read("invoices", 1, 9, 1)\n    wait()\n    {how}'
    ) as program:
        program.wait_for("1 of 9 rows")
        assert program.end() != 0
    assert has_cursor(program.stderr)
    assert program.lines[-1] == "Not finished: invoices (1 of 9 rows)"
    assert program.stderr.index("Not finished") < program.stderr.index("Traceback")


def test_a_signal_leaves_the_terminal_in_order() -> None:
    text = """
        import os, signal
        from tap_freshbooks import signals
        from tap_freshbooks.errors import RunInterruptedError

        def handle(signum, frame):
            if not signals.is_deferred(signum):
                raise RunInterruptedError(signum)

        signal.signal(signal.SIGTERM, handle)
        try:
            with progress.shown(stats):
                read("invoices", 1, 9, 1)
                wait()
                os.kill(os.getpid(), signal.SIGTERM)
        except RunInterruptedError as interruption:
            sys.exit(interruption.exit_status)
    """
    with in_terminal(dedented(text)) as program:
        program.wait_for("1 of 9 rows")
        assert program.end() == 143
    assert has_cursor(program.stderr)
    assert program.lines[-1] == "Not finished: invoices (1 of 9 rows)"


def test_a_run_survives_its_terminal() -> None:
    text = """
        with progress.shown(stats):
            read("invoices", 1, 9, 1)
            wait()
            for number in range(100):
                logger.info("into the void")
            print("done")
    """
    with in_terminal(dedented(text)) as program:
        program.wait_for("1 of 9 rows")
        program.hang_up()
        assert program.end() == 0
    assert program.stdout == "done\n"


def test_many_streams_fit_in_the_terminal() -> None:
    text = """
        with progress.shown(stats):
            for number in range(60):
                read(f"stream{number:02}", 1, 10, 1)
                if number < 37:
                    end(f"stream{number:02}")
            wait()
    """
    with in_terminal(dedented(text), LINES="10", COLUMNS="100") as program:
        program.wait_for("37 streams done, 37 rows")
        seen = set(re.findall(r"stream\d\d", program.stderr))
        assert "stream37" in seen
        assert "stream44" in seen
        assert "stream45" not in seen
        assert program.end() == 0
    assert len(program.lines) == 3


def test_a_pipe_gets_log_lines_and_no_escape_codes() -> None:
    with in_pipe(FINISHED) as program:
        line = program.wait_for("So far: reading .*; 1 stream done, 20 rows\n")
        assert re.search(r"reading invoices \(250 of 1,000 rows, [0-9]+ s left\)", line)
        program.wait_for("1 stream done, 20 rows; nothing new for [0-9]+ s\n")
        assert program.end() == 0
    assert "\x1b" not in program.stderr
    assert program.stdout.split() == ["False", "True", "True"]
    assert without_seconds(program.lines[-2:]) == SUMMARY


def test_json_logs_have_no_bars_beside_them(tmp_path: Path) -> None:
    config = tmp_path / "logging.json"  # which is YAML, too
    config.write_text(
        json.dumps(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "formatters": {"json": {"()": "singer_sdk.logging.StructuredFormatter"}},
                "handlers": {
                    "stderr": {
                        "class": "logging.StreamHandler",
                        "formatter": "json",
                        "stream": "ext://sys.stderr",
                    }
                },
                "root": {"level": "DEBUG", "handlers": ["stderr"]},
            }
        )
    )
    with in_terminal(FINISHED, SINGER_SDK_LOG_CONFIG=str(config)) as program:
        program.wait_for("So far: reading invoices")
        assert program.end() == 0
    logged = [json.loads(line) for line in program.stderr.splitlines()]
    assert logged[-1]["message"] == SUMMARY[-1]
    [of_stream] = [line for line in logged if line.get("stream_name") == "invoices"]
    assert (of_stream["level"], of_stream["message"]) == (
        "debug",
        "invoices: 250 rows, 3 pages, 3 requests, no retries, no 429s, 2.3 s",
    )


@pytest.mark.parametrize("variable", [("TERM", "dumb"), ("TTY_INTERACTIVE", "0")])
def test_a_terminal_that_cannot_draw_gets_log_lines(variable: tuple[str, str]) -> None:
    with in_terminal(FINISHED, **dict([variable])) as program:
        program.wait_for("So far: reading invoices")
        assert program.end() == 0
    assert "\x1b" not in program.stderr


def test_singer_messages_in_the_terminal_have_no_bars_among_them() -> None:
    with Program(FINISHED, terminal=True, environment={}, stdout_too=True) as program:
        program.wait_for("So far: reading invoices")
        assert program.end() == 0
    assert "\x1b" not in program.stderr


def test_no_color_has_bars_without_colours() -> None:
    with in_terminal(FINISHED, NO_COLOR="1") as program:
        program.wait_for("250 of 1,000 rows")
        assert program.end() == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9][0-9;]*m", program.stderr)
    assert has_cursor(program.stderr)


def test_a_log_level_above_info_hides_the_summary(caplog: pytest.LogCaptureFixture) -> None:
    stats = SyncStats()
    stats.for_stream("invoices").count(requests=1)
    with caplog.at_level(logging.WARNING), progress.shown(stats):
        pass
    assert not caplog.records


def test_of_streams_that_a_broken_run_has_not_read_nothing_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    for breaks in (False, True):
        with contextlib.suppress(KeyboardInterrupt), progress.shown(SyncStats(), ["taxes"]):
            if breaks:
                raise KeyboardInterrupt
    whole, broken = caplog.messages
    assert whole.endswith("; 1 stream without new rows")
    assert "stream" not in broken


@pytest.mark.parametrize(
    ("rows", "capacity", "total", "left"),
    [
        (500, 500, 1000, "2 min left"),
        (900, 1000, 1000, "11 s left"),
        (1000, 1000, 40_000, "1 h 5 min left"),
        (1000, 1000, 1000, ""),  # nothing is left, or the total was wrong
        (1000, 1000, 900, ""),
        (500, 500, 0, ""),  # the total is unknown
        (0, 500, 1000, ""),  # read ahead
        (3, 500, 1000, ""),  # only rows that changed are delivered
    ],
)
def test_the_time_left_is_shown_where_the_rows_allow_it(
    rows: int, capacity: int, total: int, left: str
) -> None:
    stats = StreamStats("invoices", rows, total, capacity=capacity, began=1.0, ended=101.0)
    assert time_left(stats) == left


def test_a_run_that_has_read_nothing_says_so() -> None:
    assert describe_state(SyncStats()) == "nothing read yet"


def dedented(text: str) -> str:
    return re.sub("^ {8}", "", text, flags=re.MULTILINE)
