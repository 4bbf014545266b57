"""Estimates a first sync: rows, requests and minutes, stream by stream.

It is read-only and costs about a request for each list; the rest is planned and counted without
FreshBooks (`rehearsal.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING

from tap_freshbooks.doctor.rehearsal import PartitionCost, rehearse
from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.prefetch import PriorityExecutor
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.transport.rate_window import WINDOW
from tap_freshbooks.transport.throttle import SPACING_MARGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.streams.base import RecordStream

IDENTITY_REQUESTS = 1
"""Each run asks who the user is and which businesses there are."""


@dataclass(frozen=True, slots=True)
class EstimatedPartition:
    """One stream of one business.

    Attributes:
        stream: Its name.
        business: None for what belongs to none.
        cost: Of its first read.
        failure: Why nothing can be said; empty if something can.
        is_selected: False if it is read for the streams only that are derived from it.
    """

    stream: str
    business: Business | None
    cost: PartitionCost
    failure: str = ""
    is_selected: bool = True

    @property
    def rows(self) -> int:
        """Rows that will be delivered."""
        return self.cost.rows if self.is_selected else 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast requests can leave.

    Attributes:
        requests_per_second: The cap of the settings.
        max_concurrency: The most requests in flight, by the settings.
        latency: Of an answer with one row, seconds.
        rate_limit: Requests that FreshBooks allows in a window; None if it did not say.
    """

    requests_per_second: float
    max_concurrency: int
    latency: float
    rate_limit: int | None

    def seconds(self, requests: int) -> float:
        """The least time that so many requests take."""
        by_cap = (1 + SPACING_MARGIN) / self.requests_per_second
        each = max(by_cap, self.latency / self.max_concurrency)
        if not self.rate_limit:
            return requests * each
        # Each window begins with a request, and is used up as fast as the rest allows.
        windows = (requests - 1) // self.rate_limit
        rest = requests - windows * self.rate_limit
        return windows * max(WINDOW, self.rate_limit * each) + rest * each


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a first sync of the selected streams takes.

    Attributes:
        partitions: What is read.
        derived: Names of the selected streams that are fed by them, without requests.
        pace: How fast.
    """

    partitions: list[EstimatedPartition]
    derived: list[str]
    pace: Pace

    @property
    def rows(self) -> int:
        """Rows of all, without those of derived streams."""
        return sum(each.rows for each in self.partitions)

    @property
    def requests(self) -> int:
        """Requests of all."""
        return IDENTITY_REQUESTS + sum(each.cost.requests for each in self.partitions)

    @property
    def minutes(self) -> float:
        """The least time that it takes."""
        return self.pace.seconds(self.requests) / 60

    @property
    def asked(self) -> int:
        """Requests that the estimate has cost."""
        return IDENTITY_REQUESTS + sum(each.cost.asked for each in self.partitions)

    @property
    def is_lower_bound(self) -> bool:
        """Whether some list does not say how many rows it has."""
        return any(each.cost.is_lower_bound for each in self.partitions)

    @property
    def failed(self) -> list[EstimatedPartition]:
        """Those of which nothing can be said."""
        return [each for each in self.partitions if each.failure]


def estimate(
    connection: Connection, sources: Iterable[RecordStream], derived: Iterable[str]
) -> Estimate:
    """Ask for one row of each list, and count what a first sync will take.

    Args:
        connection: The FreshBooks user.
        sources: The streams that a sync reads.
        derived: Names of the selected streams that they feed.

    Raises:
        TapError: If the connection does not work.
    """
    connection.me  # noqa: B018 - what is wrong with the connection shows here
    workers = PriorityExecutor(connection.config["max_concurrency"])
    try:
        tasks = [task for stream in sources for task in _tasks(stream)]
        begun: list[Future[EstimatedPartition]] = [workers.submit(0, task) for task in tasks]
        partitions = [future.result() for future in begun]
    finally:
        workers.close()
    latencies = [latency for each in partitions for latency in each.cost.latencies]
    pace = Pace(
        connection.config["requests_per_second"],
        connection.config["max_concurrency"],
        fmean(latencies) if latencies else 0.0,
        connection.client.throttle.rate_limit,
    )
    return Estimate(partitions, list(derived), pace)


def _tasks(stream: RecordStream) -> Iterator[Callable[[], EstimatedPartition]]:
    """What finds out the cost of a stream, business by business."""
    if not isinstance(stream, ListStream):
        yield partial(_attempt, stream, None, partial(_read, stream))
        return
    for plan in stream.run.plans(stream):
        yield partial(_attempt, stream, plan.business, partial(rehearse, stream, plan))


def _attempt(
    stream: RecordStream, business: Business | None, find_out: Callable[[], PartitionCost]
) -> EstimatedPartition:
    """What is wrong with one stream of one business says nothing of the others."""
    cost, failure = PartitionCost(), ""
    try:
        cost = find_out()
    except FreshBooksError as error:
        failure = str(error)
    is_selected = bool(stream.selected)
    return EstimatedPartition(stream.name, business, cost, failure, is_selected)


def _read(stream: RecordStream) -> PartitionCost:
    """Read a stream that belongs to no business: it has one short answer at most."""
    stats = stream.run.stats.for_stream(stream.name)
    rows = len(list(stream.read(None)))
    return PartitionCost(rows, stats.requests, asked=stats.requests)
