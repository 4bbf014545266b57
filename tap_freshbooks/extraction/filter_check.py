"""Notices that FreshBooks ignores the filter by change of a list."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.records import Row

FILTER_TRUST_WINDOW = timedelta(days=3)
"""A row that changed longer than this before the bookmark shows that a filter was ignored."""


class FilterCheck:
    """Warns, once, that a filter is ignored.

    Unknown filters are answered with the whole list and a 200
    (`docs/freshbooks-api/accounting.md §4`). Then the list is complete all the same, and what is
    old is left out of it; but the user should know why it takes so long.

    Args:
        name: Of the stream.
        changed_at: When a row changed last, None if it does not say.
    """

    def __init__(self, name: str, changed_at: Callable[[Row], datetime | None]) -> None:
        self._name = name
        self._changed_at = changed_at
        self._is_trusted = True

    def see(self, rows: Iterable[Row], query: Query, since: datetime) -> None:
        """Check rows that came for a query, which may have a filter by change."""
        if not self._is_trusted or not any("updated" in key for key in query):
            return
        oldest = since - FILTER_TRUST_WINDOW
        for row in rows:
            changed_at = self._changed_at(row)
            if changed_at and changed_at < oldest:
                self._is_trusted = False
                logging.getLogger(f"tap-freshbooks.{self._name}").warning(
                    "FreshBooks ignores the filter by change on %s: the whole list is read each "
                    "time, and what changed is picked out of it",
                    self._name,
                )
                return
