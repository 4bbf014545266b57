"""How well the tap uses a rate limit: 250 requests a minute, for one process and for two.

The sandbox counts requests in windows of a minute, each of which opens with its first request, and
refuses what is above the limit (docs/freshbooks-api/errors-and-limits.md §2). Its pages are small,
so that few rows need many requests.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.bench import say
from benchmarks.field import TAP
from benchmarks.stage import sandbox

if TYPE_CHECKING:
    from benchmarks.bench import Bench, Part

LIMIT = 250
WINDOW = 60
REQUESTS_PER_SECOND = 10
"""The tap's default: faster than this a window cannot be used."""

CASES = {"one": 1, "two": 2}
"""Processes by case."""


def window(bench: Bench) -> Part:
    """A first sync of about 2,000 requests by one process; by two, each of half as many."""
    say(f" {LIMIT} requests a minute: minutes of waiting")
    with ThreadPoolExecutor(len(CASES)) as pool:
        done = pool.map(lambda name: _case(bench, name, CASES[name]), CASES)
        cases = dict(zip(CASES, done, strict=True))
    return {"limit": LIMIT, "window": WINDOW, "per_second": REQUESTS_PER_SECOND, "cases": cases}


def _case(bench: Bench, name: str, processes: int) -> Part:
    """Processes that begin together, with one token."""
    folder = bench.folder / "window" / name
    folder.mkdir(parents=True, exist_ok=True)
    invoices = bench.size.window_invoices // processes
    with sandbox(folder, invoices, rate_limit=LIMIT, behaviours=("small_pages=all",)) as books:
        settings = {**books.settings(), "requests_per_second": REQUESTS_PER_SECOND}
        jobs = [
            bench.job(TAP, f"window, {number} of {processes}", everything=True, settings=settings)
            for number in range(1, processes + 1)
        ]
        books.clear()
        with ThreadPoolExecutor(processes) as pool:
            runs = list(pool.map(TAP.run, jobs))
        counts = books.counts()
    refused = counts["statuses"].get("429", 0)
    seconds = max(run.wall for run in runs)
    say(f"  {processes} at once: {counts['requests']} requests, {refused} refused, {seconds:.1f} s")
    return {
        "processes": processes,
        "requests": counts["requests"] - refused,
        "refused": refused,
        "seconds": seconds,
        "runs": [run.numbers() for run in runs],
    }
