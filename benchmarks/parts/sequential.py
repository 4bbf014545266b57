"""Wall time at 150 ms for those that ask for one page after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.bench import say, tell
from benchmarks.field import AIRBYTE, DLT, FETCH, SDK_DEFAULT, check
from benchmarks.parts.latency import LATENCY
from benchmarks.stage import PER_PAGE

if TYPE_CHECKING:
    from benchmarks.bench import Bench, Part
    from benchmarks.contestant import Contestant

WAITING: tuple[Contestant, ...] = (SDK_DEFAULT, AIRBYTE, DLT, FETCH)


def sequential(bench: Bench) -> Part:
    """Minutes that are spent waiting for the most part, so all wait side by side."""
    say(f" {bench.size.pages:,} pages at {LATENCY * 1000:.0f} ms, one after the other")
    jobs = {each: bench.job(each, "sequential") for each in WAITING}
    bench.stage.set(records=bench.size.pages * PER_PAGE, latency=LATENCY)

    def once(contestant: Contestant) -> dict[str, object]:
        done = contestant.run(jobs[contestant])
        check(contestant, jobs[contestant], done)
        tell(contestant.label, done)
        return done.numbers()

    with ThreadPoolExecutor(len(WAITING)) as pool:
        numbers = list(pool.map(once, WAITING))
    runs = {each.name: [found] for each, found in zip(WAITING, numbers, strict=True)}
    return {"latency": LATENCY, "pages": bench.size.pages, "runs": runs}
