"""A SQLite or PostgreSQL database that a setting names."""

from __future__ import annotations

import contextlib
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from tap_freshbooks.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.errors import TapError

MODE = 0o600
"""Of files that hold secrets."""

CONNECT_TIMEOUT = 10
"""Seconds until the database must have answered."""

STALL_TIMEOUT = 30_000
"""Milliseconds after which a connection whose other end is silent counts as broken."""


class TableVersionError(Exception):
    """The tables are of a version that this program does not know; the text goes on from a name."""


class Database:
    """Makes connections, and sentences of errors.

    Args:
        url: A SQLAlchemy URL, of SQLite or PostgreSQL (with psycopg).
        setting: The setting that names it, for messages.
        contents: What it holds, for messages: "tokens", say.
        lock_timeout: Seconds that SQLite waits for a lock; signals wait meanwhile.
        pool: How connections are kept.

    Raises:
        SettingsError: If the URL is none, or its database is not known, has no file that can be
            found, or no driver here.
    """

    def __init__(
        self,
        url: str,
        setting: str,
        contents: str,
        *,
        lock_timeout: float,
        pool: type[sa.Pool] = sa.NullPool,
    ) -> None:
        self.setting = setting
        self.lock_timeout = lock_timeout
        self.pool = pool
        try:
            self.url = sa.make_url(url)
        except (ArgumentError, ValueError):
            raise SettingsError(
                f"the setting {setting} is neither a file path nor a database URL such as "
                f"sqlite:///{contents}.db or postgresql+psycopg://user@host/database (in a "
                "password, write : / @ as %3A %2F %40)"
            ) from None
        if self.url.drivername not in {"sqlite", "postgresql+psycopg"}:
            raise SettingsError(
                f"the setting {setting} names {self.url.drivername}; databases that can hold "
                f"{contents} are sqlite:///… and postgresql+psycopg://…"
            )
        if self.is_sqlite:
            path = self.url.database or ":memory:"
            if path == ":memory:" or path.startswith("file:") or self.url.query:
                raise SettingsError(
                    f"the setting {setting} names a database in memory, or with options, which "
                    f"could lose the {contents}; name a file: sqlite:///{contents}.db"
                )
            try:
                self.url = self.url.set(database=str(Path(path).expanduser().resolve()))
            except (OSError, RuntimeError):
                raise SettingsError(
                    f"the setting {setting} names no usable file: {path!r}"
                ) from None

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, which locks whole databases instead of rows."""
        return self.url.drivername == "sqlite"

    def __str__(self) -> str:
        """The URL without its password."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @cached_property
    def engine(self) -> sa.Engine:
        """Where connections come from; statements are never shown with their values.

        Raises:
            OSError: If the file of SQLite cannot be made.
            SettingsError: If PostgreSQL has no driver here.
        """
        options: dict[str, Any]
        if self.is_sqlite:
            options = {"connect_args": {"timeout": self.lock_timeout}}
            _make_private(Path(str(self.url.database)))
        else:
            timeouts = {"connect_timeout": CONNECT_TIMEOUT, "tcp_user_timeout": STALL_TIMEOUT}
            # A process that waited for a lock has to see what was stored meanwhile.
            options = {"connect_args": timeouts, "isolation_level": "READ COMMITTED"}
        try:
            return sa.create_engine(self.url, poolclass=self.pool, hide_parameters=True, **options)
        except ModuleNotFoundError:
            raise SettingsError(
                f"the setting {self.setting} names a PostgreSQL database, which needs more "
                "packages; install them with: pip install 'tap-freshbooks[postgres]'"
            ) from None

    def close(self) -> None:
        """Close the connections that the pool keeps."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    def begin_exclusive(
        self, connection: sa.Connection, advisory_lock: int, lock_timeout: float
    ) -> None:
        """Begin a transaction that holds a lock against all others who do so.

        Args:
            connection: Outside of a transaction.
            advisory_lock: Number of the lock in PostgreSQL; SQLite locks the database.
            lock_timeout: Seconds to wait for it.
        """
        if self.is_sqlite:
            begin_immediate(connection, lock_timeout)
        else:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {lock_timeout * 1000:.0f}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({advisory_lock})")

    @contextlib.contextmanager
    def errors(
        self, subject: str, what: str, kind: type[TapError], lock_timeout: float
    ) -> Iterator[None]:
        """Turn errors of a database into one sentence, without statements and values.

        Args:
            subject: What is used: "the webhook inbox sqlite:///inbox.db", say.
            what: What is being done: "cannot be read", say.
            kind: Of the error that is raised instead.
            lock_timeout: Seconds for which a lock was waited for, where that is what went wrong.
        """
        try:
            yield
        except TableVersionError as error:
            raise kind(f"{subject} {error}") from None
        except (SQLAlchemyError, OSError) as error:
            reason = _reason(error)
            if "lock timeout" in reason or "database is locked" in reason:
                raise kind(
                    f"{subject} has been locked by another process for {lock_timeout} seconds; "
                    "end that process, then run again"
                ) from None
            raise kind(f"{subject} {what} ({type(error).__name__}: {reason})") from None


def begin_immediate(connection: sa.Connection, lock_timeout: float) -> None:
    """Lock a SQLite database, in waits that a signal can end."""
    deadline = time.monotonic() + lock_timeout
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
        else:
            return


def _reason(error: Exception) -> str:
    """The first line of a database's error, without statements and values."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0].strip()


def _make_private(path: Path) -> None:
    """Make the file of a database readable for its owner only, before a secret gets into it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(MODE)
    with contextlib.suppress(PermissionError):  # it is another user's, who shares it
        path.chmod(MODE)
