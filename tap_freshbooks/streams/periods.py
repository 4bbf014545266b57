"""Calendar periods: which ones a report is read for."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = {"month": 1, "quarter": 3, "year": 12}
"""Lengths of the intervals that can be chosen, in months."""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar month, quarter or year.

    Attributes:
        start: Its first day.
        end: Its last day.
    """

    start: date
    end: date

    @classmethod
    def containing(cls, day: date, interval: str) -> Period:
        """The period of an interval's length that a day lies in."""
        months = MONTHS[interval]
        first = (day.month - 1) // months * months + 1
        last = first + months - 1
        return cls(date(day.year, first, 1), date(day.year, last, monthrange(day.year, last)[1]))

    def previous(self, interval: str) -> Period:
        """The period before this one."""
        return Period.containing(self.start - timedelta(days=1), interval)


def periods(first: date, last: date, interval: str) -> list[Period]:
    """All periods from the one of a first day to the one of a last day, oldest first."""
    found = []
    period = Period.containing(last, interval)
    while period.end >= first:
        found.append(period)
        period = period.previous(interval)
    return found[::-1]
