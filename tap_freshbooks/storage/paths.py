"""Paths of files that a setting names."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.locations import is_misspelt_url, showable


def absolute_path(location: str, setting: str) -> Path:
    """The path of a file that a setting names.

    Raises:
        SettingsError: If it is none, or meant to be a database; what it says is not shown then.
    """
    if is_misspelt_url(location):
        raise SettingsError(
            f"the setting {setting} is neither a file path nor a URL: a database is named as "
            "postgresql+psycopg://user@host/database or sqlite:///file.db, whatever libpq or other "
            "programs take"
        )
    try:
        return real_path(Path(location))
    except (OSError, RuntimeError, ValueError):
        raise SettingsError(
            f"the setting {setting} is not a usable path: {showable(location)!r}"
        ) from None


def real_path(path: Path) -> Path:
    """Where a path leads.

    /dev/stderr may lead to a pipe, which has no path: then it stays, and its use shows what it is.

    Raises:
        OSError: If links lead in a circle.
        RuntimeError: Likewise, or if there is no such home.
    """
    path = path.expanduser()
    resolved = path.resolve()
    with contextlib.suppress(OSError):  # what is wrong with it shows when it is used
        if path.exists() and not resolved.exists():
            return path
    return resolved
