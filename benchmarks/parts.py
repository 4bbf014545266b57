"""The parts of the benchmark; each gives plain numbers for the report."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import venvs
from benchmarks.field import (
    AIRBYTE,
    CONTESTANTS,
    DLT,
    FETCH,
    MODELS,
    SDK_DEFAULT,
    TAP,
    Contestant,
    Job,
    check,
)
from benchmarks.measure import BenchmarkError, Run, run
from benchmarks.stage import PER_PAGE, sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.stage import Stage

LATENCY = 0.15
CONCURRENCY = 4
"""The tap's default for `max_concurrency`."""

WAITING = (SDK_DEFAULT, AIRBYTE, DLT)
"""Who asks for one page after the other: a minute of theirs is spent waiting."""

Part = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is done."""

    repeats: int = 5
    waiting_repeats: int = 1
    records: int = 30_000
    pages: int = 1_000
    many: int = 1_000_000
    starts: int = 9


QUICK = Size(repeats=1, records=5_000, pages=60, many=10_000, starts=3)


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


def latency(bench: Bench) -> Part:
    """Wall time where each answer takes 150 ms: one long stream, and many short ones."""
    records = bench.size.pages * PER_PAGE
    say(f" {bench.size.pages:,} pages at {LATENCY * 1000:.0f} ms")
    job = bench.job(TAP, "latency", settings={"max_concurrency": CONCURRENCY})
    runs = rounds(
        bench.size.repeats, {TAP.name: lambda: bench.time(TAP, job, records, latency=LATENCY)}
    )
    for _ in range(bench.size.waiting_repeats):
        for name, numbers in _side_by_side(bench, (*WAITING, FETCH), records).items():
            runs.setdefault(name, []).append(numbers)
    return {
        "latency": LATENCY,
        "concurrency": CONCURRENCY,
        "pages": bench.size.pages,
        "runs": runs,
        "short": _short_streams(bench),
    }


def _side_by_side(bench: Bench, contestants: Sequence[Contestant], records: int) -> Part:
    """Run those that mostly wait at the same time."""
    jobs = {each: bench.job(each, "latency") for each in contestants}
    bench.stage.set(records=records, latency=LATENCY)
    done: dict[Contestant, Run] = {}
    failures: list[BenchmarkError] = []

    def start(contestant: Contestant) -> None:
        try:
            done[contestant] = contestant.run(jobs[contestant])
        except BenchmarkError as error:
            failures.append(error)

    threads = [threading.Thread(target=start, args=(each,)) for each in contestants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    for contestant in contestants:
        check(contestant, jobs[contestant], done[contestant])
        tell(contestant.label, done[contestant])
    return {each.name: done[each].numbers() for each in contestants}


def _short_streams(bench: Bench) -> Part:
    """All default streams of one business, each of a page or less, in the sandbox."""
    with sandbox(bench.folder, invoices=30) as books:
        business = books.first_business()
        settings = books.settings() | {"business_ids": [business["id"]]}
        peer = {
            name: value
            for name, value in settings.items()
            if name not in {"business_ids", "auth_url"}
        }
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
            wanted = settings | {"max_concurrency": concurrency}
            purpose = f"short, {concurrency} at once"
            return runner(TAP, bench.job(TAP, purpose, everything=True, settings=wanted))

        say(f" all default streams of one business at {LATENCY * 1000:.0f} ms")
        requests = tap(CONCURRENCY)()["requests"]
        peer |= {"account_id": business["account_id"], "small_streams": requests}
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


def memory(bench: Bench) -> Part:
    """The most memory that the tap holds for a million records."""
    job = bench.job(TAP, "memory", settings={"max_concurrency": CONCURRENCY})
    say(f" {bench.size.many:,} records")
    return {"records": bench.size.many, "runs": {TAP.name: [bench.time(TAP, job, bench.size.many)]}}


def startup(bench: Bench) -> Part:
    """What the commands take that read nothing."""
    folder = bench.job(TAP, "startup").folder
    tap = venvs.script(venvs.TAP, "tap-freshbooks")
    python = venvs.python(venvs.TAP)
    config = bench.job(TAP, "startup").write(
        "config.json", {"access_token": "bench", "api_url": bench.stage.url}
    )
    commands = {
        "import singer_sdk": [python, "-c", "import singer_sdk"],
        "--about": [tap, "--about"],
        "--discover": [tap, "--config", config, "--discover"],
        "SDK-default tap --about": [
            *(venvs.python("sdk-default"), str(venvs.HERE / "contestants" / "sdk_default.py")),
            "--about",
        ],
    }

    def runner(name: str, command: list[str]) -> Callable[[], dict[str, Any]]:
        def once() -> dict[str, Any]:
            done = run(command, folder=folder)
            tell(name, done)
            return done.numbers()

        return once

    runners = {name: runner(name, command) for name, command in commands.items()}
    for once in runners.values():
        once()  # so that no one alone finds cold files
    return {"runs": rounds(bench.size.starts, runners)}


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
    return {"runs": rounds(bench.size.repeats, runners), "everything": _idle_sandbox(bench)}


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


def _idle_sandbox(bench: Bench) -> Part:
    """All default streams of all businesses of a sandbox, with nothing new."""
    say(" all default streams of the sandbox")
    with sandbox(bench.folder, invoices=120) as books:
        job = bench.job(
            TAP, "idle everything", incremental=True, everything=True, settings=books.settings()
        )
        job.state.unlink(missing_ok=True)
        first = TAP.run(job, keep=True)
        tell("first run", first)
        TAP.remember(job)
        runs = []
        for _ in range(bench.size.repeats):
            books.clear()
            done = TAP.run(job)
            counts = books.counts()
            tell("nothing new", done)
            runs.append(done.numbers() | {"requests": counts["requests"]})
    return {"first": first.numbers(), "runs": runs, "paths": counts["paths"]}


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


PARTS: dict[str, Callable[[Bench], Part]] = {
    "startup": startup,
    "cpu": cpu,
    "latency": latency,
    "idle": idle,
    "memory": memory,
    "unified": unified,
}
