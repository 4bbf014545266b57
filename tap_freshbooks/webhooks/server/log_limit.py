"""Keeps what strangers cause from filling the log: the same warning comes once a minute."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERVAL = 60.0
"""Seconds in which a warning comes once; then it says how many there were."""

MAX_KINDS = 1_000
"""Kinds of warnings that are remembered."""


class LogLimit(logging.Filter):
    """Lets each kind of warning through once in an interval; what is below a warning always.

    Of one kind are those with the same text before their values are put in, without those lines
    and tracebacks that follow the first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.interval = INTERVAL
        self._lock = threading.Lock()
        self._told: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        text = record.getMessage() if record.msg == "%s" else str(record.msg)
        kind, now = text.partition("\n")[0], time.monotonic()
        with self._lock:
            if now - self._told.get(kind, -math.inf) < self.interval:
                self._held_back[kind] = self._held_back.get(kind, 0) + 1
                return False
            if len(self._told) >= MAX_KINDS:
                self._told.clear()
            self._told[kind] = now
            more = self._held_back.pop(kind, 0)
        if more:
            record.msg, record.args = f"{record.getMessage()} ({more} more like this before)", ()
        return True


@contextlib.contextmanager
def limited_logs(*names: str) -> Iterator[None]:
    """Limit the warnings of some loggers until the block ends."""
    limit = LogLimit()
    for name in names:
        logging.getLogger(name).addFilter(limit)
    try:
        yield
    finally:
        for name in names:
            logging.getLogger(name).removeFilter(limit)
