"""The column `_extra`: the fields of a row that are not declared, by their paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_freshbooks.schema.credentials import is_credential, without_credentials

if TYPE_CHECKING:
    from tap_freshbooks.schema.conversion import ConversionListener
    from tap_freshbooks.schema.fields import Object

EXTRA_SCHEMA: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "The fields that this version does not know, by their paths "
    "(lines[0].new_field), with the setting unknown_fields: keep.",
}
"""JSON schema of the column."""

POSITION = re.compile(r"\[\d+\]")


def extra_fields(fields: Object, row: Any, listener: ConversionListener) -> dict[str, Any]:
    """What a row has beyond its declared fields, by paths such as `lines[0].new_field`.

    Args:
        fields: The declared fields.
        row: As FreshBooks sends it.
        listener: Is notified of what looks like a credential, which is left out.
    """
    extra = {}
    for path, name, value in fields.undeclared(row, ""):
        place = POSITION.sub("", path)  # the same in every row
        if is_credential(name, value):
            listener.on_withheld(place)
            continue
        try:
            extra[path] = without_credentials(value, place, listener)
        except ValueError:
            extra[path] = None
            listener.on_invalid(place, value)
    return extra


def part_of_extra(extra: dict[str, Any] | None, path: str) -> dict[str, Any] | None:
    """What stands below a path, by paths from there; None if there is nothing.

    Args:
        extra: Of the whole record.
        path: Of the part, such as `lines[0]`.
    """
    prefix = f"{path}."
    found = {
        name.removeprefix(prefix): value
        for name, value in (extra or {}).items()
        if name.startswith(prefix)
    }
    return found or None
