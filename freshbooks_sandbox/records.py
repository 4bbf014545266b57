"""A record as an answer shows it: as its resource declares it, but for what behaviours change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.behaviours import named
from freshbooks_sandbox.families.base import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.store import Key, Row

ENCODED_LIMIT = 500_000_000
"""Bytes of encoded records kept per business; beyond it records are encoded anew."""
UNKNOWN_FIELD = "sandbox_field"
"""A field that no file of the facts knows."""
UNKNOWN_WORD = "sandbox_word"
"""A word that stands in no list of the facts."""


def visible_record(
    resource: Resource, row: Row, context: FilterContext, includes: tuple[str, ...]
) -> dict[str, Any]:
    """The record as the caller gets it."""
    record = resource.record(row, context.business, includes)
    if resource.reshape is not None:
        resource.reshape(record, row, context)
    behaviours = context.behaviours
    if named(behaviours.unknown_fields, resource.name):
        record[UNKNOWN_FIELD] = "of the sandbox"
    if named(behaviours.other_kinds, resource.name):
        name = plain_field(resource)
        if name in record:
            record[name] = [record[name]]
    if resource.words is not None and named(behaviours.unknown_words, resource.name):
        record[resource.words] = UNKNOWN_WORD
    return record


def plain_field(resource: Resource) -> str | None:
    """A field that nothing hangs on: a boolean, but not the one of deletions, or else a text."""
    deleted = resource.write_rules.deleted if resource.write_rules else None
    shown = {name: value for name, value in resource.blank.items() if name not in resource.hidden}
    flags = [name for name, value in shown.items() if isinstance(value, bool)]
    texts = [name for name, value in shown.items() if isinstance(value, str)]
    kept = deleted[0] if deleted else None
    return next((name for name in flags + texts if name != kept), None)


def encoded(
    resource: Resource, rows: Sequence[Row], context: FilterContext, includes: tuple[str, ...]
) -> list[bytes]:
    """The records as JSON, each encoded once until the next change."""
    business = context.business
    kind = ("encoded", resource.name, includes, context.is_alpha)
    store: dict[Key, bytes] = business.cached(kind, dict)
    parts = []
    for row in rows:
        key = row[resource.key]
        part = store.get(key)
        if part is None:
            part = encode(visible_record(resource, row, context, includes))
            business.encoded_bytes += len(part)
            if business.encoded_bytes < ENCODED_LIMIT:
                store[key] = part
        parts.append(part)
    return parts
