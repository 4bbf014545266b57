"""The vendor's API: from a path to a business and a resource, past the guards, to an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from . import scopes, writes
from .errors import UNKNOWN_ROUTE, Refusal, insufficient_scope, no_access, unauthenticated
from .families import PREFIXES, Family, encode
from .lists import includes_of, list_page, may_see
from .query import parse
from .resources import ITEM_PATHS, LISTS

if TYPE_CHECKING:
    from starlette.requests import Request

    from .oauth import AccessToken
    from .resource import Resource
    from .state import State
    from .store import Business, Key, Row


@dataclass(frozen=True)
class Target:
    """What a path names: a resource of a business, or one record of it."""

    family: Family
    business: Business
    resource: Resource
    key: str | None


async def endpoint(request: Request) -> Response:
    """Any path below the prefixes of the families."""
    state: State = request.app.state.sandbox
    path = request.url.path
    prefix = next((prefix for prefix in PREFIXES if path.startswith(prefix)), None)
    if prefix is None:
        return _respond(404, encode({"message": UNKNOWN_ROUTE}), None)
    family = PREFIXES[prefix]
    identifier, _, rest = path[len(prefix) :].partition("/")
    try:
        target, token = _admit(state, request, family, identifier, rest)
        return await _serve(state, request, target, token)
    except Refusal as refusal:
        body = refusal.body or family.error(refusal, state.readings)
        return _respond(refusal.status, encode(body), family, refusal.headers)


def _respond(
    status: int, body: bytes, family: Family | None, headers: dict[str, str] | None = None
) -> Response:
    named = dict(headers or {})
    if family is not None and family.api_version:
        named["x-api-version"] = family.api_version
    media_type = family.content_type if family else "application/json"
    return Response(body, status, named, media_type if body else None)


def _admit(
    state: State, request: Request, family: Family, identifier: str, rest: str
) -> tuple[Target, AccessToken]:
    """Find what the path names and check the token, in the order of the real service."""
    business = family.business(state.store, identifier)
    if business is None and family.name == "accounting":
        # Account resolution precedes authentication (errors-and-limits.md §1).
        raise Refusal(404, "Account not found", 404)
    token = state.oauth.bearer(request.headers.get("authorization"))
    if token is None:
        raise unauthenticated()
    if business is None:
        is_number = identifier.isdecimal() or family.name == "ledger"
        raise Refusal(404) if is_number else Refusal(404, body={"message": UNKNOWN_ROUTE})
    if business.membership_id is None:
        raise no_access() if family.name == "accounting" else Refusal(404)
    resource, key = _resource(family, rest.rstrip("/"))
    return Target(family, business, resource, key), token


def _resource(family: Family, rest: str) -> tuple[Resource, str | None]:
    found = LISTS.get((family.name, rest))
    if found is not None:
        return found, None
    path, _, key = rest.rpartition("/")
    found = ITEM_PATHS.get((family.name, path))
    if found is not None:
        return found, key
    found = ITEM_PATHS.get((family.name, rest))
    if found is not None:
        return found, None
    raise Refusal(404, body={"message": UNKNOWN_ROUTE})


async def _serve(state: State, request: Request, target: Target, token: AccessToken) -> Response:
    resource, business = target.resource, target.business
    is_read = request.method in ("GET", "HEAD")
    _authorize(request, target, token, is_read=is_read)
    query = parse(request.url.query)
    scene = state.scene(business, resource.name)
    if is_read and target.key is None:
        return _respond(200, list_page(resource, query, scene), target.family)
    includes = includes_of(resource, query)
    if is_read:
        row = _find(target)
        return _single(target, row, includes, with_siblings=True)
    rules = resource.writes
    if rules is None or not rules.is_served:
        raise Refusal(405, "Method not allowed.")
    now = state.clock.moment()
    if request.method == "POST" and target.key is None:
        row = writes.create(resource, business, await _body(request, resource), now)
        return _single(target, row, includes)
    row = _find(target)
    if request.method == "PUT":
        writes.update(resource, business, row, await _body(request, resource), now)
        return _single(target, row, includes, with_siblings=True)
    if request.method == "DELETE" and rules.http_delete != "none":
        writes.delete(resource, business, row, now)
        return _deleted(target, row)
    raise Refusal(405, "Method not allowed.")


def _authorize(request: Request, target: Target, token: AccessToken, *, is_read: bool) -> None:
    """Scope, role, and what a fault denies."""
    denied = request.scope.get("sandbox.deny")
    wanted = f"user:{target.resource.scope}:{'read' if is_read else 'write'}"
    if denied == "scope" or not scopes.allows(token.scopes, wanted):
        provided = token.scopes - {wanted} if denied else token.scopes
        raise insufficient_scope(provided, wanted)
    if denied == "feature":
        raise no_access()
    if denied == "plan":
        # An error inside a 200, seen on items (accounting.md §8).
        raise Refusal(200, "This account does not have access to this feature.", 12001)
    if not is_read and target.business.role == "client":
        raise Refusal(403, "Permission Denied.", 1003)


def _find(target: Target) -> Row:
    resource, business = target.resource, target.business
    text = target.key or ""
    key: Key = int(text) if resource.key == "id" and text.isdecimal() else text
    row = business.table(resource.name).get(key)
    if row is None or not may_see(resource, row, business):
        if target.family.search_brackets:
            name = resource.alias or resource.key
            title = resource.single.capitalize().replace("_", " ")
            raise Refusal(404, f"{title} not found.", 1012, name, text, resource.single)
        raise Refusal(404)
    return row


def _single(
    target: Target, row: Row, includes: tuple[str, ...], *, with_siblings: bool = False
) -> Response:
    resource, business = target.resource, target.business
    record = resource.record(row, business, includes)
    if resource.single_form is not None:
        record = resource.single_form(record, row, business)
    siblings = resource.siblings if with_siblings else {}
    body = target.family.single_body(resource, record, siblings)
    return _respond(200, encode(body), target.family)


def _deleted(target: Target, row: Row) -> Response:
    if not target.family.search_brackets:
        return _respond(204, b"", target.family)
    rules = target.resource.writes
    if rules is not None and rules.deleted is None:
        return _respond(200, encode({"response": {}}), target.family)
    return _single(target, row, ())


async def _body(request: Request, resource: Resource) -> dict[str, Any]:
    """The object under the single key of the resource.

    Raises:
        Refusal: 400 errno 1005 for what is no JSON (accounting.md §8).
    """
    try:
        body = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        raise Refusal(400, "The request body could not be parsed as JSON.", 1005) from None
    found = body.get(resource.single) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise writes.missing(resource, resource.single)
    return found
