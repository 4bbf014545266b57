"""Runs a command once, and measures what it took."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import IO

CHUNK = 1 << 20
LAUNCHER = Path(__file__).with_name("launch.py")
MARKS = (b'\n{"type":"RECORD"', b'\n{"type": "RECORD"')
"""How a line with a record begins, in Singer's protocol and in Airbyte's."""


class BenchmarkError(Exception):
    """A contestant failed, or did not deliver what it should have."""


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        wall: Seconds from its start to its end.
        cpu: Seconds of processor time, of the process and its children, in user and in system.
        memory: Most memory that it held at once, bytes.
        records: How many it wrote to standard output.
        written: How many bytes.
    """

    wall: float
    cpu: float
    memory: int
    records: int
    written: int

    def numbers(self) -> dict[str, Any]:
        """As plain numbers."""
        return dict(vars(self))


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    keep: Path | None = None,
) -> Run:
    """Run a command to its end.

    Args:
        command: The program and its arguments.
        folder: Where it works and logs.
        environment: Added to ours.
        keep: A file for its output; else the output is counted and forgotten.

    Raises:
        BenchmarkError: If it fails.
    """
    log, usage = folder / "stderr.log", folder / "usage.txt"
    usage.unlink(missing_ok=True)
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(usage), *command],
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101 - for mypy; it is a pipe
        records, written = _count(process.stdout, keep)
    code, wall, cpu, kilobytes = usage.read_text("ascii").split()
    if code != "0":
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise BenchmarkError(f"{command[0]} ended with {code}:\n{tail}")
    return Run(float(wall), float(cpu), int(kilobytes) * 1024, records, written)


def _count(output: IO[bytes], keep: Path | None) -> tuple[int, int]:
    """Count records and bytes of a stream until it ends."""
    records = written = 0
    overlap = max(map(len, MARKS)) - 1
    rest = b"\n"
    for chunk in _chunks(output, keep):
        written += len(chunk)
        text = rest + chunk
        records += sum(text.count(mark) for mark in MARKS)
        rest = text[-overlap:]
        records -= sum(rest.count(mark) for mark in MARKS)  # the short one fits in it
    records += sum(rest.count(mark) for mark in MARKS)
    return records, written


def _chunks(output: IO[bytes], keep: Path | None) -> Iterator[bytes]:
    if keep is None:
        while chunk := os.read(output.fileno(), CHUNK):
            yield chunk
        return
    with keep.open("wb") as file:
        while chunk := os.read(output.fileno(), CHUNK):
            file.write(chunk)
            yield chunk
