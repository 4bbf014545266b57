"""What answers have told of FreshBooks' rate limit: windows, and which requests count in which.

A window has a number of requests, begins with the first of them, and ends about a minute later.
How many windows a token has, nobody knows: one for everything, or several with limits of their own
(`docs/freshbooks-api/errors-and-limits.md §2`). So what an answer tells counts for its route, and
for the routes that were told of the same window. Nothing here waits; `throttle.py` does.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_freshbooks.numerals import whole_number
from tap_freshbooks.transport.response_errors import LONGEST_RETRY_AFTER, answer_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WINDOW = 60.0
"""Seconds that a window has, as far as is known (`docs/freshbooks-api/errors-and-limits.md §2`)."""

LONGEST_COUNTDOWN = 3600
"""A reset up to here is the seconds that are left, and no moment: both are in use elsewhere."""

ROUNDING = 1
"""Seconds by which resets of one window may differ: some are computed anew for each answer."""

ROUTE_SEGMENTS = 4
"""Segments of a path that make a route: `/accounting/account/ID/invoices` without what follows."""

FEW_OTHERS = 4
"""Requests of others in a window that do not count: refreshing the token takes one or two."""

LEAST_SHARE_OF_OTHERS = 1 / 20
"""Of our own requests in a window; fewer requests of others do not count either."""

QUIET = 10
"""Requests of ours with none of others in between, after which these are taken to have ended."""

TAIL = 1 / 10
"""Of a window that others share: what is taken one by one, when all before is used."""

HASTE = 4
"""How much sooner than evenly over the time that is left: a run that needs just what is left of a
window shall not have to wait for its end."""

FRESH = 1.0
"""Seconds for which what an answer says of a window that others share may be relied on."""


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """The rate limit headers of an answer.

    Attributes:
        remaining: Requests that are left in the window.
        reset: When it ends, by the clock of the server, seconds; rounded up or down.
        date: When the answer was made, by the same clock, rounded down.
        limit: Requests that a whole window has; None if that is not said.
    """

    remaining: int
    reset: int
    date: int
    limit: int | None

    def seconds(self, *, of_a_minute: bool) -> float:
        """From when the answer is there to the end of the window, at most.

        Args:
            of_a_minute: Whether windows that seem to have about a minute have just that.
        """
        seconds = self.reset - self.date
        is_first = self.limit == self.remaining + 1  # then the window has begun with its request
        if of_a_minute and is_first and WINDOW - ROUNDING <= seconds <= WINDOW:
            return WINDOW
        # One more, because both have lost their fractions.
        return float(min(seconds + 1, LONGEST_RETRY_AFTER))


def rate_headers(headers: Mapping[str, str]) -> RateHeaders | None:
    """Read the rate limit headers, None if they are missing or make no sense."""
    remaining = whole_number(headers.get("X-RateLimit-Remaining"))
    reset = whole_number(headers.get("X-RateLimit-Reset"))
    moment = answer_date(headers)  # by the clock that the reset is told by; ours may be wrong
    if remaining is None or reset is None or moment is None:
        return None
    date = int(moment.timestamp())
    if 0 <= reset <= LONGEST_COUNTDOWN:
        reset += date
    if remaining < 0 or reset < date:
        return None
    limit = whole_number(headers.get("X-RateLimit-Limit"))
    return RateHeaders(remaining, reset, date, limit if limit and limit > 0 else None)


def route_of(method: str, path: str) -> str:
    """What requests have in common that count in the same window, whichever that is."""
    return " ".join([method, *path.split("/")[1 : 1 + ROUTE_SEGMENTS]])


class RateWindow:
    """One window; moments are by our clock.

    Args:
        rate: What the first answer from it says.
        ends: When it is over by that, at the latest.
        now: When the answer was there.
        in_flight: Requests of ours that may count in it, that one included.

    Attributes:
        limit: Requests that it has; None if that is not known.
        reset: When it ends, by the clock of the server.
        ends: When it is over, at the latest.
        remaining: Requests that are left, by the answers so far.
        before: What was left before the first of our requests that is known.
        sent: How many of ours have left since, that one included.
        departed: When the last of them left.
        seen: When the last answer was there.
        successor: The window after it; None as long as none is known.
    """

    def __init__(self, rate: RateHeaders, ends: float, now: float, in_flight: int) -> None:
        self.limit = rate.limit
        self.reset = rate.reset
        self.ends = ends
        self.remaining = rate.remaining
        self.before = rate.remaining + 1
        self.sent = in_flight
        self._others = self._others_until = 0
        self.departed = self.seen = now
        self.successor: RateWindow | None = None

    @property
    def others(self) -> int:
        """Requests of other processes in it; 0 if they are few, or seem to have ended."""
        is_quiet = self.sent - self._others_until > QUIET
        few = max(FEW_OTHERS, self.sent * LEAST_SHARE_OF_OTHERS)
        return self._others if self._others > few and not is_quiet else 0

    def is_told_by(self, rate: RateHeaders) -> bool:
        """Whether headers speak of this window."""
        return self.limit == rate.limit and abs(self.reset - rate.reset) <= ROUNDING

    def learn(self, rate: RateHeaders, ends: float, now: float) -> None:
        """Take over what an answer says; they may come in another order than they were made."""
        self.remaining = min(self.remaining, rate.remaining)
        self.seen = now
        others = self.before - self.remaining - self.sent  # at least: some of ours may not be there
        if others > self._others:
            self._others, self._others_until = others, self.sent
        # Every answer tells a moment that the end cannot be after, so the earliest holds.
        self.ends = min(self.ends, ends) if now < self.ends else ends

    def delay(self, now: float, in_flight: int, max_concurrency: int) -> float:
        """Seconds until one more request may leave, so that it finds something left.

        Args:
            now: The present moment.
            in_flight: Requests of ours that count in it, and may not be among `remaining` yet.
            max_concurrency: How many that may be; others are taken to have as many.

        Returns:
            0 if it may leave at once; infinity if another one has to return first.
        """
        if now >= self.ends:
            return 0 if self.limit is None or in_flight < self.limit else math.inf
        left = self.ends - now
        others = self.others
        if not others:
            return 0 if self.remaining > in_flight else left
        whole = self.limit or self.before
        tail = min(max(int(whole * TAIL), max_concurrency), whole // 2)
        if self.remaining - in_flight > tail:
            # What others did meanwhile only another answer tells.
            return 0 if now - self.seen < FRESH or not in_flight else left
        # If everybody sends one at a time, and stops where there is less than one for each, then
        # nobody finds nothing left, however old what he knows is, and all is used.
        if in_flight or self.remaining <= max(1, round(others / self.sent)):
            return left
        return max(0.0, self.departed - now + left / (self.remaining * HASTE))


class RateWindows:
    """The windows of one token, and the requests that are in flight.

    Args:
        max_concurrency: The most requests in flight.
    """

    def __init__(self, max_concurrency: int) -> None:
        self._max_concurrency = max_concurrency
        self._told: dict[str, RateWindow] = {}
        """By route, the window that its last answer told of."""
        self._silent: set[str] = set()
        """Routes whose answers tell of none: some captures lack the headers."""
        self._latest: RateWindow | None = None
        """Where routes are supposed to count that have had no answer yet."""
        self._in_flight = Counter[str]()
        self.of_a_minute = True
        """Whether windows have just a minute; no 429 speaks against it so far."""

    @property
    def limit(self) -> int | None:
        """Requests that a window has, for most routes; None if no answer told."""
        limits = Counter(window.limit for window in self._told.values() if window.limit)
        return limits.most_common(1)[0][0] if limits else None

    def delay(self, route: str, now: float) -> float:
        """Seconds until a request may leave; infinity if another one has to return first."""
        window = self._window(route)
        if window is None:
            return 0
        return window.delay(now, self._in_flight_in(window), self._max_concurrency)

    def left(self, route: str, now: float) -> None:
        """Count a request that leaves."""
        self._in_flight[route] += 1
        if (window := self._window(route)) is not None:
            window.sent += 1
            window.departed = now

    def answered(self, route: str, rate: RateHeaders | None, now: float) -> None:
        """Learn from an answer; its request is in flight until it has returned.

        Args:
            route: Of the request.
            rate: What the answer says; None if nothing.
            now: When it was there.
        """
        if rate is None:
            if route in self._told:
                self.lost(route)
            else:
                self._silent.add(route)
            return
        self._silent.discard(route)
        current = self._window(route)
        window = next((each for each in self._known() if each.is_told_by(rate)), None)
        ends = now + rate.seconds(of_a_minute=self.of_a_minute)
        if window is not None:
            window.learn(rate, ends, now)
        elif current and current.limit == rate.limit and rate.reset < current.reset:
            return  # it comes late, from a window that is over
        else:
            in_flight = self._in_flight_in(current) if current else self._in_flight[route]
            window = RateWindow(rate, ends, now, max(1, in_flight))
            if current and current.limit == rate.limit and rate.date >= current.reset - ROUNDING:
                current.successor = window
        self._told[route] = self._latest = window

    def lost(self, route: str) -> None:
        """A request has no answer, or one that tells nothing: it may have been counted."""
        if (window := self._window(route)) is not None:
            window.remaining = max(0, window.remaining - 1)

    def returned(self, route: str) -> None:
        """A request is in flight no more."""
        self._in_flight[route] -= 1
        if not self._in_flight[route]:
            del self._in_flight[route]

    def _window(self, route: str) -> RateWindow | None:
        """Where a route counts as far as is known; it may be over."""
        if route in self._silent:
            return None
        window = told = self._told.get(route)
        window = window or self._latest
        while window is not None and window.successor is not None:
            window = window.successor
        if told is not None and window is not None:
            self._told[route] = window
        return window

    def _known(self) -> Iterator[RateWindow]:
        """The windows that are the last of their kind."""
        if self._latest is not None:
            yield self._latest
        yield from (each for each in self._told.values() if each.successor is None)

    def _in_flight_in(self, window: RateWindow) -> int:
        return sum(
            number for route, number in self._in_flight.items() if self._window(route) is window
        )
