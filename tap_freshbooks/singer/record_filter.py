"""Filters records by the catalog: deselected fields, and a schema other than the stream's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_freshbooks.records import Row
    from tap_freshbooks.singer.catalogued_stream import CataloguedStream

Deselected = dict[str, "Deselected | None"]
"""Names of fields to leave out; or, where a part of a field is to be, the names in it."""


def compile_record_filter(stream: CataloguedStream) -> Callable[[Row], Row]:
    """Compile a function that returns what a stream's catalog leaves of a record.

    The record itself stays as it is. The SDK walks through every record, whether anything is
    deselected or not, and through its values, which are of the schema by themselves unless the
    catalog has another one.
    """
    tree = _deselected(stream.mask)
    convert = stream.catalog_schema.convert if stream.catalog_schema else None

    def select(record: Row) -> Row:
        return _without(record, tree) if tree else record

    def select_and_convert(record: Row) -> Row:
        converted: Row = convert(select(record)) if convert else select(record)
        return converted

    return select_and_convert if convert else select


def _deselected(mask: Mapping[tuple[str, ...], bool]) -> Deselected:
    tree: Deselected = {}
    for breadcrumb in sorted(mask, key=len):
        is_field = set(breadcrumb[::2]) == {"properties"} and len(breadcrumb) % 2 == 0
        if mask[breadcrumb] or not is_field:
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
