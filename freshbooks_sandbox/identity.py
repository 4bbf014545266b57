"""`users/me`: the user, the memberships, and the identifiers of each business.

See docs/freshbooks-api/auth.md §9.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from freshbooks_sandbox import scopes
from freshbooks_sandbox.errors import UNAUTHENTICATED, MissingScopeError
from freshbooks_sandbox.families.base import encode
from freshbooks_sandbox.families.small import MEMBERS
from freshbooks_sandbox.features import features_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from freshbooks_sandbox.state import State
    from freshbooks_sandbox.store import Business

CREATED = "2023-10-01T12:00:00Z"


def _membership(business: Business, others: list[Business]) -> dict[str, Any]:
    return {
        "id": business.membership_id,
        "role": business.role,
        "unacknowledged_change": False,
        "fasttrack_token": f"fasttrack.{business.uuid_of('fasttrack', business.id)}.sandbox",
        "business": business_record(business, others),
    }


def business_record(business: Business, others: list[Business]) -> dict[str, Any]:
    """The business itself; `others` are those that it is a customer of.

    See docs/freshbooks-api/resources/businesses.yaml.
    """
    profile = business.profile
    return {
        "id": business.id,
        "business_uuid": business.uuid,
        "name": business.name,
        "account_id": business.account_id,
        "active": True,
        "status": "active",
        "timezone": business.timezone,
        "date_format": profile["date_format"],
        "number_format": None,
        "first_day_of_week": 0,
        "advanced_accounting_enabled": business.account_id is not None,
        "billing_country_code": "CAN",
        "business_type": None,
        "industry": None,
        "address": profile["address"] if business.account_id else None,
        "phone_number": profile["phone"] if business.account_id else None,
        "business_clients": [_customer(business, other) for other in others],
    }


def _customer(business: Business, other: Business) -> dict[str, Any]:
    """A business of which the business without an account is a customer.

    See docs/freshbooks-api/resources/businesses.yaml.
    """
    return {
        "id": other.profile["systemid"] + 1,
        "business_id": business.id,
        "account_id": other.account_id,
        "userid": other.client_id,
        "client_business": {"business_id": business.id},
        "account_business": {"account_business_id": other.id, "account_id": other.account_id},
    }


def _role(position: int, business: Business) -> dict[str, Any]:
    """The role in the accounting system, not in the business."""
    key = business.profile["systemid"] * 10 + position
    return {
        "id": key,
        "role": "client" if business.role == "client" else "admin",
        "systemid": business.profile["systemid"],
        "userid": business.client_id or 1,
        "created_at": CREATED,
        "links": {"destroy": f"/service/auth/api/v1/users/role/{key}"},
        "accountid": business.account_id,
    }


def _profile(user: dict[str, Any]) -> dict[str, Any]:
    return {
        "setup_complete": True,
        "first_name": user["first_name"],
        "last_name": user["last_name"],
        "phone_number": None,
        "address": None,
        "profession": None,
        "professions": [],
        "has_password": True,
        "is_email_confirmed": True,
        "time_format": 0,
        "timezone": "America/Toronto",
    }


def _group(user: dict[str, Any], business: Business) -> dict[str, Any]:
    return {
        "id": business.membership_id,
        "group_id": business.profile["group_id"],
        "role": business.role,
        "identity_id": user["id"],
        "identity_uuid": user["uuid"],
        "business_id": business.id,
        "active": True,
    }


def me(
    user: dict[str, Any], businesses: list[Business], features: Callable[[Business], dict[str, Any]]
) -> dict[str, Any]:
    """The whole answer below `response`."""
    mine = [business for business in businesses if business.membership_id is not None]
    customers_of = [business for business in mine if business.role == "client"]
    with_books = [business for business in mine if business.account_id is not None]
    return {
        "id": user["id"],
        "profile": _profile(user),
        "identity_id": user["id"],
        "identity_uuid": user["uuid"],
        "first_name": user["first_name"],
        "last_name": user["last_name"],
        "email": user["email"],
        "language": "en",
        "timezone": "America/Toronto",
        "confirmed_at": CREATED,
        "created_at": CREATED,
        "unconfirmed_email": None,
        "setup_complete": True,
        "phone_numbers": [{"title": "", "phone_number": None}],
        "addresses": [None],
        "profession": None,
        "links": {
            "me": f"/service/auth/api/v1/users?id={user['id']}",
            "roles": f"/service/auth/api/v1/users/role/{user['id']}",
        },
        "permissions": {business.account_id: features(business) for business in with_books},
        "groups": [_group(user, business) for business in mine],
        "subscription_statuses": {business.account_id: "active" for business in with_books},
        "business_statuses": {business.account_id: "active" for business in with_books},
        "integrations": {},
        "business_memberships": [
            _membership(business, [] if business.account_id else customers_of) for business in mine
        ],
        "identity_origin": None,
        "otp_delivery_method": None,
        "otp_required_for_login": False,
        "roles": [_role(position, business) for position, business in enumerate(with_books)],
    }


async def users_me(request: Request) -> Response:
    """`GET /auth/api/v1/users/me`."""
    state: State = request.app.state.sandbox
    token = state.oauth.bearer(request.headers.get("authorization"))
    if token is None:
        return JSONResponse(UNAUTHENTICATED, 401)
    if request.scope.get("sandbox.deny") == "scope":
        error = MissingScopeError(token.scopes, scopes.PROFILE)
        return JSONResponse(MEMBERS.own_error_body(error, state.behaviours), error.status)
    client_id = token.app.client_id

    def features(business: Business) -> dict[str, Any]:
        return features_of(business, lambda path: state.faults.refuses(path, client_id))

    body = encode({"response": me(state.identity, state.store.businesses, features)})
    etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    headers = {"ETag": f'W/"{etag}"', "Cache-Control": "max-age=0, private, must-revalidate"}
    return Response(body, headers=headers, media_type="application/json")
