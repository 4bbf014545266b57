"""Where a sync learns what has changed: from nobody, so that it reads all lists, or from events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.extraction.read_plan import ReadPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.records import Row


class PlannableStream(Protocol):
    """What a change source needs to know of a stream."""

    @property
    def name(self) -> str:
        """Of the stream."""

    @property
    def partitions(self) -> Sequence[Mapping[str, Any]]:
        """One for each business that it reads."""

    @property
    def webhook_noun(self) -> str | None:
        """What events call the resource."""

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

    def consumer_states(self, partition: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """What the state says of a partition, for each stream that lives on what is read."""

    def read_range(
        self, partition: Mapping[str, Any], *, reconciles: bool
    ) -> tuple[datetime | None, bool]:
        """From when on changes are wanted, None for all; and whether that is a full read."""


class RecordObserver(Protocol):
    """Sees each record that a reading of lists delivers."""

    def see(self, record: Row, read_at: datetime) -> None:
        """Look at a record of a reading that began at a moment."""


class ChangeSource(Protocol):
    """Plans what is read of a stream, and is told what became of it."""

    def plans(self, stream: PlannableStream) -> list[ReadPlan]:
        """What to read of each partition, in their order. Asked for once in a sync."""

    def observer(self, stream: PlannableStream, plan: ReadPlan) -> RecordObserver | None:
        """What wants to see the records of a reading, if anything does."""

    def mark_read(
        self,
        stream: PlannableStream,
        plan: ReadPlan,
        read_at: datetime,
        fetched_at: Mapping[str, float],
    ) -> None:
        """Everything that a plan says was delivered.

        Args:
            stream: Whose plan it is.
            plan: What was read.
            read_at: When the reading began, by the server's clock.
            fetched_at: When objects were fetched by their ids, epoch seconds.
        """

    def mark_refused(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """The token may not read a partition."""

    def mark_polled(self, states: Iterable[dict[str, Any]]) -> None:
        """A stream that has no events was read, all of its partitions.

        Args:
            states: Of the streams that live on what was read.
        """


class PollingSource:
    """Nobody tells what has changed: the lists of every partition are read."""

    def plans(self, stream: PlannableStream) -> list[ReadPlan]:
        """Every partition, since its bookmark."""
        plans = []
        for partition in stream.partitions:
            since, is_full = stream.read_range(partition, reconciles=False)
            plans.append(ReadPlan(stream.business_of(partition), partition, since, is_full))
        return plans

    def observer(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """Nothing wants to see the records."""

    def mark_read(
        self,
        stream: PlannableStream,
        plan: ReadPlan,
        read_at: datetime,
        fetched_at: Mapping[str, float],
    ) -> None:
        """Nothing is kept but the bookmark, which is the stream's own business."""

    def mark_refused(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """It is asked for again by the next sync."""

    def mark_polled(self, states: Iterable[dict[str, Any]]) -> None:
        """It is read again by the next sync."""
