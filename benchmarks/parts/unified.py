"""The unified model beside the native streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.bench import rounds, say
from benchmarks.field import MODELS
from benchmarks.measure import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench, Part
    from benchmarks.contestant import Contestant


def unified(bench: Bench) -> Part:
    """What a row of the unified model costs beside the native one."""
    records = bench.size.records
    say(f" {records:,} invoices")
    contestants = [each for pair in MODELS for each in pair]

    def runner(contestant: Contestant) -> Callable[[], dict[str, Any]]:
        job = bench.job(contestant, "unified")
        return lambda: bench.time(contestant, job, records)

    runs = rounds(bench.size.repeats, {each.name: runner(each) for each in contestants})
    for native, model in MODELS:
        delivered = {run["records"] for each in (native, model) for run in runs[each.name]}
        if len(delivered) != 1:
            raise BenchmarkError(f"{native.label} and {model.label} delivered {delivered} records")
    return {"records": records, "runs": runs}
