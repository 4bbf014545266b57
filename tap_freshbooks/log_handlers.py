"""The log handlers that write to standard error, and the last line that a failure leaves there."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import SettingsError, meaning_of
from tap_freshbooks.input_files import check_is_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONFIGURATION = "SINGER_SDK_LOG_CONFIG"
"""The environment variable that names a configuration of the SDK's logging."""


def check_configuration() -> None:
    """Check that the configuration of the SDK's logging is a file, which comes to an end.

    Raises:
        SettingsError: If it is something else.
    """
    if path := os.environ.get(CONFIGURATION):
        try:
            check_is_file(Path(path))
        except (OSError, ValueError) as error:
            raise configuration_error(error) from None


def configuration_error(error: Exception) -> SettingsError:
    """The error that logging cannot be set up as a file says."""
    reason = getattr(error, "strerror", None) or error.__cause__ or error
    return SettingsError(
        f"the log configuration {os.environ.get(CONFIGURATION)!r}, which the environment variable "
        f"{CONFIGURATION} names, cannot be used: {reason}"
    )


def log_failure(sentence: str, status: int, *, is_for_people: bool) -> bool:
    """Log at level error why a command ends, with its exit status, which a runner may not pass on.

    Args:
        sentence: Why.
        status: The exit status.
        is_for_people: Whether they are told in another way, if stderr is no log of JSON. At a
            terminal they always are.

    Returns:
        Whether stderr is a log of JSON, which has it then and takes no other line.
    """
    logger = logging.getLogger("tap-freshbooks")
    if not logger.hasHandlers() or not logger.isEnabledFor(logging.ERROR):
        return False
    handlers = handlers_of_stderr()
    is_json = any(each.level <= logging.ERROR and writes_json(each) for each in handlers)
    is_for_people = is_for_people or sys.stderr.isatty()
    with _left_out(handlers if is_for_people and not is_json else ()):
        logger.error(
            "%s (exit status %d: %s)",
            sentence,
            status,
            meaning_of(status),
            extra={"exit_status": int(status)},
        )
    return is_json


@contextlib.contextmanager
def _left_out(handlers: Sequence[logging.Handler]) -> Iterator[None]:
    def refuse(_record: logging.LogRecord) -> bool:
        return False

    for handler in handlers:
        handler.addFilter(refuse)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(refuse)


def handlers_of_stderr() -> list[logging.StreamHandler[Any]]:
    """The log handlers that hold stderr, of whatever logger."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = [
        handler
        for each in loggers
        if isinstance(each, logging.Logger)
        for handler in each.handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
    ]
    return list(dict.fromkeys(handlers))


def writes_json(handler: logging.Handler) -> bool:
    """Whether the log lines of a handler are JSON; a log configuration can ask so in many ways."""
    record = logging.LogRecord("tap-freshbooks", logging.INFO, __file__, 0, "", None, None)
    try:
        return handler.format(record).startswith("{")
    except Exception:  # noqa: BLE001 - a formatter that wants fields of its own
        return False
