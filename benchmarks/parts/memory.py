"""The most memory that the tap holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench import say
from benchmarks.field import TAP

if TYPE_CHECKING:
    from benchmarks.bench import Bench, Part


def memory(bench: Bench) -> Part:
    """A million records."""
    job = bench.job(TAP, "memory")
    say(f" {bench.size.many:,} records")
    return {"records": bench.size.many, "runs": {TAP.name: [bench.time(TAP, job, bench.size.many)]}}
