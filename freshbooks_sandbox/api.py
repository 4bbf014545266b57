"""The vendor's API: from a path to a business and a resource, past the guards, to an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from freshbooks_sandbox import writes
from freshbooks_sandbox.behaviours import named
from freshbooks_sandbox.errors import UNKNOWN_ROUTE, ApiError, no_access, unauthenticated
from freshbooks_sandbox.families.base import Family, encode
from freshbooks_sandbox.guards import authorize, authorize_view, check_scope, check_service, is_read
from freshbooks_sandbox.lists import includes_of, list_page, may_see
from freshbooks_sandbox.query import parse
from freshbooks_sandbox.records import visible_record
from freshbooks_sandbox.routes import PREFIXES, find
from freshbooks_sandbox.view import View

if TYPE_CHECKING:
    from starlette.requests import Request

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.oauth import AccessToken
    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.state import State
    from freshbooks_sandbox.store import Business, Row


@dataclass(frozen=True)
class Target:
    """The target of a path: a resource of a business, or one record of it."""

    family: Family
    business: Business
    resource: Resource
    key: str | None = None
    parent: int | None = None


async def endpoint(request: Request) -> Response:
    """Any path below the prefixes of the families."""
    state: State = request.app.state.sandbox
    path = request.url.path
    prefix = next((prefix for prefix in PREFIXES if path.startswith(prefix)), None)
    if prefix is None:
        return _respond(404, encode({"message": UNKNOWN_ROUTE}), None)
    family = PREFIXES[prefix]
    identifier, _, rest = path[len(prefix) :].partition("/")
    if not family.has_identifier:
        identifier, rest = "", path[len(prefix) :]
    try:
        business, token = _admit(state, request, family, identifier)
        route = find(family.name, rest.rstrip("/"))
        if isinstance(route.found, View):
            return _show(state, request, route.found, route.key, family, business, token)
        parent = _parent(route.found, route.parent, business)
        target = Target(family, business, route.found, route.key, parent)
        return await _serve(state, request, target, token)
    except ApiError as error:
        body = family.error_body(error, state.behaviours)
        return _respond(error.status, encode(body), family, error.headers)


def _respond(
    status: int, body: bytes, family: Family | None, headers: dict[str, str] | None = None
) -> Response:
    named = dict(headers or {})
    if family is not None and family.api_version:
        named["x-api-version"] = family.api_version
    media_type = family.content_type if family else "application/json"
    return Response(body, status, named, media_type if body else None)


def _admit(
    state: State, request: Request, family: Family, identifier: str
) -> tuple[Business, AccessToken]:
    """Find the business and check the token, in the order of the real service."""
    business = family.business(state.store, identifier)
    if business is None and family.name == "accounting":
        # Account resolution precedes authentication (docs/freshbooks-api/errors-and-limits.md §1).
        raise ApiError(404, "Account not found", 404)
    token = state.oauth.bearer(request.headers.get("authorization"))
    if token is None:
        raise unauthenticated()
    if business is None:
        is_number = identifier.isdecimal() or family.name in ("ledger", "events", "payments")
        raise ApiError(404) if is_number else ApiError(404, body={"message": UNKNOWN_ROUTE})
    if business.membership_id is None:
        raise no_access() if family.name == "accounting" else ApiError(404)
    return business, token


def _parent(resource: Resource, text: str | None, business: Business) -> int | None:
    """The record that a list belongs to."""
    if resource.parent is None or text is None:
        return None
    key = int(text) if text.isdecimal() else -1
    if key not in business.table(resource.parent[0]):
        raise ApiError(404, body=resource.unknown)
    return key


def _show(
    state: State,
    request: Request,
    view: View,
    key: str | None,
    family: Family,
    business: Business,
    token: AccessToken,
) -> Response:
    """A view."""
    authorize_view(request, view, business, token)
    context = _context(state, request, business, view.name, token)
    body = view.build(parse(request.url.query), context, key)
    return _respond(200, body if isinstance(body, bytes) else encode(body), family)


def _context(
    state: State, request: Request, business: Business, name: str, token: AccessToken
) -> FilterContext:
    is_alpha = request.headers.get("api-version") == "alpha"
    return state.filter_context(business, name, token.app.client_id, is_alpha=is_alpha)


async def _serve(state: State, request: Request, target: Target, token: AccessToken) -> Response:
    resource, business = target.resource, target.business
    authorize(request, resource, business, token)
    query = parse(request.url.query)
    query.parent = target.parent
    context = _context(state, request, business, resource.name, token)
    check_service(request, resource, state.behaviours, is_list=target.key is None)
    if is_read(request) and target.key is None:
        return _respond(200, list_page(resource, query, context), target.family)
    includes = includes_of(resource, query, state.behaviours)
    if is_read(request):
        return _single(target, _readable(target, context), context, includes)
    rules = resource.write_rules
    if rules is None or not rules.is_served:
        raise ApiError(405, "Method not allowed.")
    now = state.clock.moment()
    if request.method == "DELETE" and rules.http_delete != "none":
        row = _find(target, context)
        writes.delete(resource, business, row, now)
        return _deleted(target, row, context)
    if request.method not in ("POST", "PUT") or rules.is_delete_only:
        raise ApiError(405, "Method not allowed.")
    body = await _body(request, resource)
    if rules.scope_of is not None and (wanted := rules.scope_of(body)) is not None:
        check_scope(token, (wanted,), None)
    row, is_new = _written(request.method, target, body, context, now)
    return _single(target, row, context, includes, is_new=is_new)


def _written(
    method: str, target: Target, body: dict[str, Any], context: FilterContext, now: int
) -> tuple[Row, bool]:
    """The row that a body made or changed, and whether it is new."""
    resource, business = target.resource, target.business
    if method == "POST" and target.key is None:
        if resource.parent is not None:
            body[resource.parent[1]] = target.parent
        row = writes.create(resource, business, body, now)
        if resource.application_key is not None:
            row[resource.application_key] = context.client_id
        return row, True
    if _is_first_write(target):
        body[resource.key] = target.key
        return writes.create(resource, business, body, now), True
    if method != "PUT" and (resource.write_rules is None or resource.write_rules.keyed_by is None):
        raise ApiError(405, "Method not allowed.")
    row = _find(target, context)
    writes.update(resource, business, row, body, now)
    return row, False


def _is_first_write(target: Target) -> bool:
    """Whether the row is made by writing to the path of its key, as rates are."""
    rules, key = target.resource.write_rules, target.key or ""
    if rules is None or rules.keyed_by is None or not key.isdecimal():
        return False
    table, column = rules.keyed_by
    is_there = int(key) in target.business.table(target.resource.name)
    return not is_there and int(key) in target.business.index(table, column)


def _find(target: Target, context: FilterContext) -> Row:
    resource, business = target.resource, target.business
    text = target.key or ""
    table = business.table(resource.name)
    if resource.rows is not None:
        table = {row[resource.key]: row for row in resource.rows(business)}
    row = table.get(int(text)) if text.isdecimal() else None
    row = row or table.get(text)
    if row is None or not may_see(resource, row, context):
        raise _unknown(target)
    return row


def _readable(target: Target, context: FilterContext) -> Row:
    """The same; that a deleted one can be read was seen on some resources only.

    See docs/freshbooks-api/accounting.md §5 and docs/freshbooks-api/resources/projects.yaml.
    """
    row, rules = _find(target, context), target.resource.write_rules
    if rules and rules.deleted and named(context.behaviours.deleted_unreadable, context.resource):
        column, value = rules.deleted
        if row.get(column) == value:
            raise _unknown(target)
    return row


def _unknown(target: Target) -> ApiError:
    """The 404 for a record that is not there."""
    resource = target.resource
    if target.family.name != "accounting":
        return ApiError(404, body=resource.unknown)
    name, title = resource.alias or resource.key, resource.single.capitalize().replace("_", " ")
    return ApiError(404, f"{title} not found.", 1012, name, target.key, resource.single)


def _single(
    target: Target,
    row: Row,
    context: FilterContext,
    includes: tuple[str, ...],
    *,
    is_new: bool = False,
) -> Response:
    resource = target.resource
    record = visible_record(resource, row, context, includes)
    if resource.single_form is not None:
        record = resource.single_form(record, row, target.business)
    _, single = resource.keys(context.behaviours)
    body = target.family.single_body(single, record, resource.siblings)
    status = target.family.created_status if is_new else 200
    return _respond(status, encode(body), target.family)


def _deleted(target: Target, row: Row, context: FilterContext) -> Response:
    if target.family.name != "accounting":
        return _respond(204, b"", target.family)
    rules = target.resource.write_rules
    if rules is not None and rules.deleted is None:
        return _respond(200, encode({"response": {}}), target.family)
    return _single(target, row, context, ())


async def _body(request: Request, resource: Resource) -> dict[str, Any]:
    """The object under the single key of the resource.

    Raises:
        ApiError: 400 errno 1005 for what is no JSON (docs/freshbooks-api/accounting.md §8).
    """
    try:
        body = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        raise ApiError(400, "The request body could not be parsed as JSON.", 1005) from None
    found = None
    if isinstance(body, dict):
        # Either key, where two are known (docs/freshbooks-api/accounting.md §2).
        keys = (resource.single, *((resource.plural,) if resource.other_keys else ()))
        found = next((body[key] for key in keys if key in body), None)
    if resource.family.has_flat_bodies:
        found = body
    if not isinstance(found, dict):
        raise writes.missing(resource, resource.single)
    return found
