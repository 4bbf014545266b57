"""Warnings about fields that a conversion could not keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


class FieldWarnings:
    """Logs what a conversion could not keep: each field once, never a value."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._unknown: set[str] = set()
        self._invalid: set[str] = set()
        self._reported: set[str] = set()

    def on_unknown(self, path: str) -> None:
        """A field that is not declared was dropped."""
        self._unknown.add(path)

    def on_invalid(self, path: str, value: object) -> None:
        """A value of an unexpected type became null."""
        if path not in self._invalid:
            self._invalid.add(path)
            self._logger.warning(
                "The field %s held a %s that does not fit; it is delivered as null",
                path,
                type(value).__name__,
            )

    def report(self) -> None:
        """Name the fields that were dropped since the last report."""
        if fresh := sorted(self._unknown - self._reported):
            self._logger.warning(
                "Fields unknown to this version were dropped: %s; please report them",
                ", ".join(fresh),
            )
            self._reported.update(fresh)
