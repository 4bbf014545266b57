"""Token pairs in a database, a row per app and connection: for workers on many machines.

The row is locked over the whole refresh by the database itself, so a worker that dies frees it.
SQLite knows no row locks: there the database is locked, and one refresh runs at a time.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from tap_freshbooks.errors import SettingsError, TokenStoreError
from tap_freshbooks.oauth.stores import base, tables
from tap_freshbooks.oauth.stores.base import LockedStore, TokenStore
from tap_freshbooks.oauth.stores.overview import Overview
from tap_freshbooks.oauth.stores.serialization import KEYS, decode, decode_held_back, encode
from tap_freshbooks.oauth.stores.tables import NOTE_SUCCESS, SUCCESSES, TABLES, TOKENS
from tap_freshbooks.storage import database
from tap_freshbooks.storage.database import Database, begin_immediate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tap_freshbooks.oauth.stores.encryption import Encryption
    from tap_freshbooks.oauth.tokens import TokenPair

T = TypeVar("T")

IDLE_TIMEOUT = "10min"
"""After so long PostgreSQL ends a worker that holds a row and does nothing: it is hung."""

SQLITE_LOCK_TIMEOUT = 5
"""Seconds that SQLite waits for a lock without hearing signals; then it is asked again."""


class SqlStore(TokenStore):
    """One row of a table that is made when it is missing.

    Args:
        url: A SQLAlchemy URL, of SQLite or PostgreSQL (with psycopg).
        client_id: Of the app.
        connection: The name of the FreshBooks user among those of the app.
        encryption: How tokens are kept there.

    Raises:
        SettingsError: If the URL is none, or its database is not known or has no driver here.
    """

    def __init__(
        self, url: str, client_id: str, connection: str, encryption: Encryption | None = None
    ) -> None:
        super().__init__(encryption)
        self.key = {"client_id": client_id, "connection": connection}
        self.database = Database(url, "token_store", "tokens", lock_timeout=SQLITE_LOCK_TIMEOUT)

    @property
    @override
    def identity(self) -> str:
        return f"{self.database.url.render_as_string(hide_password=False)}\n{self.key}"

    def __str__(self) -> str:
        """The URL without its password, and the connection."""
        return f"{self.database} (connection {self.key['connection']})"

    @override
    def read(self) -> TokenPair | None:
        return self._read(self.pair_in)

    @override
    def find_shared(self, seed: str) -> TokenPair | None:
        columns = TOKENS.c.token_seed, TOKENS.c.token_held_back
        query = sa.select(*columns).filter_by(client_id=self.key["client_id"])
        rows = self._read(lambda connection: connection.execute(query).all()) or []
        if any(row.token_seed == seed for row in rows):
            return None
        lists = (row.token_held_back for row in rows if isinstance(row.token_held_back, list))
        held_back = [each for listed in lists for each in listed if isinstance(each, dict)]
        # Others may be encrypted with the keys of others.
        wanted = [each for each in held_back if each.get("token_seed") == seed]
        return next(iter(decode_held_back(wanted, self.encryption, str(self))), None)

    @property
    @override
    def place(self) -> str:
        return str(self.database)

    @override
    def overview(self) -> Overview:
        key = self.key
        return next(iter(self._overviews(key)), Overview(**key, notes=None, last_success={}))

    @override
    def overviews(self) -> list[Overview]:
        if self.database.is_sqlite and not Path(str(self.database.url.database)).exists():
            raise SettingsError(
                f"there is no database {self.database}, so no connection either: token_store must "
                "name the one that the syncs have"
            )
        return self._overviews({})

    def _overviews(self, which: dict[str, str]) -> list[Overview]:
        def look(connection: sa.Connection) -> list[Overview]:
            return [
                Overview.of(row, successes, row["client_id"], row["connection"])
                for row, successes in tables.stored_rows(connection, which)
            ]

        return self._read(look) or []

    @override
    def note_success(self, streams: Collection[str]) -> None:
        if not streams:
            return
        now = time.time()
        rows = [{**self.key, "stream": stream, "succeeded_at": now} for stream in sorted(streams)]

        def write() -> None:
            with self.database.engine.connect() as connection:
                TABLES.open(connection, self.database, base.NOTE_TIMEOUT)
                if self.database.is_sqlite:
                    begin_immediate(connection, base.NOTE_TIMEOUT)
                else:
                    timeout = f"{base.NOTE_TIMEOUT * 1000:.0f}"
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {timeout}")
                connection.execute(NOTE_SUCCESS, rows)
                connection.commit()

        with self.errors("cannot be written", base.NOTE_TIMEOUT):
            self.database.retry(write, base.NOTE_TIMEOUT)

    def _read(self, look: Callable[[sa.Connection], T]) -> T | None:
        """Look at tables of the newest version; None if there are no tables."""

        def attempt() -> T | None:
            with self.database.engine.connect() as connection:
                if not TABLES.is_open(connection):
                    if TABLES.find_version(connection) is None:
                        return None
                    TABLES.open(connection, self.database, base.LOCK_TIMEOUT)
                return look(connection)

        timeout = database.RETRY_TIMEOUT
        with self.errors("cannot be read", timeout):
            return self.database.retry(attempt, timeout)

    @override
    @contextlib.contextmanager
    def locked(self) -> Iterator[LockedRow]:
        row = LockedRow(self)
        try:
            with self.errors("cannot be locked"):
                self.database.retry(row.acquire, self.lock_timeout)
            yield row
        finally:
            row.release()

    @property
    def lock_timeout(self) -> float:
        """Seconds to wait for a row: PostgreSQL waits by itself, unless it is away."""
        return base.LOCK_TIMEOUT if self.database.is_sqlite else database.RETRY_TIMEOUT

    def pair_in(self, connection: sa.Connection) -> TokenPair | None:
        """The pair in the row of our key, as this connection sees it."""
        query = sa.select(*(TOKENS.c[key] for key in KEYS)).filter_by(**self.key)
        row = connection.execute(query).mappings().first()
        return decode(dict(row), self.encryption, str(self)) if row else None

    def errors(
        self, what: str, lock_timeout: float | None = None
    ) -> contextlib.AbstractContextManager[None]:
        """Raise a `TokenStoreError` for what a database says: "cannot be read", say."""
        return self.database.errors(
            f"the token store {self}", what, TokenStoreError, lock_timeout or base.LOCK_TIMEOUT
        )


class LockedRow(LockedStore):
    """The row of a connection while it is locked by an open transaction."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__()
        self.store = store
        self._connection: sa.Connection | None = None

    def acquire(self) -> None:
        """Connect, make or migrate tables where needed, and wait for the row."""
        self.release()
        self._connection = connection = self.store.database.engine.connect()
        TABLES.open(connection, self.store.database, base.LOCK_TIMEOUT)
        self._begin(connection)

    def release(self) -> None:
        """Release the row; what was not committed is rolled back."""
        if self._connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None

    @override
    def read(self) -> TokenPair | None:
        with self.store.errors("cannot be read"):
            return self.store.database.retry(super().read, self.store.lock_timeout)

    @override
    def check_writable(self, pair: TokenPair | None) -> None:
        with self.store.errors("cannot be written"):
            self.store.database.retry(
                lambda: super(LockedRow, self).check_writable(pair), self.store.lock_timeout
            )

    @override
    def write(self, pair: TokenPair, *, is_newest: bool = False) -> None:
        with self.store.errors("cannot be written"):
            super().write(pair, is_newest=is_newest)

    @override
    def forget_success(self) -> None:
        with self.store.errors("cannot be written"), self._writing() as connection:
            connection.execute(SUCCESSES.delete().filter_by(**self.store.key))

    @override
    def forget(self) -> None:
        with self.store.errors("cannot be written"), self._writing() as connection:
            for table in (TOKENS, SUCCESSES):
                connection.execute(table.delete().filter_by(**self.store.key))

    @override
    def _load(self) -> TokenPair | None:
        with self._using() as connection:
            return self.store.pair_in(connection)

    @override
    def _save(self, pair: TokenPair | None) -> None:
        with self._writing() as connection:
            connection.execute(
                TOKENS.update()
                .filter_by(**self.store.key)
                .values(encode(pair, self.store.encryption) if pair else self.store.key)
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that is committed at the end of the block, which releases the row."""
        with self._using() as connection:
            yield connection
            connection.commit()

    @contextlib.contextmanager
    def _using(self) -> Iterator[sa.Connection]:
        """The connection with our lock; it is closed after an error, as its state is unknown."""
        try:
            yield self._locked_connection()
        except SQLAlchemyError:
            self.release()
            raise

    def _locked_connection(self) -> sa.Connection:
        """The connection with our lock, which is acquired again if it was released or broke."""
        connection = self._connection
        if connection is None or connection.closed or connection.invalidated:
            self.acquire()
        elif not connection.in_transaction():
            self._begin(connection)
        assert self._connection is not None  # noqa: S101 - acquire() has set it
        return self._connection

    def _begin(self, connection: sa.Connection) -> None:
        """Open a transaction that holds our row, which is made if it is missing."""
        key = self.store.key
        if self.store.database.is_sqlite:
            begin_immediate(connection, base.LOCK_TIMEOUT)
        else:
            for setting, value in self._settings(connection).items():
                connection.exec_driver_sql(f"SET LOCAL {setting} = '{value}'")
        row = sa.select(TOKENS.c.client_id).filter_by(**key).with_for_update()
        if connection.execute(row).first() is None:
            # SQLAlchemy has this clause in the dialects' own inserts only; the SQL is the same.
            connection.execute(postgresql.insert(TOKENS).values(key).on_conflict_do_nothing())
            connection.execute(row)

    def _settings(self, connection: sa.Connection) -> dict[str, str]:
        """Settings of the transaction, whatever the defaults of role and database are."""
        settings = {
            "lock_timeout": f"{base.LOCK_TIMEOUT * 1000:.0f}",
            "statement_timeout": "0",
            "idle_in_transaction_session_timeout": IDLE_TIMEOUT,
            "synchronous_commit": "on",
        }
        if (connection.dialect.server_version_info or ()) >= (17,):
            settings["transaction_timeout"] = "0"
        return settings
