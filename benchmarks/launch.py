"""Starts a command, waits for its end, and writes down what it used.

Linux counts what a parent holds into the peak of the child that it starts, so the parent is this:
started without site packages, importing next to nothing.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """`launch.py FILE COMMAND …`: the file gets exit code, wall, CPU and peak kilobytes."""
    _, file, *command = sys.argv
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        try:
            os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
        finally:
            os._exit(127)
    os.close(1)  # so that the reader sees the end of the output when the command ends
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - began
    cpu = usage.ru_utime + usage.ru_stime
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    code = os.waitstatus_to_exitcode(status)
    os.write(handle, f"{code} {wall} {cpu} {usage.ru_maxrss}".encode())
    os.close(handle)


main()
