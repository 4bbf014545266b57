"""A record, and the fields that the tap adds to it."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
"""A row as FreshBooks sends it, or a record as the tap delivers it."""


class Tombstone(Row):
    """A record that says of a row that it is gone, and has nothing else of it but its key."""


DELETED_AT = "_sdc_deleted_at"
"""When a row was deleted, in records of streams that tell."""

DELETED_FLAG = "remote_deleted"
"""Whether a row was deleted, in records of unified streams."""

EXTRA = "_extra"
"""The fields that the tap does not know, if the setting `unknown_fields` keeps them."""
