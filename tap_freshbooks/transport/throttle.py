"""Limits how fast requests leave, and how many at once: the caps at most, less after a 429.

What is left of FreshBooks' rate limit is `rate_window.py`'s matter; here requests wait for it.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from typing import TYPE_CHECKING

from tap_freshbooks.errors import RunCancelledError
from tap_freshbooks.transport.rate_window import RateWindows, rate_headers
from tap_freshbooks.transport.response_errors import LONGEST_RETRY_AFTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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

LEAST_TOLD = 2.0
"""Seconds of waiting for a window that are told."""


class Throttle:
    """Lets requests leave one by one, for any number of threads.

    Args:
        requests_per_second: The cap; FreshBooks publishes no limit of its own.
        max_concurrency: The most requests in flight.
        clock: Tells the seconds.
    """

    def __init__(
        self,
        requests_per_second: float,
        max_concurrency: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cap = requests_per_second
        self._most = max_concurrency
        self._clock = clock
        self._windows = RateWindows(max_concurrency)
        self._share = 1.0
        self._in_flight = 0
        self._next = self._paused_until = self._slowed_at = -math.inf
        self._paused = 0.0
        self._held_since: float | None = None
        """Since when a request waits for a rate limit while none leaves; None if none waits."""
        self._has_told = False
        self._entry_lock = threading.Lock()
        """Its holder alone waits for a slot, so that a free one wakes one thread and not all."""
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._answered = threading.Condition(lock)
        """Wakes the threads that wait for their window."""
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
    def rate_limit(self) -> int | None:
        """Requests that FreshBooks allows in a window; None if it named no limit."""
        return self._windows.limit

    @property
    def pause_left(self) -> float:
        """Seconds for which nothing leaves."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def paused_seconds(self) -> float:
        """Seconds so far in which a request waited for a rate limit, and none left."""
        since = self._held_since
        return self._paused + (0.0 if since is None else self._clock() - since)

    @contextlib.contextmanager
    def slot(self, route: str = "") -> Iterator[float]:
        """Wait until a request may leave; it is in flight until the end of the block.

        Args:
            route: What is requested, as `route_of` names it.

        Yields:
            When it leaves, by the clock.

        Raises:
            RunCancelledError: If the throttle is closed.
        """
        sent = self._enter(route)
        try:
            yield sent
        except BaseException:
            with self._changed:
                self._windows.lost(route)
            raise
        finally:
            with self._changed:
                self.arrive(route)
                self._changed.notify()
                self._answered.notify_all()

    def delay(self, route: str = "") -> float:
        """Seconds until a request may leave; infinity if another one has to return first."""
        now = self._clock()
        return max(self._delay(now), self._windows.delay(route, now))

    def leave(self, route: str = "") -> float:
        """Count a request that leaves now, and say when that is. For `slot`, and simulations."""
        now = self._clock()
        self._in_flight += 1
        self._windows.left(route, now)
        interval = (1 + SPACING_MARGIN) / self.requests_per_second
        self._next = max(self._next, now - WAKE_UP_DELAY) + interval
        if self._held_since is not None:
            self._paused += now - self._held_since
            self._held_since = None
        return now

    def arrive(self, route: str = "") -> None:
        """Count a request that is in flight no more. For `slot`, and simulations."""
        self._in_flight -= 1
        self._windows.returned(route)

    def _delay(self, now: float) -> float:
        """Seconds until any request may leave, whatever is left of its window."""
        if self._in_flight >= self.max_concurrency:
            return math.inf
        return max(0.0, self._next - now, self._paused_until - now)

    def _enter(self, route: str) -> float:
        while True:
            with self._entry_lock, self._changed:
                while (delay := self._delay(self._clock())) > 0:
                    self._wait(self._changed, delay, is_held=self.pause_left > 0)
                if self._windows.delay(route, self._clock()) <= 0:
                    self._check_open()
                    return self.leave(route)
            # Without the lock: other routes may have something left.
            with self._changed:
                if (delay := self._windows.delay(route, self._clock())) > 0:
                    self._tell(delay)
                    self._wait(self._answered, delay, is_held=True)

    def _wait(self, condition: threading.Condition, delay: float, *, is_held: bool) -> None:
        self._check_open()
        if is_held and self._held_since is None:
            self._held_since = self._clock()
        condition.wait(delay if delay < math.inf else None)
        self._check_open()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise RunCancelledError

    def _tell(self, seconds: float) -> None:
        """Say once why nothing happens for so long."""
        if self._has_told or seconds < LEAST_TOLD or seconds == math.inf:
            return
        self._has_told = True
        logger.info(
            "FreshBooks allows %d requests a window, and they are used up: waiting %.0f s for the "
            "next window, and from now on without a word",
            self._windows.limit or 0,
            seconds,
        )

    def pause(self, seconds: float) -> None:
        """Let nothing leave for some time; a longer pause under way stays."""
        with self._changed:
            until = self._clock() + min(seconds, LONGEST_RETRY_AFTER)
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
                self._slowed_at = self._clock()
            self._windows.of_a_minute = False

    def speed_up(self, sent: float) -> None:
        """Approach the caps by one step because of a success.

        Args:
            sent: When the request left; if before the last 429, its success says nothing.
        """
        with self._changed:
            if self._share < 1 and sent >= self._slowed_at:
                self._share = min(1.0, self._share + INCREASE_STEP)
                self._changed.notify()

    def observe(self, headers: Mapping[str, str], route: str = "") -> None:
        """Learn what is left of a window. To be called inside the slot."""
        with self._changed:
            self._windows.answered(route, rate_headers(headers), self._clock())

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
            self._answered.notify_all()
