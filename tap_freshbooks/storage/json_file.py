"""A JSON object in a file, replaced as a whole, durably, and without touching its layout."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import stat
from typing import TYPE_CHECKING, Any

from tap_freshbooks.input_files import check_is_file, read_file
from tap_freshbooks.storage.ownership import MODE, NEW_FILE, UNSUPPORTED, inherit
from tap_freshbooks.storage.paths import real_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RESERVED_SPACE = 16_384
"""Bytes reserved beyond the present content: room for two encrypted tokens and more."""


class NotAnObjectError(ValueError):
    """The file holds something else than a JSON object; the text never quotes its content."""


class JsonFile:
    """A file with one JSON object; indentation, line ends and order stay as they are found.

    A writer must hold a lock of its own: the next version has one name for all.

    Args:
        path: The file; a symbolic link is followed, so that it stays one.
    """

    def __init__(self, path: Path) -> None:
        self.path = real_path(path)
        # What a killed process left under this name is removed by the next.
        self.next = self.path.with_name(f".{self.path.name}.new")
        self._fd = -1

    def read(self) -> dict[str, Any]:
        """The object; empty if there is no file.

        Raises:
            OSError: If the file cannot be read.
            NotAnObjectError: If it holds something else.
        """
        return self._read()[0]

    def reserve(self) -> None:
        """Reserve name and space of the next version, so that a full disk shows now.

        Raises:
            OSError: If that is not possible.
            NotAnObjectError: If the present content is not a JSON object.
        """
        content, layout = self._read()
        self._check_replaceable()
        self.discard()
        self._fd = os.open(self.next, NEW_FILE, MODE)
        try:
            inherit(self._fd, self.path)
            self._fill(layout.encode(content) + b" " * RESERVED_SPACE)
        except OSError:
            self.discard()
            raise

    def _check_replaceable(self) -> None:
        if not self.path.exists():
            return
        status = self.path.stat()
        if not status.st_mode & stat.S_IWUSR:
            raise PermissionError("the file is read-only")
        if status.st_nlink > 1:
            path, copy = shlex.quote(str(self.path)), shlex.quote(f"{self.path}.own")
            raise OSError(
                f"it has {status.st_nlink} names (hard links), and only this one would get the new "
                "content, the others keeping a token that is spent: make it a file of its own with "
                f"`cp -p {path} {copy} && mv {copy} {path}`, or use symbolic links, which are "
                "followed"
            )

    def replace(self, content: Mapping[str, Any]) -> None:
        """Make this the content, durably: written and synced before it takes the name.

        Raises:
            OSError: If that fails; the old content is then still in place.
            NotAnObjectError: As `reserve`.
        """
        if self._fd < 0:
            self.reserve()
        try:
            with contextlib.suppress(OSError, NotAnObjectError):
                self._layout = self._read()[1]
            self._fill(self._layout.encode(content))
            self._close()  # Windows renames no open files
            self.next.replace(self.path)
            sync_folder(self.path.parent)
        finally:
            self.discard()

    def discard(self) -> None:
        """Give up what was reserved."""
        self._close()
        with contextlib.suppress(OSError):
            self.next.unlink()

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self) -> tuple[dict[str, Any], _Layout]:
        try:
            check_is_file(self.path)
            text = read_file(self.path).decode("utf-8-sig")
            content = json.loads(text)
        except FileNotFoundError:
            content, text = {}, EMPTY
        except (ValueError, RecursionError):
            raise NotAnObjectError("is not valid JSON") from None
        if not isinstance(content, dict):
            raise NotAnObjectError("does not hold a JSON object")
        self._layout = _Layout(text)
        return content, self._layout

    def _fill(self, data: bytes) -> None:
        os.lseek(self._fd, 0, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        os.ftruncate(self._fd, len(data))
        _sync(self._fd)


EMPTY = "{\n  \n}\n"
"""The layout of a new file."""


class _Layout:
    """The layout of a JSON file: its indentation, its line ends, its last line."""

    def __init__(self, text: str) -> None:
        indented = re.search(r"\n([ \t]+)", text)
        self.indent = indented[1] if indented else None
        self.end = "\n" if text.endswith("\n") else ""
        self.newline = "\r\n" if "\r\n" in text else "\n"

    def encode(self, content: Mapping[str, Any]) -> bytes:
        text = json.dumps(content, indent=self.indent, ensure_ascii=False) + self.end
        # A lone surrogate cannot be UTF-8; escaped it stays what it is.
        return text.replace("\n", self.newline).encode(errors="backslashreplace")


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable."""
    if os.name == "nt":  # Windows cannot open folders; its rename needs no second step
        return
    try:
        fd = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder may allow names to be made, and not to be listed
        return
    try:
        _sync(fd)
    finally:
        os.close(fd)


def _sync(fd: int) -> None:
    """Write to the disk what is in memory, where the file system can do so."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
