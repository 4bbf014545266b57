"""When things happened: working hours over a bit more than two years that end on a fixed day."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from freshbooks_sandbox.clock import DAY, EASTERN, SECOND, moment_of, start_of_day

if TYPE_CHECKING:
    from random import Random

BEGIN = start_of_day(date(2023, 11, 1), EASTERN)
END = start_of_day(date(2026, 1, 31), EASTERN) + 20 * 3600 * SECOND
HOUR = 3600 * SECOND

# The hour that US/Eastern lives twice: its text is the same, the moment is not
# (docs/freshbooks-api/accounting.md §7).
REPEATED_HOURS = tuple(
    moment_of(datetime(year, 11, day, hour, 20, 5, tzinfo=UTC))
    for year, day in ((2024, 3), (2025, 2))
    for hour in (5, 6)
)


def day_of(moment: int) -> date:
    """The Eastern calendar day."""
    return datetime.fromtimestamp(moment // SECOND, EASTERN).date()


def spread(random: Random, count: int, begin: int = BEGIN, end: int = END) -> list[int]:
    """`count` moments in ascending order, evenly over the time and within working hours."""
    slot = (end - 2 * DAY - begin) / max(count, 1)
    moments = []
    for position in range(count):
        at = begin + int(slot * (position + random.random()))
        midnight = at - (at - BEGIN) % DAY
        moments.append(midnight + 8 * HOUR + int(random.random() * 11 * HOUR))
    moments.sort()
    for early, late in zip(REPEATED_HOURS[::2], REPEATED_HOURS[1::2], strict=True):
        place = bisect_left(moments, early)
        if 2 <= place < count:
            moments[place - 2 : place] = [early, late]
    return moments


def is_repeated(moment: int) -> bool:
    """Whether the moment lies in an hour that occurs twice."""
    return any(-HOUR < moment - hour < HOUR for hour in REPEATED_HOURS)


def later(random: Random, moment: int, days: float) -> int:
    """Up to `days` after a moment, yet before the data ends."""
    return min(moment + SECOND + int(random.random() * days * DAY), END)
