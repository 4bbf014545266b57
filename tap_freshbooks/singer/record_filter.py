"""Filters records by the catalog: deselected fields, and a schema other than the stream's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_freshbooks.singer.sdk_bridge import conform_to_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_sdk import Stream

    from tap_freshbooks.records import Row

Deselected = dict[str, "Deselected | None"]
"""Names of fields to leave out; or, where a part of a field is to be, the names in it."""


def compile_record_filter(stream: Stream) -> Callable[[Row], Row]:
    """Compile a function that returns what a stream's catalog leaves of a record.

    The record itself stays as it is. The SDK walks through every record, whether anything is
    deselected or not, and conforms its values to the schema, which ours do by themselves unless
    the catalog has another one.
    """
    tree = _deselected(stream.mask)

    def select(record: Row) -> Row:
        return _without(record, tree) if tree else record

    def conform(record: Row) -> Row:
        return conform_to_schema(select(record), stream)

    is_own = _structure(stream.effective_schema) == _structure(stream.schema)
    return select if is_own else conform


def _deselected(mask: Mapping[tuple[str, ...], bool]) -> Deselected:
    tree: Deselected = {}
    for breadcrumb in sorted(mask, key=len):
        if mask[breadcrumb] or not breadcrumb or set(breadcrumb[::2]) != {"properties"}:
            continue
        *outer, name = breadcrumb[1::2]
        branch: Deselected = tree
        for part in outer:
            inner = branch.setdefault(part, {})
            if inner is None:  # all of it is left out
                break
            branch = inner
        else:
            branch[name] = None
    return tree


def _without(record: Row, tree: Deselected) -> Row:
    kept = {}
    for name, value in record.items():
        if name in tree:
            branch = tree[name]
            if branch is None:
                continue
            kept[name] = _without(value, branch) if isinstance(value, dict) else value
        else:
            kept[name] = value
    return kept


def _structure(schema: Any) -> Any:
    """The types of a schema, without its descriptions."""
    if not isinstance(schema, dict):
        return schema
    properties = schema.get("properties")
    return {
        "type": schema.get("type"),
        "format": schema.get("format"),
        "anyOf": schema.get("anyOf"),
        "items": _structure(schema.get("items")),
        "properties": properties and {name: _structure(part) for name, part in properties.items()},
        "additionalProperties": schema.get("additionalProperties"),
    }
