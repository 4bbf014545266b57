"""The webhook inbox: the events that FreshBooks sent, in an append-only sequence.

Receivers append, syncs read; a sync keeps its position in the Singer state, so an event counts as
done only when the target has confirmed it. Also in the sequence are *gaps*: entries which say that
events may be missing up to there, so that no clocks have to be compared to know what to read again.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_freshbooks.errors import SettingsError, TapError
from tap_freshbooks.storage.database import Database
from tap_freshbooks.storage.paths import absolute_path
from tap_freshbooks.webhooks.tables import EVENTS, INBOX, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from sqlalchemy.engine.interfaces import DBAPIConnection

GAP = "gap"
"""Name of the entries which say that events may be missing."""

ANY = "*"
"""Stands for all nouns in an entry."""

LOCK_TIMEOUT = 8
"""Seconds to wait for another writer; FreshBooks waits ten for its answer."""

WRITER_LOCK = 6_417_001
"""The advisory lock of PostgreSQL that a writer holds."""


class InboxError(TapError):
    """The inbox cannot be read or written."""


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


class Inbox:
    """The events in a database, which receivers and syncs share.

    Any number of processes may use it; each thread takes a connection of its own.

    Args:
        location: The setting `webhook_inbox`: a file path, or a SQLAlchemy URL.
        patience: Seconds to wait for a database that does not answer; a receiver has none, as
            FreshBooks waits for it.

    Raises:
        SettingsError: If it is neither, or its driver is not installed.
    """

    def __init__(self, location: str, *, patience: float = 0.0) -> None:
        self.patience = patience
        if "://" not in location:
            location = str(
                sa.URL.create("sqlite", database=str(absolute_path(location, "webhook_inbox")))
            )
        self.database = Database(
            location, "webhook_inbox", "webhooks", lock_timeout=LOCK_TIMEOUT, pool=sa.QueuePool
        )

    def __str__(self) -> str:
        """Where it is, without a password."""
        return str(self.database)

    # Connections

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the inbox.

        Raises:
            InboxError: If the database does not answer.
        """
        with self._errors("read"), self._connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction, on disk when the block has ended; writers take turns.

        So entries are numbered in the order of their commits. Else a sync could see entry 5, move
        its position there, and never see entry 4, which was numbered first and committed later.

        Raises:
            InboxError: If nothing was written.
        """
        with self._errors("written"), self._connect() as connection, connection.begin():
            if self.database.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
            yield connection

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def _connect(self) -> sa.Connection:
        return self.database.retry(self._engine.connect, self.patience)

    @cached_property
    def _engine(self) -> sa.Engine:
        """Connections to a database whose tables are there, in the newest version."""
        with self._errors("opened"):
            return self.database.retry(self._open, self.patience)

    def _open(self) -> sa.Engine:
        engine, event = self.database.engine, "connect"
        sa.event.listen(
            engine, event, _sqlite_session if self.database.is_sqlite else _postgres_session
        )
        with engine.connect() as connection:
            TABLES.open(connection, self.database, LOCK_TIMEOUT)
        return engine

    def _errors(self, what: str) -> contextlib.AbstractContextManager[None]:
        return self.database.errors(
            f"the webhook inbox {self}", f"cannot be {what}", InboxError, LOCK_TIMEOUT
        )

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


def _sqlite_session(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # Readers do not wait for writers; a commit is on the disk when it returns.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _postgres_session(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {LOCK_TIMEOUT * 1000}")
    cursor.execute("SET synchronous_commit = on")
    cursor.close()
    connection.commit()
