"""Targets as Singer knows them: tables out of messages, and the state that they have seen."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support import Record

Key = tuple[Any, ...]


class Target:
    """Keeps every complete line as soon as it has seen it."""

    def __init__(self) -> None:
        self.state: dict[str, Any] | None = None
        self._keys: dict[str, list[str]] = {}
        self._rows: defaultdict[str, dict[Key, tuple[Record, int | None]]] = defaultdict(dict)

    def table(self, stream: str) -> dict[Key, Record]:
        """The rows of a stream by their keys."""
        return {key: record for key, (record, _) in self._rows[stream].items()}

    def begin(self) -> None:
        """A run begins."""

    def take(self, line: bytes) -> None:
        """Take one line as it came out of the tap."""
        if line.endswith(b"\n"):  # else the tap was killed in the middle of it
            self.apply(json.loads(line))

    def apply(self, message: dict[str, Any]) -> None:
        """Carry out one message."""
        kind, stream = message["type"], message.get("stream", "")
        if kind == "STATE":
            self.state = message["value"]
        elif kind == "SCHEMA":
            self._keys[stream] = message["key_properties"]
        elif kind == "RECORD":
            record = message["record"]
            key = tuple(record[name] for name in self._keys[stream])
            self._rows[stream][key] = record, message.get("version")
        elif kind == "ACTIVATE_VERSION":
            rows = self._rows[stream].items()
            current = {key: row for key, row in rows if row[1] == message["version"]}
            self._rows[stream] = current

    def run(self, lines: Iterable[bytes]) -> int:
        """Take the output of a whole run, and say how many lines it had."""
        self.begin()
        number = 0
        for number, line in enumerate(lines, start=1):  # noqa: B007
            self.take(line)
        return number


class CommittingTarget(Target):
    """Keeps nothing before it has seen the next state, and forgets what came after the last one."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[dict[str, Any]] = []

    def begin(self) -> None:
        self._waiting = []

    def apply(self, message: dict[str, Any]) -> None:
        self._waiting.append(message)
        if message["type"] == "STATE":
            for each in self._waiting:
                super().apply(each)
            self._waiting = []
