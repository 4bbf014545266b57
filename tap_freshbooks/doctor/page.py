"""What people read: the differences first, then what was not tested, then what is true.

Findings of one question that say the same are one entry. At a terminal rich draws a table.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_freshbooks.doctor.examination import NO_SUBJECT
from tap_freshbooks.doctor.findings import Outcome
from tap_freshbooks.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from tap_freshbooks.doctor.findings import Finding

TITLES = {
    Outcome.FALSE: "Not so here",
    Outcome.NOT_TESTED: "Not tested",
    Outcome.TRUE: "True",
}
STYLES = {Outcome.FALSE: "bold red", Outcome.NOT_TESTED: "yellow", Outcome.TRUE: "green"}

NAMED = 6
"""Streams that an entry names where nothing differs; of more it gives the number."""


@dataclass(frozen=True)
class Entry:
    """Findings of one question that say the same.

    Attributes:
        outcome: Of them all.
        question: Its name.
        fact: What the tap goes by.
        said: What is so here, or why it is not known.
        where: The streams; empty for the API as a whole.
        places: Where the fact is written.
    """

    outcome: Outcome
    question: str
    fact: str
    said: str
    where: str
    places: tuple[str, ...]


def entries_of(findings: Sequence[Finding]) -> list[Entry]:
    """The findings in groups, in the order in which they are shown."""
    groups: dict[tuple[Outcome, str, str], list[Finding]] = {}
    for finding in findings:
        key = (finding.verdict.outcome, finding.question.name, printable(_said(finding)))
        groups.setdefault(key, []).append(finding)
    return [
        Entry(
            outcome,
            name,
            group[0].question.text,
            said,
            _where(group),
            group[0].question.places,
        )
        for wanted in TITLES
        for (outcome, name, said), group in groups.items()
        if outcome is wanted and said != NO_SUBJECT
    ]


def _said(finding: Finding) -> str:
    verdict = finding.verdict
    notes = [verdict.value, verdict.detail, ", ".join((*verdict.names, *verdict.private))]
    return "; ".join(note for note in notes if note)


def _where(group: Sequence[Finding]) -> str:
    streams = Counter(finding.stream for finding in group if finding.stream)
    if len(streams) > NAMED and not group[0].differs:
        return f"{len(streams)} streams"
    return ", ".join(streams)


def text_of(findings: Sequence[Finding], requests: int) -> Iterator[str]:
    """The page as lines of plain text.

    Args:
        findings: What was found.
        requests: How many were sent.
    """
    entries = entries_of(findings)
    for outcome, title in TITLES.items():
        shown = [entry for entry in entries if entry.outcome is outcome]
        yield f"{title}: {len(shown) or 'nothing'}"
        for entry in shown:
            where = f" [{entry.where}]" if entry.where else ""
            yield f"  {entry.question}{where}: {entry.said}"
            if outcome is not Outcome.TRUE:
                yield f"      {entry.fact} ({', '.join(entry.places)})"
    yield from _end(findings, requests)


def table_of(findings: Sequence[Finding], requests: int) -> RenderableType:
    """The same for rich."""
    from rich.console import Group  # noqa: PLC0415 - a pipe needs no rich
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(show_lines=False, expand=True)
    for name, ratio in (("", 2), ("what we think", 5), ("here", 4), ("where", 3)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for entry in entries_of(findings):
        fact = Text.assemble((entry.question, "bold"), f"\n{entry.fact}")
        if entry.outcome is not Outcome.TRUE:
            fact.append("".join(f"\n{place}" for place in entry.places), style="dim")
        title = Text(TITLES[entry.outcome], style=STYLES[entry.outcome])
        table.add_row(title, fact, Text(entry.said), Text(entry.where))
    return Group(table, *map(Text, _end(findings, requests)))


def _end(findings: Sequence[Finding], requests: int) -> Iterator[str]:
    left_out = [each.question.name for each in findings if _said(each) == NO_SUBJECT]
    if left_out:
        yield f"Of streams that were left out: {', '.join(left_out)}"
    yield f"{requests} requests were sent."
