"""Moments: how FreshBooks writes them, and how the tap does.

Accounting stamps are US/Eastern without saying so, most others UTC (`accounting.md §7`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LAST_SECOND = 253_402_300_799
"""Of the year 9999, epoch seconds."""

EASTERN = ZoneInfo("America/New_York")


@lru_cache(maxsize=1024)
def _eastern_offset(hour: str) -> timedelta:
    """UTC offset of an Eastern wall-clock hour such as `2024-04-02 09`.

    The hour that November has twice is read as its first (summer time) passage: the
    stamp is then never later than the truth, so no bookmark can overtake a row.
    """
    return datetime.fromisoformat(hour).replace(tzinfo=EASTERN).utcoffset() or timedelta()


def eastern_to_utc(moment: datetime) -> datetime:
    """Read a naive moment as Eastern wall-clock time; the result is naive UTC."""
    return moment - _eastern_offset(str(moment)[:13])


def parse_time(value: object) -> datetime | None:
    """Read a moment in any of the vendor's forms; `""` and `0000-00-00 …` mean none.

    Raises:
        TypeError: If the value is not text.
        ValueError: If the text is not a moment.
    """
    if not isinstance(value, str):
        raise TypeError
    if not value or value.startswith("0000-00-00"):
        return None
    if value[12:13] == ":":  # an hour of one digit, in old late reminders
        value = f"{value[:11]}0{value[11:]}"
    return datetime.fromisoformat(value)


def utc_text(moment: datetime) -> str:
    """Write an aware or UTC moment the way records carry it: `2026-02-03T14:15:00Z`."""
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}Z"


def utc_text_at(epoch: float) -> str:
    """The same for epoch seconds, to the second."""
    return utc_text(datetime.fromtimestamp(min(int(epoch), LAST_SECOND), UTC))
