"""Timestamps: FreshBooks' forms of them, and the one form of records.

Those of accounting are US/Eastern without saying so, most others UTC
(`docs/freshbooks-api/accounting.md §7`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

LAST_SECOND = 253_402_300_799
"""Of the year 9999, epoch seconds."""

EASTERN = ZoneInfo("America/New_York")

_FRACTION = re.compile(r"\.(?!000000)[0-9]{6}Z?")


@lru_cache(maxsize=1024)
def _eastern_offset(hour: str) -> timedelta:
    """UTC offset of an Eastern wall-clock hour such as `2024-04-02 09`.

    The hour that November has twice is read as its first (summer time) passage: the
    timestamp is then never later than the truth, so no bookmark can overtake a row.
    """
    return datetime.fromisoformat(hour).replace(tzinfo=EASTERN).utcoffset() or timedelta()


@lru_cache(maxsize=4096)
def _utc_hour(hour: str) -> str | None:
    """`2024-04-02T09` of an hour written with a blank or a `T`; None if it is none."""
    try:
        return datetime.fromisoformat(hour).isoformat()[:13]
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _utc_hour_of_eastern(hour: str) -> str | None:
    """`2024-04-02T13` of the Eastern hour `2024-04-02 09`.

    None if it is no hour, or none of the UTC's (before 1883 clocks went by the sun).
    """
    try:
        utc = eastern_to_utc(datetime.fromisoformat(hour)).isoformat()
    except (ValueError, OverflowError):
        return None
    return utc[:13] if utc[13:] == ":00:00" else None


@lru_cache(maxsize=4096)
def _is_within_hour(text: str) -> bool:
    """Whether a text is `:MM:SS`."""
    try:
        return time.fromisoformat(f"00{text}").isoformat() == f"00{text}"
    except ValueError:
        return False


def fast_utc_text(value: object) -> str | None:
    """The `utc_text` of a UTC moment in one of the common forms, made without any arithmetic.

    Common are whole seconds, and six digits of a fraction; with `Z` or without. None for all else.
    """
    if type(value) is str and value[10:11] in {"T", " "} and _is_within_hour(value[13:19]):
        rest = value[19:]
        if not rest or rest == "Z" or _FRACTION.fullmatch(rest):
            hour = _utc_hour(value[:13])
            return hour and f"{hour}{value[13:19]}{rest.rstrip('Z')}Z"
    return None


def fast_eastern_text(value: object) -> str | None:
    """The same of an Eastern moment: with a blank and no `Z`."""
    if type(value) is str and value[10:11] == " " and _is_within_hour(value[13:19]):
        rest = value[19:]
        if not rest or (rest[-1] != "Z" and _FRACTION.fullmatch(rest)):
            hour = _utc_hour_of_eastern(value[:13])
            return hour and f"{hour}{value[13:19]}{rest}Z"
    return None


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


def parse_timestamp(text: Any) -> datetime | None:
    """An aware moment of a record, the state or the settings; None if there is none."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
