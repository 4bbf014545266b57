"""The variables of the log's level, which the SDK reads."""

from __future__ import annotations

import logging
import os

from tap_freshbooks.errors import SettingsError


def check_log_level() -> None:
    """Let the SDK find nothing that is no level: it would stop there, even at a blank.

    Raises:
        SettingsError: If a variable names none.
    """
    for variable in ("TAP_FRESHBOOKS_LOGLEVEL", "LOGLEVEL"):
        level = os.environ.get(variable, "").strip().upper()
        if not level:
            os.environ.pop(variable, None)
        elif level in logging.getLevelNamesMapping():
            os.environ[variable] = level
        else:
            raise SettingsError(
                f"the variable {variable} names no level of the log: DEBUG, INFO, WARNING, ERROR "
                "or CRITICAL"
            )
