"""Statistics of a sync in words while it goes on: the state of its streams, the time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_freshbooks.singer.stats import StreamStats, SyncStats


def describe_state(stats: SyncStats) -> str:
    """The streams that are being read now, and how many are done, on one line."""
    being_read = [
        f"{each.stream} ({', '.join(filter(None, (rows_read(each), time_left(each))))})"
        for each in running(stats)
    ]
    reading = f"reading {', '.join(being_read)}" if being_read else ""
    return "; ".join(filter(None, (reading, describe_done(stats)))) or "nothing read yet"


def running(stats: SyncStats) -> list[StreamStats]:
    """The streams that are being read."""
    return [each for each in stats.all() if each.began is not None and each.ended is None]


def describe_done(stats: SyncStats) -> str:
    """How many streams are done, with their rows; empty if none is."""
    done = [each for each in stats.all() if each.ended is not None]
    if not done:
        return ""
    rows = sum(each.rows for each in done)
    return f"{count(len(done), 'stream')} done, {count(rows, 'row')}"


def rows_read(stats: StreamStats) -> str:
    """Rows delivered of a stream, and their total where that makes sense."""
    rows, total = stats.rows, stats.total
    return f"{rows:,} of {count(total, 'row')}" if 0 < total >= rows else count(rows, "row")


def share_read(stats: StreamStats) -> float | None:
    """The part of a stream that is delivered, from 0 to 1; None if it cannot be told.

    It cannot where far fewer rows are delivered than the pages read could hold: where only those
    that changed are, or where there are many short lists, of which few have begun.
    """
    rows, total = stats.rows, stats.total
    if not total or not rows:
        return None
    if rows >= total:
        return 1.0
    return rows / total if 2 * rows >= stats.capacity else None


def time_left(stats: StreamStats) -> str:
    """The time that a stream still needs at its pace so far; empty if that cannot be told."""
    share = share_read(stats)
    if not share or share == 1.0:
        return ""
    seconds = round(stats.seconds * (1 - share) / share)
    minutes = round(seconds / 60)
    if seconds < 60:  # noqa: PLR2004
        return f"{max(seconds, 1)} s left"
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min left"
    return f"{minutes // 60} h {minutes % 60} min left"


def count(number: int, one: str, many: str = "") -> str:
    """A number of things."""
    noun = one if number == 1 else many or f"{one}s"
    return f"{number:,} {noun}" if number else f"no {noun}"
