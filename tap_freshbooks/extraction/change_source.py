"""Change sources plan what a sync reads: `PollingSource` all lists, webhooks what events name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.extraction.read_plan import ReadPlan
from tap_freshbooks.extraction.reading_times import PolledStream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.reading_times import ReadingTimes
    from tap_freshbooks.records import Row


class PlannableStream(PolledStream, Protocol):
    """A stream as a change source sees it."""

    @property
    def key(self) -> tuple[str, ...]:
        """Fields that tell a row from the others of its business."""

    @property
    def timestamp_field(self) -> str | None:
        """The field with the moment of the last change."""

    @property
    def hard_deletes(self) -> bool:
        """Whether deleted rows disappear without a trace."""

    @property
    def affected_by(self) -> Mapping[str, str]:
        """Streams whose changes change rows of this one, and their fields with the ids of these."""

    def business_of(self, partition: Mapping[str, Any]) -> Business:
        """The business of a partition."""

    def read_range(
        self, partition: Mapping[str, Any], *, reconciles: bool
    ) -> tuple[datetime | None, bool]:
        """From when on changes are wanted, None for all; and whether that is a full read."""


class RecordObserver(Protocol):
    """Sees each record that a reading of lists delivers."""

    def see(self, record: Row, read_at: datetime) -> None:
        """Take note of a record of a reading that began at a moment."""


class ChangeSource(Protocol):
    """Plans what is read of a stream, and keeps a record of what was read."""

    def is_idle(self, stream: PolledStream) -> bool:
        """Whether nothing is to be read of a stream."""

    def plans(self, stream: PlannableStream) -> list[ReadPlan]:
        """A plan for each partition, in their order. Called once in a sync."""

    def observer(self, stream: PlannableStream, plan: ReadPlan) -> RecordObserver | None:
        """The observer that sees the records of a reading, if there is one."""

    def mark_read(
        self,
        stream: PlannableStream,
        plan: ReadPlan,
        read_at: datetime,
        fetched_at: Mapping[str, float],
    ) -> None:
        """Note that everything of a plan was delivered.

        Args:
            stream: The stream of the plan.
            plan: The plan that was carried out.
            read_at: When the reading began, by the server's clock.
            fetched_at: When objects were fetched by their ids, epoch seconds.
        """

    def mark_refused(self, stream: PolledStream, partition: Mapping[str, Any] | None) -> None:
        """Note that the token may not read a partition."""

    def mark_finished(self, stream: PolledStream) -> None:
        """Note that a stream is at its end: what was marked as read is delivered."""


class PollingSource:
    """Reads the lists of partitions that are due: nothing else shows what has changed.

    Args:
        times: Tells what is due.
    """

    def __init__(self, times: ReadingTimes) -> None:
        self.times = times
        self._read: dict[str, list[Mapping[str, Any] | None]] = {}
        """Partitions that were read, by their streams."""
        self._refused: set[str] = set()
        """Names of streams that have refused partitions."""

    def is_idle(self, stream: PolledStream) -> bool:
        """Whether nothing of a stream is due."""
        return self.times.is_waiting(stream)

    def plans(self, stream: PlannableStream) -> list[ReadPlan]:
        """A plan for the lists of each partition, since its bookmark."""
        due = self.times.due(stream)
        plans = []
        for partition in stream.partitions or ():
            business, is_due = stream.business_of(partition), partition in due
            since, is_full = None, False
            if is_due:
                self.times.forget(stream, partition)
                since, is_full = stream.read_range(partition, reconciles=False)
            plans.append(ReadPlan(business, partition, since, is_full, is_due=is_due))
        return plans

    def observer(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """None: no statistics of webhooks are kept."""

    def mark_read(
        self,
        stream: PlannableStream,
        plan: ReadPlan,
        read_at: datetime,  # noqa: ARG002
        fetched_at: Mapping[str, float],  # noqa: ARG002
    ) -> None:
        """Beside the bookmark, which the stream advances itself, its interval begins anew."""
        self._read.setdefault(stream.name, []).append(plan.partition)

    def mark_refused(self, stream: PolledStream, partition: Mapping[str, Any] | None) -> None:
        """It is asked again the next time, or, with webhooks, after `poll_interval`."""
        self._refused.add(stream.name)
        self.times.note_refusal(stream, partition)

    def mark_finished(self, stream: PolledStream) -> None:
        """Only now are the rows of tables that are sent whole certain to count."""
        whole = [] if stream.partitions or stream.name in self._refused else [None]
        for partition in (*self._read.pop(stream.name, ()), *whole):
            self.times.note_reading(stream, partition)
