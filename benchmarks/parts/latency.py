"""Wall time where each answer takes 150 ms, for those that ask for several pages at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.bench import rounds, say, tell
from benchmarks.field import DECODE_ENCODE, SDK_DEFAULT, TAP
from benchmarks.measure import BenchmarkError
from benchmarks.stage import PER_PAGE, sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench, Part
    from benchmarks.contestant import Contestant, Job

LATENCY = 0.15
CONCURRENCY = 4
"""The tap's default for `max_concurrency`."""

AT_ONCE = (CONCURRENCY, 16)


def latency(bench: Bench) -> Part:
    """One long stream, and many short ones."""
    say(f" {bench.size.pages:,} pages at {LATENCY * 1000:.0f} ms")
    who = [(TAP, number) for number in AT_ONCE] + [(DECODE_ENCODE, AT_ONCE[-1])]
    runners = {
        f"{each.name}, {number} at once": _long_stream(bench, each, number) for each, number in who
    }
    return {
        "latency": LATENCY,
        "concurrency": list(AT_ONCE),
        "pages": bench.size.pages,
        "runs": rounds(bench.size.repeats, runners),
        "short": _short_streams(bench),
    }


def _long_stream(bench: Bench, contestant: Contestant, at_once: int) -> Callable[[], Any]:
    settings = {"max_concurrency": at_once}
    job = bench.job(contestant, f"latency, {at_once} at once", settings=settings)
    records = bench.size.pages * PER_PAGE
    return lambda: bench.time(contestant, job, records, latency=LATENCY)


def _short_streams(bench: Bench) -> Part:
    """All default streams of one business, each of a page or less, in the sandbox."""
    with sandbox(bench.folder, invoices=30) as books:
        business = books.businesses()[0]
        settings = books.settings()
        books.latency(LATENCY)

        def runner(contestant: Contestant, job: Job) -> Callable[[], dict[str, Any]]:
            def once() -> dict[str, Any]:
                contestant.command(job)
                books.clear()
                done = contestant.run(job)
                counts = books.counts()
                tell(job.folder.parent.name, done)
                keys = ("requests", "most_in_flight")
                return done.numbers() | {key: counts[key] for key in keys}

            return once

        def tap(concurrency: int) -> Callable[[], dict[str, Any]]:
            wanted = {"business_ids": [business["id"]], "max_concurrency": concurrency}
            purpose = f"short, {concurrency} at once"
            job = bench.job(TAP, purpose, everything=True, settings=settings | wanted)
            return runner(TAP, job)

        say(f" all default streams of one business at {LATENCY * 1000:.0f} ms")
        requests = tap(CONCURRENCY)()["requests"]
        peer = _peer_settings(settings, business, requests)
        default = bench.job(SDK_DEFAULT, "short, the SDK's way", settings=peer)
        runs = rounds(
            bench.size.repeats,
            {
                "tap": tap(CONCURRENCY),
                "tap, one at a time": tap(1),
                "sdk-default": runner(SDK_DEFAULT, default),
            },
        )
    if len({each["records"] for name in ("tap", "tap, one at a time") for each in runs[name]}) > 1:
        raise BenchmarkError("the tap delivered more or fewer records when it read ahead")
    return {"requests": requests, "runs": runs}


def _peer_settings(
    settings: Mapping[str, Any], business: Mapping[str, Any], streams: int
) -> dict[str, Any]:
    kept = {name: settings[name] for name in ("access_token", "api_url")}
    return {**kept, "account_id": business["account_id"], "small_streams": streams}
