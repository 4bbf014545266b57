"""ReadingTimes: when a stream is read again that nothing tells of, partition by partition.

The moments of the readings are in the Singer state, beside the bookmarks: a stream counts as read
only when the target has confirmed its records.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.extraction.intervals import Intervals, PacedStream
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger("tap-freshbooks")

READ_AT = "polled_at"
"""Where a state says when the run began that has read its partition last."""

REFUSED_AT = "refused_at"
"""Where it says so of a run to which FreshBooks refused the partition."""

MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far a moment of the state may lie in the future; one further off is not believed."""

TOLERANCE = 0.05
MOST_TOLERANCE = timedelta(minutes=5)
"""By which part of an interval, and at most by how much, a run may come too early: those of a
schedule do not all begin at the same second of the hour."""

Partition = Mapping[str, Any]


class PolledStream(PacedStream, Protocol):
    """A stream of which nothing tells that it has changed."""

    @property
    def partitions(self) -> Sequence[Partition] | None:
        """One for each business that it reads; none if it is of the user."""

    @property
    def webhook_noun(self) -> str | None:
        """The name of the resource in events."""

    @property
    def is_sent_whole(self) -> bool:
        """Whether a target gets all partitions of the table at once, or none."""

    def consumer_states(self, partition: Partition | None) -> list[dict[str, Any]]:
        """The state of a partition, for each stream that is fed by what is read."""


class ReadingTimes:
    """Tells what is due, and notes what was read.

    Args:
        config: The settings.
        now: When the run began.

    Attributes:
        poll_interval: How often streams without events are read, where others have them.
        waiting: The streams of which nothing is due, and when something will be.
    """

    def __init__(self, config: Mapping[str, Any], now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)
        self.intervals = Intervals(config.get("full_table_interval"))
        hours = config["poll_interval"] if config.get("webhook_inbox") else 0
        self.poll_interval = timedelta(hours=hours)
        self.waiting: dict[str, datetime] = {}

    def interval(self, stream: PacedStream) -> timedelta:
        """How often a stream is read, if nothing tells that it has changed."""
        return max(self.poll_interval, self.intervals.of(stream))

    def is_recent(self, moment: datetime | None, interval: timedelta) -> bool:
        """Whether less than an interval has passed since a moment, which the state may name."""
        if moment is None or not interval:
            return False
        least = interval - min(interval * TOLERANCE, MOST_TOLERANCE)
        return -MAX_CLOCK_SKEW < self.now - moment < least

    def is_waiting(self, stream: PolledStream) -> bool:
        """Whether nothing of a stream is due."""
        if self.due(stream):
            return False
        marks = [
            parse_timestamp(state.get(READ_AT) or state.get(REFUSED_AT))
            for partition in _partitions(stream)
            for state in stream.consumer_states(partition)
        ]
        known = [mark for mark in marks if mark is not None]
        if known:  # else it has no partition, so there is nothing to wait for
            self.waiting[stream.name] = min(known) + self.interval(stream)
        return True

    def due(self, stream: PolledStream) -> list[Partition | None]:
        """The partitions of a stream that are to be read; `[None]` if it has none itself.

        One that was refused does not make the others due: it is asked for alone.
        """
        partitions = _partitions(stream)
        interval = self.interval(stream)
        if not interval:
            return partitions
        states = [stream.consumer_states(partition) for partition in partitions]
        due = [not all(self._is_recent(state, interval) for state in each) for each in states]
        refused = [all(REFUSED_AT in state for state in each) for each in states]
        if stream.is_sent_whole and any(
            is_due and not is_refused for is_due, is_refused in zip(due, refused, strict=True)
        ):
            return partitions
        return [each for each, is_due in zip(partitions, due, strict=True) if is_due]

    def _is_recent(self, state: Mapping[str, Any], interval: timedelta) -> bool:
        if REFUSED_AT in state:
            return self.is_recent(parse_timestamp(state[REFUSED_AT]), self.poll_interval)
        return self.is_recent(parse_timestamp(state.get(READ_AT)), interval)

    def forget(self, stream: PolledStream, partition: Partition | None) -> None:
        """A partition is about to be read: it counts as read when it was."""
        if self.interval(stream):
            for state in stream.consumer_states(partition):
                state.pop(READ_AT, None)

    def note_reading(self, stream: PolledStream, partition: Partition | None) -> None:
        """All of a partition was delivered to the streams that have not failed with it."""
        if self.interval(stream):
            for state in stream.consumer_states(partition):
                state[READ_AT] = utc_text(self.now)
                state.pop(REFUSED_AT, None)

    def note_refusal(self, stream: PolledStream, partition: Partition | None) -> None:
        """The token may not read a partition."""
        if self.interval(stream):
            for state in stream.consumer_states(partition):
                state[REFUSED_AT] = utc_text(self.now)

    def tell(self) -> None:
        """Log, in a line, what is not due."""
        if self.waiting:
            first = min(self.waiting, key=self.waiting.__getitem__)
            moment = self.waiting[first].replace(microsecond=0)
            names = ", ".join(self.waiting)
            logger.info("Not due yet: %s; the next is %s at %s", names, first, utc_text(moment))


def _partitions(stream: PolledStream) -> list[Partition | None]:
    return list(stream.partitions or ()) or [None]
