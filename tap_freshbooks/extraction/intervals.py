"""Intervals: how often the streams are read that can only be read whole, as the settings say."""

from __future__ import annotations

import logging
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.singer.foreign_names import hint

if TYPE_CHECKING:
    from collections.abc import Collection

logger = logging.getLogger("tap-freshbooks")

SETTING = "full_table_interval"

LONGEST = timedelta(days=36_500)
"""What is longer would lead beyond the calendar."""

WILDCARDS = "*?[]"


class PacedStream(Protocol):
    """A stream as the setting sees it."""

    @property
    def name(self) -> str:
        """Of the stream."""

    def fixed_pace(self) -> str:
        """Why no interval counts for it, as a part of a sentence; empty if one does."""


class Intervals:
    """The setting `full_table_interval`: hours for all streams, or by patterns of their names.

    Args:
        setting: Its value.
    """

    def __init__(self, setting: float | dict[str, float] | None) -> None:
        self._others: float = 0
        patterns: dict[str, float] = {}
        if isinstance(setting, dict):
            patterns = setting
        else:
            self._others = setting or 0
        # The more of a name a pattern spells out, the sooner it is asked.
        self._patterns = sorted(patterns.items(), key=_precedence)

    def of(self, stream: PacedStream) -> timedelta:
        """The interval of a stream: that of the first pattern that fits; none if none does."""
        if stream.fixed_pace():
            return timedelta()
        fitting = (hours for pattern, hours in self._patterns if fnmatchcase(stream.name, pattern))
        return min(timedelta(hours=next(fitting, self._others)), LONGEST)

    def tell_of_names(self, streams: Collection[PacedStream]) -> None:
        """Tell of patterns that have no effect, as they fit no stream, or none with an interval."""
        names = [stream.name for stream in streams]
        for pattern, _ in self._patterns:
            fitting = [stream for stream in streams if fnmatchcase(stream.name, pattern)]
            reasons = [stream.fixed_pace() for stream in fitting]
            if not fitting:
                logger.warning(
                    "The setting %s names %s, which fits no stream%s",
                    SETTING,
                    pattern,
                    hint(pattern, names),
                )
            elif all(reasons):
                logger.warning(
                    "The setting %s names %s, to no effect: %s %s",
                    SETTING,
                    pattern,
                    fitting[0].name,
                    reasons[0],
                )


def _precedence(item: tuple[str, Any]) -> tuple[bool, int, float]:
    """Names first, then patterns by the number of their letters, then the shortest interval."""
    pattern, hours = item
    letters = sum(letter not in WILDCARDS for letter in pattern)
    return letters < len(pattern), -letters, hours
