"""The list engine: filter, order, cut into pages, encode; the same for every resource."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.behaviours import named
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.paging import page_request
from freshbooks_sandbox.records import encoded

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.families.base import Page
    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.store import Business, Row

UNKNOWN_KEY = "sandbox_rows"
"""A key that no file of the facts has for a list."""


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
    behaviours = context.behaviours
    page, rows, meta = select_page(resource, query, context)
    parts = encoded(resource, rows, context, includes_of(resource, query, behaviours))
    if named(behaviours.repeated_rows, resource.name):
        parts = [*parts[:1], *parts]
    records = b",".join(parts)
    envelope = resource.envelope and resource.envelope(records, behaviours)
    if envelope is not None:
        return envelope
    plural, _ = resource.keys(behaviours)
    if named(behaviours.envelope, resource.name) and resource.other_keys is None:
        plural = UNKNOWN_KEY
    is_bare = named(behaviours.page_metadata_missing, resource.name)
    return resource.family.list_body(plural, None if is_bare else page, records, meta)


def select_page(
    resource: Resource, query: Query, context: FilterContext
) -> tuple[Page, Sequence[Row], Mapping[str, Any]]:
    """The page, its rows, and what `meta` adds.

    Raises:
        ApiError: For a page or a filter value that is malformed.
    """
    query.filters = resource.family.filters(query)
    if named(context.behaviours.deleted_filter_ignored, resource.name):
        query.filters.pop("vis_state", None)
    request = page_request(resource, query, context.behaviours)
    view = _view_key(resource, query, context)
    selection = context.business.cached(view, lambda: _select(resource, query, context))
    page, place = request.page(selection.total)
    if named(context.behaviours.totals, resource.name) and request.size is not None:
        page = replace(page, total=page.total + 1)
    return page, selection.rows[place], selection.meta


def includes_of(resource: Resource, query: Query, behaviours: Behaviours) -> tuple[str, ...]:
    """The known ones among `include[]`, or the switches that are on."""
    if named(behaviours.includes_ignored, resource.name):
        return ()
    if resource.family.search_brackets:
        return query.includes(resource.includes)
    return tuple(name for name in resource.includes if query.is_on(name))


def _view_key(resource: Resource, query: Query, context: FilterContext) -> Hashable:
    filters = tuple(sorted((name, *values) for name, values in query.filters.items()))
    lists = tuple(sorted(query.lists))
    caller = context.client_id if resource.application_key is not None else None
    return ("view", resource.name, query.parent, query.sort, filters, lists, caller)


def _select(resource: Resource, query: Query, context: FilterContext) -> Selection:
    business = context.business
    ordered: Sequence[Row] = business.cached(
        ("order", resource.name), lambda: _ordered(resource, business)
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
    meta = resource.meta(query, visible, business) if resource.meta else {}
    return Selection(visible, len(total), meta)


def _ordered(resource: Resource, business: Business) -> Sequence[Row]:
    """In the order of the list; where that is by id ascending, uuids are just turned round."""
    rows = resource.order(resource.table(business))
    if not named(business.behaviours.oldest_first, resource.name):
        return rows
    if all(isinstance(row[resource.key], int) for row in rows):
        return sorted(rows, key=lambda row: row[resource.key])
    return list(reversed(rows))


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
        if known is None or _is_dropped(name, resource, context):
            continue  # silence, not an error (docs/freshbooks-api/accounting.md §4)
        if resource.family.search_brackets and known.many != (name in query.lists):
            errno, kind = (1034, "a list") if known.many else (1037, "a single value")
            raise ApiError(422, f"{name} must be {kind}.", errno, name, values[-1], resource.single)
        predicates.append(known.build(name, values, context))
    return predicates


APART = ("updated_min", "updated_max", "vis_state")
"""The filters that have a behaviour of their own."""


def _is_dropped(name: str, resource: Resource, context: FilterContext) -> bool:
    """Whether a documented `search[...]` has no effect here."""
    if name in APART or not resource.family.search_brackets:
        return False
    return named(context.behaviours.search_ignored, resource.name)


def _sorted(
    resource: Resource, sort: str | None, rows: Sequence[Row], business: Business
) -> Sequence[Row]:
    """A value of unknown form gives id ascending, an unknown key nothing.

    See docs/freshbooks-api/accounting.md §4.
    """
    if sort is None or named(business.behaviours.sort_ignored, resource.name):
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
