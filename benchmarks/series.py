"""A series of parts: each is stored once it is done, and none is lost where another fails."""

from __future__ import annotations

import json
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.bench import Bench, Part, Size, say, verify
from benchmarks.parts import PARTS
from benchmarks.stage import replay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from pathlib import Path

KEPT = 2
"""How many measurements of a part are kept."""

PATIENT = ("sequential", "memory")
"""Parts that take minutes, and in whose seconds no goal lies: they stand a neighbour."""

WAITING = ("window",)
"""Parts that do hardly anything but wait: the patient ones go on meanwhile."""

OWN_BOOKS = ("requests", "startup", "window")
"""Parts that read no replayed invoices."""


@dataclass
class Series:
    """Runs parts.

    Attributes:
        folder: For files of the runs.
        size: How much is done.
        results: The file of all measurements.
        failed: The parts that failed.
    """

    folder: Path
    size: Size
    results: Path
    failed: list[str] = field(default_factory=list)

    def run(self, names: Sequence[str]) -> list[str]:
        """Run parts: most of them alone, the patient ones beside those that wait.

        Returns:
            Those that failed.
        """
        if set(names) - set(OWN_BOOKS):
            say("Does everybody deliver everything?")
            with replay() as stage:
                verify(Bench(stage, self.folder, self.size))
        with ThreadPoolExecutor(len(WAITING) + 1) as pool:
            for name in names:
                if name not in (*PATIENT, *WAITING):
                    self.settle(name, pool.submit(self.measure, name))
            waiting = {name: pool.submit(self.measure, name) for name in names if name in WAITING}
            for name in names:
                if name in PATIENT:
                    self.settle(name, pool.submit(self.measure, name))
            for name, measured in waiting.items():
                self.settle(name, measured)
        return self.failed

    def measure(self, name: str) -> Part:
        """Run a part with a server of its own."""
        say(f"{name}:")
        began = time.monotonic()
        with replay() as stage:
            part = PARTS[name](Bench(stage, self.folder, self.size))
        seconds = time.monotonic() - began
        say(f"  {name} took {seconds:.0f} s")
        return part | {"seconds": seconds}

    def settle(self, name: str, measured: Future[Part]) -> None:
        """Wait for a part, and add it to the measurements before it, or to what failed."""
        if error := measured.exception():
            say(f"  {name} failed:\n{''.join(traceback.format_exception(error))}")
            self.failed.append(name)
            return
        part = measured.result() | {"machine": machine.description()}
        stored = json.loads(self.results.read_text("utf-8")) if self.results.exists() else {}
        stored[name] = [*stored.get(name, []), part][-KEPT:]
        self.results.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
