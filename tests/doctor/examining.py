"""Runs doctor inside the process, on a sandbox with some behaviours."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support import QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Command


INVOICES = 60
"""Of a sandbox: its longest lists have more rows than fit on a page."""


@dataclass(frozen=True)
class Result:
    """What the command ended with, printed and said."""

    status: int
    said: str
    requests: int
    findings: list[dict[str, Any]]

    @property
    def bound(self) -> int:
        """How many requests it said that it needs at most."""
        [number] = re.findall(r"At most (\d+) requests", self.said)
        return int(number)

    @property
    def differing(self) -> dict[str, set[tuple[str, str | None]]]:
        """Questions with another answer than the expected: the values, and the streams."""
        found: dict[str, set[tuple[str, str | None]]] = {}
        for each in self.findings:
            if each["outcome"] == "false":
                found.setdefault(each["question"], set()).add((each["value"], each["stream"]))
        return found

    def outcomes(self, question: str) -> set[str]:
        """Its outcomes."""
        return {each["outcome"] for each in self.findings if each["question"] == question}


def config_file(folder: Path, settings: Mapping[str, Any]) -> str:
    """Write settings of a quick connection into a folder; returns the path of the file."""
    path = folder / "config.json"
    path.write_text(json.dumps({**settings, **QUICK}))
    return str(path)


def examine(
    command: Command,
    sandbox: Sandbox,
    folder: Path,
    *options: str,
    scopes: list[str] | None = None,
    prepare: Callable[[Sandbox], object] | None = None,
) -> Result:
    """Run the command against a sandbox, with a connection of its own.

    Args:
        command: Runs it.
        sandbox: What it is run against.
        folder: For the settings.
        options: Of the command.
        scopes: Of the token.
        prepare: What is done to the sandbox after the consent.
    """
    settings = sandbox.config(scopes=scopes) if scopes else sandbox.config()
    if prepare:
        prepare(sandbox)
    path = config_file(folder, settings)
    status, output, said = command("doctor", "--config", path, "--json", *options)
    found: dict[str, Any] = json.loads(output or '{"requests": 0, "findings": []}')
    stumbled = [each for each in found["findings"] if "unexpected" in (each["detail"] or "")]
    assert stumbled == []
    return Result(status, said, found["requests"], found["findings"])
