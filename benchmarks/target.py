"""What a database holds after messages of Singer's or Airbyte's protocol, and what it should."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from benchmarks.lists import List

Row = dict[str, Any]
Key = tuple[str, str]
"""Of which account or business, and which row of it."""

UNLISTED_WHEN_INACTIVE = ("projects", "time_entries", "retainers")
"""Where `active` false means deleted; elsewhere it is a state like others."""


def is_deleted(name: str, row: Mapping[str, Any]) -> bool:
    """Whether a row says of itself that it is deleted."""
    if row.get("_sdc_deleted_at") or row.get("vis_state") == 1:
        return True
    return name in UNLISTED_WHEN_INACTIVE and row.get("active") is False


@dataclass
class Target:
    """Tables as a target of the protocol keeps them: rows by key, and of Singer by version.

    Args:
        lists: Those that are looked at.
        replaced: Streams whose table each run replaces (Airbyte's "overwrite").
    """

    lists: Iterable[List]
    replaced: frozenset[str] = frozenset()
    tables: dict[str, dict[Key, Row]] = field(default_factory=dict)

    def load(self, output: Path) -> None:
        """Take in the messages of a run."""
        for name in self.replaced:
            self.tables[name] = {}
        known = {each.name: each for each in self.lists}
        with output.open("rb") as lines:
            for line in lines:
                message = json.loads(line) if line.startswith(b"{") else {}
                if message.get("type") == "ACTIVATE_VERSION":
                    self._activate(message["stream"], message["version"])
                elif message.get("type") == "RECORD":
                    # Airbyte's record is an envelope: stream and data are in it.
                    inner = message["record"]
                    name = message.get("stream") or inner["stream"]
                    if name in known:
                        row = inner if "stream" in message else inner["data"]
                        self._upsert(known[name], {**row, "@": message.get("version")})

    def _upsert(self, each: List, row: Row) -> None:
        key = (str(row[each.identifier]), str(row[each.key]))
        self.tables.setdefault(each.name, {})[key] = row

    def _activate(self, name: str, version: int) -> None:
        table = self.tables.get(name, {})
        for key in [key for key, row in table.items() if row["@"] != version]:
            del table[key]

    def alive(self, name: str) -> dict[Key, Row]:
        """The rows of a table that are not deleted."""
        rows = self.tables.get(name, {})
        return {key: row for key, row in rows.items() if not is_deleted(name, row)}


def _content(row: Row) -> Row:
    """What FreshBooks has said of a row."""
    return {name: value for name, value in row.items() if not name.startswith(("@", "_sdc_"))}


def outdated(target: Target, afresh: Target) -> dict[str, int]:
    """By list, how many rows are not what somebody is told who reads everything afresh."""
    found = {}
    for each in target.lists:
        here, there = target.alive(each.name), afresh.alive(each.name)
        both = here.keys() & there.keys()
        if number := sum(_content(here[key]) != _content(there[key]) for key in both):
            found[each.name] = number
    return found


class Difference(NamedTuple):
    """How a target differs from the books: rows that it lacks, and rows that are too many."""

    missing: dict[str, set[Key]]
    surplus: dict[str, set[Key]]

    def numbers(self) -> dict[str, Any]:
        """Counts by list, without those that are as they should be."""
        return {
            side: {name: len(keys) for name, keys in found.items() if keys}
            for side, found in self._asdict().items()
        }


def differences(target: Target, books: Mapping[str, Mapping[Key, Row]]) -> Difference:
    """Compare a target with the rows that there are."""
    missing, surplus = {}, {}
    for each in target.lists:
        there, here = books[each.name].keys(), target.alive(each.name).keys()
        missing[each.name], surplus[each.name] = set(there - here), set(here - there)
    return Difference(missing, surplus)
