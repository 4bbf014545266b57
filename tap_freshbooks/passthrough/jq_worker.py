"""The program of a process that runs jq for `api --jq`, line by line; it imports nothing of ours.

A jq program may calculate for ever, in C, where no signal is heeded. So this process ignores those
that `api` gets too, and ends when `api` ends it, or has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import sys
from typing import Any

DONE, RESULT, ERROR, MISSING = ".", "=", "!", "?"
"""How a line of the output begins: the end of the answer to one line, or a part of it."""

PR_SET_PDEATHSIG = 1
"""Of Linux: a process ends with the one that began it, even if that is killed."""


def main() -> None:
    """Read a program and then texts, a line of JSON each; write what the program makes of them."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    lines = (json.loads(line) for line in sys.stdin.buffer)
    try:
        import jq  # type: ignore[import-not-found] # noqa: PLC0415 - in the extra
    except ModuleNotFoundError:
        _write(MISSING)
        return
    try:
        program = jq.compile(next(lines))
        _write(DONE)
        for text in lines:
            try:
                for result in program.input_text(text):
                    _write(RESULT, result)
                _write(DONE)
            except ValueError as error:
                _write(ERROR, str(error))
    except ValueError as error:
        _write(ERROR, str(error))


def _write(kind: str, value: Any = None) -> None:
    sys.stdout.write(f"{kind}{json.dumps(value)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
