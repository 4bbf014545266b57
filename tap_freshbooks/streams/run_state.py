"""RunState: the state of one sync, which its streams share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tap_freshbooks.extraction.change_source import ChangeSource, PollingSource
from tap_freshbooks.extraction.list_endpoint import ObjectFetcher
from tap_freshbooks.extraction.prefetch import InlineFuture
from tap_freshbooks.extraction.reading_times import ReadingTimes
from tap_freshbooks.extraction.shared_pages import SharedPages
from tap_freshbooks.singer.stats import SyncStats
from tap_freshbooks.streams.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.extraction.change_source import PlannableStream
    from tap_freshbooks.extraction.prefetch import Prefetchable, Prefetcher
    from tap_freshbooks.extraction.read_plan import ReadPlan

ReaderT = TypeVar("ReaderT", bound="Prefetchable[Any]")


class RunState:
    """The state of one sync; it ends with it.

    Args:
        connection: The FreshBooks user.

    Attributes:
        stats: What reading has cost and brought, stream by stream.
        outcome: What was read, refused, or failed.
        times: Tells what is due.
        changes: Tells what has to be read.
        objects: Fetches objects by their ids, each once.
        shared_pages: Has the pages that two streams need.
        prefetcher: Reads the partitions that come next; None where nothing is read ahead.
        before_state: Is called before an interrupted run writes its last state.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stats = SyncStats()
        self.outcome = Outcome()
        self.times = ReadingTimes(connection.config)
        self.changes: ChangeSource = PollingSource(self.times)
        self.objects = ObjectFetcher()
        self.shared_pages = SharedPages()
        self.prefetcher: Prefetcher[Any] | None = None
        self.before_state: list[Callable[[], None]] = []
        self._plans: dict[str, list[ReadPlan]] = {}

    def plans(self, stream: PlannableStream) -> list[ReadPlan]:
        """The plan of each partition of a stream; made when it is asked for first."""
        if stream.name not in self._plans:
            self._plans[stream.name] = self.changes.plans(stream)
        return self._plans[stream.name]

    def plan(self, stream: PlannableStream, partition: Mapping[str, Any]) -> ReadPlan:
        """The plan of one partition."""
        return next(plan for plan in self.plans(stream) if plan.partition == partition)

    def open_partition(self, reader: ReaderT) -> tuple[ReaderT, Iterator[Any]]:
        """The reader of a partition, which perhaps began before, and what it reads."""
        if self.prefetcher is None:
            return reader, reader.begin(InlineFuture, 1)
        begun: tuple[ReaderT, Iterator[Any]] = self.prefetcher.take(reader.partition_key)
        return begun


class RunningTap(Protocol):
    """The tap, as streams see it."""

    @property
    def run_state(self) -> RunState:
        """The state of the run."""
