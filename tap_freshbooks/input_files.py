"""Reads the files that a user names: whatever they are, reading them comes to an end."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 256 * 1024 * 1024
"""Bytes that a file may have; devices such as `/dev/zero` have no end."""

PART = 1024 * 1024
"""Bytes that are read at once."""

WRITER_TIMEOUT = 5.0
"""Seconds to wait for somebody to write to a pipe that nobody has opened yet."""

SILENCE_TIMEOUT = 60.0
"""Seconds to wait for the next bytes of whoever has opened it."""


def open_at_once(path: Path) -> io.FileIO:
    """Open a file to be read; one that is a pipe, too, whose other end nobody may ever open."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return io.FileIO(path, opener=lambda name, _: os.open(name, flags))


def read_file(path: Path) -> bytes:
    """Read a file, a device, or a pipe such as a shell makes of `<(…)`.

    Raises:
        OSError: If it cannot be read, has no end, or nobody writes to the pipe.
    """
    content = bytearray()
    with open_at_once(path) as file:
        for part in _parts(file):
            content += part
            if len(content) > LARGEST:
                raise OSError(errno.EFBIG, f"there is no end to it within {LARGEST >> 20} MB")
    return bytes(content)


def _parts(file: io.FileIO) -> Iterator[bytes]:
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        yield from iter(lambda: file.read(PART) or b"", b"")
        return
    other_end = select.poll()
    other_end.register(file, select.POLLIN)
    is_open = bool(other_end.poll(WRITER_TIMEOUT * 1000))
    while (part := file.read(PART)) != b"":
        if part is None and not other_end.poll(SILENCE_TIMEOUT * 1000):
            raise TimeoutError(errno.ETIMEDOUT, f"nothing came for {SILENCE_TIMEOUT:.0f} seconds")
        is_open = True
        yield part or b""
    if not is_open:
        raise TimeoutError(errno.ETIMEDOUT, "it is a pipe to which nobody writes")


def check_is_file(path: Path) -> None:
    """Check that a path can be that of a file which is replaced or shared: it is one, or free.

    Raises:
        OSError: If it is a device, a pipe, a folder, or cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
        raise OSError(f"it is {kind}, and no file")


class _NamedBytes(io.BytesIO):
    """The content of a file that knows the file's name."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


class InputFile(click.File):
    """A file that an option names, in UTF-8 whatever the locale is."""

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> IO[Any]:
        if value == "-" or not isinstance(value, str):
            return super().convert(value, param, ctx)
        try:
            content = read_file(Path(value))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            self.fail(f"{value!r}: {reason}", param, ctx)
        return io.TextIOWrapper(_NamedBytes(content, value), encoding="utf-8-sig")
