"""Warnings about values of FreshBooks that columns of the unified model could not take over."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

HARMLESS = re.compile(r"[\w .,/&+-]{1,40}")
"""Values that a log may show: short words."""


class UnmappedValues:
    """Counts the values that columns could not take over, and logs them once.

    Args:
        logger: None to log nothing.
    """

    def __init__(self, logger: logging.Logger | None) -> None:
        self._logger = logger
        self._unmapped: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._invalid: Counter[str] = Counter()

    def on_unmapped(self, column: str, value: object) -> None:
        """A value is in no table of codes, or not in the enum."""
        word = str(value) if HARMLESS.fullmatch(str(value)) else f"a {type(value).__name__}"
        self._unmapped[column]["null" if value is None else word] += 1

    def on_invalid(self, column: str, value: object) -> None:  # noqa: ARG002 - it may be private
        """A value of an unexpected type became null."""
        self._invalid[column] += 1

    def report(self) -> None:
        """Log the values since the last report."""
        if self._logger:
            for column, words in self._unmapped.items():
                shown = ", ".join(f"{word} ({number} x)" for word, number in words.most_common(10))
                self._logger.warning(
                    "The column %s has no word of its own for %s; remote_status may have it, and "
                    "a table of codes in unified_mappings can add it",
                    column,
                    shown,
                )
            for column, number in self._invalid.items():
                self._logger.warning(
                    "The column %s is null in %d rows, as what FreshBooks has there does not fit",
                    column,
                    number,
                )
        self._unmapped.clear()
        self._invalid.clear()
