"""What a configuration opens: its token store, a client, and the businesses to read."""

from __future__ import annotations

import logging
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_freshbooks.client import FreshBooksClient
from tap_freshbooks.errors import FreshBooksError, SettingsError
from tap_freshbooks.identity import IDENTITY_PATH, Business, Scope, read_businesses
from tap_freshbooks.oauth.authenticator import (
    Authenticator,
    RefreshingAuthenticator,
    StaticToken,
)
from tap_freshbooks.oauth.stores import store_for
from tap_freshbooks.oauth.tokens import TokenEndpoint
from tap_freshbooks.settings import is_url
from tap_freshbooks.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

logger = logging.getLogger("tap-freshbooks")

API_URL = "https://api.freshbooks.com"

TOKEN_TIMEOUT = 30
"""Seconds to wait for the token endpoint, at most: others may be waiting for our lock."""


class Connection:
    """One FreshBooks user, as the settings name them. Nothing is read before it is needed.

    Args:
        config: Validated settings with their defaults.
        token_file: The one `--config` file that holds the refresh token, if there is one.
        version: Of the tap, for the user agent.
    """

    def __init__(self, config: Mapping[str, Any], token_file: Path | None, version: str) -> None:
        self.config = config
        self.token_file = token_file
        self.user_agent = config.get("user_agent") or f"tap-freshbooks/{version}"
        url = config.get("api_url") or os.environ.get("FRESHBOOKS_API_URL") or API_URL
        if not is_url(str(url)):
            raise SettingsError(
                "FRESHBOOKS_API_URL must be a URL such as https://api.freshbooks.com"
            )
        self.api_url = str(url).rstrip("/")
        self.skipped: list[str] = []
        """What could not be read, and why; for the end of a run."""

    @cached_property
    def client(self) -> FreshBooksClient:
        """The client that every request of this connection goes through."""
        return FreshBooksClient(
            api_url=self.api_url,
            authenticator=self._authenticator(),
            throttle=Throttle(self.config["requests_per_second"]),
            user_agent=self.user_agent,
            timeout=self.config["request_timeout"],
            max_attempts=self.config["max_attempts"],
        )

    @cached_property
    def me(self) -> dict[str, Any]:
        """The answer of users/me."""
        subject = "the identity of the token"
        answer = self.client.get(IDENTITY_PATH, subject=subject)
        me = answer.body.get("response") if isinstance(answer.body, dict) else None
        if not isinstance(me, dict) or not isinstance(me.get("business_memberships"), list):
            raise FreshBooksError(f"{subject}: the answer does not name any memberships")
        return me

    @cached_property
    def businesses(self) -> list[Business]:
        """The businesses to read: those of the setting, else all that the user may read.

        Raises:
            SettingsError: If `business_ids` names one that the user may not read.
        """
        members = read_businesses(self.me)
        wanted = self.config.get("business_ids")
        if wanted:
            return _chosen(members, wanted)
        for business in members:
            if business.is_client_only:
                logger.info("Skipping %s: the user is only a client of it", business)
        return [business for business in members if not business.is_client_only]

    def open(self) -> None:
        """Find out whether the connection works, and say which businesses it reaches."""
        names = ", ".join(str(business) for business in self.businesses)
        logger.info("Connected to %s; reading %s", self.api_url, names or "no business")
        for business in self.businesses:
            for scope in Scope:
                if business.identifier(scope) is None:
                    logger.info(
                        "%s has no %s: streams that need one skip it", business, scope.value
                    )

    def businesses_with(self, scope: Scope) -> list[Business]:
        """Those of the businesses that have this identifier."""
        return [business for business in self.businesses if business.identifier(scope)]

    def _authenticator(self) -> Authenticator:
        config = self.config
        store = store_for(config, self.token_file, os.environ)
        if config.get("access_token") and not config.get("refresh_token"):
            return StaticToken(config["access_token"])
        missing = [name for name in ("client_id", "client_secret") if not config.get(name)]
        if missing:
            raise SettingsError(
                f"the settings {' and '.join(missing)} are missing: they are shown with your app "
                "in the FreshBooks developer portal"
            )
        endpoint = TokenEndpoint(
            api_url=self.api_url,
            client_id=config["client_id"],
            client_secret=config["client_secret"],
            redirect_uri=config.get("redirect_uri"),
            timeout=min(config["request_timeout"], TOKEN_TIMEOUT),
            user_agent=self.user_agent,
        )
        return RefreshingAuthenticator(store, endpoint, config.get("refresh_token"))


def _chosen(members: list[Business], wanted: list[int]) -> list[Business]:
    by_id = {business.business_id: business for business in members}
    usable = ", ".join(str(business) for business in members if not business.is_client_only)
    for business_id in wanted:
        business = by_id.get(business_id)
        if business is None or business.is_client_only:
            problem = "is only a client of" if business else "is not a member of"
            raise SettingsError(
                f"the setting business_ids names {business_id}, which the FreshBooks user "
                f"{problem}; to choose from: {usable or 'none'}"
            )
    return [by_id[business_id] for business_id in dict.fromkeys(wanted)]
