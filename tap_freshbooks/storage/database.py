"""A SQLite or PostgreSQL database that a setting names."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.locations import HIDDEN, is_clear, showable
from tap_freshbooks.storage.outages import (
    is_damaged,
    is_denied,
    is_locked,
    is_passing,
    is_read_only,
)
from tap_freshbooks.storage.ownership import explain, make_private, whose
from tap_freshbooks.storage.paths import absolute_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_freshbooks.errors import TapError

T = TypeVar("T")

CONNECT_TIMEOUT = 10
"""Seconds until the database must have answered."""

STALL_TIMEOUT = 30_000
"""Milliseconds after which a connection whose other end is silent counts as broken."""


ESCAPES = "in user and password, write : / ? # @ % as %3A %2F %3F %23 %40 %25"


RETRY_TIMEOUT = 30.0
"""Seconds for which a database that went away is asked again: it restarts, or another takes over.

The new pair of a refresh is stored with as much patience (`oauth/rotation.py`).
"""

FIRST_WAIT, LONGEST_WAIT = 0.05, 2.0
"""Seconds between two tries: doubled from the first to the second."""

LONGER_THAN_NAMES = re.compile(r"[^\s/]{64,}")
"""What is longer than any name in PostgreSQL: a trigger may quote a row with its tokens."""

LOG_NAME = "tap-freshbooks"
"""Ends the names of our loggers in SQLAlchemy."""

# Below INFO it logs the rows that it reads, tokens and verifiers among them.
logging.getLogger(f"sqlalchemy.engine.Engine.{LOG_NAME}").addFilter(
    lambda record: record.levelno >= logging.INFO
)


logger = logging.getLogger("tap-freshbooks.storage")


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
        self.contents = contents
        self.lock_timeout = lock_timeout
        self.pool = pool
        self.location = url
        self.url = self._parsed(url)
        if self.is_sqlite:
            self.url = self.url.set(database=str(self._sqlite_file()))
            self.location = f"sqlite:///{self.url.database}"

    def _parsed(self, url: str) -> sa.URL:
        try:
            parsed = sa.make_url(url)
        except (ArgumentError, ValueError):
            parsed = None
        if parsed is None or "\0" in unquote(url) or _is_misread(parsed):
            raise SettingsError(
                f"the setting {self.setting} is neither a file path nor a database URL such as "
                f"sqlite:///{self.contents}.db or postgresql+psycopg://user@host/database; "
                f"{ESCAPES}"
            )
        if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
            raise SettingsError(
                f"the setting {self.setting} names {parsed.drivername}; databases that can hold "
                f"{self.contents} are sqlite:///… and postgresql+psycopg://…"
            )
        return parsed

    def _sqlite_file(self) -> Path:
        path = self.url.database or ":memory:"
        is_file = path != ":memory:" and not path.startswith("file:")
        if not is_file or self.url.query or self.url.host or self.url.username:
            raise SettingsError(
                f"the setting {self.setting} names a database in memory, or with options, which "
                f"could lose the {self.contents}; name a file: sqlite:///{self.contents}.db"
            )
        return absolute_path(path, self.setting)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, which locks whole databases instead of rows."""
        return self.url.drivername == "sqlite"

    def __str__(self) -> str:
        """The URL without user, password and options."""
        return showable(self.location)

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
            make_private(Path(str(self.url.database)))
        else:
            arguments = {
                "connect_timeout": CONNECT_TIMEOUT,
                "tcp_user_timeout": STALL_TIMEOUT,
                "client_encoding": "UTF8",  # of a database of SQL_ASCII, texts would be bytes
            }
            # A process that waited for a lock has to see what was stored meanwhile.
            options = {"connect_args": arguments, "isolation_level": "READ COMMITTED"}
        try:
            engine = sa.create_engine(
                self.url,
                poolclass=self.pool,
                logging_name=LOG_NAME,
                hide_parameters=True,
                pool_pre_ping=True,  # one that was kept may be broken: the database restarted
                **options,
            )
        except ModuleNotFoundError:
            raise SettingsError(
                f"the setting {self.setting} names a PostgreSQL database, which needs more "
                "packages; install them with: pip install 'tap-freshbooks[postgres]'"
            ) from None
        sa.event.listen(engine, "handle_error", _leave_read_only_server)
        return engine

    def retry(self, action: Callable[[], T], timeout: float) -> T:
        """Do something, again and again while the database is away or locked.

        Args:
            action: What may be done twice; each time it takes a connection of its own, or begins
                a transaction anew.
            timeout: Seconds after which its error is raised.
        """
        deadline = time.monotonic() + timeout
        wait = FIRST_WAIT
        while True:
            try:
                return action()
            except SQLAlchemyError as error:
                if not is_passing(error) or time.monotonic() + wait > deadline:
                    raise
                if wait == FIRST_WAIT:
                    logger.warning(
                        "%s does not answer (%s); trying again, for %.0f seconds at most",
                        *(self, self._reason(error), timeout),
                    )
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def close(self) -> None:
        """Close the connections that the pool keeps; later ones are made anew."""
        engine: sa.Engine | None = self.__dict__.pop("engine", None)
        if engine is not None:
            engine.dispose()

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
        except (SQLAlchemyError, OSError, UnicodeError) as error:  # a host name may be odd
            if is_locked(error):
                raise kind(
                    f"{subject} has been locked by another process for {lock_timeout} seconds; "
                    "end that process, then run again"
                ) from None
            raise kind(f"{subject} {what} ({self._explanation(error)})") from None

    def _explanation(self, error: Exception) -> str:
        kind, reason = type(error).__name__, self._reason(error)
        if not self.is_sqlite:
            return f"{kind}: {reason}"
        file = Path(str(self.url.database))
        beside = [file.with_name(file.name + end) for end in ("-wal", "-shm", "-journal")]
        if isinstance(error, OSError):
            return explain(error, file, *beside)
        if is_denied(error):
            return f"{kind}: {reason}: {whose((file, *beside))}"
        if is_damaged(error):
            return f"{kind}: {reason}; restore it from a copy, or name another file"
        return f"{kind}: {reason}"

    def _reason(self, error: Exception) -> str:
        """The first line of a database's error, without statements, values and passwords."""
        if not is_clear(self.location):  # it could quote a part of the password as the host
            return f"what it says is not shown, as the URL can be read in several ways; {ESCAPES}"
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0].strip()
        for secret in self._secrets:
            reason = reason.replace(secret, HIDDEN)
        return LONGER_THAN_NAMES.sub(HIDDEN, reason)

    @cached_property
    def _secrets(self) -> list[str]:
        """What of the URL is never shown, not even where the database quotes it."""
        options = [value for name, value in self.url.query.items() if "pass" in name.lower()]
        found = [self.url.password or "", *(str(each) for each in options)]
        return [form for each in found if each for form in (each, quote(each, safe=""))]


def _is_misread(url: sa.URL) -> bool:
    """Whether SQLAlchemy takes a part of a password for the host, if it was not escaped.

    It does so with what follows an `@`; an option `password` that holds one makes it take all
    before for user and password.
    """
    before = f"{url.username}:{url.password}" if url.password else url.username or ""
    return "@" in (url.host or "") or bool(re.match(r"[^:]*[?]|[^:]*:\d{1,5}[/?]", before))


def begin_immediate(connection: sa.Connection, lock_timeout: float) -> None:
    """Lock a SQLite database, in waits that a signal can end."""
    deadline = time.monotonic() + lock_timeout
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            if not is_locked(error) or time.monotonic() > deadline:
                raise
        else:
            return


def _leave_read_only_server(context: sa.ExceptionContext) -> None:
    """After a failover the pool connects anew, instead of keeping what leads to the old server."""
    if is_read_only(context.original_exception):
        context.is_disconnect = True
