"""A consent: the address where the user gives it, and the answer that comes back. No I/O.

An answer counts if it carries the `state` of this very consent. A code that is pasted alone
carries none; PKCE binds it all the same, since without our verifier it is worth nothing.
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
"""What a code alone looks like: 64 hexadecimal digits so far, but that is FreshBooks' affair."""

QUOTES = "\"'`<>“”‘’„‚«»‹›"  # noqa: RUF001 - what mail and chat put around a link

LONGEST_DESCRIPTION = 200
"""Characters of FreshBooks' own words that a message quotes."""


class WrongAnswer(TapError):  # noqa: N818 - says what came
    """What came is not the answer to this consent; the right one may still come."""


class ConsentRefused(TapError):  # noqa: N818 - an event
    """The user declined, or FreshBooks could not let him agree."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What one user is asked once.

    Attributes:
        client_id: The app that asks.
        redirect_uri: Where FreshBooks sends the answer.
        scopes: What is asked for.
        state: Random; marks the answer as the one to this question.
        verifier: Random; its hash goes along with the question, it itself only with the code.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)

    @property
    def challenge(self) -> str:
        """The hash of the verifier (S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def url(self, auth_url: str) -> str:
        """Where the user is asked (`docs/freshbooks-api/auth.md §3`); nothing in it is secret."""
        question = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "scope": " ".join(self.scopes),
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        return f"{auth_url}{AUTHORIZE_PATH}?{urlencode(question)}"

    def read(self, pasted: str) -> str:
        """The code in what a user pasted: the address he was sent to, or the code alone.

        Args:
            pasted: Also with white space inside and quotes around.

        Raises:
            WrongAnswer: If there is no code in it, or that of another consent.
            ConsentRefused: If it says that there is no consent.
        """
        visible = "".join(char for char in pasted if char.isprintable() and char != " ")
        text = visible.strip(QUOTES).replace("&amp;", "&")
        if "?" in text or re.search(r"(^|&)(code|error|state)=", text):
            query = text.partition("?")[2] or text
            return self.code_of(parse_qsl(query.partition("#")[0]))
        if CODE.fullmatch(text):
            return text
        if "/" in text:
            raise WrongAnswer(
                "there is no code in this address: agree in the browser first, then paste the "
                f"whole address that it shows, which begins with {self.redirect_uri}?code="
            )
        raise WrongAnswer(
            "that is neither an address nor a code: paste the whole address that the browser "
            f"shows after you agreed, which begins with {self.redirect_uri}?code="
        )

    def code_of(self, parameters: Iterable[tuple[str, str]]) -> str:
        """The code among the parameters that came to the redirect URI.

        Raises:
            WrongAnswer: If they are not the answer to this consent.
            ConsentRefused: If they say that there is no consent.
        """
        pairs = list(parameters)
        answer = dict(pairs)
        if len(answer) < len(pairs):
            raise WrongAnswer(
                "this address names something twice, so it is not an answer of FreshBooks; open "
                "the address shown here again, and agree there"
            )
        if "client_id" in answer:
            raise WrongAnswer(
                "this is the address of the question: open it, agree, and paste the address that "
                f"the browser shows then, which begins with {self.redirect_uri}?code="
            )
        # Not vouched for by the state, an error could come from anywhere.
        is_ours = secrets.compare_digest(answer.get("state", "").encode(), self.state.encode())
        if "error" in answer and (is_ours or "state" not in answer):
            raise (ConsentRefused if is_ours else WrongAnswer)(_refusal(answer))
        if not is_ours:
            raise WrongAnswer(
                "this is not the answer to this login (its state is another, or missing): open "
                "the address shown here, agree there, and take the whole address that follows"
            )
        if not answer.get("code"):
            raise WrongAnswer("FreshBooks' answer has no code in it; open the address again")
        return answer["code"]


def _refusal(answer: dict[str, str]) -> str:
    if answer["error"] == "access_denied":
        return (
            "the consent was declined in FreshBooks, so nothing was connected; to connect the "
            "account, log in again and agree"
        )
    description = answer.get("error_description", "")
    words = f"{answer['error']}: {description}" if description else answer["error"]
    words = "".join(char if char.isprintable() else " " for char in words)[:LONGEST_DESCRIPTION]
    return f"FreshBooks gave no consent ({words}); nothing was connected"
