"""The end of a sync in words: a few lines for all streams, and one for each at level debug."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.singer.progress_text import count, rows_read, running

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tap_freshbooks.singer.stats import Cost, StreamStats, SyncStats


def summarize(
    stats: SyncStats, streams: Collection[str], cost: Cost, seconds: float
) -> Iterator[str]:
    """The lines about a sync: its total, then names in their order; what is zero is left out.

    Args:
        stats: What reading has cost and brought.
        streams: Names of all that was wanted.
        cost: Of all requests.
        seconds: How long it took.
    """
    began = sorted(stats.all(), key=lambda each: each.stream)
    full = [each for each in began if each.rows]
    yield _total(full, cost, seconds, len({*streams} - {each.stream for each in full}))
    if full:
        yield f"Rows: {', '.join(f'{each.stream} {each.rows:,}' for each in full)}"
    if repeated := [_repetitions(each) for each in began if each.retries]:
        yield f"Requests sent again: {', '.join(repeated)}"
    if unfinished := sorted(f"{each.stream} ({rows_read(each)})" for each in running(stats)):
        yield f"Not finished: {', '.join(unfinished)}"


def _total(full: list[StreamStats], cost: Cost, seconds: float, empty: int) -> str:
    parts = [count(sum(each.rows for each in full), "row"), count(cost.requests, "request")]
    if cost.retries:
        parts.append(count(cost.retries, "retry", "retries"))
    if cost.throttled:
        parts.append(count(cost.throttled, "429"))
    total = f"Total: {', '.join(parts)}, {seconds:,.1f} s"
    if round(cost.paused):
        total += f"; {cost.paused:,.0f} s of it for the rate limit"
    return f"{total}; {count(empty, 'stream')} without new rows" if empty else total


def _repetitions(stats: StreamStats) -> str:
    throttled = f" ({count(stats.throttled, '429')})" if stats.throttled else ""
    return f"{stats.stream} {stats.retries:,}{throttled}"


def describe_stream(stats: StreamStats) -> str:
    """The line of a stream; one that is made of another's responses has only rows."""
    parts = [f"{stats.stream}: {count(stats.rows, 'row')}"]
    if stats.requests:
        parts += [
            count(stats.pages, "page"),
            count(stats.requests, "request"),
            count(stats.retries, "retry", "retries"),
            count(stats.throttled, "429"),
            f"{stats.seconds:,.1f} s",
        ]
        if stats.ended is None:
            parts.append("not finished")
    return ", ".join(parts)
