"""The question whose an access token is: users/me, asked before the token is used for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.oauth.owner import Owner
from tap_freshbooks.oauth.static_token import StaticToken
from tap_freshbooks.transport.client import FreshBooksClient
from tap_freshbooks.transport.throttle import Throttle

if TYPE_CHECKING:
    from tap_freshbooks.oauth.owner_check import AskOwner

TIMEOUT = 30
"""Seconds for an answer: the token store is locked meanwhile."""

ATTEMPTS = 3
MAX_SIZE = 50_000_000
"""Bytes of the answer."""

REFUSAL = "FreshBooks does not accept the new access token"


def owner_question(api_url: str, user_agent: str, max_attempts: int = ATTEMPTS) -> AskOwner:
    """Makes a function that asks FreshBooks whose an access token is."""

    def ask(access_token: str) -> Owner | None:
        client = FreshBooksClient(
            api_url=api_url,
            authenticator=StaticToken(access_token, REFUSAL),
            throttle=Throttle(requests_per_second=10, max_concurrency=1),
            user_agent=user_agent,
            timeout=TIMEOUT,
            max_size=MAX_SIZE,
            max_attempts=min(max_attempts, ATTEMPTS),
        )
        try:
            answer = client.get(IDENTITY_PATH, subject="the owner of the new tokens")
        finally:
            client.close()
        me = answer.body.get("response") if isinstance(answer.body, dict) else None
        return Owner.read(me) if isinstance(me, dict) else None

    return ask
