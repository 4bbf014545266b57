"""Singer messages on standard output, never cut by a signal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from typing_extensions import override

from tap_freshbooks.errors import Interrupted, TargetGone

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk.singerlib.encoding.simple import Message


class SingerOutput(MsgSpecWriter):
    """Writes messages whole: a signal that arrives in the middle of one waits for its end."""

    def __init__(self) -> None:
        super().__init__()
        self._writing = False
        self._interruption: Callable[[], None] | None = None

    @override
    def write_message(self, message: Message) -> None:
        line = self.format_message(message)
        self._writing = True
        try:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
        except BrokenPipeError:
            # Nothing can be written any more, so Python must not try to flush at its end either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise TargetGone("the target closed its input before the end") from None
        finally:
            self._writing = False
        if self._interruption:
            interrupt, self._interruption = self._interruption, None
            interrupt()

    def interrupt(self, signum: int, flush_state: Callable[[], None]) -> None:
        """End the run between two messages, with the state as the last of them.

        A second signal does not wait: the target may have stopped reading.

        Args:
            signum: The signal.
            flush_state: Writes the state.

        Raises:
            Interrupted: At once, or after the message that is being written.
        """

        def stop() -> None:
            flush_state()
            raise Interrupted(signum)

        if not self._writing:
            stop()
        elif self._interruption:
            raise Interrupted(signum)
        self._interruption = stop
