"""`tap-freshbooks` as a user's pipeline runs it: a process of its own, told by files."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.support import catalog_of, unmeasured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import IO

PATIENCE = 60
"""Seconds after which a process that should have ended is at fault."""


class Command:
    """A sync of some streams.

    Args:
        folder: For its files; the tokens are there, too.
        settings: Those of the connection, and more of the user's.
        streams: What is selected.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], *streams: str) -> None:
        self._folder = folder
        self.client_id: str = settings["client_id"]
        self._config = self._written(
            "config.json",
            {
                "requests_per_second": 10_000,
                **settings,
                "token_store": str(folder / "tokens.json"),
            },
        )
        self._catalog = self._written("catalog.json", catalog_of(*streams))

    def start(
        self, state: dict[str, Any] | None = None, stdout: IO[Any] | int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start it; what it says to people goes to a file."""
        command = [sys.executable, "-m", "tap_freshbooks"]
        command += ["--config", self._config, "--catalog", self._catalog]
        if state is not None:
            command += ["--state", self._written("state.json", state)]
        with self._log.open("wb") as log:
            return subprocess.Popen(command, stdout=stdout, stderr=log, env=unmeasured())

    @property
    def errors(self) -> list[str]:
        """What it told people about its end; there must be no traceback."""
        text = self._log.read_text(encoding="utf-8")
        assert "Traceback" not in text
        return [line for line in text.splitlines() if line.startswith("Error: ")]

    @property
    def _log(self) -> Path:
        return self._folder / "log.txt"

    def _written(self, name: str, content: Any) -> str:
        path = self._folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)
