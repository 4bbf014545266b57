"""A server with a rate limit and the processes before it, in time that is simulated.

The server is written from `docs/freshbooks-api/errors-and-limits.md §2`; where that is open, it
has each reading. The processes decide by the tap's own throttle, and wait by the simulated clock.
"""

from __future__ import annotations

import heapq
import math
import sys
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from random import Random
from typing import TYPE_CHECKING, Any

from tap_freshbooks.transport.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EPOCH = 1_790_000_000
LISTS = "GET accounting account x invoices"

LIMIT = 250
"""Requests in a window, unless something else is said."""

READINGS: dict[str, dict[str, Any]] = {
    "rounded down": {},
    "rounded up": {"rounding": math.ceil},
    "rounded": {"rounding": round},
    "the seconds that are left": {"countdown": True},
    "the seconds that are left, rounded up": {"countdown": True, "rounding": math.ceil},
}
IDENTITY = "GET auth api v1 users"


def dice(seed: int) -> Random:
    """What varies, and is the same each time."""
    return Random(seed)  # noqa: S311 - nothing secret


@dataclass
class Timeline:
    """What is to happen, and how late it is."""

    now: float = 0.0
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Let something happen later."""
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, event))

    def run(self) -> None:
        """Let everything happen."""
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            event()


@dataclass
class Server:
    """Counts requests in fixed windows, and says so in the headers that it has.

    Attributes:
        timeline: Whose time it is.
        limit: Requests in a window, by route; of `""` for all that are not named, together.
        window: Seconds of one.
        clock: By which its clock is ahead.
        rounding: Of the reset.
        countdown: Whether the reset is the seconds that are left.
        silent: Routes whose answers carry no such headers.
        aligned: Whether windows begin with the minute, and not with their first request.
    """

    timeline: Timeline
    limit: Mapping[str, int]
    window: float = 60.0
    clock: float = 0.0
    rounding: Callable[[float], int] = math.floor
    countdown: bool = False
    silent: frozenset[str] = frozenset()
    aligned: bool = False
    statuses: Counter[int] = field(default_factory=Counter)
    begun: dict[str, float] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)

    def answer(self, route: str) -> tuple[int, dict[str, str]]:
        """Count a request: status and headers."""
        now = EPOCH + self.timeline.now + self.clock
        bucket = route if route in self.limit else ""
        if now - self.begun.get(bucket, -math.inf) >= self.window:
            self.begun[bucket] = now - (now % self.window if self.aligned else 0)
            self.used[bucket] = 0
        self.used[bucket] += 1
        left = self.limit[bucket] - self.used[bucket]
        status = 200 if left >= 0 else 429
        self.statuses[status] += 1
        ends = self.begun[bucket] + self.window
        headers = {"Date": formatdate(now, usegmt=True)}
        if status != 200:
            headers["Retry-After"] = str(math.ceil(ends - now))
        if route not in self.silent:
            headers |= {
                "X-RateLimit-Limit": str(self.limit[bucket]),
                "X-RateLimit-Remaining": str(max(left, 0)),
                "X-RateLimit-Reset": str(self.rounding(ends - now if self.countdown else ends)),
            }
        return status, headers


@dataclass
class Process:
    """A process that has so much to ask, and asks as its throttle lets it.

    Attributes:
        server: That is asked.
        routes: What is asked, in turn.
        random: For what varies.
        latency: Seconds to the server and back, at least; up to three times as many.
        throttle: The tap's.
        ended: When it was through.
    """

    server: Server
    routes: list[str]
    random: Random
    latency: float = 0.05
    requests_per_second: float = 10
    max_concurrency: int = 4
    ended: float = math.inf

    def __post_init__(self) -> None:
        ahead = self.random.uniform(0, 1e6)
        self.throttle = Throttle(
            self.requests_per_second,
            self.max_concurrency,
            clock=lambda: self.server.timeline.now + ahead,
        )
        self.routes.reverse()
        self._in_flight = self._sent = 0
        self._wakes = -math.inf

    def go_on(self) -> None:
        """Send what may be sent, and look again when more may be."""
        while self.routes and not (self._in_flight and self._sent == 1):  # who we are comes first
            delay = self.throttle.delay(self.routes[-1])
            if delay > 0:
                self._wake_up(delay)
                return
            self._send(self.routes.pop())

    def _wake_up(self, delay: float) -> None:
        """Look again, once, unless that is to happen before."""
        timeline = self.server.timeline
        if timeline.now < self._wakes <= timeline.now + delay or delay == math.inf:
            return
        self._wakes = moment = timeline.now + delay

        def wake() -> None:
            if self._wakes == moment:
                self.go_on()

        timeline.after(delay, wake)

    def _send(self, route: str) -> None:
        sent = self.throttle.leave(route)
        self._in_flight += 1
        self._sent += 1
        there, back = (self.latency * self.random.uniform(0.5, 1.5) for _ in range(2))

        def arrive() -> None:
            status, headers = self.server.answer(route)
            self.server.timeline.after(back, lambda: self._return(route, sent, status, headers))

        self.server.timeline.after(there, arrive)

    def _return(self, route: str, sent: float, status: int, headers: dict[str, str]) -> None:
        self.throttle.observe(headers, route)
        if status == 200:
            self.throttle.speed_up(sent)
        else:
            self.throttle.slow_down(sent)
            self.throttle.pause(float(headers["Retry-After"]) + self.random.random())
            self.routes.append(route)
        self.throttle.arrive(route)
        self._in_flight -= 1
        if not self.routes and not self._in_flight:
            self.ended = self.server.timeline.now
        self.go_on()


def least(requests: int, pace: float) -> float:
    """Seconds that so many requests take where no window is wasted."""
    windows = (requests - 1) // LIMIT
    return windows * 60 + (requests - windows * LIMIT) / pace


def simulate(
    seed: int,
    counts: list[int],
    *,
    starts: tuple[float, ...] = (0, 0, 0),
    behaviour: dict[str, Any] | None = None,
    **pace: Any,
) -> tuple[float, Server]:
    """Let processes ask so often, who they are first: the time that takes, and the server."""
    random = dice(seed)
    timeline = Timeline(now=random.random())
    kind = {"limit": {"": LIMIT}, "clock": random.uniform(-30, 30), **(behaviour or {})}
    server = Server(timeline, **kind)
    began = timeline.now
    processes = []
    for count, start in zip(counts, starts, strict=False):
        process = Process(server, [IDENTITY] + [LISTS] * (count - 1), random, **pace)
        processes.append(process)
        timeline.after(start, process.go_on)
    timeline.run()
    assert server.statuses[200] == sum(counts)
    return max(process.ended for process in processes) - began, server


def schedule(seed: int) -> dict[str, Any]:
    """How two processes may be, and when the second begins: arguments of `simulate`."""
    random = dice(seed)
    return {
        "counts": [random.randint(20, 600), random.randint(20, 600)],
        "starts": (0, random.uniform(0, 60)),
        "behaviour": random.choice(list(READINGS.values())),
        "latency": random.uniform(0.01, 0.5),
        "max_concurrency": random.choice([1, 4, 16]),
        "requests_per_second": random.choice([3, 10, 30]),
    }


def main() -> None:
    """`python -m tests.transport.simulation 2000`: schedules, and how many 429s they had."""
    hits = Counter[int]()
    for seed in range(int(sys.argv[1])):
        _, server = simulate(seed, **schedule(seed))
        hits[server.statuses[429]] += 1
    for number, schedules in sorted(hits.items()):
        sys.stdout.write(f"{schedules:,} schedules with {number} times 429\n")


if __name__ == "__main__":
    main()
