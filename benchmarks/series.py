"""A series of parts: each is stored once it is done, and none is lost where another fails."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.bench import Bench, Part, Size, say, verify
from benchmarks.measure import BenchmarkError
from benchmarks.parts import PARTS
from benchmarks.stage import replay

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, names: Sequence[str]) -> list[str]:
        """Run parts: most of them alone, the patient ones beside those that wait.

        Returns:
            Those that failed.
        """
        if set(names) - set(OWN_BOOKS):
            say("Does everybody deliver everything?")
            with replay() as stage:
                verify(Bench(stage, self.folder, self.size))
        for name in names:
            if name not in (*PATIENT, *WAITING):
                self.measure(name)
        with ThreadPoolExecutor(len(WAITING)) as pool:
            for name in names:
                if name in WAITING:
                    pool.submit(self.measure, name)
            for name in names:
                if name in PATIENT:
                    self.measure(name)
        return self.failed

    def measure(self, name: str) -> None:
        """Run a part with a server of its own, and store what came of it."""
        say(f"{name}:")
        began = time.monotonic()
        try:
            with replay() as stage:
                part = PARTS[name](Bench(stage, self.folder, self.size))
        except (BenchmarkError, OSError, LookupError, ValueError) as error:
            say(f"  {name} failed: {error!r}")
            self.failed.append(name)
            return
        seconds = time.monotonic() - began
        self.store(name, part | {"machine": machine.description(), "seconds": seconds})
        say(f"  {name} took {seconds:.0f} s")

    def store(self, name: str, part: Part) -> None:
        """Add a measurement to those before it."""
        with self.lock:
            text = self.results.read_text("utf-8") if self.results.exists() else "{}"
            stored = json.loads(text)
            stored[name] = [*stored.get(name, []), part][-KEPT:]
            self.results.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
