"""The lists of FreshBooks as its documentation has them, read from docs/freshbooks-api.

So whoever writes a connector from it, an SDK's way, comes to these paths, keys and filters.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks import venvs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FACTS = venvs.PROJECT / "docs" / "freshbooks-api" / "resources"
IDENTIFIERS = ("account_id", "business_id", "business_uuid")
TYPES = ("integer", "string", "boolean", "number", "object", "array")
LIVING: Sequence[Mapping[str, str]] = ({},)
PASSES: Mapping[str, Sequence[Mapping[str, str]]] = {
    "projects": (*LIVING, {"complete": "true"}, {"active": "false"}),
    # Without `team` they are those of one user (docs/freshbooks-api/projects-and-time.md §6).
    "time_entries": ({"team": "true", "include_unlogged": "true", "include_deleted": "true"},),
}
MARKED = (*LIVING, {"search[vis_state]": "1"})
"""Where `vis_state` marks deletions."""


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
        passes: The parameters of each reading; all but the first bring archived and deleted rows.
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
    passes: Sequence[Mapping[str, str]]
    fields: Mapping[str, str | None]

    def plain(self, passes: int | None = None) -> dict[str, Any]:
        """As JSON has it, with so many passes; all by default."""
        return asdict(replace(self, passes=self.passes[:passes]))


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
        passes=PASSES.get(facts["stream"], MARKED if _marks_deletions(facts) else LIVING),
        fields={name: _json_type(field) for name, field in facts["fields"].items()},
    )


def _filter(facts: Mapping[str, Any]) -> str | None:
    """The parameter for rows that changed since a moment, where there is one."""
    params = [*facts.get("params", []), facts.get("param")]
    return next((str(name) for name in params if name), None)


def _marks_deletions(facts: Mapping[str, Any]) -> bool:
    return 1 in (facts.get("vis_state") or {}).get("values", {})


def _json_type(field: Mapping[str, Any] | str) -> str | None:
    """The type of a field; None where the documentation has none of JSON's."""
    found = field if isinstance(field, str) else field.get("type")
    return next((name for name in TYPES if name == found), None)
