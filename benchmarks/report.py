"""Writes docs/benchmarks.md and its plot from the stored results."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import venvs
from benchmarks.field import CONTESTANTS, MODELS
from benchmarks.plot import Panel, bars
from benchmarks.stage import PER_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DOCS = venvs.PROJECT / "docs"
README = venvs.PROJECT / "README.md"
BEGIN, END = "<!-- make bench -->", "<!-- /make bench -->"
NOTES = venvs.HERE / "notes.md"
"""Written by hand: where a goal is missed, why."""

LABELS = {each.name: each.label for each in CONTESTANTS}

INTRODUCTION = """\
# Benchmarks

What a record costs in this tap, in its peers and at the least, on one machine, from one server,
in one run. `make bench` measures and writes this page; [`benchmarks/`](../benchmarks) has it all.
"""

METHOD = """\
## How it is measured

- **Server.** A replay of one page of the sandbox's invoices with new ids on each page, in a process
  of its own. A row has {row_bytes:,.0f} bytes with all includes; a page has {per_page} rows. The
  part about short streams and the one about everything use the sandbox itself.
- **Contestants.** Each is a command in a process and a virtual environment of its own, with pinned
  versions. *SDK-default tap*: a `RESTStream` with a page-number paginator, JSONPath and typed
  schema, and no extras. *Airbyte CDK*: a declarative manifest run by `source-declarative-manifest`
  with the CDK's own concurrency (one list is one partition to it, so it asks for one page at a
  time). *dlt*: the `rest_api` source, extract and normalise, without a load; it makes tables of the
  lines, too. *Floors*: `requests` alone, and `requests` with msgspec decoding a page and encoding
  each row as a Singer message.
- **Everybody delivers everything**, or the run counts as failed: before the measurements the ids of
  1,050 rows are compared one by one, afterwards rows are counted in every run.
- **The peers' cheaper way.** In *CPU* they read the full table, without a cursor. The tap is as its
  users run it: the catalog selects `invoices` alone, `requests_per_second` is raised so that it
  does not limit, an `access_token` is configured, and all else has its default
  (`max_concurrency` {concurrency}).
- **Figures** are medians, with the lowest and highest in brackets; rounds are interleaved, each
  begins with another contestant. CPU seconds are those of user and system, from `wait4`, memory is
  the peak resident set. Output goes through a pipe to a counter.
"""


class Goal(NamedTuple):
    """A goal, and how it went."""

    text: str
    figure: str
    missed_by: str | None


def middle(runs: Sequence[Mapping[str, Any]], key: str) -> float:
    """The median of a figure."""
    return float(median(run[key] for run in runs))


def spread(runs: Sequence[Mapping[str, Any]], key: str, unit: float = 1, digits: int = 2) -> str:
    """The median, with the lowest and the highest."""
    values = [run[key] / unit for run in runs]
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    text = f"{median(values):.{digits}f}"
    return text if low == high else f"{text} ({low} to {high})"


def marginal(part: Mapping[str, Any], name: str) -> float:
    """CPU seconds for 100,000 records, what starting costs taken off."""
    more: float = middle(part["runs"][name], "cpu") - middle(part["page"][name], "cpu")
    records: int = part["records"] - PER_PAGE
    return more / records * 100_000


def at_most(text: str, figure: float, limit: float, unit: str = "") -> Goal:
    """A goal that is met below a limit."""
    missed = None if figure <= limit else f"{figure / limit:.2f} × what was allowed"
    return Goal(text, f"{figure:,.2f}{unit}", missed)


def goals(results: Mapping[str, Any]) -> Iterator[Goal]:
    """All goals that something was measured for."""
    if part := results.get("cpu"):
        own = marginal(part, "tap")
        for name, text, limit in (
            ("sdk-default", "CPU per record, at most 1/4 of an SDK-default tap", 1 / 4),
            ("airbyte", "CPU per record, at most 1/3 of Airbyte's CDK", 1 / 3),
            ("decode-encode", "CPU per record, at most 1.6 × fetch, decode, encode", 1.6),
        ):
            yield at_most(text, own / marginal(part, name), limit, " ×")
    if part := results.get("latency"):
        runs = part["runs"]["tap"]
        share = ideal(part) / middle(runs, "wall")
        text = f"{part['pages']:,} pages at 150 ms: at least 0.9 of the ideal"
        yield Goal(text, f"{share:.2f}", None if share >= 0.9 else f"{0.9 - share:.2f}")  # noqa: PLR2004
        most = max(run["most_in_flight"] for run in runs + part["short"]["runs"]["tap"])
        cap = part["concurrency"]
        text = f"Never more than `max_concurrency` ({cap}) in flight"
        yield Goal(text, str(most), None if most <= cap else str(most - cap))
    if part := results.get("memory"):
        megabytes = middle(part["runs"]["tap"], "memory") / 1e6
        yield at_most(f"{part['records']:,} records in at most 150 MB", megabytes, 150, " MB")
    if part := results.get("startup"):
        base = middle(part["runs"]["import singer_sdk"], "wall")
        for name in ("--discover", "--about"):
            text = f"`{name}`: at most 1.25 × `import singer_sdk`"
            yield at_most(text, middle(part["runs"][name], "wall") / base, 1.25, " ×")
    if part := results.get("unified"):
        for native, model in MODELS:
            one, other = (middle(part["runs"][each.name], "wall") for each in (native, model))
            text = f"{' and '.join(f'`{name}`' for name in model.streams)}: at most 1.5 × native"
            yield at_most(text, other / one, 1.5, " ×")
    if part := results.get("idle"):
        most = max(part["everything"]["paths"].values())
        text = "Nothing new: at most 2 requests for a stream of a business"
        yield Goal(text, str(most), None if most <= 2 else f"{most - 2} requests")  # noqa: PLR2004


def ideal(part: Mapping[str, Any]) -> float:
    """Seconds that the pages take at best."""
    return float(part["pages"] * part["latency"] / part["concurrency"])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, all columns but the first to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _goals(results: Mapping[str, Any]) -> str:
    rows = [
        [goal.text, goal.figure, f"**missed** by {goal.missed_by}" if goal.missed_by else "met"]
        for goal in goals(results)
    ]
    text = "## Goals\n\n" + table(["goal", "measured", ""], rows)
    return text + ("\n" + NOTES.read_text("utf-8") if NOTES.exists() else "")


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
    best = ideal(part)
    rows = [
        [
            LABELS[name],
            spread(runs, "wall", digits=1),
            f"{best / middle(runs, 'wall'):.2f}",
            str(len(runs)),
        ]
        for name, runs in part["runs"].items()
    ]
    short = part["short"]
    names = {
        "tap": f"{LABELS['tap']}, `max_concurrency` {part['concurrency']} (default)",
        "tap, one at a time": f"{LABELS['tap']}, `max_concurrency` 1",
        "sdk-default": f"{LABELS['sdk-default']}, as many streams as requests",
    }
    short_rows = [
        [
            names[name],
            spread(runs, "wall"),
            f"{middle(runs, 'requests'):.0f}",
            str(max(run["most_in_flight"] for run in runs)),
        ]
        for name, runs in short["runs"].items()
    ]
    sequential = short["requests"] * part["latency"]
    return (
        "## Wall time at 150 ms\n\n"
        f"One stream of {part['pages']:,} pages. The ideal, pages × latency / concurrency, is\n"
        f"{best:.1f} s for a concurrency of {part['concurrency']}, and"
        f" {best * part['concurrency']:.0f} s for one request at a time.\n\n"
        + table(["", "wall, s", "of the ideal", "runs"], rows)
        + "\nThose that ask for one page after the other ran side by side, for most of that is\n"
        "waiting; alone they are faster by what they were in each other's way.\n\n"
        f"All default streams of one business, each with a page or less: {short['requests']}\n"
        f"requests, {sequential:.1f} s of latency if sent one by one,"
        f" {sequential / part['concurrency']:.1f} s if {part['concurrency']} at once.\n\n"
        + table(["", "wall, s", "requests", "most in flight"], short_rows)
    )


def _idle(part: Mapping[str, Any]) -> str:
    rows = [
        [LABELS[name], spread(runs, "wall"), spread(runs, "cpu"), f"{runs[0]['requests']}"]
        for name, runs in part["runs"].items()
    ]
    everything = part["everything"]
    paths = everything["paths"]
    above = sorted({path.rsplit("/", 1)[1] for path, asked in paths.items() if asked > 2})  # noqa: PLR2004
    named = f" More than two: {', '.join(above)}." if above else ""
    return (
        "## A sync with nothing new\n\nInvoices alone, the state being that of a run before:\n\n"
        + table(["", "wall, s", "CPU, s", "requests"], rows)
        + "\nAll default streams of all businesses of the sandbox: "
        f"{spread(everything['runs'], 'wall')} s and\n"
        f"{middle(everything['runs'], 'requests'):.0f} requests for {len(paths)} lists "
        f"(a stream of a business each), at most {max(paths.values())} for one.{named}\n"
    )


def _startup(part: Mapping[str, Any]) -> str:
    base = middle(part["runs"]["import singer_sdk"], "wall")
    rows = [
        [
            f"`{name}`",
            spread(runs, "wall"),
            spread(runs, "cpu"),
            f"{middle(runs, 'wall') / base:.2f}",
        ]
        for name, runs in part["runs"].items()
    ]
    head = ["", "wall, s", "CPU, s", "× `import singer_sdk`"]
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


def _machines(results: Mapping[str, Any]) -> str:
    by_machine: dict[str, list[str]] = {}
    for name, part in results.items():
        facts = part["machine"]
        versions = "".join(f"\n  - {key}: {value}" for key, value in facts["packages"].items())
        text = (
            f"{facts['processor']}, {facts['cores']} cores, {facts['memory']}; {facts['system']}; "
            f"Python {facts['python']}; {facts['date']}.{versions}"
        )
        by_machine.setdefault(text, []).append(name)
    lines = [f"- {', '.join(names)}: {text}\n" for text, names in by_machine.items()]
    return "## The machine\n\n" + "".join(lines)


def page(results: Mapping[str, Any]) -> str:
    """The whole page."""
    sections = {
        "cpu": _cpu,
        "latency": _latency,
        "idle": _idle,
        "startup": _startup,
        "memory": _memory,
        "unified": _unified,
    }
    plot = "![CPU and wall time of all contestants](benchmarks.svg)\n"
    parts = [INTRODUCTION, _goals(results), *([plot] if panels(results) else [])]
    parts += [write(results[name]) for name, write in sections.items() if name in results]
    method = METHOD.format(
        row_bytes=results.get("cpu", {}).get("row_bytes", 3600),
        per_page=PER_PAGE,
        concurrency=results.get("latency", {}).get("concurrency", 4),
    )
    return "\n".join([*parts, method, _machines(results)])


def panels(results: Mapping[str, Any]) -> list[Panel]:
    """What is drawn."""
    found = []
    if part := results.get("cpu"):
        figures = [(LABELS[name], marginal(part, name)) for name in part["runs"]]
        found.append(Panel("CPU seconds per 100,000 invoices", figures, 1))
    if part := results.get("latency"):
        figures = [(LABELS[name], middle(runs, "wall")) for name, runs in part["runs"].items()]
        found.append(Panel(f"seconds for {part['pages']:,} pages at 150 ms", figures, 0))
    return found


def summary(results: Mapping[str, Any]) -> str:
    """What the README quotes."""
    lines = []
    if part := results.get("cpu"):
        own = marginal(part, "tap")
        parts = {name: own / marginal(part, name) for name in part["runs"]}
        lines.append(
            f"- CPU per invoice: {parts['sdk-default']:.2f} of what a tap with the SDK's defaults "
            f"takes, {parts['airbyte']:.2f} of\n  Airbyte's CDK, {parts['dlt']:.2f} of dlt, and "
            f"{parts['decode-encode']:.1f} × fetching, decoding and encoding alone\n"
        )
    if part := results.get("latency"):
        runs, alone = part["runs"], part["runs"]["sdk-default"]
        lines.append(
            f"- {part['pages']:,} pages at 150 ms: {middle(runs['tap'], 'wall'):.0f} s, of which "
            f"{ideal(part):.1f} s are latency; {middle(alone, 'wall'):.0f} s with the SDK's "
            "defaults\n"
        )
    if part := results.get("memory"):
        megabytes = middle(part["runs"]["tap"], "memory") / 1e6
        lines.append(f"- {part['records']:,} invoices in {megabytes:.0f} MB of memory\n")
    return "".join(lines)


def write(results: Mapping[str, Any]) -> None:
    """Write the page, the plot, and the lines of the README."""
    (DOCS / "benchmarks.md").write_text(page(results), "utf-8")
    if drawn := panels(results):
        (DOCS / "benchmarks.svg").write_text(bars(drawn), "utf-8")
    text = README.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if end:
        README.write_text(f"{before}{BEGIN}\n{summary(results)}{END}{after}", "utf-8")
