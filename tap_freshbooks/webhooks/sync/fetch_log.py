"""When objects were fetched by their ids, for whoever counts what events have missed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_freshbooks.webhooks.inbox import META

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.webhooks.inbox import Inbox

KEPT_FOR = 30 * 86_400
"""Seconds for which a fetch is remembered; lists are read again sooner."""

FETCHES = sa.Table(
    "tap_freshbooks_looks",
    META,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("scope_id", sa.Text, primary_key=True),
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("looked_at", sa.Double, nullable=False),
)


class FetchLog:
    """Which objects were fetched, and when."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def add(self, stream: str, scope_id: str, fetched_at: Mapping[str, float]) -> None:
        """Keep when objects were fetched, epoch seconds by id."""
        if not fetched_at:
            return
        rows = [
            {"stream": stream, "scope_id": scope_id, "object_id": object_id, "looked_at": moment}
            for object_id, moment in fetched_at.items()
        ]
        same = sa.and_(
            FETCHES.c.stream == stream,
            FETCHES.c.scope_id == scope_id,
            FETCHES.c.object_id.in_(list(fetched_at)),
        )
        with self.inbox.writing() as connection:
            old = FETCHES.c.looked_at < time.time() - KEPT_FOR
            connection.execute(FETCHES.delete().where(sa.or_(same, old)))
            connection.execute(FETCHES.insert(), rows)

    def since(self, stream: str, scope_id: str, moment: datetime) -> dict[str, datetime]:
        """When objects were fetched last, for those since a moment."""
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
