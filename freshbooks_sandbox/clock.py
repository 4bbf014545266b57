"""The sandbox's clock, and the forms in which FreshBooks writes a moment.

A moment is kept as whole microseconds since the epoch, so that the hour which a November switch
repeats stays unambiguous here even where its text is not.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

EASTERN = ZoneInfo("America/New_York")
SECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock:
    """Real time, until it is set."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._offset if self._frozen is None else self._frozen

    def moment(self) -> int:
        """Microseconds since the epoch."""
        return int(self.time() * SECOND)

    def today(self) -> date:
        """The calendar day in US/Eastern, by which invoices become overdue."""
        return datetime.fromtimestamp(self.time(), EASTERN).date()

    def set(self, moment: float, *, frozen: bool = False) -> None:
        """Move to `moment` (seconds since the epoch) and go on, or stand still, from there."""
        self._offset = moment - time.time()
        self._frozen = moment if frozen else None

    def advance(self, seconds: float) -> None:
        """Jump ahead, or back where `seconds` is negative."""
        self._offset += seconds
        if self._frozen is not None:
            self._frozen += seconds

    def reset(self) -> None:
        """Return to real time."""
        self._offset = 0.0
        self._frozen = None


def moment_of(when: datetime) -> int:
    """Microseconds since the epoch of an aware date-time."""
    return (when - _EPOCH) // _MICROSECOND


def start_of_day(day: date, zone: ZoneInfo | None = None) -> int:
    """The moment at which `day` begins in `zone` (UTC when None)."""
    return moment_of(datetime(day.year, day.month, day.day, tzinfo=zone or UTC))


def _offset(second: int) -> int:
    offset = datetime.fromtimestamp(second, EASTERN).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


@cache
def _offsets(day: int) -> tuple[int, int, int]:
    """Of a UTC day of the epoch: its first offset, the second of a switch, the offset after it."""
    begin = day * 86_400
    first, last = _offset(begin), _offset(begin + 86_399)
    hours = range(0, 86_400, 3600)
    switch = next((hour for hour in hours if _offset(begin + hour) != first), 86_400)
    return first, switch, last


_SECONDS = [f"{second:02d}" for second in range(60)]
_MINUTES = [f"{hour}:{minute}" for hour in _SECONDS[:24] for minute in _SECONDS]


@cache
def _day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


@lru_cache(maxsize=4096)
def _eastern(second: int) -> str:
    """Every row has several, often equal; much faster than a datetime with a zone."""
    day, rest = divmod(second, 86_400)
    first, switch, last = _offsets(day)
    day, rest = divmod(second + (first if rest < switch else last), 86_400)
    minutes, seconds = divmod(rest, 60)
    return f"{_day_text(day)} {_MINUTES[minutes]}:{_SECONDS[seconds]}"


def _utc(moment: int) -> datetime:
    return datetime.fromtimestamp(moment // SECOND, UTC).replace(tzinfo=None)


def eastern_text(moment: int) -> str:
    """`2026-01-31 09:15:00`, US/Eastern (docs/freshbooks-api/accounting.md §7)."""
    return _eastern(moment // SECOND)


def eastern_version(moment: int) -> str:
    """The same with microseconds, as in `version` (docs/freshbooks-api/accounting.md §7)."""
    return f"{_eastern(moment // SECOND)}.{moment % SECOND:06d}"


def utc_text(moment: int) -> str:
    """`2026-01-31 14:15:00`, UTC: only `signup_date` among the resources served."""
    return _utc(moment).isoformat(" ")


def utc_naive(moment: int) -> str:
    """`2026-01-31T14:15:00` without a zone, meaning UTC.

    See docs/freshbooks-api/projects-and-time.md §4.
    """
    return _utc(moment).isoformat()


def utc_z(moment: int) -> str:
    """`2026-01-31T14:15:00Z` (docs/freshbooks-api/projects-and-time.md §4)."""
    return f"{_utc(moment).isoformat()}Z"


def utc_micro_z(moment: int) -> str:
    """`2026-01-31T14:15:00.123456Z`, as on ledger accounts.

    See docs/freshbooks-api/accounting.md §7.
    """
    return f"{_utc(moment).isoformat()}.{moment % SECOND:06d}Z"


def utc_version(moment: int) -> str:
    """As `version`, but UTC."""
    return f"{utc_text(moment)}.{moment % SECOND:06d}"


UTC_FORMS: dict[Callable[[int], str], Callable[[int], str]] = {
    eastern_text: utc_text,
    eastern_version: utc_version,
}
"""The same text in UTC, for a resource whose zone is not certain."""
