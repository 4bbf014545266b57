"""Random edits and runs, until so many steps are done: no row is missing, stale or left over.

`python -m tests.faults.many_runs 2000 1` plays sequences from seed 1 on; one that fails is made as
short as it can be, and printed. `… 1 SEED` repeats one.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import click

from tests.faults.many_runs.drawing import Drawing
from tests.faults.many_runs.play import Result, play
from tests.faults.many_runs.steps import Sequence


def main(steps: str = "2000", seed: str = "1") -> int:
    """Play; the exit status is 1 if a row was wrong."""
    done, number, failures = 0, int(seed), 0
    totals: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    while done < int(steps):
        sequence = Drawing(number).draw()
        result = played(sequence)
        done += len(sequence.steps)
        totals.update(sequences=1, runs=result.runs, edits=result.edits, rows=result.compared)
        sent.update(result.sent)
        if result.problem:
            failures += 1
            report(sequence, result)
        number += 1
    click.echo(f"{done} steps: {dict(totals)}; idle runs sent {dict(sent)}; {failures} failed")
    return 1 if failures else 0


def played(sequence: Sequence) -> Result:
    """Play with a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return play(sequence, Path(folder))


def report(sequence: Sequence, result: Result) -> None:
    """Print the shortest sequence that fails alike."""
    click.echo(f"seed {sequence.seed} failed: {result.problem}")
    shortest, result = shortened(sequence, result)
    click.echo(f"  settings {shortest.settings}, behaviours {shortest.behaviours}")
    click.echo(f"  streams {', '.join(shortest.streams)}; pages of {shortest.page}; inbox {shortest.with_inbox}")
    for step in shortest.steps:
        click.echo(f"  {step}")
    click.echo(f"  → {result.problem}")


def shortened(sequence: Sequence, result: Result) -> tuple[Sequence, Result]:
    """Leave out each step, setting, behaviour and stream without which it still fails."""
    kind = result.problem.split()[0]

    def attempt(shorter: Sequence) -> bool:
        nonlocal sequence, result
        found = played(shorter)
        if not found.problem or found.problem.split()[0] != kind:
            return False
        sequence, result = shorter, found
        return True

    for position in reversed(range(len(sequence.steps))):
        steps = sequence.steps
        attempt(replace(sequence, steps=(*steps[:position], *steps[position + 1 :])))
    for name in sequence.behaviours:
        rest = {each: value for each, value in sequence.behaviours.items() if each != name}
        attempt(replace(sequence, behaviours=rest))
    for name in sequence.streams:
        streams = tuple(each for each in sequence.streams if each != name)
        if streams:
            attempt(replace(sequence, streams=streams))
    for name, value in {"max_concurrency": 1, "include_deleted": True}.items():
        if sequence.settings[name] != value:
            attempt(replace(sequence, settings={**sequence.settings, name: value}))
    if sequence.with_inbox:
        attempt(replace(sequence, with_inbox=False))
    for name in ("start_date", "stream_maps"):
        settings = {each: value for each, value in sequence.settings.items() if each != name}
        if settings != sequence.settings:
            attempt(replace(sequence, settings=settings))
    return sequence, result


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
