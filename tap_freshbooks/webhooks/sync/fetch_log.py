"""When objects were fetched by their ids, to count the changes that no event reported."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_freshbooks.webhooks.tables import FETCHES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.webhooks.inbox import Inbox

RETENTION = 30 * 86_400
"""Seconds for which a fetch is kept; lists are read again sooner."""


class FetchLog:
    """The objects that were fetched by their ids, and when."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def add(self, stream: str, identifier: str, fetched_at: Mapping[str, float]) -> None:
        """Note when objects were fetched: epoch seconds by id.

        Args:
            stream: Name of the stream.
            identifier: Of the business, of the kind that the stream uses.
            fetched_at: The moments.
        """
        if not fetched_at:
            return
        rows = [
            {"stream": stream, "scope_id": identifier, "object_id": object_id, "looked_at": moment}
            for object_id, moment in fetched_at.items()
        ]
        same = sa.and_(
            FETCHES.c.stream == stream,
            FETCHES.c.scope_id == identifier,
            FETCHES.c.object_id.in_(list(fetched_at)),
        )
        with self.inbox.writing() as connection:
            old = FETCHES.c.looked_at < time.time() - RETENTION
            connection.execute(FETCHES.delete().where(sa.or_(same, old)))
            connection.execute(FETCHES.insert(), rows)

    def since(self, stream: str, identifier: str, moment: datetime) -> dict[str, datetime]:
        """The objects that were fetched since a moment, and when."""
        query = sa.select(FETCHES.c.object_id, FETCHES.c.looked_at).where(
            FETCHES.c.stream == stream,
            FETCHES.c.scope_id == identifier,
            FETCHES.c.looked_at >= moment.timestamp(),
        )
        with self.inbox.reading() as connection:
            return {
                object_id: datetime.fromtimestamp(fetched_at, UTC)
                for object_id, fetched_at in connection.execute(query)
            }
