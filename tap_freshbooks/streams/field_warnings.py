"""Warnings about fields that a conversion could not keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.records import EXTRA

if TYPE_CHECKING:
    import logging

MOST_NAMED = 100
"""Unknown fields of a stream that are named: where there are more, their names are data."""


LONGEST_NAME = 200
"""Characters of a field that is named, with the objects that it is in."""


class FieldWarnings:
    """Logs what a conversion could not keep: each field once, never a value.

    Args:
        logger: Of the stream.
        are_kept: Whether unknown fields are in the column `_extra`, and not dropped.
    """

    def __init__(self, logger: logging.Logger, *, are_kept: bool = False) -> None:
        self._logger = logger
        self._are_kept = are_kept
        self._unknown: set[str] = set()
        self._withheld: set[str] = set()
        self._invalid: set[str] = set()
        self._shortened: set[str] = set()
        self._reported: set[str] = set()

    @property
    def has_unknown(self) -> bool:
        """Whether any row had a field that is not declared."""
        return bool(self._unknown)

    @property
    def unknown(self) -> list[str]:
        """The fields that are not declared, as far as they are named."""
        return sorted(path[:LONGEST_NAME] for path in self._unknown - self._withheld)

    def on_unknown(self, path: str) -> None:
        """A field that is not declared was dropped."""
        if len(self._unknown) < MOST_NAMED:
            self._unknown.add(path)

    def on_withheld(self, path: str) -> None:
        """What looks like a credential was left out."""
        if len(self._withheld) < MOST_NAMED:
            self._withheld.add(path)

    def on_invalid(self, path: str, value: object) -> None:
        """A value of an unexpected type became null."""
        if path not in self._invalid:
            self._invalid.add(path)
            self._logger.warning(
                "The field %s held a %s that does not fit; it is delivered as null",
                path,
                type(value).__name__,
            )

    def on_shortened(self, path: str) -> None:
        """A time of day was left out, behind a date."""
        if path not in self._shortened:
            self._shortened.add(path)
            self._logger.warning(
                "The field %s held a time behind its date; it is delivered as the date alone", path
            )

    def report(self) -> None:
        """Name the fields that were not delivered, or not as columns, since the last report."""
        fate = f"came in the column {EXTRA}" if self._are_kept else "were dropped"
        self._name(
            self._unknown - self._withheld,
            f"Fields unknown to this version {fate}: %s; please report them",
        )
        self._name(
            self._withheld,
            "Fields that look like credentials were withheld: %s; please report them",
        )

    def _name(self, paths: set[str], sentence: str) -> None:
        if fresh := sorted(paths - self._reported):
            self._logger.warning(sentence, ", ".join(path[:LONGEST_NAME] for path in fresh))
            self._reported.update(fresh)
