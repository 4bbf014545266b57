"""FreshBooks' token endpoint: a code or a refresh token for a new pair, and its revocation.

A refresh token works once: each request spends it. So nothing here tries twice; when to send it,
and what follows from an answer that never came, is decided in `rotation.py`.
"""

from __future__ import annotations

import base64
import json
import math
import sys
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_freshbooks import signals
from tap_freshbooks.errors import (
    AnswerTooLargeError,
    FreshBooksError,
    ReauthorizationRequiredError,
    RefreshFailedError,
    SettingsError,
    TransientError,
)
from tap_freshbooks.locations import showable
from tap_freshbooks.oauth.tokens import TokenPair, usable_access_token
from tap_freshbooks.transport.decoding import decode
from tap_freshbooks.transport.response_errors import error_from_response, read_error_body
from tap_freshbooks.transport.session import HttpSession

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_PATH = "/auth/oauth/token"  # noqa: S105 - a path
REVOKE_PATH = "/auth/oauth/revoke"

DEFAULT_LIFETIME = 43_200
"""Seconds that an access token lives, if the answer does not say.

See `docs/freshbooks-api/auth.md §5`.
"""

MAX_LIFETIME = 10 * DEFAULT_LIFETIME
"""More than this is not believed."""

OLDEST_CREATION = 600
"""Seconds that `created_at` may lie from our clock: 5 minutes of skew, and a slow answer."""

ANSWER_TIMEOUT = 120
"""Seconds to wait for the whole of a token answer. Long, since to give up on one can mean to lose a
token."""

PATIENCE = 20
"""Seconds to wait for it after a signal that ends the run: longer, and the run would be killed."""

MAX_ANSWER_SIZE = 1_000_000
"""Bytes of a token answer; they have about one thousand."""


@dataclass(frozen=True, slots=True, repr=False)
class TokenEndpoint:
    """FreshBooks' token endpoint for one app.

    Attributes:
        api_url: Base URL of the API.
        client_id: The app.
        client_secret: Its secret.
        redirect_uri: The official SDKs send it with a refresh; not required
            (`docs/freshbooks-api/auth.md §4`).
        user_agent: As for any other request.
        timeout: Seconds to wait for the whole of an answer once the connection stands.
    """

    api_url: str
    client_id: str
    client_secret: str
    redirect_uri: str | None
    user_agent: str
    timeout: float = ANSWER_TIMEOUT

    def refresh(self, pair: TokenPair) -> TokenPair:
        """Spend the refresh token of a pair, once.

        Raises:
            ReauthorizationRequiredError: If the refresh token is spent, revoked or unknown.
            SettingsError: If FreshBooks does not accept the app.
            RefreshFailedError: If FreshBooks refuses the request for another reason.
            TransientError: If there was no usable answer; `sent` tells whether the token may
                be spent all the same.
        """
        form = {"grant_type": "refresh_token", "refresh_token": pair.refresh_token}
        if self.redirect_uri:
            form["redirect_uri"] = self.redirect_uri
        answer = self._trade(form, "the refresh token is spent or revoked")
        return replace(_pair(answer), generation=pair.generation + 1, seed=pair.seed)

    def exchange(self, code: str, verifier: str) -> tuple[TokenPair, frozenset[str]]:
        """Spend the code of a consent; all earlier refresh tokens of this user and app then die.

        Args:
            code: As it came to the redirect URI; it lives for 5 minutes
                (`docs/freshbooks-api/auth.md §3`).
            verifier: The secret half of PKCE.

        Returns:
            The pair, and the scopes that the answer names.

        Raises:
            ReauthorizationRequiredError: If the code is spent, expired or of another consent.
            SettingsError: If FreshBooks does not accept the app.
            TransientError: If there was no usable answer.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self.redirect_uri or "",
        }
        answer = self._trade(
            form,
            "the code is spent, older than 5 minutes, or was made for another redirect_uri",
        )
        return _pair(answer), frozenset(str(answer.get("scope") or "").split())

    def revoke(self, token: str) -> None:
        """End an access or refresh token at once (`docs/freshbooks-api/auth.md §5`).

        Raises:
            FreshBooksError: If FreshBooks did not confirm it.
        """
        answer = self._post(REVOKE_PATH, {"token": token})
        problem = error_from_response(
            answer.status, answer.headers, answer.body, content=answer.content, may_be_empty=True
        )
        if problem is not None:
            raise problem
        if not isinstance(answer.body, dict | None):
            raise FreshBooksError("FreshBooks answered with something that confirms nothing")

    def _trade(self, form: dict[str, str], refusal: str) -> dict[str, Any]:
        """A token answer; `refusal` is the meaning of `invalid_grant`, as a clause."""
        answer = self._post(TOKEN_PATH, form)
        body = answer.body
        # Whatever else may be wrong with the answer: the old token is spent, this one counts.
        is_success = answer.status < HTTPStatus.BAD_REQUEST
        if is_success and isinstance(body, dict) and _text(body.get("refresh_token")):
            return body
        raise _token_failure(answer, refusal)

    def _post(self, path: str, form: dict[str, str]) -> _Answer:
        client = {"client_id": self.client_id, "client_secret": self.client_secret}
        try:
            # A session of its own, not the client's: nothing may repeat the request.
            with HttpSession(
                self.api_url,
                user_agent=self.user_agent,
                timeout=self.timeout,
                max_size=MAX_ANSWER_SIZE,
                timeouts=1,
                patience=_patience,
            ) as session:
                response, content = session.exchange("POST", path, form=form | client)
        except (AnswerTooLargeError, TransientError) as error:
            is_sent = not isinstance(error, TransientError) or error.sent
            fate = "got no complete answer" if is_sent else "was not sent"
            raise TransientError(
                f"the token request to {showable(self.api_url)} {fate} ({error})", sent=is_sent
            ) from None
        url = self.api_url + path
        return _Answer(url, response.status_code, response.headers, decode(content), content)


@dataclass(frozen=True, slots=True, repr=False)
class _Answer:
    """An answer of the token endpoint; `body` is None if it is not JSON."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: Any
    content: bytes


def _patience() -> float:
    """Seconds for which a token answer is still wanted."""
    waited = signals.seconds_deferred()
    return PATIENCE - waited if waited else math.inf


def _pair(answer: dict[str, Any]) -> TokenPair:
    return TokenPair(
        answer["refresh_token"].strip(),
        access_token=usable_access_token(answer.get("access_token")),
        expires_at=_expires_at(answer),
        refreshed_at=time.time(),
        created_at=_seconds(answer.get("created_at")),
    )


def _token_failure(answer: _Answer, refusal: str) -> Exception:
    problem = read_error_body(answer.body)
    word = problem.word if problem else ""
    if word == "invalid_grant":
        return ReauthorizationRequiredError(f"FreshBooks says that {refusal}")
    if word in {"invalid_client", "unauthorized_client"}:
        return SettingsError(
            "FreshBooks does not know this app: check the settings client_id and client_secret"
        )
    error = error_from_response(answer.status, answer.headers, answer.body, content=answer.content)
    if isinstance(error, TransientError):
        # A rate limiter answers before the token endpoint has looked at the token.
        error.sent = answer.status != HTTPStatus.TOO_MANY_REQUESTS
        return error
    if error is not None:
        return RefreshFailedError(
            f"FreshBooks refused the token request: {error} (POST {showable(answer.url)}); check "
            "the settings api_url and redirect_uri"
        )
    return TransientError("the token answer of FreshBooks holds no refresh token")


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _expires_at(answer: dict[str, Any]) -> float:
    """When the access token ends, in epoch seconds.

    `created_at + expires_in`; but a live answer repeated the `created_at` of the first
    grant (`docs/freshbooks-api/auth.md §4`), so an old one is distrusted, and the lifetime counts
    from now. The token's own `exp` wins when it is earlier: too early costs a refresh, too late a
    401.
    """
    now = time.time()
    lifetime = _seconds(answer.get("expires_in")) or 0
    if not 0 < lifetime <= MAX_LIFETIME:
        lifetime = DEFAULT_LIFETIME
    created_at = _seconds(answer.get("created_at")) or now
    if not abs(created_at - now) <= OLDEST_CREATION:  # NaN is no moment either
        created_at = now
    expires_at = created_at + lifetime
    own = _jwt_exp(answer.get("access_token"))
    return min(expires_at, own) if own and own > now else expires_at


def _seconds(value: Any) -> float | None:
    try:
        return min(float(value), sys.float_info.max)
    except (OverflowError, TypeError, ValueError):
        return None


def _jwt_exp(token: Any) -> float | None:
    try:
        payload = str(token).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return _seconds(claims["exp"])
    except (IndexError, KeyError, RecursionError, TypeError, ValueError):
        return None
