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
        path = Path(location).expanduser()
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise SettingsError(
            f"the setting {setting} is not a usable path: {showable(location)!r}"
        ) from None
    with contextlib.suppress(OSError):  # what is wrong with it shows when it is used
        if path.exists() and not resolved.exists():  # /dev/stderr, say: a pipe has no path
            return path
    return resolved
