"""A record, and the field that marks a deleted one."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
"""A row as FreshBooks sends it, or a record as the tap delivers it."""

DELETED_AT = "_sdc_deleted_at"
"""When a row was deleted, in records of streams that tell."""
