"""ReportFile: a file to which each run adds a line of JSON, or stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import stat
import sys
import time
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.storage.paths import absolute_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

logger = logging.getLogger("tap-freshbooks")

STDERR = "-"

BEGINNING = b'{"format": '
"""How each report begins."""

LOCK_TIMEOUT, LOCK_INTERVAL = 5.0, 0.01
"""Seconds to wait for another run that adds a line, and between two looks."""


class ReportFile:
    """Where the lines go.

    Args:
        place: A path, or `-` for stderr.
        setting: The setting that names it.

    Raises:
        SettingsError: If it cannot be written, as far as that can be told before.
    """

    def __init__(self, place: str, setting: str) -> None:
        self._path = None if place == STDERR else absolute_path(place, setting)
        if self._path:
            try:
                with _opened(self._path) as file:
                    _check_content(file)
            except OSError as error:
                raise SettingsError(
                    f"the setting {setting} names {self._path}, which cannot be written: "
                    f"{error.strerror}"
                ) from None

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line; if that fails, a warning says so."""
        # ASCII alone: nothing in it steers a terminal, or looks like another line.
        text = json.dumps(line, ensure_ascii=True, separators=(", ", ": ")) + "\n"
        if self._path is None:
            with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, full, none
                sys.stderr.write(text)
                sys.stderr.flush()
            return
        try:
            with _opened(self._path) as file:
                _lock(file)
                if _ends_within_line(file):  # what a full disk has cut
                    text = f"\n{text}"
                _write(file, text.encode())
        except OSError as error:
            logger.warning("The report of this run is not in %s: %s", self._path, error.strerror)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A regular file, made if it is missing; others could block, or be the target's input."""
    no_wait = getattr(os, "O_NONBLOCK", 0)  # for the other end of a FIFO
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | no_wait, 0o666)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is no file (`-` means stderr)")
        if _is_stdout(found):
            raise OSError(0, "it is standard output, where Singer messages go")
        yield file
    finally:
        os.close(file)


def _check_content(file: int) -> None:
    """Let nothing be added to a file of another kind, such as that of the settings or tokens."""
    found = os.read(file, len(BEGINNING))
    if not BEGINNING.startswith(found):
        raise OSError(0, "it holds something else than reports")


def _is_stdout(found: os.stat_result) -> bool:
    try:
        return sys.stdout is not None and os.path.samestat(found, os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # closed, or none that the system knows
        return False


def _lock(file: int) -> None:
    """Wait until no other run adds a line, where the system can do that; closing unlocks."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while hasattr(os, "lockf") and time.monotonic() < deadline:
        try:
            os.lockf(file, os.F_TLOCK, 0)
        except (BlockingIOError, PermissionError):
            time.sleep(LOCK_INTERVAL)
        except OSError:  # a file system without locks
            return
        else:
            return


def _ends_within_line(file: int) -> bool:
    if os.fstat(file).st_size == 0:
        return False
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1) != b"\n"


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
