"""What the sandbox saw: requests per path, the most at once, refreshes, spent tokens seen again."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
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
    """A tally for everything, and one for each application."""

    def __init__(self) -> None:
        self._tallies: dict[str | None, Tally] = {None: Tally()}

    def _of(self, client_id: str | None) -> list[Tally]:
        tallies = [self._tallies[None]]
        if client_id is not None:
            tallies.append(self._tallies.setdefault(client_id, Tally()))
        return tallies

    def began(self, client_id: str | None, request: str) -> list[Tally]:
        """Count a request; the tallies returned go to `ended`."""
        tallies = self._of(client_id)
        for tally in tallies:
            tally.began(request)
        return tallies

    def ended(self, tallies: list[Tally], status: str) -> None:
        """Count the outcome: a status code, or `cut`."""
        for tally in tallies:
            tally.in_flight -= 1
            tally.statuses[status] += 1

    def refreshed(self, client_id: str) -> None:
        """Count a successful refresh."""
        for tally in self._of(client_id):
            tally.refreshes += 1

    def spent_token(self, client_id: str) -> None:
        """Count a refresh token that was presented after its death."""
        for tally in self._of(client_id):
            tally.spent_refresh_tokens += 1

    def read(self, client_id: str | None = None) -> dict[str, Any]:
        """The counts so far."""
        return self._tallies.get(client_id, Tally()).as_dict()

    def clear(self) -> None:
        """Begin anew."""
        self._tallies = {None: Tally()}
