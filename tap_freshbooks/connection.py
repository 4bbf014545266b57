"""A connection: the token store, the client and the businesses of one configuration."""

from __future__ import annotations

import logging
import os
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_freshbooks.businesses import (
    IDENTITY_PATH,
    Business,
    IdentifierKind,
    read_businesses,
    unreadable_memberships,
)
from tap_freshbooks.config.unknown_names import SDK_VARIABLES
from tap_freshbooks.config.validation import is_base, is_plain
from tap_freshbooks.errors import ConnectionFailedError, FreshBooksError, SettingsError
from tap_freshbooks.locations import showable
from tap_freshbooks.oauth import owner_question
from tap_freshbooks.oauth.authenticator import RefreshingAuthenticator
from tap_freshbooks.oauth.owner import Owner
from tap_freshbooks.oauth.reauth_notifier import ReauthNotifier
from tap_freshbooks.oauth.static_token import StaticToken
from tap_freshbooks.oauth.stores.factory import open_store
from tap_freshbooks.oauth.token_endpoint import TokenEndpoint
from tap_freshbooks.singer.stats import Cost
from tap_freshbooks.transport.client import FreshBooksClient
from tap_freshbooks.transport.network import Network
from tap_freshbooks.transport.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tap_freshbooks.oauth.stores.base import TokenStore
    from tap_freshbooks.transport.auth import Authenticator

logger = logging.getLogger("tap-freshbooks")

IDENTITY = "the identity of the token"
NO_NUMBER = "the answer names a business whose id is no whole number"
REPORT = "please report this"

MEGABYTE = 1_000_000

API_URL = "https://api.freshbooks.com"
AUTH_URL = "https://auth.freshbooks.com"


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
        self.api_url = self._url("api_url", API_URL)
        self.auth_url = self._url("auth_url", AUTH_URL)

    @cached_property
    def client(self) -> FreshBooksClient:
        """The client that every request of this connection goes through."""
        return FreshBooksClient(
            api_url=self.api_url,
            authenticator=self.authenticator,
            throttle=Throttle(self.config["requests_per_second"], self.config["max_concurrency"]),
            user_agent=self.user_agent,
            timeout=self.config["request_timeout"],
            max_size=self.config["max_response_size"] * MEGABYTE,
            max_attempts=self.config["max_attempts"],
        )

    def close(self) -> None:
        """End requests; a refresh under way is finished first."""
        if "client" in self.__dict__:
            self.client.close()

    @cached_property
    def me(self) -> dict[str, Any]:
        """The answer of users/me.

        Raises:
            ConnectionFailedError: If there is none, or it does not name the memberships of the
                user: then nothing can be read.
            OtherUserError: If it is another user than the one whose tokens the store held before.
        """
        try:
            answer = self.client.get(IDENTITY_PATH, subject=IDENTITY)
        except FreshBooksError as error:
            raise ConnectionFailedError(str(error)) from None
        me = answer.body.get("response") if isinstance(answer.body, dict) else None
        if not isinstance(me, dict) or not isinstance(me.get("business_memberships"), list):
            raise ConnectionFailedError(f"{IDENTITY}: the answer does not name any memberships")
        strange = unreadable_memberships(me)
        if strange and not read_businesses(me):
            raise ConnectionFailedError(f"{IDENTITY}: {NO_NUMBER} ({strange} of them); {REPORT}")
        if not self.is_static:
            self.refreshing_authenticator.note_owner(Owner.read(me))
        return me

    @property
    def has_asked(self) -> bool:
        """Whether FreshBooks was asked who we are."""
        return "me" in self.__dict__

    @cached_property
    def unreadable(self) -> int:
        """How many businesses were to be read, and have no id by which they could be."""
        if self.config.get("business_ids") or not self.has_asked:
            return 0
        return unreadable_memberships(self.me)

    @cached_property
    def members(self) -> list[Business]:
        """The businesses that the user is a member of."""
        return read_businesses(self.me)

    @cached_property
    def businesses(self) -> list[Business]:
        """The businesses to read: those of the setting, else all that the user may read.

        Raises:
            SettingsError: If `business_ids` names one that the user may not read.
        """
        wanted = self.config.get("business_ids")
        return _chosen(self.members, wanted) if wanted else self._own_businesses()

    @property
    def complaints(self) -> list[str]:
        """What FreshBooks says of the businesses to read and nobody can use, as sentences."""
        found = [
            f"FreshBooks gives {business} as its {unusable.kind.value} something that no path can "
            f"hold: {unusable.found}. What needs it cannot be read of this business; {REPORT}. "
            "business_ids can leave the business out"
            for business in self.businesses
            for unusable in business.unusable
        ]
        if self.unreadable:
            found.append(
                f"{IDENTITY}: {NO_NUMBER} ({self.unreadable} of them). Nothing can be read of it; "
                f"{REPORT}. business_ids, with the others, can leave it out"
            )
        return found

    def _own_businesses(self) -> list[Business]:
        if names := _names(business for business in self.members if business.is_client_only):
            logger.info("Skipped, as the user is only a client there: %s", names)
        return [business for business in self.members if not business.is_client_only]

    def open(self) -> None:
        """Check that the connection works, and log which businesses it reaches."""
        names = _names(self.businesses) or "no business"
        how = "Connected to" if self.has_asked else "To read from"
        logger.info("%s %s: %s", how, showable(self.api_url), names)
        for complaint in self.complaints:
            logger.error("%s", complaint)
        for kind in IdentifierKind:
            lack = [each for each in self.businesses if each.identifier(kind) is None]
            if names := _names(each for each in lack if not each.lacks_usable(kind)):
                logger.info("No %s, so streams that need one skip it: %s", kind.value, names)

    @property
    def cost(self) -> Cost:
        """What all requests to the API have cost so far; not those that refresh tokens."""
        if "client" not in self.__dict__:
            return Cost()
        totals, throttle = self.client.totals, self.client.throttle
        return Cost(totals.requests, totals.retries, totals.throttled, throttle.paused_seconds)

    def businesses_with(self, kind: IdentifierKind) -> list[Business]:
        """Those of the businesses that have this identifier; of two that share one, the first."""
        found: dict[str | int, Business] = {}
        for business in self.businesses:
            if identifier := business.identifier(kind):
                found.setdefault(identifier, business)
        return list(found.values())

    @cached_property
    def store(self) -> TokenStore:
        """The token store."""
        return open_store(self.config, self.token_file, os.environ)

    @property
    def is_static(self) -> bool:
        """Whether there is only an access token, which is used as it is."""
        return bool(self.config.get("access_token") and not self.config.get("refresh_token"))

    @cached_property
    def authenticator(self) -> Authenticator:
        """Gives requests their access token."""
        if self.is_static:
            return StaticToken(self.config["access_token"])
        return self.refreshing_authenticator

    @cached_property
    def refreshing_authenticator(self) -> RefreshingAuthenticator:
        """The authenticator that makes, refreshes and revokes the tokens of the connection.

        Raises:
            SettingsError: If the app is not named.
        """
        config, store = self.config, self.store
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
            user_agent=self.user_agent,
        )
        configured = config.get("refresh_token")
        if configured:  # the file of another store may have been encrypted
            configured = store.encryption.decrypt(configured, "the settings")
        url = config.get("auth_failure_url")
        notifier = (
            ReauthNotifier(url, config["client_id"], config["connection"], self.user_agent)
            if url
            else None
        )
        attempts = config.get("max_attempts") or owner_question.ATTEMPTS
        ask = owner_question.owner_question(self.api_url, self.user_agent, attempts)
        return RefreshingAuthenticator(store, endpoint, configured, notifier, ask)

    def connect(self, code: str, verifier: str, *, is_replacing: bool = False) -> frozenset[str]:
        """Trade the code of a consent for tokens, and store them where a sync reads them.

        Args:
            code: Of the consent.
            verifier: The secret half of PKCE.
            is_replacing: Whether the user may be another than before.

        Returns:
            The scopes that were granted, as far as FreshBooks names them.

        Raises:
            TapError: As `RefreshingAuthenticator.connect`.
        """
        return self.refreshing_authenticator.connect(code, verifier, is_replacing=is_replacing)

    def prepare_login(self) -> None:
        """Check that the settings allow a login, before the user is sent anywhere.

        Raises:
            SettingsError: If they do not.
        """
        if self.is_static:
            raise SettingsError(
                "the setting access_token is used as it is, and no sync would use the tokens of a "
                "login: remove it first"
            )
        if "@" in self.auth_url:
            raise SettingsError(
                "the setting auth_url has a user or password, and a login shows it as the address "
                "to open: remove them"
            )
        self.refreshing_authenticator  # noqa: B018 - names what is missing
        Network(self.api_url).check()

    def _url(self, setting: str, default: str) -> str:
        variable = SDK_VARIABLES[setting]
        url = str(self.config.get(setting) or "").strip() or os.environ.get(variable, "").strip()
        url = url or default
        # Where a slash in a password was not escaped, what is before looks like host and port.
        is_clear = not re.search(r"[/?#].*@", url.partition("://")[2])
        if not (is_plain(url) and is_base(url) and is_clear):
            raise SettingsError(f"{variable} must be a URL such as {default}")
        return url.rstrip("/")


def _names(businesses: Iterable[Business]) -> str:
    return ", ".join(str(business) for business in businesses)


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
