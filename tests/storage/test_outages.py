from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, ProgrammingError

from tap_freshbooks.storage.outages import is_locked, is_passing


@pytest.mark.parametrize(
    ("sqlstate", "passes"),
    [
        ("57P01", True),  # shut down by its administrator
        ("57P02", True),  # crashed
        ("57P03", True),  # starting
        ("57P05", True),  # idle for too long
        ("08006", True),  # broken
        ("25006", True),  # a server that follows another
        ("25P03", True),  # idle in a transaction for too long
        ("53300", True),  # too many connections
        ("40001", True),  # a conflict with another transaction
        ("40P01", True),  # a deadlock
        ("55P03", False),  # a lock: it was waited for already
        ("28P01", False),  # a wrong password
        ("3D000", False),  # no such database
        ("42501", False),  # no rights
        ("42703", False),  # no such column
        ("53100", False),  # a full disk
        ("57014", False),  # cancelled on purpose
    ],
)
def test_what_passes_by_its_sqlstate(sqlstate: str, passes: bool) -> None:
    cause = errors.lookup(sqlstate)("")
    for kind in (OperationalError, InternalError, ProgrammingError):
        assert is_passing(kind("SELECT 1", None, cause)) == passes
        assert is_locked(kind("SELECT 1", None, cause)) == (sqlstate == "55P03")


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ('connection to server at "h", port 5432 failed: Connection refused', True),
        ('connection to server on socket "/x" failed: No such file or directory', True),
        ("failed to resolve host 'h': [Errno -3] Temporary failure in name resolution", True),
        ("connection failed: FATAL:  the database system is starting up", True),
        ("connection failed: FATAL:  the database system is shutting down", True),
        ("connection failed: FATAL:  sorry, too many clients already", True),
        ("server closed the connection unexpectedly", True),
        ("SSL connection has been closed unexpectedly", True),
        ("consuming input failed: Connection reset by peer", True),
        ("connection timeout expired", True),
        ('connection failed: FATAL:  password authentication failed for user "u"', False),
        ('connection failed: FATAL:  no pg_hba.conf entry for host "h"', False),
        ('connection failed: FATAL:  database "d" does not exist', False),
        ("connection failed: fe_sendauth: no password supplied", False),
        ('root certificate file "/x" does not exist', False),
    ],
)
def test_what_passes_by_its_words(message: str, passes: bool) -> None:
    assert is_passing(OperationalError("", None, psycopg.OperationalError(message))) == passes
    assert is_passing(InterfaceError("", None, psycopg.InterfaceError(message))) == passes


def test_other_errors_pass_never() -> None:
    assert not is_passing(ValueError("the connection is closed"))
    assert not is_passing(ProgrammingError("", None, psycopg.ProgrammingError("syntax error")))
