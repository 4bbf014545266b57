"""The lists of FreshBooks as its documentation has them, read from docs/freshbooks-api.

So whoever writes a connector from it, an SDK's way, comes to these paths, keys and filters.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks import venvs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FACTS = venvs.PROJECT / "docs" / "freshbooks-api" / "resources"
IDENTIFIERS = ("account_id", "business_id", "business_uuid")
TYPES = ("integer", "string", "boolean", "number", "object", "array")
TEAM = {"team": "true", "include_unlogged": "true"}
"""Without them time entries are those of one user (docs/freshbooks-api/projects-and-time.md §6)."""


@dataclass(frozen=True)
class List:
    """A list of each account or business.

    Attributes:
        name: Of the stream, and of the sandbox's resource.
        identifier: What its path is made with.
        path: With a placeholder for the identifier.
        rows: The keys that lead to its rows.
        style: Of its pages: `accounting`, `project` or `none`.
        key: The field that tells rows apart.
        changed: The field with the moment of the last change, where FreshBooks filters by it.
        since: The parameter of that filter.
        params: What else is asked.
        fields: JSON types of the fields.
    """

    name: str
    identifier: str
    path: str
    rows: tuple[str, ...]
    style: str
    key: str
    changed: str | None
    since: str | None
    params: Mapping[str, str]
    fields: Mapping[str, str | None]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def lists(names: Iterable[str]) -> list[List]:
    """Those of some streams that are lists of an account or business."""
    found = []
    for name in names:
        path = FACTS / f"{name}.yaml"
        if path.exists():
            found += list(_read(yaml.safe_load(path.read_text("utf-8"))))
    return found


def _read(facts: Mapping[str, Any]) -> Iterator[List]:
    path, identifier = facts.get("list_path"), facts["identifier"]
    if not path or identifier not in IDENTIFIERS or len(facts["primary_key"]) != 1:
        return
    if re.findall(r"{(\w+)}", path) != [identifier]:
        return
    changed = facts.get("updated_field")
    since = _filter(facts.get("updated_filter") or {}) if changed else None
    yield List(
        name=facts["stream"],
        identifier=identifier,
        path=path,
        rows=tuple(facts["records_path"].split(".")),
        style=facts["pagination"]["style"],
        key=facts["primary_key"][0],
        changed=changed if since else None,
        since=since,
        params=TEAM if facts["stream"] == "time_entries" else {},
        fields={name: _json_type(field) for name, field in facts["fields"].items()},
    )


def _filter(facts: Mapping[str, Any]) -> str | None:
    """The parameter for rows that changed since a moment, where there is one."""
    params = [*facts.get("params", []), facts.get("param")]
    return next((str(name) for name in params if name), None)


def _json_type(field: Mapping[str, Any] | str) -> str | None:
    """The type of a field; None where the documentation has none of JSON's."""
    found = field if isinstance(field, str) else field.get("type")
    return next((name for name in TYPES if name == found), None)
