"""Counts the changes that no event reported, as a read of the lists shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_freshbooks.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from typing import Any

DELIVERY_GRACE = timedelta(minutes=10)
"""How late a delivery may be without being lost: "several minutes".

See `docs/freshbooks-api/webhooks.md §4`.
"""


class MissedChangeCounter:
    """Counts, in a read of lists, the rows that changed since the last one without an event.

    A change of the last minutes is not counted yet: its delivery may be on its way. The next
    read counts it, if there is still no event.

    Args:
        listed_at: When the last read of the lists began.
        reported: Ids of objects with events that are not processed yet.
        fetched_at: When objects were fetched.
        timestamp_field: The field with the moment of the last change.
        key: The field with the id.
    """

    def __init__(
        self,
        listed_at: datetime,
        reported: Collection[str],
        fetched_at: Mapping[str, datetime],
        timestamp_field: str,
        key: str,
    ) -> None:
        self.count = 0
        self._after = listed_at - DELIVERY_GRACE
        self._reported = reported
        self._fetched_at = fetched_at
        self._timestamp_field = timestamp_field
        self._key = key

    def see(self, record: Mapping[str, Any], read_at: datetime) -> None:
        """Count a record, if its change has no event.

        Args:
            record: One that was read.
            read_at: When the read of the lists began.
        """
        changed_at = parse_timestamp(record.get(self._timestamp_field))
        if changed_at is None or not self._after < changed_at <= read_at - DELIVERY_GRACE:
            return
        object_id = str(record.get(self._key))
        fetched_at = self._fetched_at.get(object_id)
        if object_id not in self._reported and (fetched_at is None or fetched_at < changed_at):
            self.count += 1
