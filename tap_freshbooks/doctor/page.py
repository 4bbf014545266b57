"""What people read: the differences first, then what was not tested, and how much is true."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tap_freshbooks.doctor.findings import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_freshbooks.doctor.findings import Finding


def lines_of(findings: Sequence[Finding], requests: int) -> Iterator[str]:
    """The page as plain text.

    Args:
        findings: What was found.
        requests: How many were sent.
    """
    counts = Counter(finding.verdict.outcome for finding in findings)
    for outcome, title in (
        (Outcome.FALSE, "Differs"),
        (Outcome.NOT_TESTED, "Not tested"),
        (Outcome.TRUE, "True"),
    ):
        yield f"{title} ({counts[outcome]})"
        for finding in findings:
            if finding.verdict.outcome is outcome:
                yield f"  {_line(finding)}"
    yield f"{requests} requests were sent"


def _line(finding: Finding) -> str:
    verdict = finding.verdict
    where = f" of {finding.stream}" if finding.stream else ""
    notes = [verdict.value, verdict.detail, ", ".join(verdict.names)]
    text = "; ".join(note for note in notes if note)
    return f"{finding.question.name}{where}: {text} ({', '.join(finding.question.places)})"
