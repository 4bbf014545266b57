"""The files of docs/freshbooks-api/resources, as data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FACTS = Path(__file__).parent.parent / "docs" / "freshbooks-api"
FILES = sorted((FACTS / "resources").glob("*.yaml"))


@cache
def read(name: str) -> dict[str, Any]:
    """A file, which is not to be changed; refused if a key comes twice."""
    text = (FACTS / "resources" / f"{name}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found


def fields_of(resource: dict[str, Any]) -> dict[str, Any]:
    """The fields of a resource, those of the file that it refers to included."""
    fields = dict(resource["fields"])
    other = fields.pop("same_as", None)
    return fields if other is None else fields_of(read(other)) | fields
