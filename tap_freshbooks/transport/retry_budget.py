"""Limits how often a run may retry before an outage ends it."""

from __future__ import annotations

import threading

MAX_RETRIES = 50.0
"""Retries that a run may have in hand."""

REFILL = 0.5
"""Retries that a success gives back: a third of all requests may fail for ever."""


class RetryBudget:
    """The retries that are left to a run, shared by its threads."""

    def __init__(self) -> None:
        self._left = MAX_RETRIES
        self._mutex = threading.Lock()

    def spend(self) -> bool:
        """Take one retry; False if there is none."""
        with self._mutex:
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def refill(self) -> None:
        """Give back, because a request was successful."""
        with self._mutex:
            self._left = min(MAX_RETRIES, self._left + REFILL)
