"""What webhooks have missed: rows that had changed, as a reading of the lists shows."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_freshbooks.streams.base import parse_timestamp
from tap_freshbooks.webhooks.inbox import META

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from tap_freshbooks.webhooks.inbox import Inbox

DELIVERY_GRACE = timedelta(minutes=10)
"""How late a delivery may be without being lost: "several minutes".

See `docs/freshbooks-api/webhooks.md §4`.
"""

KEPT_FOR = 30 * 86_400
"""Seconds for which it is known that an object was looked at; longer than lists are not read."""

FETCHES = sa.Table(
    "tap_freshbooks_looks",
    META,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("scope_id", sa.Text, primary_key=True),
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("looked_at", sa.Double, nullable=False),
)


class FetchLog:
    """Which objects were looked at, and when, for whoever counts what events have missed."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def keep(self, stream: str, scope_id: str, looked_at: Mapping[str, float]) -> None:
        """Keep when objects were looked at, epoch seconds by id."""
        if not looked_at:
            return
        rows = [
            {"stream": stream, "scope_id": scope_id, "object_id": object_id, "looked_at": moment}
            for object_id, moment in looked_at.items()
        ]
        same = sa.and_(
            FETCHES.c.stream == stream,
            FETCHES.c.scope_id == scope_id,
            FETCHES.c.object_id.in_(list(looked_at)),
        )
        with self.inbox.writing() as connection:
            old = FETCHES.c.looked_at < time.time() - KEPT_FOR
            connection.execute(FETCHES.delete().where(sa.or_(same, old)))
            connection.execute(FETCHES.insert(), rows)

    def since(self, stream: str, scope_id: str, moment: datetime) -> dict[str, datetime]:
        """When objects were looked at last, for those since a moment."""
        query = sa.select(FETCHES.c.object_id, FETCHES.c.looked_at).where(
            FETCHES.c.stream == stream,
            FETCHES.c.scope_id == scope_id,
            FETCHES.c.looked_at >= moment.timestamp(),
        )
        with self.inbox.reading() as connection:
            return {
                object_id: datetime.fromtimestamp(looked_at, UTC)
                for object_id, looked_at in connection.execute(query)
            }


class MissedChangeCounter:
    """Counts, in a reading of lists, the rows that changed since the last one and were not told.

    A change of the last minutes is not counted yet: its delivery may be on its way. The next
    reading counts it, if it is still needed.

    Args:
        listed_at: When the last reading of the lists began.
        told: Ids of objects of which events tell that are not done.
        looked_at: When objects were looked at.
        stamp: The field with the moment of the last change.
        key: The field with the id.
    """

    def __init__(
        self,
        listed_at: datetime,
        told: Collection[str],
        looked_at: Mapping[str, datetime],
        stamp: str,
        key: str,
    ) -> None:
        self.number = 0
        self._after = listed_at - DELIVERY_GRACE
        self._told = told
        self._looked_at = looked_at
        self._stamp = stamp
        self._key = key

    def see(self, record: Mapping[str, Any], read_at: datetime) -> None:
        """Look at a record of the reading, which began at a moment."""
        changed_at = parse_timestamp(record.get(self._stamp))
        if changed_at is None or not self._after < changed_at <= read_at - DELIVERY_GRACE:
            return
        object_id = str(record.get(self._key))
        looked_at = self._looked_at.get(object_id)
        if object_id not in self._told and (looked_at is None or looked_at < changed_at):
            self.number += 1
