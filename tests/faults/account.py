"""A FreshBooks user with an app of his own in the sandbox, and the store of his tokens.

A `Client` can be sent to other processes; the `Account` stays with the sandbox, which is the judge.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests

from tap_freshbooks.oauth.authenticator import RefreshingAuthenticator
from tap_freshbooks.oauth.owner_question import owner_question
from tap_freshbooks.oauth.stores.file import FileStore
from tap_freshbooks.oauth.stores.sql import SqlStore
from tap_freshbooks.oauth.token_endpoint import TokenEndpoint

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tap_freshbooks.oauth.stores.base import TokenStore
    from tap_freshbooks.oauth.tokens import TokenPair

TOKEN = "/auth/oauth/token"
OTHER_KEYS = {"start_date": "2020-01-01", "business_ids": [7], "größe": {"a": [1, None]}}
"""What a user keeps in his configuration beside the tokens."""


def hash_of(refresh_token: str) -> str:
    """What a store may know of a token without keeping it."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()


@dataclass(frozen=True)
class Client:
    """One process's view of a connection."""

    api_url: str
    client_id: str
    client_secret: str
    redirect_uri: str
    place: str
    rescue: Path
    seed: str | None
    holds_seed: bool = False
    timeout: float = 60
    asks_owner: bool = False

    @property
    def store(self) -> TokenStore:
        if "://" in self.place:
            return SqlStore(self.place, self.client_id, "default")
        return FileStore(Path(self.place), holds_seed=self.holds_seed)

    def new(self, store: TokenStore | None = None) -> RefreshingAuthenticator:
        """An authenticator as a process of its own would make it.

        Args:
            store: One of `self.store`, if it shall be used again.
        """
        endpoint = TokenEndpoint(
            api_url=self.api_url,
            client_id=self.client_id,
            client_secret=self.client_secret,
            redirect_uri=self.redirect_uri,
            user_agent="test",
            timeout=self.timeout,
        )
        ask = owner_question(self.api_url, "test", 1) if self.asks_owner else None
        return RefreshingAuthenticator(store or self.store, endpoint, self.seed, ask_owner=ask)


class Account:
    """A connection as the sandbox sees it.

    Args:
        sandbox: Where it is an app of its own.
        place: A file path, or the URL of a database.
        folder: For rescue files.
        holds_seed: Whether the file is the configuration, which holds the seed.
    """

    def __init__(
        self, sandbox: Sandbox, place: str | Path, folder: Path, *, holds_seed: bool = False
    ) -> None:
        self.sandbox = sandbox
        settings = sandbox.config()
        self.client_id: str = settings["client_id"]
        self.client = Client(
            api_url=settings["api_url"],
            client_id=settings["client_id"],
            client_secret=settings["client_secret"],
            redirect_uri=settings["redirect_uri"],
            place=str(place),
            rescue=folder / "rescue",
            seed=None,
            holds_seed=holds_seed,
        )
        self.plant(settings["refresh_token"])

    def __str__(self) -> str:
        return self.client.place

    def new(self) -> RefreshingAuthenticator:
        """An authenticator, as if a run of the tap began."""
        return self.client.new()

    @property
    def file(self) -> Path:
        """The token file; for a database there is none."""
        return Path(self.client.place)

    @property
    def content(self) -> dict[str, Any]:
        """What is in the token file."""
        found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return found

    @property
    def stored(self) -> TokenPair:
        """What is in the store, of which a seed is the beginning."""
        pair = self.client.store.read()
        assert pair
        return pair

    @property
    def living(self) -> str | None:
        """The only refresh token that FreshBooks would take now."""
        return self.sandbox.state.oauth.living.get(self.client_id)

    @property
    def next_token(self) -> str | None:
        """The refresh token that the next run would send."""
        pair, configured = self.client.store.read(), self.client.seed
        if configured and (pair is None or pair.seed != hash_of(configured)):
            return configured
        return pair.refresh_token if pair else None

    def is_kept(self) -> bool:
        """Whether the next run would send the living refresh token."""
        return self.next_token == self.living

    @property
    def stats(self) -> dict[str, Any]:
        """What the sandbox has counted for this app, once nothing is under way.

        Asked on a connection of its own each time: so what killed processes have sent, on
        connections that still wait to be accepted, is counted first.
        """
        found: dict[str, Any] = {"in_flight": True}
        while found["in_flight"]:
            answer = requests.get(
                f"{self.sandbox.url}/_sandbox/stats",
                params={"client_id": self.client_id},
                timeout=30,
            )
            found = answer.json()
        return found

    @property
    def refreshes(self) -> int:
        """Refreshes that were answered with a new pair."""
        return int(self.stats["refreshes"])

    @property
    def spent(self) -> int:
        """Refresh tokens that were sent after their death: the sign of a lost connection."""
        return int(self.stats["spent_refresh_tokens"])

    @property
    def requests(self) -> int:
        """Token requests that the sandbox has seen, whatever became of them."""
        return int(self.stats["paths"].get(f"POST {TOKEN}", 0))

    def fault(self, fault: str, **settings: Any) -> None:
        """Let the token endpoint misbehave towards this app."""
        self.sandbox.faults(fault, client_id=self.client_id, path=TOKEN, **settings)

    def accepts(self, access_token: str) -> bool:
        """Whether FreshBooks answers to this access token."""
        answer = requests.get(
            f"{self.client.api_url}/auth/api/v1/users/me",
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=30,
        )
        return answer.status_code == 200

    def connected(self) -> str:
        """Make the first refresh, and return its access token."""
        return self.new().access_token()

    def authorise_anew(self) -> None:
        """Go through the consent again and configure its refresh token, as a user would."""
        client = self.client
        consent = requests.post(
            f"{client.api_url}/oauth/authorize",
            data={
                "client_id": client.client_id,
                "redirect_uri": client.redirect_uri,
                "response_type": "code",
                "decision": "allow",
            },
            allow_redirects=False,
            timeout=30,
        )
        [code] = parse_qs(urlsplit(consent.headers["Location"]).query)["code"]
        answer = requests.post(
            client.api_url + TOKEN,
            data={
                "grant_type": "authorization_code",
                "code": code,
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                "redirect_uri": client.redirect_uri,
            },
            timeout=30,
        )
        self.plant(answer.json()["refresh_token"])

    def plant(self, seed: str) -> None:
        """Configure a refresh token."""
        if not self.client.holds_seed:
            self.client = replace(self.client, seed=seed)
            return
        content = self.content if self.file.exists() else OTHER_KEYS
        self.file.write_text(
            json.dumps({**content, "refresh_token": seed}, indent=4, ensure_ascii=False),
            encoding="utf-8",
        )
