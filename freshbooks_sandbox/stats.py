"""Counts of requests per path, the most at once, refreshes, and refresh tokens that were spent."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RequestCounts:
    """The counts of one application, or of all together."""

    paths: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    most_in_flight: int = 0
    most_in_a_second: int = 0
    refreshes: int = 0
    spent_refresh_tokens: int = 0
    _last_second: deque[float] = field(default_factory=deque)

    def began(self, request: str) -> None:
        """Count a request that has come in."""
        self.paths[request] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        now = time.monotonic()
        self._last_second.append(now)
        while now - self._last_second[0] >= 1:
            self._last_second.popleft()
        self.most_in_a_second = max(self.most_in_a_second, len(self._last_second))

    def as_dict(self) -> dict[str, Any]:
        """The form of `GET /_sandbox/stats`."""
        return {
            "requests": sum(self.paths.values()),
            "paths": dict(self.paths),
            "statuses": dict(self.statuses),
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "most_in_a_second": self.most_in_a_second,
            "refreshes": self.refreshes,
            "spent_refresh_tokens": self.spent_refresh_tokens,
        }


class Stats:
    """The counts of everything, and those of each application."""

    def __init__(self) -> None:
        self._counts: dict[str | None, RequestCounts] = {None: RequestCounts()}

    def _of(self, client_id: str | None) -> list[RequestCounts]:
        counts = [self._counts[None]]
        if client_id is not None:
            counts.append(self._counts.setdefault(client_id, RequestCounts()))
        return counts

    def began(self, client_id: str | None, request: str) -> list[RequestCounts]:
        """Count a request; the counts returned go to `ended`."""
        counts = self._of(client_id)
        for count in counts:
            count.began(request)
        return counts

    def ended(self, counts: list[RequestCounts], status: str) -> None:
        """Count the outcome: a status code, or `cut`."""
        for count in counts:
            count.in_flight -= 1
            count.statuses[status] += 1

    def refreshed(self, client_id: str) -> None:
        """Count a successful refresh."""
        for count in self._of(client_id):
            count.refreshes += 1

    def spent_token(self, client_id: str) -> None:
        """Count a refresh token that was presented after its death."""
        for count in self._of(client_id):
            count.spent_refresh_tokens += 1

    def read(self, client_id: str | None = None) -> dict[str, Any]:
        """The counts so far."""
        return self._counts.get(client_id, RequestCounts()).as_dict()

    def clear(self) -> None:
        """Count from zero."""
        self._counts = {None: RequestCounts()}
