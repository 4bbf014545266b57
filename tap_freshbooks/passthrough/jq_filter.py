"""Runs a jq program, in a process of its own that ends with this one."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from tap_freshbooks.errors import SettingsError, TapError, missing_extra_error
from tap_freshbooks.passthrough import jq_worker

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = 100
"""Characters of a program that a message quotes."""


class JqFilter:
    """A jq program that is applied to one text after the other.

    Args:
        program: In the language of jq.
        process: What runs it.

    Raises:
        SettingsError: If it is none, or the package that runs it is not there.
    """

    def __init__(self, program: str, process: subprocess.Popen[bytes]) -> None:
        self._named = f"--jq {program if len(program) <= SHOWN else program[:SHOWN] + '…'!r}"
        self._process = process
        for _ in self._ask(program, "is no jq program"):
            pass

    def __call__(self, text: str) -> Iterator[Any]:
        """The results for a text of JSON.

        Raises:
            SettingsError: If the program does not fit the text.
            TapError: If jq has ended.
        """
        return self._ask(text, "does not fit the answer")

    def _ask(self, text: str, objection: str) -> Iterator[Any]:
        source = cast("IO[bytes]", self._process.stdout)
        sink = cast("IO[bytes]", self._process.stdin)
        try:
            sink.write(f"{json.dumps(text)}\n".encode())
            sink.flush()
        except OSError:
            raise self._ended() from None
        while line := source.readline():
            kind, content = chr(line[0]), json.loads(line[1:])
            if kind == jq_worker.DONE:
                return
            if kind == jq_worker.RESULT:
                yield content
            elif kind == jq_worker.ERROR:
                raise SettingsError(f"{self._named} {objection}: {content.partition(chr(10))[0]}")
            else:
                raise missing_extra_error(ModuleNotFoundError(name="jq"), "api --jq", "api")
        raise self._ended()

    def _ended(self) -> TapError:
        status = self._process.wait()
        how = f"by signal {-status}: did it need too much memory?" if status < 0 else "by itself"
        return TapError(f"{self._named} was ended before its end, {how}")


@contextmanager
def jq_filter(program: str) -> Iterator[JqFilter]:
    """Run a jq program as long as the block lasts, however it ends."""
    command = [sys.executable, "-P", str(Path(jq_worker.__file__))]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield JqFilter(program, process)
    finally:
        process.kill()
        with suppress(BrokenPipeError):  # it may have died with a text half written
            process.communicate()
