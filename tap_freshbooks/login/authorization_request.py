"""An OAuth authorization request: its URL, and the redirect that answers it. No I/O.

A redirect counts if it carries the `state` of this very request. A code that is pasted alone
carries none; PKCE binds it all the same, since without its code verifier it is worth nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from tap_freshbooks.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Iterable

AUTHORIZE_PATH = "/oauth/authorize/"

CODE = re.compile(r"[A-Za-z0-9._~-]{16,1024}")
"""The form of a code: FreshBooks sends 64 hexadecimal digits, and may change that."""

QUOTES = "\"'`<>“”‘’„‚«»‹›"  # noqa: RUF001 - mail and chat put them around a link

MAX_DESCRIPTION = 200
"""Characters of FreshBooks' own words that a message quotes."""


class InvalidRedirectError(TapError):
    """This is not the redirect that answers the request; the right one may still come."""


class AuthorizationDeniedError(TapError):
    """The user declined, or FreshBooks refused the request."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One request to one user.

    Attributes:
        client_id: The app that asks.
        redirect_uri: Where FreshBooks sends the answer.
        scopes: The OAuth scopes that are asked for.
        state: Random; comes back in the redirect that answers this request.
        code_verifier: Random, for PKCE; the request carries its hash, and the exchange of the code
            itself.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)

    @property
    def code_challenge(self) -> str:
        """The hash of the code verifier (S256)."""
        digest = hashlib.sha256(self.code_verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def url(self, auth_url: str) -> str:
        """The page where the user agrees (`docs/freshbooks-api/auth.md §3`); holds no secret."""
        parameters = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "scope": " ".join(self.scopes),
            "code_challenge": self.code_challenge,
            "code_challenge_method": "S256",
        }
        return f"{auth_url}{AUTHORIZE_PATH}?{urlencode(parameters)}"

    def parse_pasted(self, pasted: str) -> str:
        """The code in a pasted text: the URL of the redirect, or the code alone.

        Args:
            pasted: White space inside and quotes around do not matter.

        Raises:
            InvalidRedirectError: If there is no code in it, or that of another request.
            AuthorizationDeniedError: If it says that the request was denied.
        """
        visible = "".join(char for char in pasted if char.isprintable() and char != " ")
        text = visible.strip(QUOTES).replace("&amp;", "&")
        if "?" in text or re.search(r"(^|&)(code|error|state)=", text):
            query = text.partition("?")[2] or text
            return self.parse_redirect(parse_qsl(query.partition("#")[0]))
        if CODE.fullmatch(text):
            return text
        if "/" in text:
            raise InvalidRedirectError(
                "there is no code in this address: agree in the browser first, then paste the "
                f"whole address that it shows, which begins with {self.redirect_uri}?code="
            )
        raise InvalidRedirectError(
            "that is neither an address nor a code: paste the whole address that the browser "
            f"shows after you agreed, which begins with {self.redirect_uri}?code="
        )

    def parse_redirect(self, parameters: Iterable[tuple[str, str]]) -> str:
        """The code in the parameters of a redirect.

        Raises:
            InvalidRedirectError: If they do not answer this request.
            AuthorizationDeniedError: If they say that it was denied.
        """
        pairs = list(parameters)
        answer = dict(pairs)
        if len(answer) < len(pairs):
            raise InvalidRedirectError(
                "this address names something twice, so it is not an answer of FreshBooks; open "
                "the address shown here again, and agree there"
            )
        if "client_id" in answer:
            raise InvalidRedirectError(
                "this is the address of the question: open it, agree, and paste the address that "
                f"the browser shows then, which begins with {self.redirect_uri}?code="
            )
        # An error without the state could come from anywhere.
        has_state = secrets.compare_digest(answer.get("state", "").encode(), self.state.encode())
        if "error" in answer and (has_state or "state" not in answer):
            raise (AuthorizationDeniedError if has_state else InvalidRedirectError)(_denial(answer))
        if not has_state:
            raise InvalidRedirectError(
                "this is not the answer to this login (its state is another, or missing): open "
                "the address shown here, agree there, and take the whole address that follows"
            )
        if not answer.get("code"):
            raise InvalidRedirectError(
                "FreshBooks' answer has no code in it; open the address again"
            )
        return answer["code"]


def _denial(answer: dict[str, str]) -> str:
    if answer["error"] == "access_denied":
        return (
            "the consent was declined in FreshBooks, so nothing was connected; to connect the "
            "account, log in again and agree"
        )
    description = answer.get("error_description", "")
    words = f"{answer['error']}: {description}" if description else answer["error"]
    words = "".join(char if char.isprintable() else " " for char in words)[:MAX_DESCRIPTION]
    return f"FreshBooks gave no consent ({words}); nothing was connected"
