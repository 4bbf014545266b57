"""Runs doctor inside the process, on a sandbox with some behaviours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import Sandbox
from tests.support import QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.support import Command

INVOICES = 120
"""Of the sandbox: more than one page may have."""


@dataclass(frozen=True)
class Result:
    """What the command ended with, printed and said."""

    status: int
    said: str
    requests: int
    findings: list[dict[str, Any]]

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


def examine(
    command: Command,
    sandbox: Sandbox,
    folder: Path,
    *options: str,
    scopes: list[str] | None = None,
) -> Result:
    """Run the command against a sandbox, with a connection of its own."""
    settings = sandbox.config(scopes=scopes) if scopes else sandbox.config()
    path = folder / f"{settings['client_id']}.json"
    path.write_text(json.dumps({**settings, **QUICK}))
    status, output, said = command("doctor", "--config", str(path), "--json", *options)
    found: dict[str, Any] = json.loads(output or '{"requests": 0, "findings": []}')
    return Result(status, said, found["requests"], found["findings"])


def behaving(
    command: Command,
    folder: Path,
    behaviours: Mapping[str, str],
    prepare: Callable[[Sandbox], object] | None = None,
    scopes: list[str] | None = None,
    *options: str,
) -> Result:
    """Run the command against a sandbox of its own."""
    with Sandbox(invoices=INVOICES, rate_limit=0, behaviours=behaviours) as sandbox:
        if prepare:
            prepare(sandbox)
        return examine(command, sandbox, folder, *options, scopes=scopes)
