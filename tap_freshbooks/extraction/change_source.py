"""Change sources plan what a sync reads: `PollingSource` all lists, webhooks what events name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.extraction.read_plan import ReadPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.records import Row


class PlannableStream(Protocol):
    """A stream as a change source sees it."""

    @property
    def name(self) -> str:
        """Of the stream."""

    @property
    def partitions(self) -> Sequence[Mapping[str, Any]]:
        """One for each business that it reads."""

    @property
    def webhook_noun(self) -> str | None:
        """The name of the resource in events."""

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
        """The state of a partition, for each stream that is fed by what is read."""

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

    def mark_refused(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """Note that the token may not read a partition."""

    def mark_polled(self, states: Iterable[dict[str, Any]]) -> None:
        """Note that all partitions of a stream without events were read.

        Args:
            states: Of the streams that are fed by what was read.
        """


class PollingSource:
    """Reads the lists of every partition: without events, nothing else shows what has changed."""

    def plans(self, stream: PlannableStream) -> list[ReadPlan]:
        """A plan for the lists of each partition, since its bookmark."""
        plans = []
        for partition in stream.partitions:
            since, is_full = stream.read_range(partition, reconciles=False)
            plans.append(ReadPlan(stream.business_of(partition), partition, since, is_full))
        return plans

    def observer(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """None: no statistics of webhooks are kept."""

    def mark_read(
        self,
        stream: PlannableStream,
        plan: ReadPlan,
        read_at: datetime,
        fetched_at: Mapping[str, float],
    ) -> None:
        """Nothing is kept but the bookmark, which the stream advances itself."""

    def mark_refused(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """Nothing: the next sync tries again."""

    def mark_polled(self, states: Iterable[dict[str, Any]]) -> None:
        """Nothing: the next sync reads it again."""
