"""What a record costs, in processor time and in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.bench import rounds, say
from benchmarks.field import CONTESTANTS
from benchmarks.stage import PER_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench, Part
    from benchmarks.contestant import Contestant


def cpu(bench: Bench) -> Part:
    """What a record costs; once with one page alone, for what starting costs."""
    records = bench.size.records

    def runner(contestant: Contestant, records: int) -> Callable[[], dict[str, Any]]:
        job = bench.job(contestant, "cpu")
        return lambda: bench.time(contestant, job, records)

    say(f" one page of {PER_PAGE}, for the costs of starting")
    page = rounds(bench.size.repeats, {each.name: runner(each, PER_PAGE) for each in CONTESTANTS})
    say(f" {records:,} records")
    runs = rounds(bench.size.repeats, {each.name: runner(each, records) for each in CONTESTANTS})
    row_bytes = bench.stage.counts()["row_bytes"]
    return {"records": records, "row_bytes": row_bytes, "page": page, "runs": runs}
