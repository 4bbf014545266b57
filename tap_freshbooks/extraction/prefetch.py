"""Prefetching: pages of one list, and the lists that come next in the order of the sync.

The main thread writes. Each partition (a stream of a business) is read in a thread of its own,
which waits as soon as a few of its pages are waiting; all of them send their requests through a
few workers, those of the earliest partition first. All threads are daemons, so that a request
that hangs does not keep the process alive.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from tap_freshbooks.errors import MachineLimitError, RunCancelledError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

PAGES_WAITING = 2
"""Pages that a partition may have waiting for the writer, besides those of its window."""

PARTITIONS_AHEAD = 4
"""Partitions that may be read before their turn, for each request that may be in flight."""


THREAD_PATIENCE = 5.0
"""Seconds that a partition waits at its turn where the machine has no thread for it."""


class PriorityExecutor:
    """Threads that send requests, the most urgent one first.

    Args:
        number: How many there are at most; they are started when they are needed.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._threads = 0
        self._idle = 0
        self._order = count()
        self._tasks: list[tuple[int, int, Future[Any], Callable[[], Any]]] = []
        self._changed = threading.Condition()
        self._closed = False

    def start(self) -> None:
        """Have a thread, before others take the last that the machine allows."""
        with self._changed:
            if not self._threads:
                self._add_thread()

    def submit(self, urgency: int, task: Callable[[], T]) -> Future[T]:
        """Let a worker run a task; the lowest number first, equal ones in their order."""
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                future.cancel()
                return future
            heapq.heappush(self._tasks, (urgency, next(self._order), future, task))
            self._changed.notify()
            # An idle thread may have been notified of an earlier task, and not be awake yet.
            if len(self._tasks) > self._idle and self._threads < self.number:
                self._add_thread()
        return future

    def _add_thread(self) -> None:
        """Start another thread; where the machine has none left, those that there are must do."""
        try:
            _start(self._work, "freshbooks-worker")
        except MachineLimitError:
            if not self._threads:
                raise
        else:
            self._threads += 1

    def close(self) -> None:
        """Begin nothing any more; futures that have not begun are cancelled."""
        with self._changed:
            self._closed = True
            tasks, self._tasks = self._tasks, []
            self._changed.notify_all()
        for _, _, future, _ in tasks:
            future.cancel()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._tasks and not self._closed:
                    self._changed.wait()
                self._idle -= 1
                if self._closed:
                    return
                _, _, future, task = heapq.heappop(self._tasks)
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(task())
            except BaseException as error:  # noqa: BLE001 - the thread that waits for it gets it
                future.set_exception(error)
            del future, task  # a page is not to be kept until the next one comes


class PrefetchedPartition(Generic[T]):
    """The pages of one stream of one business, on their way from its thread to the writer."""

    def __init__(self, items: Iterator[T], wait: Callable[[], None]) -> None:
        self._items = items
        self._wait = wait
        self._waiting: deque[T] = deque()
        self._changed = threading.Condition()
        self._is_begun = False
        self._is_over = False
        self._closed = False
        self._error: BaseException | None = None

    def start(self, patience: float = 0.0) -> None:
        """Begin to read, unless that was done.

        Args:
            patience: Seconds to wait for a thread, which another partition may be about to end.

        Raises:
            MachineLimitError: If the machine has none.
        """
        if not self._is_begun:
            _start(self._read, "freshbooks-partition", patience)
            self._is_begun = True

    def close(self) -> None:
        """Let the thread end at the next item."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                with self._changed:
                    while len(self._waiting) >= PAGES_WAITING and not self._closed:
                        self._changed.wait()
                    if self._closed:
                        return
                    self._waiting.append(item)
                    self._changed.notify_all()
                del item
        except (RunCancelledError, CancelledError):
            error = RunCancelledError()
        except BaseException as raised:  # noqa: BLE001 - the writer gets it
            error = raised
        finally:
            with self._changed:
                self._is_over = True
                self._error = error
                self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """The items in their order; at the end raises the error that ended the reading, if any."""
        while True:
            if not self._waiting and not self._is_over:
                self._wait()
            with self._changed:
                while not self._waiting and not self._is_over:
                    self._changed.wait()
                if not self._waiting:
                    break
                item = self._waiting.popleft()
                self._changed.notify_all()
            yield item
            del item
        if self._error is not None:
            raise self._error


Submit = Callable[[Callable[[], Any]], Any]
"""Lets a worker run a function; returns its future."""


class Prefetchable(Protocol[T_co]):
    """A partition that is read at its turn, and may be begun before."""

    @property
    def partition_key(self) -> Hashable:
        """Tells it from the others of a sync."""

    def begin(self, submit: Submit, window: int) -> Iterator[T_co]:
        """Return an iterator for a thread of its own. Called in the main thread.

        Args:
            submit: Lets a worker send a request.
            window: How many pages of one list may be on their way or waiting.
        """


R = TypeVar("R", bound=Prefetchable[Any])


class Prefetcher(Generic[R]):
    """Begins the partitions that come next while one is written.

    Args:
        partitions: All of them, in the order in which they will be taken.
        concurrency: How many requests may be in flight.
        wait: Called before the main thread waits for a page.
    """

    def __init__(self, partitions: Iterable[R], concurrency: int, wait: Callable[[], None]) -> None:
        self.workers = PriorityExecutor(concurrency)
        self._partitions = iter(partitions)
        self._ahead = PARTITIONS_AHEAD * concurrency
        self._window = 2 * concurrency
        self._wait = wait
        self._order = count()
        self._begun: dict[Hashable, tuple[R, PrefetchedPartition[Any]]] = {}

    def take(self, partition_key: Hashable) -> tuple[R, Iterator[Any]]:
        """A partition and its items; others are begun meanwhile.

        Raises:
            KeyError: If it is not one of those to come.
            MachineLimitError: If the machine has no thread to read it.
        """
        while partition_key not in self._begun:
            if not self._begin_next() and partition_key not in self._begun:
                raise KeyError(partition_key)
        readable, partition = self._begun.pop(partition_key)
        partition.start(THREAD_PATIENCE)
        return readable, self._items(partition)

    def close(self) -> None:
        """Read nothing any more."""
        self.workers.close()
        for _, partition in self._begun.values():
            partition.close()

    def _items(self, partition: PrefetchedPartition[T]) -> Iterator[T]:
        try:
            while len(self._begun) < self._ahead and self._begin_next():
                pass
            yield from partition
        finally:
            partition.close()

    def _begin_next(self) -> bool:
        """Begin the next partition; False if there is none, or no thread for it before its turn."""
        readable = next(self._partitions, None)
        if readable is None:
            return False
        urgency = next(self._order)
        items = readable.begin(lambda task: self.workers.submit(urgency, task), self._window)
        partition = PrefetchedPartition(items, self._wait)
        self._begun[readable.partition_key] = readable, partition
        self.workers.start()
        try:
            partition.start()
        except MachineLimitError:
            return False
        return True


class InlineFuture(Generic[T]):
    """Stands for a future where nothing is prefetched: done when it is waited for."""

    def __init__(self, task: Callable[[], T]) -> None:
        self.result = task

    def cancel(self) -> bool:
        """Nothing was begun."""
        return True


def _start(work: Callable[[], None], name: str, patience: float = 0.0) -> None:
    """Start a thread, as soon as the machine has one."""
    deadline = time.monotonic() + patience
    while True:
        try:
            threading.Thread(target=work, name=name, daemon=True).start()
        except RuntimeError:
            if time.monotonic() >= deadline:
                raise MachineLimitError(
                    "this machine, or its limits for a process or a user, allow no more threads"
                ) from None
            time.sleep(0.01)
        else:
            return
