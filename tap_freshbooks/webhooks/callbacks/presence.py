"""Which receivers run: each writes a heartbeat, and a silence of all leaves a gap in the inbox."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_freshbooks.timestamps import utc_text_at
from tap_freshbooks.webhooks.inbox import ANY, gap
from tap_freshbooks.webhooks.tables import RECEIVERS

if TYPE_CHECKING:
    from tap_freshbooks.webhooks.inbox import Inbox

HEARTBEAT_INTERVAL = 10.0
"""Seconds between two heartbeats of a receiver."""

HEARTBEAT_TIMEOUT = 60.0
"""Seconds without a heartbeat of any receiver after which deliveries may be lost.

FreshBooks tries again "periodically" and drops a message after several failures, without numbers
(`docs/freshbooks-api/webhooks.md §7`); a restart shall not cost a full read, an outage shall.
"""

FORGET_AFTER = 7 * 86_400
"""Seconds without a heartbeat after which a receiver is forgotten."""


class ReceiverPresence:
    """The heartbeats of the receivers of an inbox.

    Raises:
        InboxError: From every method, if the database does not answer.
    """

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def heartbeat(self, receiver: str) -> None:
        """Note that a receiver runs. The first one after a long silence of all leaves a gap."""
        now = time.time()
        with self.inbox.writing() as connection:
            ahead = RECEIVERS.c.seen_at > now + HEARTBEAT_TIMEOUT  # of a clock that was wrong
            had_clock = not connection.execute(RECEIVERS.delete().where(ahead)).rowcount
            last = connection.scalar(sa.select(sa.func.max(RECEIVERS.c.seen_at)))
            changed = connection.execute(
                RECEIVERS.update().filter_by(id=receiver).values(seen_at=now)
            )
            if not changed.rowcount:
                connection.execute(RECEIVERS.insert().values(id=receiver, seen_at=now))
                forgotten = RECEIVERS.c.seen_at < now - FORGET_AFTER
                connection.execute(RECEIVERS.delete().where(forgotten))
            if not had_clock or (last is not None and now - last > HEARTBEAT_TIMEOUT):
                since = utc_text_at(last) if last is not None else "an unknown moment"
                reason = f"no receiver ran from {since} to {utc_text_at(now)}"
                self.inbox.append_in(connection, [gap(ANY, ANY, reason)])

    def last_heartbeat(self) -> float | None:
        """When any receiver wrote its last heartbeat, epoch seconds; None if none ever did."""
        known = RECEIVERS.c.seen_at <= time.time() + HEARTBEAT_TIMEOUT
        query = sa.select(sa.func.max(RECEIVERS.c.seen_at)).where(known)
        with self.inbox.reading() as connection:
            last: float | None = connection.scalar(query)
        return last
