"""Tells answers of proxies, firewalls and gateways from those of FreshBooks itself.

All errors of FreshBooks are JSON objects of known forms, save those of a broken server
(`docs/freshbooks-api/errors-and-limits.md §1`). So a 401, 403 or 404 of another kind says nothing
of tokens, permissions and objects.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SPOOFED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""Statuses that mean something else where they are not FreshBooks' own."""

OWN_KEYS = frozenset({"response", "errors", "error", "error_type", "errno", "message", "details"})
"""Of which each error of FreshBooks has one."""

BARE_WORDS = frozenset(
    {
        "access denied",
        "forbidden",
        "missing authentication token",
        "no route matched with those values",
        "not found",
        "unauthorized",
        "user is not authorized to access this resource",
        "user is not authorized to access this resource with an explicit deny",
    }
)
"""Messages of gateways which are all that their JSON says. Those of FreshBooks say more, or have an
`error_type` beside them (`{"error_type": "forbidden", "message": "Forbidden."}`)."""

REDIRECT = (
    "a redirect, as the login page of a network, a proxy or a firewall answers: FreshBooks' API "
    "sends none, and none is followed. A wrong api_url may get one, too"
)

REQUEST_IDS = frozenset({"request_id", "requestId", "x-amzn-RequestId"})

HIGHEST_GRPC_CODE = 16


def describe_gateway(
    status: int, headers: Mapping[str, str], body: Any, content: bytes
) -> str | None:
    """What a response is, None if it is FreshBooks' own as far as can be told.

    Args:
        status: HTTP status, one that is not retried anyway.
        headers: Of the response.
        body: The decoded body, None if it is not JSON.
        content: What was decoded.
    """
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST and not _has_own_key(body):
        return REDIRECT
    if body is None and is_page(content) and status >= HTTPStatus.BAD_REQUEST:
        return describe_content(content)
    if status not in SPOOFED:
        return None
    if body is None:
        challenge = headers.get("WWW-Authenticate", "").lower()
        if status == HTTPStatus.UNAUTHORIZED and challenge.startswith("bearer"):
            return None  # a server of OAuth need not say more than that
        return describe_content(content)
    if not _has_own_key(body) or _is_of_gateway(status, body):
        return "JSON of a proxy or gateway, which is none of FreshBooks' errors"
    return None


def is_page(content: bytes) -> bool:
    """Whether a body is HTML or XML."""
    return content.lstrip()[:1] == b"<"


def describe_content(content: bytes) -> str:
    """What a body is that holds no JSON."""
    start = content.lstrip()[:15].lower()
    if not start:
        return "an empty body, as a proxy or firewall answers, not FreshBooks' JSON"
    kind = "a text"
    if start.startswith(b"<"):
        kind = "an XML page" if start.startswith(b"<?xml") else "an HTML page"
    return f"{kind} of a proxy or firewall, not FreshBooks' JSON"


def _has_own_key(body: Any) -> bool:
    return isinstance(body, dict) and bool(OWN_KEYS & body.keys())


def _is_of_gateway(status: int, body: Mapping[str, Any]) -> bool:
    """Whether an error in JSON has the form of a well-known gateway."""
    message, error, code = (body.get(name) for name in ("message", "error", "code"))
    if isinstance(message, str) and body.keys() <= {"message", *REQUEST_IDS}:
        return message.strip().rstrip(".").lower() in BARE_WORDS
    if isinstance(error, dict):  # Google's: {"error": {"code": 403, "status": "PERMISSION_DENIED"}}
        return error.get("code") == status and "insufficient_scope" not in str(error)
    # FreshBooks' own codes are those of gRPC (`docs/freshbooks-api/accounting.md §8`).
    return code == status > HIGHEST_GRPC_CODE and not body.keys() & {"errno", "details"}
