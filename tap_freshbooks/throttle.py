"""How fast requests may leave."""

from __future__ import annotations

import threading
import time


class Throttle:
    """Spaces requests evenly, so that no second sees more than the cap.

    Args:
        requests_per_second: The cap; FreshBooks publishes no limit of its own.
    """

    def __init__(self, requests_per_second: float) -> None:
        self._interval = 1 / requests_per_second
        self._mutex = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Sleep until the next request may leave."""
        with self._mutex:
            now = time.monotonic()
            delay = max(0.0, self._next - now)
            self._next = now + delay + self._interval
        if delay:
            time.sleep(delay)
