from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.errors import MachineLimitError
from tap_freshbooks.extraction import prefetch
from tap_freshbooks.extraction.prefetch import (
    PAGES_WAITING,
    InlineFuture,
    Prefetcher,
    PriorityExecutor,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.extraction.prefetch import Submit


class Numbers:
    """A partition of a few items, each asked for through a worker."""

    def __init__(self, partition_key: str, items: int = 3, error: Exception | None = None) -> None:
        self.partition_key = partition_key
        self.items = items
        self.error = error
        self.asked = 0
        self.progress = threading.Condition()

    def begin(self, submit: Submit, window: int) -> Iterator[str]:
        assert window > 0
        for number in range(self.items):
            item: str = submit(partial(str.format, "{}{}", self.partition_key, number)).result()
            with self.progress:
                self.asked += 1
                self.progress.notify_all()
            yield item
        if self.error:
            raise self.error

    def wait_for(self, asked: int) -> None:
        with self.progress:
            assert self.progress.wait_for(lambda: self.asked >= asked, 10)


def ahead_of(*plan: Numbers, concurrency: int = 2) -> Prefetcher[Numbers]:
    return Prefetcher(plan, concurrency, lambda: None)


def test_partitions_come_in_the_order_of_their_turns() -> None:
    plan = [Numbers(partition_key) for partition_key in "abc"]
    ahead = ahead_of(*plan)
    for each in plan:
        reading, items = ahead.take(each.partition_key)
        assert reading is each
        assert list(items) == [f"{each.partition_key}{number}" for number in range(3)]


def test_the_next_partitions_are_read_while_one_is_written() -> None:
    first, second, third = plan = [Numbers(partition_key) for partition_key in "abc"]
    _, items = ahead_of(*plan).take("a")
    next(items)
    second.wait_for(PAGES_WAITING)
    third.wait_for(PAGES_WAITING)
    assert first.asked >= 1


def test_nothing_is_begun_before_anything_is_taken() -> None:
    only = Numbers("a")
    ahead_of(only)
    assert only.asked == 0


def test_few_items_wait_for_a_slow_writer() -> None:
    first, second = Numbers("a", items=50), Numbers("b", items=50)
    ahead = ahead_of(first, second)
    _, items = ahead.take("a")
    next(items)
    for each in (first, second):
        each.wait_for(PAGES_WAITING + 1)
    ahead.close()
    # One more is in the hand of the thread that waits to put it down.
    assert first.asked <= PAGES_WAITING + 2
    assert second.asked <= PAGES_WAITING + 1


def test_few_partitions_are_read_before_their_turn() -> None:
    plan = [Numbers(str(number), items=1) for number in range(100)]
    ahead = ahead_of(*plan, concurrency=1)
    _, items = ahead.take("0")
    list(items)
    assert sum(each.asked for each in plan) <= 6


def test_an_error_comes_after_what_was_read_before_it() -> None:
    ahead = ahead_of(Numbers("a", error=RuntimeError("broken")), Numbers("b"))
    _, items = ahead.take("a")
    read: list[str] = []
    with pytest.raises(RuntimeError, match="broken"):
        read.extend(items)
    assert read == ["a0", "a1", "a2"]
    _, items = ahead.take("b")
    assert list(items) == ["b0", "b1", "b2"]


def test_what_was_not_planned_cannot_be_taken() -> None:
    ahead = ahead_of(Numbers("a"))
    with pytest.raises(KeyError):
        ahead.take("b")


def test_the_writer_hears_of_each_wait_for_a_page() -> None:
    waits: list[int] = []
    release = threading.Event()

    class Late(Numbers):
        def begin(self, submit: Submit, window: int) -> Iterator[str]:
            release.wait(10)
            yield from super().begin(submit, window)

    def wait() -> None:
        waits.append(1)
        release.set()

    _, items = Prefetcher([Late("a")], 1, wait).take("a")
    assert list(items) == ["a0", "a1", "a2"]
    assert waits


def test_the_most_urgent_task_is_next() -> None:
    workers = PriorityExecutor(1)
    started, release = threading.Event(), threading.Event()
    order: list[str] = []

    def hold() -> None:
        started.set()
        release.wait(10)

    busy = workers.submit(0, hold)
    assert started.wait(10)
    later = workers.submit(2, lambda: order.append("later"))
    first = workers.submit(1, lambda: order.append("first"))
    second = workers.submit(1, lambda: order.append("second"))
    release.set()
    for future in (busy, later, first, second):
        future.result(10)
    assert order == ["first", "second", "later"]


def test_no_more_workers_than_allowed_are_busy() -> None:
    workers = PriorityExecutor(3)
    gate = threading.Barrier(3)
    mutex = threading.Lock()
    busy, most = 0, 0

    def work() -> None:
        nonlocal busy, most
        with mutex:
            busy += 1
            most = max(most, busy)
        gate.wait(10)
        with mutex:
            busy -= 1

    for future in [workers.submit(0, work) for _ in range(9)]:
        future.result(10)
    assert most == 3


def test_as_many_workers_as_allowed_are_busy_where_there_is_enough_to_do() -> None:
    workers = PriorityExecutor(4)
    workers.submit(0, lambda: None).result(10)  # one worker is idle from here on
    gate = threading.Barrier(4)
    for future in [workers.submit(0, lambda: gate.wait(10)) for _ in range(4)]:
        future.result(10)


def test_closed_workers_begin_nothing() -> None:
    workers = PriorityExecutor(1)
    started, release = threading.Event(), threading.Event()

    def hold() -> str:
        started.set()
        release.wait(10)
        return "done"

    busy = workers.submit(0, hold)
    assert started.wait(10)
    waiting: Any = workers.submit(0, lambda: "never")
    workers.close()
    release.set()
    assert busy.result(10) == "done"
    for future in (waiting, workers.submit(0, lambda: "never")):
        with pytest.raises(CancelledError):
            future.result(10)


def test_an_error_of_a_task_is_that_of_its_future() -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        PriorityExecutor(1).submit(0, fail).result(10)


def test_without_reading_ahead_nothing_is_done_before_it_is_waited_for() -> None:
    done: list[int] = []
    lazy = InlineFuture(lambda: done.append(1))
    assert lazy.cancel()
    assert not done
    lazy.result()
    assert done


class FewThreads:
    """A machine that allows only some of our threads at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        self.number = number
        self.start = threading.Thread.start
        self.others = set(threading.enumerate())

        def start(thread: threading.Thread) -> None:  # becomes a method of each thread
            self.allow(thread)

        monkeypatch.setattr(threading.Thread, "start", start)

    def allow(self, thread: threading.Thread) -> None:
        if len(set(threading.enumerate()) - self.others) >= self.number:
            raise RuntimeError("can't start new thread")
        self.start(thread)


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_two_threads_are_enough(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    FewThreads(monkeypatch, threads)
    keys = [f"p{number}" for number in range(6)]
    prefetcher = Prefetcher((Numbers(key) for key in keys), 4, lambda: None)
    read = {key: list(prefetcher.take(key)[1]) for key in keys}
    prefetcher.close()
    assert read == {key: [f"{key}{number}" for number in range(3)] for key in keys}


@pytest.mark.parametrize("threads", [0, 1])
def test_fewer_threads_are_a_sentence(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(prefetch, "THREAD_PATIENCE", 0.05)
    FewThreads(monkeypatch, threads)
    prefetcher = Prefetcher([Numbers("a")], 4, lambda: None)
    with pytest.raises(MachineLimitError, match="allow no more threads"):
        prefetcher.take("a")
    prefetcher.close()
