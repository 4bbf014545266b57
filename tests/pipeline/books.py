"""Books that are loaded twice with Meltano, and what was done to them in between."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from demo.pipeline import PROJECT, Meltano, settings_for
from demo.snapshot import DELETED
from tests.pipeline.conftest import new_system_dir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

LINES = [{"name": "Travel", "qty": "3", "unit_cost": {"amount": "99.95", "code": "USD"}}]


@dataclass(frozen=True)
class Edits:
    """Keys of what was changed between the runs."""

    created_invoice: int
    changed_invoice: int
    deleted_invoice: int

    @classmethod
    def make(cls, sandbox: Sandbox) -> Self:
        """Change the books of the first business."""
        [created] = sandbox.create("invoices", lines=LINES)
        living = [row["id"] for row in sandbox.truth("invoices") if row["vis_state"] != DELETED]
        sandbox.delete("taxes", "newest")
        return cls(
            created_invoice=created["id"],
            changed_invoice=sandbox.update("invoices", living[0], lines=LINES)["id"],
            deleted_invoice=sandbox.delete("invoices", living[1])["id"],
        )


KEEPING = {"TAP_FRESHBOOKS_UNKNOWN_FIELDS": "keep"}
"""The setting with which fields that the tap does not know come in the column `_extra`."""

NEW_FIELDS = {"note": 'new, with "quotes"', "rate": 0.125, "parts": [1, None], "none": None}


def add_new_fields(sandbox: Sandbox) -> None:
    """Let invoices and their lines have fields that no version knows."""
    rows = "response.result.invoices.*"
    edits = [
        {"edit": "set", "path": f"{rows}.newly_added", "value": NEW_FIELDS},
        {"edit": "set", "path": f"{rows}.lines.0.newly_added", "value": "of a line"},
    ]
    sandbox.faults("answer", path="*/invoices/invoices", edits=edits)


class Books:
    """A sandbox, and Meltano set up to load it.

    Args:
        sandbox: What to load.
        plugins: A system directory that has the plugins.
        folder: For a system directory of its own, and the log.
        settings: Of the loader, as environment variables.
        project: Where Meltano's project is, if it is not this one.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        plugins: Path,
        folder: Path,
        settings: Mapping[str, str],
        project: Path = PROJECT,
    ) -> None:
        self.sandbox = sandbox
        self.tap_config = sandbox.config()
        unhurried = {"TAP_FRESHBOOKS_REQUESTS_PER_SECOND": "1000"}
        self.meltano = Meltano(
            new_system_dir(plugins, folder / "system"),
            {**settings_for(self.tap_config), **unhurried, **settings},
            folder / "meltano.log",
            project,
        )

    def load(self, loader: str) -> None:
        """Run the pipeline once."""
        self.meltano("run", "tap-freshbooks", loader)

    def bookmark(self, loader: str, stream: str) -> dict[str, Any]:
        """What Meltano keeps for a stream between two runs."""
        bookmark: dict[str, Any] = self.bookmarks(loader)[stream]
        return bookmark

    def bookmarks(self, loader: str) -> dict[str, Any]:
        """What Meltano keeps for all streams between two runs."""
        printed = self.meltano("state", "get", f"dev:tap-freshbooks-to-{loader}")
        state = json.loads(printed[printed.index("{") :])
        bookmarks: dict[str, Any] = state["singer_state"]["bookmarks"]
        return bookmarks

    @property
    def stats(self) -> dict[str, Any]:
        """What the sandbox counted for this tap."""
        return self.sandbox.stats(self.tap_config["client_id"])

    @property
    def business(self) -> dict[str, Any]:
        """The first business, in which the edits are made."""
        return self.sandbox.businesses()[0]
