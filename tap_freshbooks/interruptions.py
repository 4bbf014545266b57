"""Holds signals that end a run back while something must not be cut in two."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_held = 0
_patient = 0
_pending: int | None = None


@contextlib.contextmanager
def held(*, patient: bool = True) -> Iterator[None]:
    """Let signals wait for the end of the block.

    Args:
        patient: Whether a second signal has to wait, too.
    """
    global _held, _patient, _pending  # noqa: PLW0603 - signals are the process's own
    _held += 1
    _patient += patient
    try:
        yield
    finally:
        _held -= 1
        _patient -= patient
        if not _held and _pending is not None:
            signum, _pending = _pending, None
            signal.raise_signal(signum)  # the handler runs in the main thread, as it should


def handle_hangup(handler: Callable[[int, FrameType | None], None]) -> None:
    """Handle SIGHUP like the others, so that a terminal that closes cuts nothing either.

    Only where it would end the process: `nohup` has it ignored.
    """
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    is_main = threading.current_thread() is threading.main_thread()
    if hangup and is_main and signal.getsignal(hangup) == signal.SIG_DFL:
        signal.signal(hangup, handler)


def must_wait(signum: int) -> bool:
    """Asked by a signal handler: whether the signal is to be forgotten now and will come again."""
    global _pending  # noqa: PLW0603
    waits = bool(_held) and (_patient > 0 or _pending is None)
    _pending = signum if waits else None
    return waits
