"""Token pairs, and the token endpoint that trades one for the next.

A refresh token works once: asking the endpoint is spending. So nothing here tries twice;
when to ask, and what to do about an answer that never came, is the authenticator's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import requests

from tap_freshbooks.answers import failure, read_problem
from tap_freshbooks.errors import (
    FreshBooksError,
    ReauthorizationRequired,
    SettingsError,
    Unavailable,
)

TOKEN_PATH = "/auth/oauth/token"  # noqa: S105 - a path

DEFAULT_LIFETIME = 43_200
"""Seconds that an access token lives (`auth.md §5`), if the answer does not say."""

MAX_LIFETIME = 10 * DEFAULT_LIFETIME
"""More than this is not believed."""


@dataclass(frozen=True, slots=True, repr=False)
class TokenPair:
    """An access token and the refresh token that follows it.

    Attributes:
        refresh_token: Works once, then every earlier one of this user and app is dead.
        access_token: None until the first refresh.
        expires_at: When the access token ends, epoch seconds.
        generation: How many times the pair was refreshed since its seed.
        seed: Hash of the configured refresh token that the line of pairs began with.
    """

    refresh_token: str
    access_token: str | None = None
    expires_at: float = 0.0
    generation: int = 0
    seed: str | None = None

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"TokenPair(generation={self.generation}, expires_at={self.expires_at:.0f})"

    def is_fresh(self, margin: float) -> bool:
        """Whether the access token lives for at least `margin` more seconds."""
        return bool(self.access_token) and self.expires_at > time.time() + margin


def seed_of(refresh_token: str) -> str:
    """Hash by which a configured refresh token is recognised without keeping it."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()


@dataclass(frozen=True, slots=True, repr=False)
class TokenEndpoint:
    """FreshBooks' token endpoint for one app.

    Attributes:
        api_url: Base URL of the API.
        client_id: The app.
        client_secret: Its secret.
        redirect_uri: The official SDKs send it with a refresh; not required (`auth.md §4`).
        timeout: Seconds to wait for an answer.
        user_agent: As for any other request.
    """

    api_url: str
    client_id: str
    client_secret: str
    redirect_uri: str | None
    timeout: float
    user_agent: str

    def refresh(self, pair: TokenPair) -> TokenPair:
        """Spend the refresh token of a pair, once.

        Raises:
            ReauthorizationRequired: If the refresh token is spent, revoked or unknown.
            SettingsError: If FreshBooks does not accept the app.
            Unavailable: If there was no usable answer; `sent` tells whether the token may
                be spent all the same.
        """
        form = {
            "grant_type": "refresh_token",
            "refresh_token": pair.refresh_token,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        if self.redirect_uri:
            form["redirect_uri"] = self.redirect_uri
        answer = self._post(form)
        # Whatever else may be wrong with the answer: the old token is spent, this one counts.
        return replace(
            pair,
            refresh_token=answer["refresh_token"],
            access_token=_text(answer.get("access_token")),
            expires_at=_expires_at(answer),
            generation=pair.generation + 1,
        )

    def _post(self, form: dict[str, str]) -> dict[str, Any]:
        try:
            # An own request, not the client's session: nothing may repeat it.
            response = requests.post(
                self.api_url + TOKEN_PATH,
                data=form,
                headers={"User-Agent": self.user_agent, "Accept": "application/json"},
                timeout=self.timeout,
                allow_redirects=False,
                auth=_no_netrc,
            )
        except requests.RequestException as error:
            raise Unavailable(
                f"the token request to {self.api_url} got no complete answer "
                f"({type(error).__name__})",
                sent=not _never_connected(error),
            ) from None
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.ok and isinstance(body, dict) and _text(body.get("refresh_token")):
            return body
        raise _token_failure(response, body)


def _token_failure(response: requests.Response, body: Any) -> Exception:
    problem = read_problem(body)
    word = problem.word if problem else ""
    if word == "invalid_grant":
        return ReauthorizationRequired("FreshBooks says that the refresh token is spent or revoked")
    if word in {"invalid_client", "unauthorized_client"}:
        return SettingsError(
            "FreshBooks does not know this app: check the settings client_id and client_secret"
        )
    error = failure(response.status_code, response.headers, body)
    if isinstance(error, Unavailable):
        # A rate limiter answers before the token endpoint has looked at the token.
        error.sent = response.status_code != HTTPStatus.TOO_MANY_REQUESTS
        return error
    if error is not None:
        return FreshBooksError(f"FreshBooks refused the token request: {error}")
    return Unavailable("the token answer of FreshBooks holds no refresh token")


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _never_connected(error: requests.RequestException) -> bool:
    """Whether the request certainly did not reach the server."""
    return isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in repr(error)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _expires_at(answer: dict[str, Any]) -> float:
    """When the access token ends, in epoch seconds.

    `created_at + expires_in`; but a live answer repeated the `created_at` of the first
    grant (`auth.md §4`), so an end in the past is distrusted. The token's own `exp` wins
    when it is earlier.
    """
    now = time.time()
    lifetime = _seconds(answer.get("expires_in")) or 0
    if not 0 < lifetime <= MAX_LIFETIME:
        lifetime = DEFAULT_LIFETIME
    expires_at = (_seconds(answer.get("created_at")) or now) + lifetime
    if not now < expires_at <= now + MAX_LIFETIME:
        expires_at = now + lifetime
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
    except (IndexError, KeyError, TypeError, ValueError):
        return None
