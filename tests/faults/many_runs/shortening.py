"""Makes a sequence that fails as short as it can be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.many_runs.play import Result
    from tests.faults.many_runs.steps import Sequence


def shortened(
    sequence: Sequence, result: Result, play: Callable[[Sequence], Result]
) -> tuple[Sequence, Result]:
    """Leave out each step, stream, behaviour and setting without which the same stream fails."""
    steps = sequence.steps[: result.step + 1]
    sequence = replace(sequence, steps=steps)
    for make in (_without_step, _without_stream, _without_behaviour, _simpler):
        position = len(sequence.steps) + len(sequence.streams) + len(sequence.behaviours)
        for number in reversed(range(position)):
            shorter = next((each for each in make(sequence, number)), None)
            found = play(shorter) if shorter and shorter != sequence else None
            if shorter and found and _kind(found) == _kind(result):
                sequence, result = shorter, found
    return sequence, result


def _kind(result: Result) -> str:
    return result.problem.partition(" ")[0]


def _without_step(sequence: Sequence, number: int) -> Iterator[Sequence]:
    steps = sequence.steps
    if number < len(steps):
        yield replace(sequence, steps=(*steps[:number], *steps[number + 1 :]))


def _without_stream(sequence: Sequence, number: int) -> Iterator[Sequence]:
    streams = sequence.streams
    if number < len(streams) > 1:
        yield replace(sequence, streams=(*streams[:number], *streams[number + 1 :]))


def _without_behaviour(sequence: Sequence, number: int) -> Iterator[Sequence]:
    behaviours = list(sequence.behaviours.items())
    if number < len(behaviours):
        yield replace(sequence, behaviours=dict(behaviours[:number] + behaviours[number + 1 :]))


def _simpler(sequence: Sequence, number: int) -> Iterator[Sequence]:
    settings = sequence.settings
    simple = [
        replace(sequence, with_inbox=False),
        replace(sequence, settings={**settings, "max_concurrency": 1}),
        replace(sequence, settings={**settings, "include_deleted": True}),
        *(
            replace(sequence, settings={k: v for k, v in settings.items() if k != name})
            for name in ("start_date", "stream_maps", "full_table_interval")
        ),
    ]
    if number < len(simple):
        yield simple[number]
