"""Singer messages on standard output, never cut by a signal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from typing_extensions import override

from tap_freshbooks import interruptions
from tap_freshbooks.errors import TargetGone

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message


class SingerOutput(MsgSpecWriter):
    """Writes messages whole: a signal that arrives in the middle of one waits for its end.

    A second signal does not wait: the target may have stopped reading.
    """

    @override
    def write_message(self, message: Message) -> None:
        line = self.format_message(message)
        with interruptions.held(patient=False):
            try:
                sys.stdout.buffer.write(line)
                sys.stdout.flush()
            except (OSError, ValueError, AttributeError) as error:  # closed, in one way or another
                _forget_stdout()
                raise TargetGone(
                    "the target closed its input before the end"
                    if isinstance(error, BrokenPipeError)
                    else f"standard output cannot be written: {error}"
                ) from None


def _forget_stdout() -> None:
    """Nothing can be written any more, so Python must not try to flush at its end either."""
    if sys.stdout is not None and not sys.stdout.closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
