"""The list engine: filter, order, cut into pages, encode; the same for every resource."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import CAP, Page, encode

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.store import Business, Key, Row

ENCODED_LIMIT = 500_000_000
"""Bytes of encoded records kept per business; beyond it records are encoded anew."""


@dataclass
class Selection:
    """The rows that match and may be seen, in order; the number that match; what `meta` adds."""

    rows: Sequence[Row]
    total: int
    meta: Mapping[str, Any] = field(default_factory=dict)


def list_page(resource: Resource, query: Query, context: FilterContext) -> bytes:
    """The body of a list answer.

    Raises:
        ApiError: For a page or a filter value that is malformed.
    """
    page, rows, meta = select_page(resource, query, context)
    parts = _encoded(resource, rows, context, includes_of(resource, query))
    if resource.envelope is not None:
        return resource.envelope(b",".join(parts), context.behaviours)
    return resource.family.list_body(resource.plural, page, b",".join(parts), meta)


def select_page(
    resource: Resource, query: Query, context: FilterContext
) -> tuple[Page, Sequence[Row], Mapping[str, Any]]:
    """The page, its rows, and what `meta` adds.

    Raises:
        ApiError: For a page or a filter value that is malformed.
    """
    query.filters = resource.family.filters(query)
    number, per_page = _paging(resource, query, context.behaviours)
    view = _view_key(resource, query, context)
    selection = context.business.cached(view, lambda: _select(resource, query, context))
    size = per_page or max(selection.total, 1)
    pages = -(-selection.total // size)
    page = Page(number, pages, per_page or selection.total, selection.total)
    return page, selection.rows[(number - 1) * size : number * size], selection.meta


def includes_of(resource: Resource, query: Query) -> tuple[str, ...]:
    """The known ones among `include[]`, or the switches that are on."""
    if resource.family.search_brackets:
        return query.includes(resource.includes)
    return tuple(name for name in resource.includes if query.is_on(name))


def _paging(resource: Resource, query: Query, behaviours: Behaviours) -> tuple[int, int | None]:
    """The page asked for and its size; None stands for all rows on one page."""
    default = resource.family.per_page
    if resource.name == "services" and behaviours.services_paging == "ignored":
        return 1, None
    if not (resource.family.is_paged and resource.is_paged):
        return 1, None
    if resource.name == "team_members":
        default = int(behaviours.team_members_per_page)
    if resource.name == "time_entries" and behaviours.time_entries_default == "30":
        default = 30
    return _page_number(resource, query, behaviours), _per_page(resource, query, default)


def _page_number(resource: Resource, query: Query, behaviours: Behaviours) -> int:
    """`page=0` is page 1, no number is an error of unknown form.

    See docs/freshbooks-api/accounting.md §3.
    """
    name = resource.family.page_names[0]
    page = query.page if name == "page" else query.value(name)
    if page is None or page.strip("0") == "":
        return 1
    if page.isdecimal():
        return int(page)
    if behaviours.bad_page == "first":
        return 1
    raise resource.family.bad_number(name, page, resource.single, int(behaviours.bad_page))


def _per_page(resource: Resource, query: Query, default: int | None) -> int | None:
    """Silently at most 100 (docs/freshbooks-api/accounting.md §3)."""
    name = resource.family.page_names[1]
    size = query.per_page if name == "per_page" else query.value(name)
    if size is None:
        return default
    if not size.isdecimal() or int(size) == 0:
        raise resource.family.bad_number(name, size, resource.single, 422)
    return min(int(size), CAP)


def _view_key(resource: Resource, query: Query, context: FilterContext) -> Hashable:
    filters = tuple(sorted((name, *values) for name, values in query.filters.items()))
    lists = tuple(sorted(query.lists))
    caller = context.client_id if resource.application_key is not None else None
    return ("view", resource.name, query.parent, query.sort, filters, lists, caller)


def _select(resource: Resource, query: Query, context: FilterContext) -> Selection:
    business = context.business
    ordered: Sequence[Row] = business.cached(
        ("order", resource.name), lambda: resource.order(resource.table(business))
    )
    matching = ordered
    if resource.parent is not None:
        column = resource.parent[1]
        matching = [row for row in matching if row[column] == query.parent]
    for predicate in _predicates(resource, query, context):
        matching = [row for row in matching if predicate(row)]
    matching = _sorted(resource, query.sort, matching, business)
    visible = matching
    if business.role == "client":
        visible = [row for row in matching if _is_own(resource, row, business)]
    total = matching if context.behaviours.total == "all" else visible
    meta = resource.meta(query, visible) if resource.meta else {}
    return Selection(visible, len(total), meta)


def _is_own(resource: Resource, row: Row, business: Business) -> bool:
    """A customer of the business sees what is his (docs/freshbooks-api/auth.md §9.4)."""
    return resource.client_key is not None and row.get(resource.client_key) == business.client_id


def _is_of_another(resource: Resource, row: Row, context: FilterContext) -> bool:
    """Whether another application made the row, where that matters."""
    key = resource.application_key
    if key is None or context.behaviours.callbacks_of == "account":
        return False
    return row.get(key) != context.client_id


def may_see(resource: Resource, row: Row, context: FilterContext) -> bool:
    """Whether the caller, in his role in this business, may read the row."""
    business = context.business
    if _is_of_another(resource, row, context):
        return False
    key = resource.identity_key
    if key is not None and row[key] != business.profile["identity_id"]:
        return False
    return business.role != "client" or _is_own(resource, row, business)


def _predicates(resource: Resource, query: Query, context: FilterContext) -> list[Predicate]:
    predicates = []
    hidden = resource.visibility(query, context)
    if hidden is not None:
        predicates.append(hidden)
    if resource.application_key is not None:
        predicates.append(lambda row: not _is_of_another(resource, row, context))
    for name, values in query.filters.items():
        known = resource.filters.get(name)
        if known is None:
            continue  # silence, not an error (docs/freshbooks-api/accounting.md §4)
        if resource.family.search_brackets and known.many != (name in query.lists):
            errno, kind = (1034, "a list") if known.many else (1037, "a single value")
            raise ApiError(422, f"{name} must be {kind}.", errno, name, values[-1], resource.single)
        predicates.append(known.build(name, values, context))
    return predicates


def _sorted(
    resource: Resource, sort: str | None, rows: Sequence[Row], business: Business
) -> Sequence[Row]:
    """A value of unknown form gives id ascending, an unknown key nothing.

    See docs/freshbooks-api/accounting.md §4.
    """
    if sort is None:
        return rows
    if resource.family.search_brackets:
        key, _, direction = sort.rpartition("_")
        is_form_known = direction in ("asc", "desc")
        descending = direction == "desc"
    else:
        key, descending = sort.removeprefix("-"), sort.startswith("-")
        is_form_known = key in resource.sorts
    sorter = resource.sorts.get(key)
    if is_form_known and sorter is not None:
        return sorted(rows, key=lambda row: sorter(row, business), reverse=descending)
    if not is_form_known and resource.unknown_sort_ascends:
        return sorted(rows, key=lambda row: row[resource.key])
    return rows


def visible_record(
    resource: Resource, row: Row, context: FilterContext, includes: tuple[str, ...]
) -> dict[str, Any]:
    """The record without the keys that the behaviours leave out."""
    record = resource.record(row, context.business, includes)
    for name in resource.omitted_keys(context.behaviours) if resource.omitted_keys else ():
        record.pop(name, None)
    return record


def _encoded(
    resource: Resource, rows: Sequence[Row], context: FilterContext, includes: tuple[str, ...]
) -> list[bytes]:
    business = context.business
    store: dict[Key, bytes] = business.cached(("encoded", resource.name, includes), dict)
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
