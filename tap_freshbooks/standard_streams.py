"""Standard input, output and errors of the program, any of which a machine may lack.

What cannot be written to standard output is a failure in a sentence. What cannot be written to
standard error, or what nobody takes from there in seconds, is dropped: nobody would read it, and
no sync and no exit status depends on it.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import logging
import os
import select
import sys
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.errors import OutputClosedError

if TYPE_CHECKING:
    from typing import TextIO

    from _typeshed import ReadableBuffer

PATIENCE = 5.0
"""Seconds for which standard error may be full."""

ESCAPED = "tap_freshbooks.escaped"
"""The handler of characters that an encoding lacks."""


def take_over() -> None:
    """Replace the streams that Python opened by such as the rest of the program can rely on."""
    logging.raiseExceptions = False  # a log that cannot be written is not worth a traceback
    if os.name == "nt":  # the console of Windows takes text, not bytes
        return
    for descriptor in (0, 1, 2):
        _occupy(descriptor)
    if sys.stdin is None:
        with contextlib.suppress(OSError):
            sys.stdin = io.TextIOWrapper(io.FileIO(0))
    sys.stdout = _text(_Output(1), sys.stdout)
    sys.stderr = _text(_Errors(2), sys.stderr)


def cannot_write(error: Exception) -> OutputClosedError:
    """The failure that standard output cannot be written."""
    if isinstance(error, BrokenPipeError):
        return OutputClosedError(
            "what reads standard output, a target say, closed it before the end"
        )
    is_closed = not isinstance(error, OSError) or error.errno == errno.EBADF
    reason = "it is closed" if is_closed else getattr(error, "strerror", None) or error
    return OutputClosedError(f"standard output cannot be written: {reason}")


def abandon_output() -> None:
    """Let nothing more be written to standard output, not even by Python at its end."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _Output):
        raw.is_abandoned = True


def end_output() -> None:
    """Write what was not written yet, at the end of a command that has told its failures."""
    with contextlib.suppress(OutputClosedError):
        sys.stdout.flush()
    abandon_output()


def _occupy(descriptor: int) -> None:
    """Let no file or connection get the number of a standard stream that is closed.

    What some library writes to its errors would end in it. Nothing can be written here.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        with contextlib.suppress(OSError):  # it gets the lowest number that is free
            os.open(os.devnull, os.O_RDONLY)


class _Stream(io.RawIOBase):
    """A standard stream that waits where its other end is full, also if that does not block."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @override
    def fileno(self) -> int:
        return self._descriptor

    @override
    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: ReadableBuffer, /) -> int:
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                select.select((), (self._descriptor,), ())


class _Output(_Stream):
    """Standard output, whose failure ends the command in a sentence."""

    is_abandoned = False

    @override
    def write(self, data: ReadableBuffer, /) -> int:
        if self.is_abandoned:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            raise cannot_write(error) from None


class _Errors(_Stream):
    """Standard error, whose failure nobody notices.

    A pipe that is full because nobody reads it any more would otherwise stop the sync, for ever.
    """

    _is_stuck = False

    @override
    def write(self, data: ReadableBuffer, /) -> int:
        rest = memoryview(data).cast("B")
        size = rest.nbytes
        with contextlib.suppress(OSError):
            while rest and self._is_ready():
                # No more than a pipe with room for anything takes without a wait.
                rest = rest[super().write(rest[: select.PIPE_BUF]) :]
        return size

    def _is_ready(self) -> bool:
        """Wait until it can be written; a terminal may be held for as long as a person likes."""
        patience = None if self.isatty() else 0 if self._is_stuck else PATIENCE
        _, ready, _ = select.select((), (self._descriptor,), (), patience)
        self._is_stuck = not ready
        return bool(ready)


def _text(raw: io.RawIOBase, before: TextIO | None) -> TextIO:
    """A text stream like the one before, in which no character is impossible."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before else "utf-8",
        errors=ESCAPED,
        line_buffering=before is None or getattr(before, "line_buffering", True),
    )


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""Write what an encoding lacks as JSON does: `\u20ac`, which people can read, too."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(lost[at : at + 2], "big") for at in range(0, len(lost), 2))
    return "".join(f"\\u{unit:04x}" for unit in units), error.end


codecs.register_error(ESCAPED, _escape)
