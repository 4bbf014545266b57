"""What a database's error stands for: a lock that is held, an outage that passes, or neither."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

LOCK_TIMEOUT = "55P03"
"""The SQLSTATE of PostgreSQL for a lock that could not be had in time."""

READ_ONLY = "25006"
"""The SQLSTATE of PostgreSQL for a write in a server that takes none: it follows another."""

PASSING = (
    *("08", "57P", "25P03", READ_ONLY),  # broken, ended, shut down, starting; a failover
    *("53300", "40001", "40P01"),  # too many connections, conflicts with other transactions
)
"""What the SQLSTATEs of PostgreSQL begin with that are over soon, as a rule."""

LASTING = (
    *("authentication failed", "no password supplied", "pg_hba.conf", "does not exist"),
    *("permission denied", "invalid", "certificate", "not permitted to log in"),
)
"""What messages of connections that failed say if it makes no sense to try again.

libpq gives no SQLSTATE of such errors. A server that speaks another language than English only
costs the wait.
"""


def is_locked(error: Exception) -> bool:
    """Whether another process holds a lock."""
    if code := _sqlite_code(error):
        return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return bool(getattr(_cause(error), "sqlstate", None) == LOCK_TIMEOUT)


def is_denied(error: Exception) -> bool:
    """Whether SQLite may not use one of its files."""
    kinds = {sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
    return _sqlite_code(error) in kinds


def is_damaged(error: Exception) -> bool:
    """Whether a file is no database of SQLite, or not any more."""
    return _sqlite_code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_passing(error: Exception) -> bool:
    """Whether the same may succeed in a moment, on a new connection."""
    if not isinstance(error, DBAPIError):
        return False
    cause = _cause(error)
    if isinstance(cause, sqlite3.Error):
        return is_locked(error)
    if sqlstate := getattr(cause, "sqlstate", None):
        return str(sqlstate).startswith(PASSING)
    is_broken = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return is_broken and not any(sign in str(cause) for sign in LASTING)


def is_read_only(error: BaseException | None) -> bool:
    """Whether a server refuses to write: connections to it are of no use any more."""
    return getattr(error, "sqlstate", None) == READ_ONLY


def _cause(error: Exception) -> Any:
    return getattr(error, "orig", None) or error


def _sqlite_code(error: Exception) -> int:
    """The code of SQLite without its details, 0 for errors of others."""
    return int(getattr(_cause(error), "sqlite_errorcode", 0)) & 0xFF
