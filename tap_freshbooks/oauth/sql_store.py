"""Token pairs in a database, a row per app and connection: for workers on many machines.

The row is locked over the whole refresh by the database itself, so a worker that dies frees it.
SQLite knows no row locks: there the database is locked, and one refresh runs at a time.
"""

from __future__ import annotations

import contextlib
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.schema import CreateTable
from typing_extensions import override

from tap_freshbooks.errors import SettingsError, TokenStoreError
from tap_freshbooks.oauth import stores
from tap_freshbooks.oauth.json_file import MODE
from tap_freshbooks.oauth.records import KEYS, decode, encode
from tap_freshbooks.oauth.stores import LockedStore, TokenStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.oauth.encryption import Encryption
    from tap_freshbooks.oauth.tokens import TokenPair

CONNECT_TIMEOUT = 10
"""Seconds until the database must have answered."""

IDLE_TIMEOUT = "10min"
"""After so long PostgreSQL ends a worker that holds a row and does nothing: it is hung."""

STALL_TIMEOUT = 30_000
"""Milliseconds after which a connection whose other end is silent counts as broken."""

TABLE = sa.Table(
    "tap_freshbooks_tokens",
    sa.MetaData(),
    sa.Column("client_id", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("refresh_token", sa.Text),
    sa.Column("access_token", sa.Text),
    sa.Column("expires_at", sa.Double),
    sa.Column("token_generation", sa.Integer),
    sa.Column("token_seed", sa.Text),
    sa.Column("token_refreshed_at", sa.Double),
    sa.Column("token_spending", sa.JSON(none_as_null=True)),
    sa.Column("token_rejected", sa.JSON(none_as_null=True)),
)


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
        try:
            self.url = sa.make_url(url)
        except ArgumentError:
            raise SettingsError(
                "the setting token_store is neither a file path nor a database URL such as "
                "sqlite:///tokens.db or postgresql+psycopg://user@host/database"
            ) from None
        if self.url.drivername not in {"sqlite", "postgresql+psycopg"}:
            raise SettingsError(
                f"the setting token_store names {self.url.drivername}; databases that can hold "
                "tokens are sqlite:///… and postgresql+psycopg://…"
            )
        if self.url.drivername == "sqlite" and self.url.database in {None, "", ":memory:"}:
            raise SettingsError(
                "the setting token_store names a database in memory, which would lose the tokens; "
                "name a file: sqlite:///tokens.db"
            )

    def __str__(self) -> str:
        """The URL without its password, and the connection."""
        place = self.url.set(query={}).render_as_string(hide_password=True)
        return f"{place} (connection {self.key['connection']})"

    @override
    def read(self) -> TokenPair | None:
        with self._errors("cannot be read"), self.connected() as connection:
            if not sa.inspect(connection).has_table(TABLE.name):
                return None
            return self.pair_in(connection)

    @override
    @contextlib.contextmanager
    def locked(self) -> Iterator[LockedRow]:
        row = LockedRow(self)
        try:
            with self._errors("cannot be locked"):
                row.take()
            yield row
        finally:
            row.release()

    @contextlib.contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """A connection of its own."""
        with self.engine.connect() as connection:
            yield connection

    @cached_property
    def engine(self) -> sa.Engine:
        """Connections, none of them kept; statements are never shown with their values."""
        arguments: dict[str, Any]
        if self.url.drivername == "sqlite":
            path = Path(str(self.url.database)).expanduser()
            url, arguments = self.url.set(database=str(path)), {"timeout": stores.LOCK_TIMEOUT}
            with self._errors("cannot be opened"):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, MODE))
        else:
            url = self.url
            arguments = {"connect_timeout": CONNECT_TIMEOUT, "tcp_user_timeout": STALL_TIMEOUT}
        try:
            return sa.create_engine(
                url, poolclass=sa.NullPool, hide_parameters=True, connect_args=arguments
            )
        except ModuleNotFoundError:
            raise SettingsError(
                "the setting token_store names a PostgreSQL database, which needs more packages; "
                "install them with: pip install 'tap-freshbooks[postgres]'"
            ) from None

    def pair_in(self, connection: sa.Connection) -> TokenPair | None:
        """The pair in our row, as this connection sees it."""
        query = sa.select(*(TABLE.c[key] for key in KEYS)).filter_by(**self.key)
        row = connection.execute(query).mappings().first()
        return decode(dict(row), self.encryption, str(self)) if row else None

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Put what a database says into a sentence, without statements and values."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            reason = str(getattr(error, "orig", None) or error).partition("\n")[0].strip()
            if "lock timeout" in reason or "database is locked" in reason:
                raise TokenStoreError(
                    f"the token store {self} has been locked by another process for "
                    f"{stores.LOCK_TIMEOUT} seconds; end that process, then run again"
                ) from None
            raise TokenStoreError(
                f"the token store {self} {what} ({type(error).__name__}: {reason})"
            ) from None


class LockedRow(LockedStore):
    """The row of a connection while it is locked by an open transaction."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__()
        self.store = store
        self._connection: sa.Connection | None = None

    def take(self) -> None:
        """Connect, make what is missing, and wait for the row."""
        self._connection = connection = self.store.engine.connect()
        if not sa.inspect(connection).has_table(TABLE.name):
            self._make_table(connection)
        connection.rollback()
        self._begin(connection)

    def release(self) -> None:
        """Let the row go; what was not committed is as if it had never been."""
        if self._connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None

    @override
    def forget(self) -> None:
        with self._writing() as connection:
            connection.execute(TABLE.delete().filter_by(**self.store.key))

    @override
    def _load(self) -> TokenPair | None:
        with self.store._errors("cannot be read"):  # noqa: SLF001 - one store in two classes
            return self.store.pair_in(self._held())

    @override
    def _save(self, pair: TokenPair | None) -> None:
        with self._writing() as connection:
            connection.execute(
                TABLE.update()
                .filter_by(**self.store.key)
                .values(encode(pair, self.store.encryption) if pair else self.store.key)
            )

    @override
    def _claim(self) -> None:
        with self.store._errors("cannot be locked"):  # noqa: SLF001
            self._held()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that is committed at the end of the block, which lets the row go."""
        with self.store._errors("cannot be written"):  # noqa: SLF001
            connection = self._held()
            try:
                yield connection
                connection.commit()
            except SQLAlchemyError:
                self.release()  # its fate is unknown; the next look takes a new one
                raise

    def _held(self) -> sa.Connection:
        """The connection with our lock, which is taken again if it was let go or broke."""
        connection = self._connection
        if connection is None or connection.closed or connection.invalidated:
            self.release()
            self.take()
        elif not connection.in_transaction():
            self._begin(connection)
        assert self._connection is not None  # noqa: S101 - take() has set it
        return self._connection

    def _begin(self, connection: sa.Connection) -> None:
        """Open a transaction that holds our row, which is made if it is missing."""
        key = self.store.key
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            milliseconds = int(stores.LOCK_TIMEOUT * 1000)
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
            connection.exec_driver_sql(
                f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}'"
            )
        row = sa.select(TABLE.c.client_id).filter_by(**key).with_for_update()
        if connection.execute(row).first() is None:
            # SQLAlchemy has this clause in the dialects' own inserts only; the SQL is the same.
            connection.execute(postgresql.insert(TABLE).values(key).on_conflict_do_nothing())
            connection.execute(row)

    def _make_table(self, connection: sa.Connection) -> None:
        try:
            connection.execute(CreateTable(TABLE, if_not_exists=True))
            connection.commit()
        except SQLAlchemyError:  # PostgreSQL lets two of these collide
            connection.rollback()
            if not sa.inspect(connection).has_table(TABLE.name):
                raise
