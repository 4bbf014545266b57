"""Defers signals that end a run while something must not be cut in two, in any thread."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_mutex = threading.RLock()
"""Re-entrant, because the handler may run in the middle of its holder."""

_deferring = 0
"""Blocks that defer signals."""

_deferring_second = 0
"""Those among them that defer a second signal too."""

_pending: int | None = None
"""The signal that is deferred."""

_pending_since = 0.0
"""When it came, `time.monotonic()`."""

_is_repeated = False
"""Whether it came a second time."""

INTERVAL = 8.0
"""Seconds after which a signal comes again: whoever stops containers kills after ten, or thirty."""

_insists = False
"""Whether a signal comes again by itself."""

_was_delivered = False
"""Whether one has already got through: each one more is a second one."""


@contextlib.contextmanager
def deferred(*, defer_second: bool = True) -> Iterator[None]:
    """Defer signals to the end of the block, whichever thread it runs in.

    Args:
        defer_second: Whether a second signal is deferred, too.
    """
    global _deferring, _deferring_second  # noqa: PLW0603 - signals are the process's own
    with _mutex:
        _deferring += 1
        _deferring_second += defer_second
    try:
        yield
    finally:
        with _mutex:
            _deferring_second -= defer_second
            _deferring -= 1
            due = _due()
        if due is not None:
            _deliver(due)


@contextlib.contextmanager
def insistent() -> Iterator[None]:
    """Inside the block, a signal comes again by itself every few seconds until the block ends.

    Who stops a service sends one, and no second one before it kills: it has to do where a target
    has stopped reading, and whatever else a second one cuts short.
    """
    global _insists, _was_delivered  # noqa: PLW0603
    alarm = getattr(signal, "SIGALRM", None)  # Windows has none
    if alarm is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(alarm)
    _insists, _was_delivered = True, False
    try:
        yield
    finally:
        _insists = _was_delivered = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(alarm, before or signal.SIG_DFL)  # None: not of Python's making


def _insist(signum: int) -> None:
    if not signal.getitimer(signal.ITIMER_REAL)[1]:
        signal.signal(signal.SIGALRM, lambda _alarm, _frame: signal.raise_signal(signum))
        signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)


def _due() -> int | None:
    """The signal to deliver now, None if there is none or a block still defers it."""
    global _pending, _is_repeated
    due = _pending
    if not _deferring:
        _pending, _is_repeated = None, False
    elif _deferring_second or not _is_repeated:  # else no block defers the second
        due = None
    return due


def _deliver(signum: int) -> None:
    """Let the handler run, in the main thread as always, where the signal ends a wait, too."""
    main = threading.main_thread()
    if threading.current_thread() is main or not hasattr(signal, "pthread_kill"):
        signal.raise_signal(signum)
    elif main.ident is not None:
        signal.pthread_kill(main.ident, signum)


def handle_hangup(handler: Callable[[int, FrameType | None], None]) -> None:
    """Handle SIGHUP like the others, so that a terminal that closes cuts nothing either.

    Only where it would end the process: `nohup` has it ignored.
    """
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    is_main = threading.current_thread() is threading.main_thread()
    if hangup and is_main and signal.getsignal(hangup) == signal.SIG_DFL:
        signal.signal(hangup, handler)


def is_deferred(signum: int) -> bool:
    """For a signal handler: whether it has to ignore the signal, which will be sent again."""
    global _pending, _pending_since, _is_repeated, _was_delivered  # noqa: PLW0603
    with _mutex:
        if _insists:
            _insist(signum)
        is_first = _pending is None and not _was_delivered
        defers = bool(_deferring) and (_deferring_second > 0 or is_first)
        _is_repeated = defers and not is_first
        if _pending is None:
            _pending_since = time.monotonic()
        _pending = signum if defers else None
        _was_delivered = _insists and not defers
        return defers


def seconds_deferred() -> float:
    """For how long a signal has been deferred; 0 if none is."""
    return 0.0 if _pending is None else time.monotonic() - _pending_since
