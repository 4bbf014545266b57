"""The conditions of a request before it is served: scopes, role, plan, version."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from freshbooks_sandbox import scopes
from freshbooks_sandbox.behaviours import named
from freshbooks_sandbox.errors import UNKNOWN_ROUTE, ApiError, MissingScopeError, no_access

if TYPE_CHECKING:
    from starlette.requests import Request

    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.oauth import AccessToken
    from freshbooks_sandbox.resource import AnyScope, Resource
    from freshbooks_sandbox.store import Business
    from freshbooks_sandbox.view import View

OTHER_SCOPE = "user:business:read"
"""A scope that no file of the facts names for a list."""


def is_read(request: Request) -> bool:
    """Whether nothing is to be changed."""
    return request.method in ("GET", "HEAD")


def authorize(request: Request, resource: Resource, business: Business, token: AccessToken) -> None:
    """Scope, role, and what a fault denies.

    Raises:
        ApiError: Where the caller may not.
    """
    denied = request.scope.get("sandbox.deny")
    wanted = (f"user:{resource.scope}:{'read' if is_read(request) else 'write'}",)
    names = _names(resource.any_scope, business) or wanted
    if named(business.behaviours.scopes, resource.name) and resource.any_scope is not ledger_scope:
        names = (OTHER_SCOPE,)
    check_scope(token, names, denied)
    _check_feature(denied)
    if not is_read(request) and business.role == "client":
        raise ApiError(403, "Permission Denied.", 1003)


def authorize_view(request: Request, view: View, business: Business, token: AccessToken) -> None:
    """The same for a view, which can only be read.

    Raises:
        ApiError: Where the caller may not.
    """
    if not is_read(request):
        raise ApiError(405, "Method not allowed.")
    denied = request.scope.get("sandbox.deny")
    check_scope(token, view.any_scope, denied)
    for name in _names(view.more_scopes, business):
        check_scope(token, (name,), denied)
    if denied == "feature" and view.denied_status != HTTPStatus.UNAUTHORIZED:
        raise ApiError(view.denied_status, "Permission Denied.", 1003)
    _check_feature(denied)
    if business.role == "client" and not view.is_for_clients:
        raise ApiError(403, "Permission Denied.", 1003)


def _names(names: AnyScope, business: Business) -> tuple[str, ...]:
    return names if isinstance(names, tuple) else names(business.behaviours)


def ledger_scope(behaviours: Behaviours) -> tuple[str, ...]:
    """What the paths below `/accounting/businesses/` demand (docs/freshbooks-api/auth.md §8)."""
    return (f"user:{behaviours.ledger_scopes}:read",)


def check_scope(token: AccessToken, any_of: tuple[str, ...], denied: str | None) -> None:
    """Whether the token has one of the scopes, and no fault takes it away.

    Raises:
        ApiError: 403 with the scopes that are there and the one that is needed.
    """
    granted = token.scopes - {*any_of} if denied == "scope" else token.scopes
    if denied == "scope" or not any(scopes.allows(granted, wanted) for wanted in any_of):
        raise MissingScopeError(granted, any_of[0])


def _check_feature(denied: str | None) -> None:
    if denied == "feature":
        raise no_access()
    if denied == "plan":
        # An error inside a 200, seen on items (docs/freshbooks-api/accounting.md §8).
        raise ApiError(200, "This account does not have access to this feature.", 12001)


def check_service(
    request: Request, resource: Resource, behaviours: Behaviours, *, is_list: bool
) -> None:
    """Whether there is such a service at all, and the request speaks its version.

    Raises:
        ApiError: 400 for the version, 404 for what does not exist.
    """
    version = request.headers.get("x-api-version", "")
    is_old = resource.needs_version is not None and version < resource.needs_version
    if is_old and behaviours.journal_version == "required":
        raise ApiError(400, f"The header x-api-version must be {resource.needs_version}.")
    is_missing = resource.is_list_presumed and behaviours.presumed_lists == "missing"
    if is_read(request) and (is_missing if is_list else not resource.is_readable_alone):
        raise ApiError(404, body={"message": UNKNOWN_ROUTE})
