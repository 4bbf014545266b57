"""The webhook inbox: the events that FreshBooks sent, in an append-only sequence.

Receivers append, syncs read; a sync keeps its position in the Singer state, so an event counts as
done only when the target has confirmed it. Also in the sequence are *gaps*: entries which say that
events may be missing up to there, so that no clocks have to be compared to know what to read again.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa
from typing_extensions import override

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.webhooks.connections import InboxConnections
from tap_freshbooks.webhooks.tables import CALLBACKS, EVENTS, INBOX, VERIFIERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

GAP = "gap"
"""Name of the entries which say that events may be missing."""

ANY = "*"
"""Stands for all nouns in an entry."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event: that an object changed. It has no id, no time and no payload of its own.

    See `docs/freshbooks-api/webhooks.md §4`.

    Attributes:
        account_id: The accounting system.
        name: `invoice.update`, say; `gap` where events may be missing.
        object_id: Of the object; for a gap, the reason.
        business_id: As text; None if the delivery did not say it.
        noun: The kind of object; for a gap, of which events may be missing, `*` for all.
    """

    account_id: str
    name: str
    object_id: str
    business_id: str | None = None
    noun: str = ""

    def __post_init__(self) -> None:
        if not self.noun:
            object.__setattr__(self, "noun", self.name.partition(".")[0])


PROBE = Event("", "probe", "x" * 8_192)
"""Larger than any delivery: what is almost full fails here first."""


class Inbox(InboxConnections):
    """The events in a database, which receivers and syncs share."""

    @override
    def _close(self) -> None:
        super()._close()
        self.__dict__.pop("id", None)  # what is there next may be another one

    # For the cursors that a sync keeps in the state

    @cached_property
    def id(self) -> str:
        """Distinguishes this inbox from one that was made anew at the same location."""
        with self.reading() as connection:
            found = connection.scalar(sa.select(INBOX.c.id))
        if found is None:
            with self.writing() as connection:
                found = connection.scalar(sa.select(INBOX.c.id))
                if found is None:
                    found = uuid.uuid4().hex
                    connection.execute(INBOX.insert().values(id=found))
        return str(found)

    def extent(self) -> tuple[int, int]:
        """Two positions: every entry after the first, up to the second, is there."""
        assert self.id  # noqa: S101 - makes the row that the first query reads
        with self.reading() as connection:
            pruned_to = connection.scalar(sa.select(INBOX.c.pruned_to)) or 0
            last = connection.scalar(sa.select(sa.func.max(EVENTS.c.position)))
        return pruned_to, max(last or 0, pruned_to)

    # Entries

    def prove_writable(self) -> None:
        """Write what a delivery writes, and take it back in the same transaction, on disk.

        Raises:
            InboxError: If a delivery could not be stored now.
        """
        with self.writing() as connection:
            self.append_in(connection, [PROBE])
            key = {"account_id": PROBE.account_id, "noun": PROBE.noun}
            connection.execute(EVENTS.delete().filter_by(**key))
            for table in (CALLBACKS, VERIFIERS):
                connection.execute(table.update().filter_by(path="").values(path=""))

    def append(self, events: Sequence[Event]) -> None:
        """Append events; when this returns they are on disk.

        Positions are visible in their order: a reader who saw one never sees a lower one appear.

        Raises:
            InboxError: If none of them was appended.
        """
        with self.writing() as connection:
            self.append_in(connection, events)

    def append_in(self, connection: sa.Connection, events: Sequence[Event]) -> None:
        """Append events within a transaction of `writing`."""
        now = time.time()
        connection.execute(
            EVENTS.insert(),
            [
                {
                    "account_id": event.account_id,
                    "noun": event.noun,
                    "name": event.name,
                    "object_id": event.object_id,
                    "business_id": event.business_id,
                    "received_at": now,
                }
                for event in events
            ],
        )

    def append_gap(self, account_id: str, noun: str, reason: str) -> None:
        """Note that events up to now may be missing, so that syncs read the lists once.

        Args:
            account_id: Whose; `*` for every account.
            noun: Of which; `*` for all.
            reason: For people: "the receivers were down from … to …", say.
        """
        self.append([gap(account_id, noun, reason)])

    def read(self, account_id: str, nouns: Sequence[str], after: int, to: int) -> list[Event]:
        """The events of an account with one of the nouns, and its gaps, in their order.

        Args:
            account_id: The account.
            nouns: Of the events that are wanted.
            after: Position of the last entry that is done.
            to: Position of the last entry that is wanted.
        """
        columns = ("account_id", "name", "object_id", "business_id", "noun")
        query = (
            sa.select(*(EVENTS.c[name] for name in columns))
            .where(
                EVENTS.c.position > after,
                EVENTS.c.position <= to,
                EVENTS.c.account_id.in_((account_id, ANY)),
                EVENTS.c.noun.in_((*nouns, ANY)),
            )
            .order_by(EVENTS.c.position)
        )
        with self.reading() as connection:
            return [Event(*row) for row in connection.execute(query)]

    def prune(self, before: float) -> int:
        """Remove entries that arrived before a moment (epoch seconds); returns their number."""
        assert self.id  # noqa: S101 - makes the row that is updated
        with self.writing() as connection:
            old = EVENTS.c.received_at < before
            last = connection.scalar(sa.select(sa.func.max(EVENTS.c.position)).where(old))
            if last is None:
                return 0
            connection.execute(INBOX.update().values(pruned_to=last))
            return connection.execute(EVENTS.delete().where(EVENTS.c.position <= last)).rowcount


def open_inbox(config: Mapping[str, Any]) -> Inbox:
    """The inbox that the settings name.

    Raises:
        SettingsError: If they name none.
    """
    location = config.get("webhook_inbox")
    if not location:
        raise SettingsError(
            "the setting webhook_inbox is missing: name a file for it, or a database "
            "(postgresql+psycopg://…) if receivers and taps run on several machines"
        )
    return Inbox(location)


def gap(account_id: str, noun: str, reason: str) -> Event:
    """An entry which says that events up to there may be missing."""
    return Event(account_id, GAP, reason, noun=noun)
