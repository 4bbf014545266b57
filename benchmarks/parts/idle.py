"""A sync of invoices with nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.bench import rounds, say, tell
from benchmarks.field import AIRBYTE, DLT, SDK_DEFAULT, TAP, check
from benchmarks.measure import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench, Part
    from benchmarks.contestant import Contestant, Job


def idle(bench: Bench) -> Part:
    """A second run where nothing has changed."""
    say(" invoices alone")
    records = 1_000
    runners = {}
    for contestant in (TAP, SDK_DEFAULT, AIRBYTE, DLT):
        job = bench.job(contestant, "idle", incremental=True)
        job.state.unlink(missing_ok=True)
        contestant.command(job)
        bench.stage.set(records=records)
        check(contestant, job, contestant.run(job, keep=True))
        contestant.remember(job)
        runners[contestant.name] = _idle_runner(bench, contestant, job)
    return {"runs": rounds(bench.size.repeats, runners)}


def _idle_runner(bench: Bench, contestant: Contestant, job: Job) -> Callable[[], dict[str, Any]]:
    def once() -> dict[str, Any]:
        contestant.command(job)
        bench.stage.set(records=bench.stage.records)
        done = contestant.run(job)
        counts = bench.stage.counts()
        tell(contestant.label, done)
        again = contestant.records(job, done)
        if again:
            raise BenchmarkError(f"{contestant.label} delivered {again} records that are not new")
        return done.numbers() | {"requests": counts["requests"]}

    return once
