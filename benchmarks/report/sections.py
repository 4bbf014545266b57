"""The sections of the page about seconds and memory, one for each part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.field import MODELS
from benchmarks.report.figures import LABELS, ideal, least_seconds, marginal, middle, spread, table

if TYPE_CHECKING:
    from collections.abc import Mapping


def _cpu(part: Mapping[str, Any]) -> str:
    records = part["records"]
    own = marginal(part, "tap")
    rows = []
    for name, runs in part["runs"].items():
        each = marginal(part, name)
        rows.append(
            [
                LABELS[name],
                f"{records / middle(runs, 'wall'):,.0f}",
                f"{each:.1f}",
                f"{own / each:.2f}",
                spread(runs, "cpu", records / 100_000, 1),
                f"{middle(part['page'][name], 'cpu'):.2f}",
                f"{middle(runs, 'memory') / 1e6:.0f}",
            ]
        )
    head = [
        "",
        "records per second",
        "CPU s per 100,000 records",
        "this tap's part of it",
        "the same with start-up",
        "CPU s to start (one page)",
        "peak memory, MB",
    ]
    busy = max(run["server_cpu"] / run["wall"] for runs in part["runs"].values() for run in runs)
    return (
        f"## CPU and memory: {records:,} invoices\n\n{table(head, rows)}\n"
        "CPU seconds per 100,000 records are those beyond the run with one page, so that nobody's\n"
        "start-up is spread over records; goals are judged by them. Records per second are of the\n"
        f"whole run, start-up included. The server was busy for {busy:.0%} of a run at most.\n"
    )


def _latency(part: Mapping[str, Any]) -> str:
    rows = []
    for name, runs in part["runs"].items():
        contestant, _, at_once = name.partition(", ")
        best = ideal(part, int(at_once.split()[0]))
        share = f"{best / middle(runs, 'wall'):.2f}"
        label = f"{LABELS[contestant]}, {at_once}"
        rows.append(
            [
                label,
                f"{best:.1f}",
                spread(runs, "wall", digits=1),
                share,
                spread(runs, "cpu", digits=1),
            ]
        )
    return (
        "## Wall time at 150 ms\n\n"
        f"One stream of {part['pages']:,} pages. The ideal is pages × latency / concurrency.\n\n"
        + table(["", "ideal, s", "wall, s", "of the ideal", "CPU, s"], rows)
        + "\nThe floor decodes and encodes in the threads that fetch, one for each page that is\n"
        "asked for: what it lacks of the ideal is what the interpreter's lock costs anybody, for\n"
        "one thread at a time can decode or encode.\n\n" + _short(part)
    )


def _short(part: Mapping[str, Any]) -> str:
    short, at_once = part["short"], part["concurrency"][0]
    names = {
        "tap": f"{LABELS['tap']}, `max_concurrency` {at_once} (default)",
        "tap, one at a time": f"{LABELS['tap']}, `max_concurrency` 1",
        "sdk-default": f"{LABELS['sdk-default']}, as many streams as requests",
    }
    rows = [
        [
            names[name],
            spread(runs, "wall"),
            f"{middle(runs, 'requests'):.0f}",
            str(max(run["most_in_flight"] for run in runs)),
        ]
        for name, runs in short["runs"].items()
    ]
    one_by_one = short["requests"] * part["latency"]
    return (
        f"All default streams of one business, each with a page or less: {short['requests']}\n"
        f"requests, {one_by_one:.1f} s of latency if sent one by one,"
        f" {one_by_one / at_once:.1f} s if {at_once} at once.\n\n"
        + table(["", "wall, s", "requests", "most in flight"], rows)
    )


def _sequential(part: Mapping[str, Any]) -> str:
    best = ideal(part, 1)
    rows = [
        [LABELS[name], spread(runs, "wall", digits=1), f"{best / middle(runs, 'wall'):.2f}"]
        for name, runs in part["runs"].items()
    ]
    return (
        "## Wall time at 150 ms: one page after the other\n\n"
        f"The same {part['pages']:,} pages; {best:.0f} s at best. All ran side by side, for most\n"
        "of that is waiting; alone they are faster by what they were in each other's way.\n\n"
        + table(["", "wall, s", "of the ideal"], rows)
    )


def _idle(part: Mapping[str, Any]) -> str:
    rows = [
        [LABELS[name], spread(runs, "wall"), spread(runs, "cpu"), f"{runs[0]['requests']}"]
        for name, runs in part["runs"].items()
    ]
    return (
        "## A sync with nothing new: invoices alone\n\nThe state is that of a run before.\n\n"
        + table(["", "wall, s", "CPU, s", "requests"], rows)
    )


def _startup(part: Mapping[str, Any]) -> str:
    base = middle(part["runs"]["import singer_sdk"], "cpu")
    rows = [
        [
            f"`{name}`",
            spread(runs, "wall"),
            spread(runs, "cpu"),
            f"{middle(runs, 'cpu') / base:.2f}",
        ]
        for name, runs in part["runs"].items()
    ]
    head = ["", "wall, s", "CPU, s", "CPU × `import singer_sdk`"]
    return f"## Starting\n\n{table(head, rows)}"


def _memory(part: Mapping[str, Any]) -> str:
    runs = part["runs"]["tap"]
    return (
        f"## Memory over {part['records']:,} records\n\n"
        f"The tap held {middle(runs, 'memory') / 1e6:.0f} MB at most, in {middle(runs, 'wall'):.0f}"
        f" s, and wrote {middle(runs, 'written') / 1e9:.2f} GB.\n"
    )


def _unified(part: Mapping[str, Any]) -> str:
    rows = []
    for native, model in MODELS:
        one, other = (middle(part["runs"][each.name], "wall") for each in (native, model))
        streams = [", ".join(f"`{name}`" for name in each.streams) for each in (native, model)]
        rows.append([*streams, f"{one:.1f}", f"{other:.1f}", f"{other / one:.2f}"])
    head = ["native", "unified", "native, s", "unified, s", "×"]
    return (
        f"## The unified model: {part['records']:,} invoices\n\n{table(head, rows)}\n"
        "Whole runs, start-up included; each reads its streams alone, from the same pages.\n"
    )


def _window(part: Mapping[str, Any]) -> str:
    rows = []
    for case in part["cases"].values():
        least = least_seconds(part, case)
        rows.append(
            [
                str(case["processes"]),
                f"{case['requests']:,}",
                f"{least:.0f}",
                f"{case['seconds']:.0f}",
                f"{case['seconds'] / least:.2f}",
                str(case["refused"]),
            ]
        )
    return (
        f"## A rate limit of {part['limit']} requests in {part['window']} s\n\n"
        "A first sync of all default streams. Two processes have one token, so they share the\n"
        "window, and know nothing of each other. At the least, all windows but the last are used\n"
        f"up, and the last as fast as `requests_per_second` ({part['per_second']}, the default)"
        " lets.\n\n"
        + table(["processes", "requests", "least, s", "took, s", "×", "refused (429)"], rows)
    )


SECTIONS = {
    "window": _window,
    "latency": _latency,
    "sequential": _sequential,
    "cpu": _cpu,
    "idle": _idle,
    "startup": _startup,
    "memory": _memory,
    "unified": _unified,
}
"""What is written about a part, in the order of the page."""
