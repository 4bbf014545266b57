"""The smaller families: members of the auth service, events, payments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import UNAUTHENTICATED, ApiError
from freshbooks_sandbox.families.base import JSON_API, Accounting, Family, Page, Plain, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.store import Business, Store


class Members(Family):
    """`/auth/api/v1/businesses/{business_id}/...`: rows under `response`, `meta` beside them."""

    def list_body(
        self, _plural: str, page: Page | None, rows: bytes, _extra: Mapping[str, Any]
    ) -> bytes:
        """`meta` has page, per_page and total, but no pages.

        See docs/freshbooks-api/resources/team_members.yaml.
        """
        numbers = page.fields() if page else {}
        meta = {name: number for name, number in numbers.items() if name != "pages"}
        return b'{"response":[%b],"meta":%b}' % (rows, encode(meta))

    def single_body(
        self, _single: str, record: Mapping[str, Any], _siblings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`{"response": {...}}`."""
        return {"response": record}

    def own_error_body(self, error: ApiError, _behaviours: Behaviours) -> dict[str, Any]:
        """`error` and `error_description` (docs/freshbooks-api/errors-and-limits.md §1)."""
        names = {401: "unauthenticated", 403: "insufficient_scope", 404: "not_found"}
        return {
            "error": names.get(error.status, "invalid_resource"),
            "error_description": error.message or "The requested resource was not found.",
        }


def _in_own_form(error: ApiError, behaviours: Behaviours) -> ApiError:
    """A dead token is answered alike everywhere, or as in older fixtures.

    See docs/freshbooks-api/accounting.md §8.
    """
    if error.body == UNAUTHENTICATED and behaviours.side_unauthenticated == "own":
        return ApiError(error.status)
    return error


class Events(Accounting):
    """`/events/account/{account_id}/...`: accounting's envelope, errors of its own."""

    def error_body(self, error: ApiError, behaviours: Behaviours) -> dict[str, Any]:
        """In the common form or its own."""
        return super().error_body(_in_own_form(error, behaviours), behaviours)

    def own_error_body(self, error: ApiError, _behaviours: Behaviours) -> dict[str, Any]:
        """`{errno, message}`, at times with `details`.

        See docs/freshbooks-api/errors-and-limits.md §1.
        """
        messages = {
            401: "invalid_token: The request token failed to authenticate or validate.",
            404: "Requested resource could not be found.",
        }
        message = error.message or messages.get(error.status, "")
        if error.status in (400, 422):
            return invalid_event(message)
        return {"errno": error.status, "message": message}


def invalid_event(*details: str) -> dict[str, Any]:
    """The body of a 400, whose errno differs from the status.

    See docs/freshbooks-api/webhooks.md §2.
    """
    message = "The request was well-formed but was unable to be followed due to semantic errors."
    return {"errno": 422, "message": message, "details": list(details)}


class Payments(Plain):
    """`/payments/account/{account_id}/...`: flat answers."""

    def business(self, store: Store, identifier: str) -> Business | None:
        """By account id."""
        return store.by_account.get(identifier)

    def single_body(
        self, _single: str, record: Mapping[str, Any], _siblings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The record itself, as the write bodies are flat.

        An inference; see docs/freshbooks-api/resources/checkout_links.yaml.
        """
        return dict(record)

    def error_body(self, error: ApiError, behaviours: Behaviours) -> dict[str, Any]:
        """In the common form or its own."""
        return super().error_body(_in_own_form(error, behaviours), behaviours)

    def own_error_body(self, error: ApiError, _behaviours: Behaviours) -> dict[str, Any]:
        """`{error_type, message}`, with `errors` where a value is wrong."""
        names = {
            401: ("unauthorized", "Authentication is required to complete this request."),
            403: ("forbidden", "Forbidden."),
            404: ("not_found", "Resource not found"),
            405: ("method_not_allowed", "Method not allowed."),
        }
        if error.status in names:
            kind, message = names[error.status]
            return {"error_type": kind, "message": message}
        detail = {
            "error_type": "type_error.enum" if error.errno is None else "value_error",
            "message": error.message,
            "field": error.field,
        }
        message = "A validation error occurred."
        return {"error_type": "validation", "message": message, "errors": [detail]}


MEMBERS = Members("members", per_page=5, api_version="2019-07-10")
GROUPS = Members("groups", api_version="2019-07-10")
EVENTS = Events("events", per_page=15, search_brackets=True)
# No API version header was captured on payments
# (docs/freshbooks-api/resources/payment_gateways.yaml).
PAYMENTS = Payments(
    "payments", content_type=JSON_API, api_version=None, is_paged=False, has_flat_bodies=True
)
