"""Notices that FreshBooks ignores a filter of a list: by change, or for deleted rows."""

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


DELETED_ONLY = {
    ("search[vis_state]", "1"): ("vis_state", "1"),
    ("active", "false"): ("active", "False"),
}
"""Parameters that ask for deleted rows only, and what these then have in a field."""


class DeletionFilterCheck:
    """Warns, once, that a list which is to have deleted rows only has others, too.

    Args:
        name: Of the stream.
        hard_deletes: Whether rows that no list has are declared gone: then none stays.
    """

    def __init__(self, name: str, *, hard_deletes: bool) -> None:
        self._name = name
        self._is_silent = hard_deletes

    def see(self, query: Query, rows: Iterable[Row]) -> None:
        """Check the rows of a page. Any thread may call it."""
        for (parameter, asked), (field, value) in DELETED_ONLY.items():
            if self._is_silent or str(query.get(parameter)) != asked:
                continue
            if any(field in row and str(row[field]) != value for row in rows):
                self._is_silent = True
                logging.getLogger(f"tap-freshbooks.{self._name}").warning(
                    "FreshBooks ignores the filter %s=%s on %s: deleted rows are not to be seen "
                    "there, and those that the target has stay as they are; please report this",
                    parameter,
                    asked,
                    self._name,
                )
