"""Singer messages on standard output, never cut by a signal."""

from __future__ import annotations

import contextlib
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.singerlib.encoding.simple import RecordMessage, SchemaMessage, StateMessage
from typing_extensions import override

from tap_freshbooks import signals, standard_streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.singerlib.encoding.simple import Message

MAX_BUFFERED = 128 * 1024
"""Bytes of records after which no more are collected."""

MAX_DELAY = 1.0
"""Seconds for which records are collected; the next one then goes out with those before it."""


class BufferedMessageWriter(MsgSpecWriter):
    """Writes messages whole: a signal that arrives in the middle of a write is deferred to its end.

    A second signal is not: the target may have stopped reading. Records are collected inside
    `buffered`; every other message goes out at once, after the records before it. Only the main
    thread writes, which handles the signals.

    Attributes:
        awaits_state: Whether something was written since the last STATE that a target may not keep
            before it has seen the next one.
    """

    def __init__(self) -> None:
        super().__init__()
        # Whole lines only. A signal handler may write between any two steps of ours, so a line
        # is added by one append, and lines are written with signals deferred.
        self._lines: list[bytes] = []
        self._size = 0
        self._due = 0.0
        self._buffered = False
        self._is_writing = False
        self.awaits_state = False

    @property
    def is_behind(self) -> bool:
        """Whether messages wait: inside a signal that has cut a write short, for ever."""
        return bool(self._lines)

    @contextlib.contextmanager
    def buffered(self) -> Iterator[None]:
        """Collect records inside the block; at its end, also after an error, they are out."""
        self._buffered = True
        self._due = time.monotonic() + MAX_DELAY
        try:
            yield
        finally:
            self._buffered = False
            self.flush()

    @override
    def write_message(self, message: Message) -> None:
        if not isinstance(message, SchemaMessage):
            self.awaits_state = not isinstance(message, StateMessage)
        self._add(encoder.encode(message.to_dict()), at_once=not isinstance(message, RecordMessage))

    def write_record(self, stream: str, record: dict[str, Any], version: int | None) -> None:
        """Write a RECORD message, extracted now, without making an object of it."""
        message: dict[str, Any] = {"type": "RECORD", "stream": stream, "record": record}
        if version is not None:
            message["version"] = version
        message["time_extracted"] = datetime.now(UTC)
        self.awaits_state = True
        self._add(encoder.encode(message))

    def _add(self, line: bytes, *, at_once: bool = False) -> None:
        self._lines.append(line)
        self._size += len(line)
        if (
            at_once
            or not self._buffered
            or self._size >= MAX_BUFFERED
            or time.monotonic() >= self._due
        ):
            self.flush()

    def flush(self) -> None:
        """Hand what was collected to the target.

        Raises:
            OutputClosedError: If it does not take it.
        """
        if not self._lines or self._is_writing:  # a second signal may have come during a write
            return
        with signals.deferred(defer_second=False):
            lines, self._lines, self._size = self._lines, [], 0
            self._is_writing = True
            try:
                rest = memoryview(b"\n".join((*lines, b"")))
                while rest:  # with PYTHONUNBUFFERED, a signal lets a part be written
                    rest = rest[sys.stdout.buffer.write(rest) :]
                sys.stdout.flush()
            except (OSError, ValueError, AttributeError) as error:  # closed, in one way or another
                raise standard_streams.cannot_write(error) from None
            except BaseException:  # a second signal cut a line: nothing may follow it
                standard_streams.abandon_output()
                raise
            finally:
                self._is_writing = False
            self._due = time.monotonic() + MAX_DELAY
