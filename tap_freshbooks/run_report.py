"""The report of a run: what it has read, what that took, what is missing and why; a line of JSON.

`docs/run-report.md` says what each key means; they are a promise to whoever reads them.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from tap_freshbooks import signals
from tap_freshbooks.errors import ending_of
from tap_freshbooks.storage.report_file import ReportFile
from tap_freshbooks.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Tap

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.singer.stats import StreamStats
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.run_state import RunState

FORMAT = 1
"""Raised when a key changes its meaning."""


@contextmanager
def reported(tap: Tap, connection: Connection, state: RunState) -> Iterator[None]:
    """Write the report of the run inside the block, however it ends, if the user wants one.

    Raises:
        SettingsError: If there is no place for it; then the run does not begin.
    """
    place = tap.config.get("run_report")
    if not place:
        yield
        return
    file = ReportFile(place, "run_report")
    began = datetime.now(UTC)
    error: BaseException | None = None
    try:
        yield
    except BaseException as problem:
        error = problem
        raise
    finally:
        with signals.deferred(defer_second=False):
            head = {
                "format": FORMAT,
                "tap": tap.name,
                "version": tap.plugin_version,
                "connection": connection.config["connection"],
                "business_ids": _business_ids(connection),
            }
            file.add({**head, **_ending(connection, began, error), **_work(tap, connection, state)})


def _business_ids(connection: Connection) -> list[int] | None:
    """Those to read; None if it did not come so far. Nothing is asked for it."""
    if "businesses" not in connection.__dict__:
        return None
    return [business.business_id for business in connection.businesses]


def _ending(connection: Connection, began: datetime, error: BaseException | None) -> dict[str, Any]:
    status, reason = ending_of(error) if error else (0, None)
    ended = datetime.now(UTC)
    return {
        "started": utc_text(began),
        "ended": utc_text(ended),
        "seconds": round((ended - began).total_seconds(), 3),
        "exit_status": int(status),
        "reason": reason and _without_names(connection, reason),
    }


def _work(tap: Tap, connection: Connection, state: RunState) -> dict[str, Any]:
    streams = state.stats.all()
    cost = connection.cost
    return {
        "rows": sum(each.rows for each in streams),
        "requests": cost.requests,
        "retries": cost.retries,
        "throttled": cost.throttled,
        "paused_seconds": round(cost.paused, 3),
        "streams": {each.stream: _counts(each) for each in streams},
        "failed": _all_without_names(connection, state.outcome.failures),
        "skipped": _all_without_names(connection, state.outcome.refusals),
        "not_due": sorted(state.times.waiting),
        "unknown_fields": _unknown_fields(tap),
    }


def _counts(stats: StreamStats) -> dict[str, Any]:
    return {
        "rows": stats.rows,
        "pages": stats.pages,
        "requests": stats.requests,
        "retries": stats.retries,
        "throttled": stats.throttled,
        "seconds": round(stats.seconds, 3),
    }


def _unknown_fields(tap: Tap) -> dict[str, list[str]]:
    streams = (cast("RecordStream", stream) for stream in tap.streams.values())
    return {stream.name: found for stream in streams if (found := stream.problems.unknown)}


def _all_without_names(
    connection: Connection, sentences: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    return {
        stream: [_without_names(connection, each) for each in texts]
        for stream, texts in sentences.items()
    }


def _without_names(connection: Connection, text: str) -> str:
    """A sentence in which businesses have ids only: a report may go where names may not."""
    if "members" in connection.__dict__:  # of users/me, or of the state
        for business in connection.members:
            text = text.replace(str(business), f"business {business.business_id}")
    return text
