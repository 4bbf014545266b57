"""Which periods of a report are read: those that were not closed yet, and the last ones again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from tap_freshbooks.streams.periods import Period, periods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

READ_UNTIL = "read_until"
"""Where the state of a partition has the last day of the last period that was read closed."""


def wanted_periods(
    config: Mapping[str, Any],
    start: datetime | None,
    states: Sequence[Mapping[str, Any]],
    *,
    is_whole: bool,
) -> list[Period]:
    """The periods that a run reads.

    Args:
        config: The settings.
        start: The setting `start_date`.
        states: Of the streams that are made of the report.
        is_whole: Whether all are wanted, whatever was read before.
    """
    today = datetime.now(UTC).date()
    # Without a start there is no telling where the books begin: this year and the last.
    first = start.date() if start else date(today.year - 1, 1, 1)
    wanted = periods(first, today, config["report_interval"])
    marks = [state[READ_UNTIL] for state in states if isinstance(state.get(READ_UNTIL), str)]
    if is_whole or len(marks) < len(states) or not marks:
        return wanted
    again = first_period_read_again(config, today)
    return [each for each in wanted if each.end.isoformat() > min(marks) or each >= again]


def first_period_read_again(config: Mapping[str, Any], today: date) -> Period:
    """The first of the last `report_lookback` periods; at least the one that is not over."""
    period = Period.containing(today, config["report_interval"])
    for _ in range(config["report_lookback"] - 1):
        period = period.previous(config["report_interval"])
    return period


def advance_period_bookmark(
    state: dict[str, Any], config: Mapping[str, Any], read_at: datetime
) -> None:
    """Note that all periods that were closed at a moment are read."""
    interval = config["report_interval"]
    closed = Period.containing(read_at.date(), interval).previous(interval)
    state[READ_UNTIL] = closed.end.isoformat()
