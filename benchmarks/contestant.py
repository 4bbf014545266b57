"""What a contestant is: a command, and how what it delivered is counted."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Run, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.stage import Stage

TOKEN = "bench"  # noqa: S105 - the server looks at no token


@dataclass
class Job:
    """One thing to do: read the invoices of a stage.

    Attributes:
        stage: The server, and how many records it has.
        folder: For files; of this contestant alone.
        incremental: Whether to read what changed since the state in the folder, if there is one.
        everything: Whether the tap reads all its default streams, not the invoices alone.
        settings: More of them.
    """

    stage: Stage
    folder: Path
    incremental: bool = False
    everything: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def write(self, name: str, content: Any) -> str:
        """Write a JSON file, and say where it is."""
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    @property
    def output(self) -> Path:
        """The messages of the last run, where they were kept."""
        return self.folder / "output.jsonl"

    @property
    def state(self) -> Path:
        """The state to begin with."""
        return self.folder / "state.json"

    def states(self) -> list[str]:
        """The option that names the state, if there is one."""
        return ["--state", str(self.state)] if self.incremental and self.state.exists() else []


class Contestant(ABC):
    """A program that reads all invoices."""

    name: str
    label: str

    @abstractmethod
    def command(self, job: Job) -> list[str]:
        """The command line."""

    def environment(self, job: Job) -> dict[str, str]:  # noqa: ARG002
        """Environment variables."""
        return {}

    def run(self, job: Job, *, keep: bool = False) -> Run:
        """Run it once, and count what it delivered."""
        return run(
            self.command(job),
            folder=job.folder,
            environment=self.environment(job),
            keep=job.output if keep else None,
        )

    def records(self, job: Job, done: Run) -> int | None:
        """How many records it delivered; None if it delivers none by nature."""
        del job
        return done.records

    def identifiers(self, job: Job) -> list[int] | None:
        """The ids that a kept output holds."""
        with job.output.open("rb") as lines:
            messages = [json.loads(line) for line in lines if line.startswith(b"{")]
        records = [each["record"] for each in messages if each["type"] == "RECORD"]
        return [(each.get("data") or each)["id"] for each in records]

    def remember(self, job: Job) -> None:
        """Make the last state of a kept output the state to begin with."""
        with job.output.open("rb") as lines:
            messages = [json.loads(line) for line in lines if b'"STATE"' in line]
        job.write("state.json", [each["value"] for each in messages if each["type"] == "STATE"][-1])
