"""The rate limit as answers tell of it: all readings of that, one process or more."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tap_freshbooks.transport.rate_window import RateHeaders, RateWindows, route_of
from tests.transport.simulation import (
    IDENTITY,
    LIMIT,
    LISTS,
    READINGS,
    Process,
    Server,
    Timeline,
    dice,
    least,
    schedule,
    simulate,
)


@pytest.mark.parametrize(
    ("reading", "rate", "concurrency", "latency"),
    [
        *((reading, 10, 4, 0.05) for reading in READINGS),
        ("rounded down", 40, 16, 0.3),
        ("rounded up", 100, 8, 0.02),
    ],
)
def test_alone_a_window_is_used_whole_and_no_request_is_too_many(
    reading: str, rate: float, concurrency: int, latency: float
) -> None:
    seconds, server = simulate(
        1,
        [2000],
        behaviour=READINGS[reading],
        requests_per_second=rate,
        max_concurrency=concurrency,
        latency=latency,
    )
    assert server.statuses[429] == 0
    assert seconds <= least(2000, rate) * (
        1.01 if (reading, rate) == ("rounded down", 10) else 1.04
    )


@pytest.mark.parametrize(
    ("counts", "start", "reading"),
    [
        ([1000, 1000], 0, "rounded down"),
        ([1000, 1000], 7, "rounded up"),
        ([1400, 600], 0, "rounded"),
        ([2000, 2000], 45, "the seconds that are left"),
        ([700, 700, 600], 0, "rounded up"),
        ([700, 700, 600], 45, "rounded down"),
    ],
)
def test_processes_that_share_a_window_use_it_and_do_not_hit_it(
    counts: list[int], start: float, reading: str
) -> None:
    starts = (0, start, 2 * start)
    seconds, server = simulate(1, counts, starts=starts, behaviour=READINGS[reading])
    late = [each for each in starts if each > LIMIT / 10]  # they may find the window used up
    assert server.statuses[429] <= len(late)
    ratio = seconds / least(sum(counts), 10 * len(counts))
    assert ratio <= 1.15
    if (counts, start) == ([1000, 1000], 0):
        assert ratio <= 1.05  # to the last request, which the other one has left


@pytest.mark.parametrize(
    ("behaviour", "hits"),
    [
        ({"window": 61}, 0),
        ({"window": 60.5}, 3),  # until a 429 says that it is no minute
        ({"window": 30}, 0),
        ({"aligned": True}, 0),
        ({"aligned": True, "rounding": math.ceil}, 0),
    ],
)
def test_a_window_of_another_length_or_beginning_is_used_as_well(
    behaviour: dict[str, Any], hits: int
) -> None:
    seconds, server = simulate(2, [2000], behaviour=behaviour)
    assert server.statuses[429] <= hits
    assert seconds <= (7 * server.window + 25) * 1.06


def test_schedules_of_two_processes() -> None:
    hits = 0
    for seed in range(25):
        _, server = simulate(seed, **schedule(seed))
        hits += server.statuses[429]
        assert server.statuses[429] < 10
    assert hits <= 25


def test_a_limit_of_one_endpoint_is_none_of_others() -> None:
    seconds, server = simulate(3, [500], behaviour={"limit": {IDENTITY: 20, "": 600}})
    assert server.statuses[429] == 0
    assert seconds < 500 / 10 * 1.05


def test_endpoints_with_windows_of_their_own_are_used_each() -> None:
    timeline = Timeline(now=0.3)
    server = Server(timeline, {"a": 100, "b": 50})
    process = Process(server, [*"ab"] * 150, dice(1), requests_per_second=20)
    process.go_on()
    timeline.run()
    assert server.statuses == {200: 300}
    assert timeline.now < 2 * 60 + 10


def test_answers_without_headers_are_not_taken_for_those_of_another_window() -> None:
    behaviour = {"limit": {IDENTITY: 20, "": 10_000}, "silent": frozenset({LISTS})}
    seconds, server = simulate(4, [300], behaviour=behaviour)
    assert server.statuses[429] == 0
    assert seconds < 300 / 10 * 1.05


def test_a_limit_that_changes_is_followed() -> None:
    timeline = Timeline(now=0.7)
    limits = {"": 250}
    server = Server(timeline, limits)
    process = Process(server, [LISTS] * 1000, dice(5))
    process.go_on()
    timeline.after(70, lambda: limits.update({"": 100}))
    timeline.after(200, lambda: limits.update({"": 600}))
    timeline.run()
    assert server.statuses[200] == 1000
    assert server.statuses[429] <= 4
    assert timeline.now < 330


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/accounting/account/x1/invoices/invoices/77", "GET accounting account x1 invoices"),
        ("/auth/api/v1/users/me", "GET auth api v1 users"),
        ("/projects", "GET projects"),
    ],
)
def test_a_route_is_a_resource_of_a_business(path: str, route: str) -> None:
    assert route_of("GET", path) == route


# One request after the other


def ask(
    windows: RateWindows,
    route: str,
    remaining: int | None,
    *,
    at: float,
    reset: int,
    limit: int = 100,
) -> None:
    """Let a request leave and its answer come; the clock of the server is ours."""
    windows.left(route, at)
    told = None if remaining is None else RateHeaders(remaining, reset, int(at), limit)
    windows.answered(route, told, at)
    windows.returned(route)


def shared(windows: RateWindows, *, remaining: int) -> None:
    """Use half of what is gone of a window that ends at 60, at second 10; others use the rest."""
    for left in range(99, remaining, -2):
        ask(windows, "a", left, at=10, reset=60)
    ask(windows, "a", remaining, at=10, reset=60)


def test_a_window_follows_for_all_routes_of_the_one_before() -> None:
    windows = RateWindows(4)
    for route in "ab":
        ask(windows, route, 50, at=0, reset=60)
    ask(windows, "a", 0, at=61, reset=121)
    assert windows.delay("b", 62) > 50


def test_a_late_answer_says_nothing_of_the_window_that_has_begun() -> None:
    windows = RateWindows(4)
    ask(windows, "a", 50, at=0, reset=60)
    ask(windows, "a", 99, at=61, reset=121)
    windows.left("a", 61.5)
    windows.answered("a", RateHeaders(0, 60, 59, 100), 62)
    windows.returned("a")
    assert windows.delay("a", 62) == 0


def test_routes_that_are_told_nothing_do_not_wait() -> None:
    windows = RateWindows(4)
    ask(windows, "me", 0, at=0, reset=60, limit=1)
    assert windows.delay("a", 1) > 50
    ask(windows, "a", None, at=1, reset=60)
    assert windows.delay("a", 2) == 0


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_request_without_an_answer_that_tells_counts(is_answered: bool) -> None:
    windows = RateWindows(4)
    ask(windows, "a", 1, at=0, reset=60)
    windows.left("a", 1)
    if is_answered:
        windows.answered("a", None, 2)
    else:
        windows.lost("a")
    windows.returned("a")
    assert windows.delay("a", 2) > 50


def test_the_last_of_a_shared_window_leaves_one_by_one_ever_further_apart() -> None:
    windows = RateWindows(4)
    shared(windows, remaining=10)
    delays = []
    for remaining in (10, 6, 2):
        ask(windows, "a", remaining, at=10, reset=60)
        delays.append(windows.delay("a", 10))
    assert 1 < delays[0] < delays[1] < delays[2] < 10
    windows.left("a", 20)
    assert windows.delay("a", 20) >= 40


def test_what_is_known_of_a_shared_window_grows_old() -> None:
    windows = RateWindows(4)
    shared(windows, remaining=60)
    windows.left("a", 10.2)
    assert windows.delay("a", 10.4) == 0
    assert windows.delay("a", 20) > 0
