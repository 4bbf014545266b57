"""Texts of others in messages: nothing in them may steer a terminal or forge a line of a log."""

from __future__ import annotations

import logging
import unicodedata
from typing import Any

LOGGERS = ("tap-freshbooks", "urllib3")
"""What the names of loggers begin with that log texts of FreshBooks."""


def printable(text: str) -> str:
    """A text on one line, without control sequences and marks of direction."""
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():  # line ends of all kinds, and blanks that do not break
        return " "
    kind = unicodedata.category(character)
    if kind == "Cf":  # invisible: directions, joiners
        return ""
    return "\N{REPLACEMENT CHARACTER}" if kind in {"Cc", "Cs"} else character


def sanitize_logs() -> None:
    """Make printable what is logged, whatever handlers a user has configured."""
    make = logging.getLogRecordFactory()
    if getattr(make, "is_printable", False):
        return

    def make_printable(name: str, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(name, *args, **kwargs)
        if str(name).startswith(LOGGERS) and isinstance(record.args, tuple):
            record.args = tuple(map(_harmless, record.args))
        return record

    make_printable.is_printable = True  # type: ignore[attr-defined] # a mark of ours
    logging.setLogRecordFactory(make_printable)


def _harmless(value: object) -> object:
    return value if isinstance(value, int | float) else printable(str(value))
