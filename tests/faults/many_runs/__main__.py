"""Random edits and runs, until so many steps are done: no row is missing, stale or left over.

`python -m tests.faults.many_runs 2000 1` plays sequences from seed 1 on; one that fails is made as
short as it can be, and printed. `… 1 SEED` repeats one.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_freshbooks.errors import RunInterruptedError
from tests.faults.many_runs.drawing import Drawing
from tests.faults.many_runs.play import Result, play
from tests.faults.many_runs.shortening import shortened

if TYPE_CHECKING:
    from tests.faults.many_runs.steps import Sequence


def main(steps: str = "2000", seed: str = "1") -> int:
    """Play; the exit status is 1 if a row was wrong."""
    done, number, failures = 0, int(seed), 0
    totals: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    with suppress(KeyboardInterrupt, RunInterruptedError):
        while done < int(steps):
            sequence = Drawing(number).draw()
            result = played(sequence)
            done += len(sequence.steps)
            totals.update(sequences=1, runs=result.runs, edits=result.edits, rows=result.compared)
            sent.update(result.sent)
            asked.update(result.asked)
            if result.problem:
                failures += 1
                report(sequence, result)
            number += 1
    click.echo(f"{done} steps, seeds {seed} to {number - 1}, {failures} failed: {dict(totals)}")
    click.echo(
        f"Sent once more in an idle run: {dict(sent)}; asked {asked.total()} times in the next"
    )
    return 1 if failures else 0


def played(sequence: Sequence) -> Result:
    """Play with a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return play(sequence, Path(folder))


def report(sequence: Sequence, result: Result) -> None:
    """Print the shortest sequence that fails alike."""
    click.echo(f"Seed {sequence.seed} failed: {result.problem}")
    shortest, result = shortened(sequence, result, played)
    click.echo(f"  settings {shortest.settings}; behaviours {shortest.behaviours}")
    click.echo(f"  streams {', '.join(shortest.streams)}; pages of {shortest.page}")
    if shortest.with_inbox:
        click.echo("  with a webhook inbox")
    for step in shortest.steps:
        click.echo(f"  {step}")
    click.echo(f"  → {result.problem}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
