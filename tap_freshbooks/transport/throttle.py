"""Limits how fast requests leave, and how many at once: the caps at most, less after a 429."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from tap_freshbooks.errors import RunCancelledError
from tap_freshbooks.transport.response_errors import LONGEST_RETRY_AFTER, rate_window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_freshbooks.transport.response_errors import RateWindow

logger = logging.getLogger("tap-freshbooks.throttle")

MIN_SHARE = 1 / 16
"""The share of the caps that is left after any number of 429s."""

INCREASE_STEP = 1 / 50
"""The share of the caps that one success gives back."""

SPACING_MARGIN = 0.03
"""Added to the spacing that the cap allows, as a share of it: requests do not all take equally long
to FreshBooks, where no second shall see more than the cap either."""

WAKE_UP_DELAY = 0.01
"""Seconds that a thread may wake too late without loss of pace; less than the margin."""


class Throttle:
    """Lets requests leave one by one, for any number of threads.

    Args:
        requests_per_second: The cap; FreshBooks publishes no limit of its own.
        max_concurrency: The most requests in flight.
    """

    def __init__(self, requests_per_second: float, max_concurrency: int) -> None:
        self._cap = requests_per_second
        self._most = max_concurrency
        self.window: RateWindow | None = None
        """The latest rate limit that FreshBooks named; None if it named none."""
        self._share = 1.0
        self._in_flight = 0
        self._next = self._paused_until = self._slowed_at = self._paused = 0.0
        self._entry_lock = threading.Lock()
        """Its holder alone waits for a slot, so that a free one wakes one thread and not all."""
        self._changed = threading.Condition()
        self._closed = threading.Event()

    @property
    def requests_per_second(self) -> float:
        """Requests that may leave in a second at present."""
        return self._cap * self._share

    @property
    def max_concurrency(self) -> int:
        """Requests that may be in flight at present."""
        return max(1, round(self._most * self._share))

    @property
    def pause_left(self) -> float:
        """Seconds for which nothing leaves."""
        return max(0.0, self._paused_until - time.monotonic())

    @property
    def paused_seconds(self) -> float:
        """Seconds for which nothing left so far, because of rate limits."""
        return self._paused - self.pause_left

    @contextlib.contextmanager
    def slot(self) -> Iterator[float]:
        """Wait until a request may leave; it is in flight until the end of the block.

        Yields:
            When it leaves, `time.monotonic()`.

        Raises:
            RunCancelledError: If the throttle is closed.
        """
        sent = self._enter()
        try:
            yield sent
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def _enter(self) -> float:
        with self._entry_lock, self._changed:
            while True:
                if self._closed.is_set():
                    raise RunCancelledError
                now = time.monotonic()
                delay = max(self._next, self._paused_until) - now
                if self._in_flight >= self.max_concurrency:
                    self._changed.wait()
                elif delay > 0:
                    self._changed.wait(delay)
                else:
                    break
            self._in_flight += 1
            interval = (1 + SPACING_MARGIN) / self.requests_per_second
            self._next = max(self._next, now - WAKE_UP_DELAY) + interval
            return now

    def pause(self, seconds: float) -> None:
        """Let nothing leave for some time; a longer pause under way stays."""
        with self._changed:
            now = time.monotonic()
            until = now + min(seconds, LONGEST_RETRY_AFTER)
            self._paused += max(0.0, until - max(now, self._paused_until))
            self._paused_until = max(self._paused_until, until)
            self._changed.notify()

    def slow_down(self, sent: float) -> None:
        """Halve the pace because of a 429; once for all that had left before.

        Args:
            sent: When the request left that was answered with it.
        """
        with self._changed:
            if sent >= self._slowed_at:
                self._share = max(MIN_SHARE, self._share / 2)
                self._slowed_at = time.monotonic()

    def speed_up(self, sent: float) -> None:
        """Approach the caps by one step because of a success.

        Args:
            sent: When the request left; if before the last 429, its success says nothing.
        """
        with self._changed:
            if self._share < 1 and sent >= self._slowed_at:
                self._share = min(1.0, self._share + INCREASE_STEP)
                self._changed.notify()

    def observe(self, headers: Mapping[str, str]) -> None:
        """Pause if FreshBooks says that the window is used up. To be called inside the slot."""
        window = rate_window(headers)
        if window is None:
            return
        with self._changed:
            self.window = window
            others = self._in_flight - 1
            if window.remaining > others:
                return
            if self.pause_left < window.seconds - 1:
                logger.info("FreshBooks takes no more requests for %.0f s: pausing", window.seconds)
            self.pause(window.seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep, unless the throttle is closed.

        Raises:
            RunCancelledError: If it is.
        """
        if self._closed.wait(seconds):
            raise RunCancelledError

    def close(self) -> None:
        """Let nothing leave any more; threads that wait get a `RunCancelledError`."""
        self._closed.set()
        with self._changed:
            self._changed.notify()
