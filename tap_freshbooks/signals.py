"""Holds signals that end a run back while something must not be cut in two, in any thread."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_mutex = threading.RLock()
"""Re-entrant, because the handler may run in the middle of its holder."""

_held = 0
_patient = 0
_pending: int | None = None
_is_repeated = False


@contextlib.contextmanager
def deferred(*, patient: bool = True) -> Iterator[None]:
    """Let signals wait for the end of the block, whichever thread it runs in.

    Args:
        patient: Whether a second signal has to wait, too.
    """
    global _held, _patient  # noqa: PLW0603 - signals are the process's own
    with _mutex:
        _held += 1
        _patient += patient
    try:
        yield
    finally:
        with _mutex:
            _patient -= patient
            _held -= 1
            due = _due()
        if due is not None:
            _deliver(due)


def _due() -> int | None:
    """The signal whose time has come, None if there is none or somebody still holds it."""
    global _pending, _is_repeated
    due = _pending
    if not _held:
        _pending, _is_repeated = None, False
    elif _patient or not _is_repeated:  # else the second signal, for which the patient are gone
        due = None
    return due


def _deliver(signum: int) -> None:
    """Let the handler run, in the main thread as always; a signal to it ends its waiting, too."""
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
    """Asked by a signal handler: whether the signal is to be forgotten now and will come again."""
    global _pending, _is_repeated  # noqa: PLW0603
    with _mutex:
        waits = bool(_held) and (_patient > 0 or _pending is None)
        _is_repeated = waits and _pending is not None
        _pending = signum if waits else None
        return waits
