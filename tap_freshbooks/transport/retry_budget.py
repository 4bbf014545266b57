"""Limits how often a run may retry, so that neither an outage nor one broken endpoint takes hours.

Each stream has retries of its own: an endpoint that fails for ever cannot use up those of the
others. Together they have an account, too; when it is overdrawn, it is time to ask whether
FreshBooks is there at all.
"""

from __future__ import annotations

import threading

MAX_RETRIES = 50.0
"""Retries that a run may have in hand."""

MAX_RETRIES_OF_STREAM = 25.0
"""Retries that a stream may have in hand: as many as three of its requests may need in all."""

REFILL = 0.5
"""Retries that a success gives back: a third of all requests may fail for ever."""


class RetryBudgets:
    """The retries that are left to a run and to its streams, shared by its threads."""

    def __init__(self) -> None:
        self._left = MAX_RETRIES
        self._left_of: dict[str, float] = {}
        self._mutex = threading.Lock()

    def spend(self, stream: str) -> bool:
        """Take one retry of a stream; False if it has none left."""
        with self._mutex:
            left = self._left_of.get(stream, MAX_RETRIES_OF_STREAM)
            if left < 1:
                return False
            self._left_of[stream] = left - 1
            self._left -= 1
            return True

    @property
    def is_overdrawn(self) -> bool:
        """Whether the run has used up its retries, those of all streams together."""
        return self._left < 0

    def reset(self) -> None:
        """Give the run its retries again, since FreshBooks is there; those of streams stay."""
        with self._mutex:
            self._left = MAX_RETRIES

    def refill(self, stream: str) -> None:
        """Give back, because a request of a stream was successful."""
        with self._mutex:
            self._left = min(MAX_RETRIES, self._left + REFILL)
            left = self._left_of.get(stream, MAX_RETRIES_OF_STREAM)
            self._left_of[stream] = min(MAX_RETRIES_OF_STREAM, left + REFILL)
