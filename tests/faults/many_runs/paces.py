"""When lists that can only be read whole are due, as docs/reading.md has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.many_runs.drawing import sources, streams
from tests.faults.many_runs.steps import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EARLIEST = 0.9
"""The part of an interval after which a run may read."""


def hours(setting: float | Mapping[str, float] | None, source: str) -> float:
    """Of the setting `full_table_interval`, for a stream that is read."""
    if streams()[source].fixed_pace():
        return 0
    if isinstance(setting, int | float):
        return setting
    found = setting or {}
    return found.get(source, found.get("*", 0))


class Paces:
    """Knows when a run may have read a stream last, and so whether the next one has to."""

    def __init__(self) -> None:
        self._read_at: dict[tuple[str, str], float] = {}

    def begin(self, names: Iterable[str], settings: Mapping[str, Any], now: float) -> set[str]:
        """Note that a run begins; the streams that it has to read."""
        pairs = [(name, source) for name in names for source in sources(name)]
        setting = settings.get("full_table_interval")
        ages = {pair: now - self._read_at.get(pair, 0.0) for pair in pairs}
        due = {name for name, _ in pairs}
        for source in {source for _, source in pairs}:
            interval = hours(setting, source) * HOUR
            fed = [pair for pair in pairs if pair[1] == source]
            due -= {name for name, _ in fed if ages[name, source] < interval}
            if any(ages[pair] >= EARLIEST * interval for pair in fed):
                self._read_at.update(dict.fromkeys(fed, now))
        return due
