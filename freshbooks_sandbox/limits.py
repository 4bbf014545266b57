"""The rate limit: fixed windows that open with their first call.

See docs/freshbooks-api/errors-and-limits.md §2.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

USUAL_LIMIT = 600
"""The limit that responses announce where none is enforced."""

IDENTITY_LIMIT = 20
"""Of users/me, where it has a window of its own."""

IDENTITY_PATH = "/auth/api/v1/users/me"


def window_of(path: str) -> tuple[str, int | None]:
    """Where calls do not all count in one window: the name of theirs, and a limit of its own."""
    if path.rstrip("/") == IDENTITY_PATH:
        return IDENTITY_PATH, IDENTITY_LIMIT
    return path.split("/")[1], None


@dataclass(frozen=True)
class Budget:
    """The rest of the current window after a call."""

    limit: int
    remaining: int
    reset: float
    is_allowed: bool
    seconds_left: float

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The four headers of every answer; `Retry-After` on a 200 is no request to wait."""
        after = math.floor(self.seconds_left) if self.is_allowed else math.ceil(self.seconds_left)
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset),
            (b"retry-after", b"%d" % max(after, 0 if self.is_allowed else 1)),
        ]


@dataclass
class RateLimit:
    """So many calls in so many seconds for each key; a limit of 0 never comes nearer."""

    limit: int
    window: float = 60
    _windows: dict[tuple[str | None, str], tuple[float, int]] = field(default_factory=dict)

    def take(self, client_id: str | None, name: str = "", own_limit: int | None = None) -> Budget:
        """Spend one call.

        Args:
            client_id: The application that calls.
            name: Of the window, if it has several.
            own_limit: Of that window, where limits are enforced at all.
        """
        key = (client_id, name)
        now = time.time()
        begun, used = self._windows.get(key, (now, 0))
        if now - begun >= self.window:
            begun, used = now, 0
        used += 1
        self._windows[key] = (begun, used)
        limit = own_limit or self.limit or USUAL_LIMIT
        reset = begun + self.window
        return Budget(
            limit=limit,
            remaining=max(limit - used, 0) if self.limit else limit - 1,
            reset=reset,
            is_allowed=self.limit == 0 or used <= limit,
            seconds_left=reset - now,
        )
