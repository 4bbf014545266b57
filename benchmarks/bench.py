"""What all parts need: who reads what from where, and in which order."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.contestant import Contestant, Job
from benchmarks.field import CONTESTANTS, check
from benchmarks.measure import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.measure import Run
    from benchmarks.stage import Stage

Part = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is done."""

    repeats: int = 3
    records: int = 20_000
    pages: int = 1_000
    many: int = 1_000_000
    starts: int = 9
    window_invoices: int = 1_120


QUICK = Size(repeats=1, records=5_000, pages=60, many=10_000, starts=3, window_invoices=80)


@dataclass
class Bench:
    """What all parts need."""

    stage: Stage
    folder: Path
    size: Size

    def job(self, contestant: Contestant, purpose: str, **rest: Any) -> Job:
        """A job in a folder of its own."""
        folder = self.folder / purpose / contestant.name
        folder.mkdir(parents=True, exist_ok=True)
        return Job(self.stage, folder, **rest)

    def time(
        self, contestant: Contestant, job: Job, records: int, latency: float = 0
    ) -> dict[str, Any]:
        """Set the stage, run, see that everything was delivered."""
        contestant.command(job)  # what it writes before its first run is no part of the run
        self.stage.set(records=records, latency=latency)
        done = contestant.run(job)
        counts = self.stage.counts()
        check(contestant, job, done)
        tell(contestant.label, done)
        keys = ("requests", "most_in_flight")
        return done.numbers() | {key: counts[key] for key in keys} | {"server_cpu": counts["cpu"]}


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def tell(label: str, done: Run) -> None:
    """Show what a run took."""
    megabytes = done.memory / 1e6
    say(f"  {label:30}{done.wall:8.2f} s{done.cpu:8.2f} s CPU{megabytes:7.0f} MB")


def rounds(repeats: int, runners: Mapping[str, Callable[[], dict[str, Any]]]) -> Part:
    """Run everybody in turn, beginning with another one each time.

    Returns:
        By name, the numbers of each round.
    """
    names = list(runners)
    runs: Part = {name: [] for name in names}
    for number in range(repeats):
        say(f" round {number + 1} of {repeats}")
        first = number % len(names)
        for name in names[first:] + names[:first]:
            runs[name].append(runners[name]())
    return runs


def verify(bench: Bench) -> None:
    """See that each contestant delivers exactly the rows that there are.

    Raises:
        BenchmarkError: If one does not.
    """
    records = 1_050
    for contestant in CONTESTANTS:
        job = bench.job(contestant, "verify")
        contestant.command(job)
        bench.stage.set(records=records)
        done = contestant.run(job, keep=True)
        check(contestant, job, done)
        found = contestant.identifiers(job)
        if found is not None and len(set(found)) != records:
            raise BenchmarkError(f"{contestant.label} delivered {len(set(found))} ids of {records}")
        tell(contestant.label, done)
