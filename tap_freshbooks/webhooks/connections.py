"""Connections to the database of the webhook inbox: readers, and writers that take turns."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_freshbooks.errors import TapError
from tap_freshbooks.storage.database import Database
from tap_freshbooks.storage.outages import is_locked
from tap_freshbooks.storage.paths import absolute_path
from tap_freshbooks.webhooks.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine.interfaces import DBAPIConnection

logger = logging.getLogger("tap-freshbooks.webhooks")

LOCK_TIMEOUT = 8
"""Seconds to wait for another writer; FreshBooks waits ten for its answer."""

WRITER_LOCK = 6_417_001
"""The advisory lock of PostgreSQL that a writer holds."""


class InboxError(TapError):
    """The inbox cannot be read or written."""


class InboxConnections:
    """Connections to the database of an inbox.

    Any number of processes may have some; each thread takes a connection of its own.

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
            path = absolute_path(location, "webhook_inbox")
            location = str(sa.URL.create("sqlite", database=str(path)))
        self.database = Database(
            location, "webhook_inbox", "webhooks", lock_timeout=LOCK_TIMEOUT, pool=sa.QueuePool
        )
        self._opening = threading.Lock()
        self._engine: sa.Engine | None = None
        self._file: tuple[int, int] | None = None

    def __str__(self) -> str:
        """Where it is, without a password."""
        return str(self.database)

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
        """Close the connections; the next ones are made anew."""
        with self._opening:
            self._close()

    def _close(self) -> None:
        self._engine = None
        self.database.close()

    def _connect(self) -> sa.Connection:
        return self.database.retry(self._open().connect, self.patience)

    def _open(self) -> sa.Engine:
        """The database, whose tables are there, in the newest version.

        A file of SQLite that was removed, or replaced by a backup, could be written to until it is
        closed, and is lost then. So it is looked at each time, and opened anew.
        """
        with self._opening:
            if self._engine is not None and self._file != self._identify_file():
                logger.warning("%s was removed or replaced; it is opened anew", self)
                self._close()
            if self._engine is None:
                with self._errors("opened"):
                    self._engine = self.database.retry(self._prepare, self.patience)
                    self._file = self._identify_file()
            return self._engine

    def _prepare(self) -> sa.Engine:
        engine = self.database.engine
        event = "connect"
        session = _sqlite_session if self.database.is_sqlite else _postgres_session
        if not sa.event.contains(engine, event, session):
            sa.event.listen(engine, event, session)
        with engine.connect() as connection:
            TABLES.open(connection, self.database, LOCK_TIMEOUT)
        return engine

    def _identify_file(self) -> tuple[int, int] | None:
        if self.database.is_sqlite:
            with contextlib.suppress(OSError):
                found = Path(str(self.database.url.database)).stat()
                return found.st_dev, found.st_ino
        return None

    def _errors(self, what: str) -> contextlib.AbstractContextManager[None]:
        subject = f"the webhook inbox {self}"
        return self.database.errors(subject, f"cannot be {what}", InboxError, LOCK_TIMEOUT)


def _sqlite_session(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # Readers do not wait for writers; a commit is on the disk when it returns.
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:  # SQLite does not wait for others that begin, too
            if not is_locked(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _postgres_session(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {LOCK_TIMEOUT * 1000}")
    cursor.execute("SET synchronous_commit = on")
    cursor.close()
    connection.commit()
