"""Random edits, creations and deletions, and webhooks that are lost, late, doubled or forged."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.server import SandboxError

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox

FIELDS = {
    "bill_vendors": "note",
    "bills": "bill_number",
    "clients": "note",
    "credit_notes": "notes",
    "estimates": "notes",
    "expense_categories": "category",
    "expenses": "notes",
    "invoice_profiles": "notes",
    "invoices": "notes",
    "items": "description",
    "payments": "note",
    "projects": "title",
    "services": "name",
    "taxes": "name",
    "time_entries": "note",
}
"""Every resource with events, and a field of it that may hold any text."""


class RandomEdits:
    """Edits rows of the first business.

    Args:
        sandbox: What is edited.
        seed: The same seed makes the same edits.
    """

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox = sandbox
        self.number = 0
        self._random = random.Random(seed)  # noqa: S311
        self._keys = {resource: self._rows(resource) for resource in FIELDS}

    def apply(self, count: int) -> None:
        """Make so many edits."""
        end = self.number + count
        while self.number < end:
            resource = self._random.choice(list(FIELDS))
            action = self._random.choice(["create", "update", "update", "update", "delete"])
            try:
                self._edit(resource, action)
            except SandboxError:
                continue  # it does not allow that: the last tax, a time entry that is billed
            self.number += 1

    def _edit(self, resource: str, action: str) -> None:
        keys = self._keys[resource]
        if action == "create" or not keys:
            [row] = self.sandbox.create(resource)
            keys.append(_key(row))
            return
        key = self._random.choice(keys)
        if action == "delete":
            self.sandbox.delete(resource, key)
        else:
            self.sandbox.update(resource, key, **{FIELDS[resource]: f"edit {self.number}"})

    def _rows(self, resource: str) -> list[Any]:
        return [_key(row) for row in self.sandbox.truth(resource)]


def disturb_deliveries(sandbox: Sandbox, seed: int) -> None:
    """Let deliveries be lost, late, doubled, disordered and forged."""
    each: dict[str, Any] = {"seed": seed, "event": "*.*"}
    sandbox.faults("lose", probability=0.1, **each)
    sandbox.faults("duplicate", probability=0.1, **each)
    sandbox.faults("delay", seconds=100, probability=0.1, **each)
    sandbox.faults("shuffle", count=5, probability=0.1, **each)
    sandbox.faults("forge", how="raw", probability=0.05, **each)


def _key(row: dict[str, Any]) -> Any:
    return row["vendorid"] if "vendorid" in row and "id" not in row else row["id"]
