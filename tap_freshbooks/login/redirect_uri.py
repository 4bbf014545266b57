"""Checks the redirect URI, and parses one that this machine can serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from tap_freshbooks.errors import SettingsError

ADVICE = (
    "register one with your app in the FreshBooks developer portal "
    "(https://my.freshbooks.com/#/developer) and set redirect_uri to the same text; FreshBooks "
    "wants https, and https://localhost:8765/callback serves both for the page that this command "
    "can open and for pasting"
)


def check(redirect_uri: str | None) -> str:
    """The redirect URI, if FreshBooks can have accepted it (`docs/freshbooks-api/auth.md §2`).

    Raises:
        SettingsError: If it is missing, or cannot work.
    """
    if not redirect_uri:
        raise SettingsError(f"the setting redirect_uri is missing: {ADVICE}")
    parts = _parts(redirect_uri)
    if (
        parts is None
        or parts.scheme != "https"
        or any((parts.query, parts.fragment, parts.username, parts.password))
    ):
        raise SettingsError(
            "the setting redirect_uri must be an https address without a query, user or password: "
            f"{ADVICE}"
        )
    return redirect_uri


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_whole else None


@dataclass(frozen=True, slots=True)
class LoopbackAddress:
    """An address where a page of this command can receive the redirect.

    Attributes:
        host: `localhost` or `127.0.0.1`, as in the redirect URI.
        port: Of the redirect URI.
        path: Of the redirect URI, decoded.
    """

    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, redirect_uri: str) -> Self | None:
        """The address of a redirect URI `https://localhost:PORT/…`; None of any other."""
        parts = _parts(redirect_uri)
        if not parts or parts.hostname not in {"localhost", "127.0.0.1"} or not parts.port:
            return None
        return cls(parts.hostname, parts.port, unquote(parts.path) or "/")

    @property
    def authority(self) -> str:
        """The `Host` that the browser must send; another name could be a foreign site's."""
        return f"{self.host}:{self.port}" if self.port != 443 else self.host  # noqa: PLR2004
