"""Where something is, as messages may tell it: a URL can hold a password in many places.

A location is shown as far as it can be read in one way only. Someone who forgets to escape the `@`
or the `/` of a password makes it look like a part of the host, the path or the options.
"""

from __future__ import annotations

import os
import re

HIDDEN = "***"
"""Stands for a user, a password, or options."""

UNREADABLE = "(a location that may hold a password)"

_SCHEME = re.compile(r"[A-Za-z][\w+.-]*(?=://)", re.ASCII)

_HOST = r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+(?:%\w+)?\])(?::\d{1,5})?"

_SERVER = re.compile(
    rf"""
    (?P<user>[^@/?#]*@)?
    (?P<host>{_HOST}(?:,{_HOST})*)?
    (?P<path>/(?!/)[\w.~%+/-]*)?
    (?P<options>[?#][^@]*)?
    """,
    re.VERBOSE | re.ASCII,
)
"""What follows `://` of a server's URL if it can be read in one way only."""

_SECRET_IN_PATH = re.compile(r"[?]|:[^@]*@|(?:pass|pwd|secret|token|key)\w*\s*=", re.IGNORECASE)
"""Signs of a password in the name of a file; options are none of a file's."""

_LIBPQ = re.compile(
    r"(?:^(?![/~.])|^[^/~.].*[\s;&?])(?:host|hostaddr|user|password|passfile|dbname|port|service|sslmode)\s*=",
    re.IGNORECASE,
)
_WITHOUT_SLASHES = re.compile(
    r"(?:postgres\w*|mysql|mariadb|sqlite|mssql|oracle|jdbc)(?:\+\w+)?:|//?[^/]*:[^/]*@|[^/]*:[^/]+@",
    re.IGNORECASE,
)


def showable(location: str) -> str:
    """A file path, or a URL without user, password and options; what is not clear is left out."""
    scheme = _SCHEME.match(location)
    if scheme is None:
        name = _without_drive(location)
        is_path = not is_misspelt_url(name) and not _SECRET_IN_PATH.search(name)
        return location if is_path else UNREADABLE
    rest = location[scheme.end() + len("://") :]
    if scheme[0].lower().startswith("sqlite"):
        is_clear = rest.startswith("/") and not _SECRET_IN_PATH.search(rest)
        return location if is_clear else f"{scheme[0]}://…"
    parts = _SERVER.fullmatch(rest)
    if parts is None:
        return f"{scheme[0]}://…"
    user = f"{HIDDEN}@" if parts["user"] else ""
    options = f"{parts['options'][0]}{HIDDEN}" if parts["options"] else ""
    return f"{scheme[0]}://{user}{parts['host'] or ''}{parts['path'] or ''}{options}"


def is_clear(location: str) -> bool:
    """Whether all but secrets is shown: no other text can quote a part that was misunderstood."""
    return not showable(location).endswith(("://…", UNREADABLE))


def is_misspelt_url(location: str) -> bool:
    """Whether a text without `://` is meant to be a database: a libpq string, say."""
    name = _without_drive(location)
    return bool(_LIBPQ.match(name) or _WITHOUT_SLASHES.match(name))


def _without_drive(path: str) -> str:
    return re.sub(r"^[A-Za-z]:(?=[\\/])", "", path) if os.name == "nt" else path
