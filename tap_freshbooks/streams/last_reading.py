"""What the state keeps of the last complete reading of a partition's lists.

The digest of the keys that were there tells whether rows have come or gone; and a list of deleted
rows that was not read, since none had gone, is asked for from its own last reading on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_freshbooks.extraction.read_plan import LastReading
from tap_freshbooks.streams.bookmarks import CLOCK_SKEW
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan

KEYS_DIGEST = "keys_digest"
"""Where the state of a partition has the digest of the keys that its lists had."""

DELETIONS_READ_AT = "deletions_read_at"
"""Where it says when the lists of deleted rows were read."""


def restored(
    states: Sequence[dict[str, Any]],
    plan: ReadPlan,
    start: datetime | None,
    interval: timedelta,
) -> LastReading:
    """What is known from the last reading.

    Args:
        states: Of the partition, for each stream that is fed by what is read.
        plan: What is read now.
        start: The oldest change that is wanted; None for all.
        interval: After which the lists of deleted rows are read, even if no row has gone.
    """
    moments = [parse_timestamp(state.get(DELETIONS_READ_AT)) for state in states]
    known = [moment for moment in moments if moment is not None]
    read_at = min(known) if known and len(known) == len(moments) else None
    since = plan.since
    if since and read_at and not plan.is_full:
        since = min(since, max(read_at, start) if start else read_at)
    if plan.reads_objects:  # what events tell is in no reading of lists
        return LastReading(deletions_since=since)
    keys = states[0].get(KEYS_DIGEST) if states else None
    is_known = isinstance(keys, str) and all(keys == state.get(KEYS_DIGEST) for state in states)
    return LastReading(
        keys=keys if is_known else None,
        deletions_since=since,
        deletions_can_wait=read_at is not None
        and -CLOCK_SKEW < datetime.now(UTC) - read_at < interval,
    )


def forget(states: Iterable[dict[str, Any]]) -> None:
    """Rows are delivered of which no complete reading knows yet."""
    for state in states:
        state.pop(KEYS_DIGEST, None)


def keep(states: Iterable[dict[str, Any]], reader: PartitionReader, read_at: datetime) -> None:
    """Keep what the next reading has to know.

    Args:
        states: Of the partition, for each stream that is fed by what was read.
        reader: Has read its lists to their end.
        read_at: When that began.
    """
    for state in states:
        if reader.keys is not None:
            state[KEYS_DIGEST] = reader.keys
        if reader.has_read_deletions:
            state[DELETIONS_READ_AT] = utc_text(read_at)
