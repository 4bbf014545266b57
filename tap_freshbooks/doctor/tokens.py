"""What is known of the token of a connection, and requests with another one."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import TapError
from tap_freshbooks.oauth.static_token import StaticToken
from tap_freshbooks.oauth.tokens import LEGACY_ALL
from tap_freshbooks.transport.client import FreshBooksClient
from tap_freshbooks.transport.request import Request

if TYPE_CHECKING:
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.doctor.evidence import Ask
    from tap_freshbooks.transport.request import Response


def granted_scopes(client: FreshBooksClient) -> frozenset[str]:
    """The scopes that the access token names; empty if it names none, or the one for everything.

    Apps from before scopes existed have `admin:all:legacy` (`docs/freshbooks-api/auth.md §4`).
    """
    scope = _claims_of(client.authenticator.access_token()).get("scope")
    scopes = frozenset(scope.split()) if isinstance(scope, str) else frozenset()
    return frozenset() if LEGACY_ALL in scopes else scopes


def _claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, as which access tokens were seen (`docs/freshbooks-api/auth.md §4`)."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, RecursionError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def answer_to(connection: Connection, token: str, ask: Ask) -> Response | None:
    """The answer to a request with another token, None if there is none."""
    client = FreshBooksClient(
        api_url=connection.api_url,
        authenticator=StaticToken(token),
        throttle=connection.client.throttle,
        user_agent=connection.user_agent,
        timeout=connection.config["request_timeout"],
        max_size=connection.client.session.max_size,
        max_attempts=1,
    )
    request = Request(ask.path, dict(ask.query), dict(ask.headers))
    try:
        client.execute(request, subject=ask.path)
    except TapError:  # a refusal is an answer, too
        pass
    finally:
        client.session.close()
    return request.response
