"""The state of OAuth: applications, codes, tokens, and the rule that only one refresh token lives.

Every token answer, for a code as for a refresh token, ends all earlier refresh tokens of that
user and application (docs/freshbooks-api/auth.md §5). The HTTP side is in token_endpoint.py and
consent.py.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from freshbooks_sandbox import pkce, scopes

if TYPE_CHECKING:
    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.clock import Clock
    from freshbooks_sandbox.stats import Stats

CODE_LIFETIME = 300
"""Seconds that an authorisation code lives (docs/freshbooks-api/auth.md §3)."""

INVALID_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection "
    "URI used in the authorization request, or was issued to another client."
)
INVALID_CLIENT = (
    "Client authentication failed due to unknown client, no client authentication included, "
    "or unsupported authentication method."
)
UNSUPPORTED_GRANT = "The authorization grant type is not supported by the authorization server."


class OAuthError(Exception):
    """An error of the token endpoint, by the table of docs/freshbooks-api/auth.md §6."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error


def invalid_grant() -> OAuthError:
    """A code or refresh token that is spent, expired, unknown or of another application."""
    return OAuthError(400, "invalid_grant", INVALID_GRANT)


@dataclass
class App:
    """An application as registered in the developer portal."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    token_lifetime: int


@dataclass
class Code:
    """An authorisation code, and what it may be exchanged for."""

    app: App
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str | None
    expires_at: float


@dataclass
class AccessToken:
    """An access token: its application, its scopes and its end."""

    app: App
    scopes: frozenset[str]
    expires_at: float


@dataclass
class RefreshToken:
    """A refresh token; `first_granted_at` is the moment of the consent."""

    app: App
    scopes: frozenset[str]
    first_granted_at: int
    access_token: str


@dataclass
class OAuth:
    """All applications and tokens of the one user whom the sandbox knows."""

    clock: Clock
    behaviours: Behaviours
    stats: Stats
    token_lifetime: int
    identity_id: int
    apps: dict[str, App] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    living: dict[str, str] = field(default_factory=dict)

    def register(
        self,
        redirect_uri: str,
        granted: frozenset[str] = scopes.ALL,
        token_lifetime: int | None = None,
    ) -> App:
        """A new application."""
        lifetime = self.token_lifetime if token_lifetime is None else token_lifetime
        app = App(_hex64(), _hex64(), (redirect_uri,), granted, lifetime)
        self.apps[app.client_id] = app
        return app

    def authenticate(self, client_id: str | None, client_secret: str | None) -> App:
        """The application with these credentials.

        Raises:
            OAuthError: invalid_client.
        """
        app = self.apps.get(client_id or "")
        if app is None or not secrets.compare_digest(app.client_secret, client_secret or ""):
            raise OAuthError(401, "invalid_client", INVALID_CLIENT)
        return app

    def authorize(
        self, app: App, redirect_uri: str, granted: frozenset[str], challenge: str | None = None
    ) -> str:
        """A code for a consent that the user gave."""
        code = _hex64()
        granted |= {scopes.PROFILE}
        expires_at = self.clock.time() + CODE_LIFETIME
        self.codes[code] = Code(app, redirect_uri, granted, challenge, expires_at)
        return code

    def exchange(
        self, app: App, code: str, redirect_uri: str, verifier: str | None = None
    ) -> dict[str, Any]:
        """Spend a code.

        Raises:
            OAuthError: invalid_grant.
        """
        found = self.codes.get(code)
        if found is None or found.app is not app or found.redirect_uri != redirect_uri:
            raise invalid_grant()
        if self.behaviours.pkce == "checked" and not pkce.proves(verifier, found.challenge):
            raise invalid_grant()
        del self.codes[code]
        if found.expires_at <= self.clock.time():
            raise invalid_grant()
        return self.issue(app, found.scopes)

    def refresh(self, app: App, refresh_token: str) -> dict[str, Any]:
        """Spend a refresh token.

        Raises:
            OAuthError: invalid_grant.
        """
        found = self.refresh_tokens.get(refresh_token)
        if found is None or found.app is not app:
            raise invalid_grant()
        if self.living.get(app.client_id) != refresh_token:
            self.stats.spent_token(app.client_id)
            raise invalid_grant()
        self.stats.refreshed(app.client_id)
        if self.behaviours.old_access_token == "dies":  # noqa: S105
            self.access_tokens.pop(found.access_token, None)
        return self.issue(app, found.scopes, found.first_granted_at)

    def issue(
        self, app: App, granted: frozenset[str], first_granted_at: int | None = None
    ) -> dict[str, Any]:
        """A token answer; all earlier refresh tokens of the application are dead from here on."""
        now = int(self.clock.time())
        access_token = _jwt(granted, now, now + app.token_lifetime, self.identity_id)
        refresh_token = _hex64()
        granted_at = now if first_granted_at is None else first_granted_at
        self.access_tokens[access_token] = AccessToken(app, granted, now + app.token_lifetime)
        self.refresh_tokens[refresh_token] = RefreshToken(app, granted, granted_at, access_token)
        self.living[app.client_id] = refresh_token
        answer: dict[str, Any] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": app.token_lifetime,
            "refresh_token": refresh_token,
            "scope": scopes.text(granted),
            "created_at": now,
            "direct_buy_tokens": {},
        }
        if first_granted_at is not None and self.behaviours.refresh_created_at == "original":
            # Seen once on the live API (docs/freshbooks-api/auth.md §4).
            answer |= {"created_at": first_granted_at, "expires_in": max(app.token_lifetime - 1, 0)}
        return answer

    def bearer(self, header: str | None) -> AccessToken | None:
        """The living access token in an Authorization header."""
        kind, _, token = (header or "").partition(" ")
        found = self.access_tokens.get(token.strip())
        if kind.casefold() != "bearer" or found is None:
            return None
        return found if found.expires_at > self.clock.time() else None

    def revoke(self, app: App, token: str) -> None:
        """End an access or a refresh token at once."""
        access, refresh = self.access_tokens.get(token), self.refresh_tokens.get(token)
        if access is not None and access.app is app:
            del self.access_tokens[token]
        if refresh is not None and refresh.app is app and self.living.get(app.client_id) == token:
            del self.living[app.client_id]

    def expire(self, client_id: str | None = None) -> None:
        """Let the access tokens of one application, or of all, come to their end."""
        for token in self.access_tokens.values():
            if client_id in (None, token.app.client_id):
                token.expires_at = 0


def _hex64() -> str:
    return secrets.token_hex(32)


def _segment(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _jwt(granted: frozenset[str], issued_at: int, expires_at: int, identity_id: int) -> str:
    """A token of the real form and length; the signature is noise.

    See docs/freshbooks-api/auth.md §4.
    """
    header = {"kid": "sandbox", "alg": "RS256"}
    payload = {
        "iss": "sandbox",
        "sub": str(identity_id),
        "jti": secrets.token_hex(16),
        "iat": issued_at,
        "exp": expires_at,
        "scope": scopes.text(granted),
    }
    encoded = [_segment(msgspec.json.encode(part)) for part in (header, payload)]
    return ".".join([*encoded, _segment(secrets.token_bytes(256))])
