"""Writes docs/benchmarks.md and its plot from the stored results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import venvs
from benchmarks.plot import Panel, bars
from benchmarks.report import goals, requests_section
from benchmarks.report.figures import LABELS, ideal, marginal, middle
from benchmarks.report.sections import SECTIONS
from benchmarks.stage import PER_PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOCS = venvs.PROJECT / "docs"
README = venvs.PROJECT / "README.md"
TAP_DEFAULT = "tap, 4 at once"
BEGIN, END = "<!-- make bench -->", "<!-- /make bench -->"

INTRODUCTION = """\
# Benchmarks

What a sync asks for, and what a record costs, in this tap, in its peers and at the least, on one
machine. `make bench` measures and writes this page; [`benchmarks/`](../benchmarks) has it all.
"""

METHOD = """\
## How it is measured

- **Server.** A replay of one page of the sandbox's invoices with new ids on each page, in a process
  of its own. A row has {row_bytes:,.0f} bytes with all includes; a page has {per_page} rows. The
  parts about requests, about short streams and about the window use the sandbox itself.
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
  (`max_concurrency` 4).
- **Figures** are medians of the last measurement, with the lowest and highest in brackets; rounds
  are interleaved, each begins with another contestant. Requests and records are exact, so they are
  counted once. The goals show the measurement before, too. CPU seconds are those of user and
  system, from `wait4`, memory is the peak resident set. Output goes through a pipe to a counter.
"""


def page(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The whole page.

    Args:
        results: By part, its last measurements, the newest at the end.
    """
    last = {name: measured[-1] for name, measured in results.items()}
    before = {name: measured[-2] for name, measured in results.items() if len(measured) > 1}
    parts = [INTRODUCTION, goals.section(last, before)]
    if part := last.get("requests"):
        parts.append(requests_section.section(part))
    parts += ["![CPU and wall time of all contestants](benchmarks.svg)\n"] if panels(last) else []
    parts += [write(last[name]) for name, write in SECTIONS.items() if name in last]
    row_bytes = last.get("cpu", {}).get("row_bytes", 3600)
    method = METHOD.format(row_bytes=row_bytes, per_page=PER_PAGE)
    return "\n".join([*parts, method, _machines(results)])


def _machines(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Each machine, what was measured on it and when, and how long that took."""
    by_machine: dict[str, list[str]] = {}
    for name, measured in results.items():
        for each in measured:
            facts = each["machine"]
            versions = "".join(f"\n  - {key}: {value}" for key, value in facts["packages"].items())
            text = (
                f"{facts['processor']}, {facts['cores']} cores, {facts['memory']}; "
                f"{facts['system']}; Python {facts['python']}{versions}"
            )
            took = f", {each['seconds']:,.0f} s" if "seconds" in each else ""
            by_machine.setdefault(text, []).append(f"{name} ({facts['date']}{took})")
    lines = [f"- {text}\n  - measured: {', '.join(each)}\n" for text, each in by_machine.items()]
    return "## The machine\n\n" + "".join(lines)


def panels(last: Mapping[str, Any]) -> list[Panel]:
    """What is drawn."""
    found = []
    if part := last.get("cpu"):
        figures = [(LABELS[name], marginal(part, name)) for name in part["runs"]]
        found.append(Panel("CPU seconds per 100,000 invoices", figures, 1))
    if (own := last.get("latency")) and (part := last.get("sequential")):
        runs = {LABELS["tap"]: own["runs"][TAP_DEFAULT]}
        runs |= {LABELS[name]: others for name, others in part["runs"].items()}
        figures = [(label, middle(each, "wall")) for label, each in runs.items()]
        found.append(Panel(f"seconds for {part['pages']:,} pages at 150 ms", figures, 0))
    return found


def summary(last: Mapping[str, Any]) -> str:
    """What the README quotes."""
    lines = []
    if part := last.get("requests"):
        first, idle = (part["readers"]["tap"]["runs"][name] for name in ("first", "idle"))
        lines.append(
            f"- All default streams of three businesses: {first['requests']} requests for a first "
            f"sync, {idle['requests']} and {idle['records']:,}\n"
            "  records for one where nothing has changed\n"
        )
    if part := last.get("cpu"):
        own = marginal(part, "tap")
        parts = {name: own / marginal(part, name) for name in part["runs"]}
        lines.append(
            f"- CPU per invoice: {parts['sdk-default']:.2f} of what a tap with the SDK's defaults "
            f"takes, {parts['airbyte']:.2f} of\n  Airbyte's CDK, {parts['dlt']:.2f} of dlt, and "
            f"{parts['decode-encode']:.1f} × fetching, decoding and encoding alone\n"
        )
    if (part := last.get("latency")) and (others := last.get("sequential")):
        wall = middle(part["runs"][TAP_DEFAULT], "wall")
        lines.append(
            f"- {part['pages']:,} pages at 150 ms: {wall:.0f} s, of which "
            f"{ideal(part, 4):.1f} s are latency; "
            f"{middle(others['runs']['sdk-default'], 'wall'):.0f} s with the SDK's defaults\n"
        )
    if part := last.get("memory"):
        megabytes = middle(part["runs"]["tap"], "memory") / 1e6
        lines.append(f"- {part['records']:,} invoices in {megabytes:.0f} MB of memory\n")
    return "".join(lines)


def write(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the page, the plot, and the lines of the README."""
    last = {name: measured[-1] for name, measured in results.items()}
    (DOCS / "benchmarks.md").write_text(page(results), "utf-8")
    if drawn := panels(last):
        (DOCS / "benchmarks.svg").write_text(bars(drawn), "utf-8")
    text = README.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if end:
        README.write_text(f"{before}{BEGIN}\n{summary(last)}{END}{after}", "utf-8")
