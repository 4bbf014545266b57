"""The webhook inbox: what FreshBooks told us, in an append-only sequence that many may read.

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
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_freshbooks.errors import SettingsError, TapError
from tap_freshbooks.storage.database import Database, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

GAP = "gap"
"""Name of the entries which say that events may be missing."""

ANY = "*"
"""Stands for all nouns in an entry."""

LOCK_TIMEOUT = 8
"""Seconds to wait for whoever is writing; FreshBooks waits ten for its answer."""

WRITING = 6_417_001
"""The advisory lock of PostgreSQL that whoever writes holds."""

VERSION = 1
"""Of the tables; a later one would have to be told apart."""

META = sa.MetaData()

INBOX = sa.Table(
    "tap_freshbooks_inbox",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("pruned_to", sa.BigInteger, nullable=False, default=0),
)

EVENTS = sa.Table(
    "tap_freshbooks_inbox_events",
    META,
    sa.Column(
        "position",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("noun", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("business_id", sa.Text),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Index("tap_freshbooks_inbox_events_by_noun", "account_id", "noun", "position"),
    sqlite_autoincrement=True,  # the number of a pruned entry is never given again
)


class InboxError(TapError):
    """The inbox cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a delivery says; it has no id, no time and no payload of its own.

    See `docs/freshbooks-api/webhooks.md §4`.

    Attributes:
        account_id: The accounting system.
        name: `invoice.update`, say; `gap` where events may be missing.
        object_id: Of what changed; the reason for a gap.
        business_id: As text; None if the delivery did not say it.
        noun: What changed, for a gap: the noun whose events may be missing, `*` for all.
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
    """The events in a database, and what else receivers and syncs have to share there.

    Any number of processes may use it; each thread takes a connection of its own.

    Args:
        place: The setting `webhook_inbox`: a file path, or a SQLAlchemy URL.

    Raises:
        SettingsError: If it is neither, or its driver is not installed.
    """

    def __init__(self, place: str) -> None:
        if "://" not in place:
            place = str(sa.URL.create("sqlite", database=str(_path(place))))
        self.database = Database(
            place, "webhook_inbox", "webhooks", lock_timeout=LOCK_TIMEOUT, pool=sa.QueuePool
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
        with self._errors("read"), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction, on disk when the block has ended; writers take turns.

        So entries are numbered in the order of their commits. Else a sync could see entry 5, move
        its position there, and never see entry 4, which was numbered first and committed later.

        Raises:
            InboxError: If nothing was written.
        """
        with self._errors("written"), self._engine.begin() as connection:
            if self.database.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITING})")
            yield connection

    def close(self) -> None:
        """Let the connections go."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    @cached_property
    def _engine(self) -> sa.Engine:
        """Connections to a database whose tables are there."""
        with self._errors("opened"):
            engine = self.database.engine
            event = "connect"
            sa.event.listen(
                engine, event, _sqlite_session if self.database.is_sqlite else _postgres_session
            )
            with engine.connect() as connection:
                for table in META.sorted_tables:
                    make_table(connection, table)
        return engine

    def _errors(self, what: str) -> contextlib.AbstractContextManager[None]:
        return self.database.errors(
            f"the webhook inbox {self}", f"cannot be {what}", InboxError, LOCK_TIMEOUT
        )

    # What a sync keeps in the state

    @cached_property
    def id(self) -> str:
        """Tells this inbox from one that was made anew in its place."""
        with self.reading() as connection:
            found = connection.scalar(sa.select(INBOX.c.id))
        if found is None:
            with self.writing() as connection:
                found = connection.scalar(sa.select(INBOX.c.id))
                if found is None:
                    found = uuid.uuid4().hex
                    connection.execute(INBOX.insert().values(id=found, version=VERSION))
        return str(found)

    def extent(self) -> tuple[int, int]:
        """Between which positions every entry is there: up to the first they may be pruned."""
        assert self.id  # noqa: S101 - makes the row that the first query reads
        with self.reading() as connection:
            pruned_to = connection.scalar(sa.select(INBOX.c.pruned_to)) or 0
            last = connection.scalar(sa.select(sa.func.max(EVENTS.c.position)))
        return pruned_to, max(last or 0, pruned_to)

    # Entries

    def append(self, events: Sequence[Event]) -> None:
        """Append events; when this returns they are on disk.

        Positions are visible in their order: who has seen one will never see a lower one appear.

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
        """Say that events up to now may be missing, so that syncs read lists once.

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
            nouns: Which events are wanted.
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
        """Remove entries that arrived before a moment (epoch seconds); how many they were."""
        assert self.id  # noqa: S101 - makes the row that is updated
        with self.writing() as connection:
            old = EVENTS.c.received_at < before
            last = connection.scalar(sa.select(sa.func.max(EVENTS.c.position)).where(old))
            if last is None:
                return 0
            connection.execute(INBOX.update().values(pruned_to=last))
            return connection.execute(EVENTS.delete().where(EVENTS.c.position <= last)).rowcount


def inbox_of(config: Mapping[str, Any]) -> Inbox:
    """The inbox that the settings name.

    Raises:
        SettingsError: If they name none.
    """
    place = config.get("webhook_inbox")
    if not place:
        raise SettingsError(
            "the setting webhook_inbox is missing: name a file for it, or a database "
            "(postgresql+psycopg://…) if receivers and taps run on several machines"
        )
    return Inbox(place)


def gap(account_id: str, noun: str, reason: str) -> Event:
    """An entry which says that events up to there may be missing."""
    return Event(account_id, GAP, reason, noun=noun)


def _path(place: str) -> Path:
    try:
        return Path(place).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        raise SettingsError(f"the setting webhook_inbox is not a usable path: {place!r}") from None


def _sqlite_session(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined] # of the driver
    # Readers do not wait for writers; a commit is on the disk when it returns.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _postgres_session(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined] # of the driver
    cursor.execute(f"SET lock_timeout = {LOCK_TIMEOUT * 1000}")
    cursor.execute("SET synchronous_commit = on")
    cursor.close()
    connection.commit()  # type: ignore[attr-defined]
