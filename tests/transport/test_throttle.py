"""How the pace is kept: alone, and by many threads in front of a sandbox."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from freshbooks_sandbox.limits import RateLimit
from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.errors import ConnectionFailedError, RunCancelledError
from tap_freshbooks.singer.stats import StreamStats
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.transport import client
from tap_freshbooks.transport.response_errors import LONGEST_RETRY_AFTER
from tap_freshbooks.transport.retry_budget import MAX_RETRIES_OF_STREAM
from tap_freshbooks.transport.throttle import MIN_SHARE, Throttle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_freshbooks.connection import Connection

NOW = 1_790_000_000


def until_one_waits(throttle: Throttle, seconds: float = 0.0) -> None:
    """Return when requests have waited for a limit for longer than some seconds."""
    deadline = time.monotonic() + 20
    while throttle.paused_seconds <= seconds:
        assert time.monotonic() < deadline, "no request waits"
        time.sleep(0.001)


@pytest.fixture
def throttle() -> Throttle:
    return Throttle(1000, 8)


def headers(remaining: object, reset: object = NOW + 40, date: float = NOW) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": "600",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
        "Retry-After": "39",
        "Date": formatdate(date, usegmt=True),
    }


def refuse(throttle: Throttle, times: int = 1) -> None:
    """Let requests be answered with a 429, one after the other."""
    for _ in range(times):
        with throttle.slot() as sent:
            throttle.slow_down(sent)


def test_no_second_sees_more_than_the_cap() -> None:
    throttle, begun = Throttle(100, 8), list[float]()

    def send(_: int) -> None:
        with throttle.slot() as sent:
            begun.append(sent)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(120)))
    begun.sort()
    assert all(after - before >= 1 for before, after in zip(begun, begun[100:], strict=False))
    assert begun[-1] - begun[0] < 1.7


def test_a_429_halves_the_pace_down_to_one_request_in_flight(throttle: Throttle) -> None:
    refuse(throttle)
    assert (throttle.max_concurrency, throttle.requests_per_second) == (4, 500)
    refuse(throttle, times=8)
    assert (throttle.max_concurrency, throttle.requests_per_second) == (1, 1000 * MIN_SHARE)


def test_a_burst_of_429s_halves_the_pace_once(throttle: Throttle) -> None:
    with throttle.slot() as first, throttle.slot() as second, throttle.slot() as third:
        for sent in (second, first, third):
            throttle.slow_down(sent)
    assert throttle.max_concurrency == 4


def test_successes_creep_back_to_the_caps_and_not_beyond(throttle: Throttle) -> None:
    with throttle.slot() as stale:
        refuse(throttle, times=2)
        throttle.speed_up(stale)
    assert throttle.requests_per_second == 250
    paces = []
    for _ in range(60):
        with throttle.slot() as sent:
            throttle.speed_up(sent)
        paces.append(throttle.requests_per_second)
    assert paces == sorted(paces)
    assert paces[0] < 300
    assert (throttle.max_concurrency, throttle.requests_per_second) == (8, 1000)


@pytest.mark.parametrize(
    ("remaining", "in_flight", "waits"),
    [(0, 1, True), (1, 1, False), (3, 4, True), (4, 4, False), (600, 8, False)],
)
def test_a_window_that_is_used_up_is_waited_for(
    throttle: Throttle, remaining: int, in_flight: int, waits: bool
) -> None:
    for _ in range(in_flight):
        throttle.leave()
    throttle.observe(headers(remaining))
    throttle.arrive()
    assert (39 < throttle.delay() <= 41) is waits
    assert (throttle.delay() < 1) is not waits


@pytest.mark.parametrize("reset", [NOW + 7, 7])
def test_the_reset_counts_by_the_clock_of_the_server(throttle: Throttle, reset: int) -> None:
    with throttle.slot():
        throttle.observe(headers(0, reset=reset, date=NOW))
    assert 7 < throttle.delay() <= 8


@pytest.mark.parametrize(
    "changes",
    [
        {"X-RateLimit-Remaining": None},
        {"X-RateLimit-Remaining": "few"},
        {"X-RateLimit-Remaining": "-1"},
        {"X-RateLimit-Reset": None},
        {"X-RateLimit-Reset": "soon"},
        {"X-RateLimit-Reset": str(NOW - 5)},
        {"Date": None},
        {"Date": "today"},
    ],
)
def test_headers_that_make_no_sense_change_nothing(
    throttle: Throttle, changes: dict[str, str | None]
) -> None:
    given = {**headers(0), **changes}
    with throttle.slot():
        throttle.observe({name: text for name, text in given.items() if text is not None})
    assert throttle.delay() < 1


def test_no_pause_is_longer_than_a_few_minutes(throttle: Throttle) -> None:
    with throttle.slot():
        throttle.observe(headers(0, reset=NOW + 10**9))
    assert 0 < throttle.delay() <= LONGEST_RETRY_AFTER
    throttle.pause(10_000)
    assert 0 < throttle.pause_left <= LONGEST_RETRY_AFTER


def test_a_response_of_another_window_does_not_end_a_longer_pause(throttle: Throttle) -> None:
    with throttle.slot():
        throttle.pause(100)
        throttle.observe(headers(0))
        throttle.observe(headers(500))
        throttle.pause(1)
    assert throttle.pause_left > 99


def test_close_wakes_everybody_who_waits() -> None:
    throttle = Throttle(1000, 2)
    outcomes: list[str] = []

    def wait(action: Callable[[], Any]) -> None:
        try:
            action()
        except RunCancelledError:
            outcomes.append("cancelled")

    def leave() -> None:
        with throttle.slot():
            pass

    throttle.pause(60)
    actions = [*[leave] * 5, *[lambda: throttle.sleep(60)] * 3]
    threads = [threading.Thread(target=wait, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    throttle.close()
    for thread in threads:
        thread.join(5)
    assert outcomes == ["cancelled"] * 8
    assert time.monotonic() - began < 1
    with pytest.raises(RunCancelledError):
        leave()


# In front of a sandbox


@pytest.fixture
def connect(sandbox: Sandbox, config: dict[str, Any]) -> Iterator[Callable[..., Connection]]:
    """Makes a connection that has read its identity, so that only what follows counts."""
    connections: list[Connection] = []

    def make(**settings: Any) -> Connection:
        tap = TapFreshBooks(config={**config, **settings}, setup_mapper=False)
        connections.append(tap.connection)
        assert tap.connection.me
        sandbox.stats_clear()
        return tap.connection

    yield make
    for connection in connections:
        connection.close()
    sandbox.faults_clear()


def read(
    connection: Connection, times: int, threads: int, stats: StreamStats | None = None
) -> None:
    """Ask for the identity, from many threads."""
    with ThreadPoolExecutor(threads) as pool:
        list(
            pool.map(
                lambda _: connection.client.get(IDENTITY_PATH, subject="me", stats=stats),
                range(times),
            )
        )


def test_never_more_than_the_caps_arrive(
    connect: Callable[..., Connection], sandbox: Sandbox, config: dict[str, Any]
) -> None:
    connection = connect(max_concurrency=3, requests_per_second=30)
    sandbox.faults("latency", client_id=config["client_id"], seconds=0.15, probability=0.5)
    read(connection, 45, threads=12)
    stats = sandbox.stats(config["client_id"])
    assert stats["statuses"] == {"200": 45}
    assert stats["most_in_flight"] == 3
    assert stats["most_in_a_second"] <= 30


def test_a_429_stops_all_threads_until_its_time_is_over(
    connect: Callable[..., Connection], sandbox: Sandbox, config: dict[str, Any]
) -> None:
    connection = connect(max_concurrency=4, requests_per_second=1000)
    sandbox.faults("rate_limit", client_id=config["client_id"], retry_after=1, skip=3, times=1)
    stats = StreamStats("me")
    began = time.monotonic()
    read(connection, 12, threads=4, stats=stats)
    assert time.monotonic() - began >= 1
    assert sandbox.stats(config["client_id"])["statuses"] == {"200": 12, "429": 1}
    assert (stats.requests, stats.retries, stats.throttled) == (13, 1, 1)
    assert connection.client.throttle.max_concurrency < 4


def test_a_503_that_names_a_time_stops_all_threads_without_slowing_down(
    connect: Callable[..., Connection], sandbox: Sandbox, config: dict[str, Any]
) -> None:
    connection = connect(max_concurrency=4, requests_per_second=1000)
    sandbox.faults("status", client_id=config["client_id"], status=503, retry_after=30, times=1)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(connection.client.get, IDENTITY_PATH, subject="me")
        while not connection.client.throttle.pause_left:
            assert not asked.done()
        assert connection.client.throttle.max_concurrency == 4
        assert 29 < connection.client.throttle.pause_left < 31
        connection.close()
        with pytest.raises(RunCancelledError):
            asked.result(5)


def test_a_tight_limit_is_survived_by_many_threads(
    connect: Callable[..., Connection],
    sandbox: Sandbox,
    config: dict[str, Any],
) -> None:
    connection = connect(max_concurrency=8, requests_per_second=1000)
    sandbox.faults("throttle", client_id=config["client_id"], limit=10, window=0.5)
    sandbox.faults("status", client_id=config["client_id"], status=502, probability=0.13)
    stats = StreamStats("me")
    read(connection, 25, threads=8, stats=stats)
    seen = sandbox.stats(config["client_id"])
    assert seen["statuses"]["200"] == 25
    assert 1 <= seen["statuses"]["429"] <= 8 + 4 + 2 + 1
    assert seen["most_in_flight"] <= 8
    assert stats.throttled == seen["statuses"]["429"]
    assert stats.retries == sum(seen["statuses"].values()) - 25


def test_a_limit_that_is_announced_is_never_met(tmp_path: Any) -> None:
    with Sandbox(invoices=12, rate_limit=0) as sandbox:
        config = {**sandbox.config(), "token_store": str(tmp_path / "tokens.json")}
        settings = {**config, "max_concurrency": 3, "requests_per_second": 1000}
        connection = TapFreshBooks(config=settings, setup_mapper=False).connection
        assert connection.me
        sandbox.stats_clear()
        sandbox.state.rate_limit = RateLimit(10, window=1)
        read(connection, 14, threads=3)
        assert sandbox.stats(config["client_id"])["statuses"] == {"200": 14}
        connection.close()


def test_an_outage_ends_the_run_and_not_each_request_after_all_its_attempts(
    connect: Callable[..., Connection],
    sandbox: Sandbox,
    config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "LONGEST_BACKOFF", 0.02)
    connection = connect(max_concurrency=4, requests_per_second=10_000, max_attempts=1000)
    sandbox.faults("status", client_id=config["client_id"], status=500)
    with pytest.raises(ConnectionFailedError, match=r"^me: .* too many requests .* Run again"):
        read(connection, 4, threads=4)
    assert sandbox.stats(config["client_id"])["requests"] == MAX_RETRIES_OF_STREAM + 4


@pytest.mark.parametrize("cause", ["pause", "window"])
def test_what_requests_wait_for_a_limit_is_counted_once_and_as_far_as_it_has_gone(
    cause: str,
) -> None:
    throttle = Throttle(1000, 2)
    with throttle.slot():
        if cause == "pause":
            throttle.pause(100)
        else:
            throttle.observe(headers(0))
    assert throttle.paused_seconds == 0
    began = time.monotonic()
    threads = [
        threading.Thread(target=lambda: throttle.slot().__enter__(), daemon=True) for _ in range(3)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)  # they are cancelled
        for thread in threads:
            thread.start()
        until_one_waits(throttle, 0.05)
        assert throttle.paused_seconds <= time.monotonic() - began
        throttle.close()
        for thread in threads:
            thread.join(5)


def test_a_window_of_one_route_does_not_keep_another_one_waiting() -> None:
    throttle = Throttle(1000, 4)
    for route, remaining, limit in (("invoices", 400, 600), ("me", 0, 20)):
        with throttle.slot(route):
            throttle.observe({**headers(remaining), "X-RateLimit-Limit": str(limit)}, route)
    held = threading.Thread(target=lambda: throttle.slot("me").__enter__(), daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)
        held.start()
        until_one_waits(throttle)
        for _ in range(3):
            with throttle.slot("invoices"):
                pass
        assert held.is_alive()
        throttle.close()
        held.join(5)
    assert not held.is_alive()


def test_what_was_waited_for_a_limit_stays_counted() -> None:
    throttle = Throttle(1000, 2)
    began = time.monotonic()
    throttle.pause(0.05)
    for _ in range(3):
        with throttle.slot():
            pass
    assert 0.02 < throttle.paused_seconds <= time.monotonic() - began


def test_an_answer_lets_a_request_leave_that_waits_for_its_window() -> None:
    throttle = Throttle(1000, 4)
    with throttle.slot():
        throttle.observe(headers(1))
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool, throttle.slot():
        waiting = pool.submit(lambda: throttle.slot().__enter__())
        until_one_waits(throttle)
        throttle.observe(headers(600, reset=NOW + 100, date=NOW + 40))
    assert waiting.result()
    assert time.monotonic() - began < 20  # the window it was waiting for has twice as long


def test_waiting_for_windows_is_told_once(
    throttle: Throttle, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for seconds in (0.5, 40, 50):
        throttle._tell(seconds)
    [line] = [each.getMessage() for each in caplog.records]
    assert "waiting 40 s for the next window" in line


def test_a_request_that_broke_may_have_been_counted(throttle: Throttle) -> None:
    with throttle.slot():
        throttle.observe(headers(1))
    with pytest.raises(ConnectionError), throttle.slot():
        raise ConnectionError
    assert throttle.delay() > 39
