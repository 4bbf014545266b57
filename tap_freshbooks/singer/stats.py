"""Statistics of a sync, stream by stream: rows, pages, requests, seconds."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class StreamStats:
    """The counts of one stream. Any thread may count.

    Attributes:
        stream: Its name.
        rows: Records delivered.
        total: Rows that FreshBooks counts in the lists begun so far; may be more than the token
            may read, and more than have changed.
        pages: Pages read.
        capacity: Rows that these could have held.
        requests: Requests sent, the repeated ones included.
        retries: How many of them were repetitions.
        throttled: How many were answered with 429.
        began: When the first request left, `time.monotonic()`; None before it.
        ended: When the last record was delivered; None until then.
    """

    stream: str
    rows: int = 0
    total: int = 0
    pages: int = 0
    capacity: int = 0
    requests: int = 0
    retries: int = 0
    throttled: int = 0
    began: float | None = None
    ended: float | None = None
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(
        self,
        *,
        requests: int = 0,
        retries: int = 0,
        throttled: int = 0,
        pages: int = 0,
        capacity: int = 0,
        total: int = 0,
    ) -> None:
        """Add to the counts; the writer of records adds to the rows directly."""
        with self._mutex:
            if self.began is None:
                self.began = time.monotonic()
            self.requests += requests
            self.retries += retries
            self.throttled += throttled
            self.pages += pages
            self.capacity += capacity
            self.total += total

    @property
    def seconds(self) -> float:
        """From the first request to the last record, or until now."""
        if self.began is None:
            return 0.0
        return (self.ended or time.monotonic()) - self.began


@dataclass(frozen=True, slots=True)
class Cost:
    """What all requests have cost, those included that belong to no stream.

    Attributes:
        requests: Requests sent, the repeated ones included.
        retries: How many of them were repetitions.
        throttled: How many were answered with 429.
        paused: Seconds for which nothing was sent because of rate limits.
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    paused: float = 0.0


class SyncStats:
    """The statistics of a sync, in the order in which its streams began."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._by_stream: dict[str, StreamStats] = {}

    def for_stream(self, stream: str) -> StreamStats:
        """The statistics of a stream."""
        with self._mutex:
            return self._by_stream.setdefault(stream, StreamStats(stream))

    def all(self) -> list[StreamStats]:
        """Those of all streams that have begun."""
        with self._mutex:
            return list(self._by_stream.values())
