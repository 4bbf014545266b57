"""Gives requests an access token that works, refreshing at most once for everybody.

The order of things is what keeps the refresh token from being lost: lock the store, read
it again, prove that it can be written, spend the token, store the new pair durably, and
only then use it (`DESIGN` invariant 1).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks import interruptions
from tap_freshbooks.errors import (
    ReauthorizationRequired,
    RefreshFailed,
    SettingsError,
    Unavailable,
)
from tap_freshbooks.oauth.tokens import TokenPair, seed_of

if TYPE_CHECKING:
    from tap_freshbooks.oauth.stores import FileStore
    from tap_freshbooks.oauth.tokens import TokenEndpoint

logger = logging.getLogger("tap-freshbooks.oauth")

CONNECT_AGAIN = (
    "authorise the account anew and set refresh_token to the new token; "
    "the connection cannot be repaired otherwise"
)
UNREACHED_ATTEMPTS = 3
"""Tries when the token endpoint certainly did not get the request."""

LONGEST_WAIT = 20
"""Seconds between two tries, at most: others may be waiting for our lock."""


class Authenticator(ABC):
    """Where requests get their access token from."""

    @abstractmethod
    def access_token(self, *, rejected: str | None = None) -> str:
        """A usable access token.

        Args:
            rejected: A token that FreshBooks has just answered with a 401; another one
                is wanted.

        Raises:
            ReauthorizationRequired: If there is no way to one without a new consent.
        """


class StaticToken(Authenticator):
    """An access token from the settings, used as it is and never refreshed."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    @override
    def access_token(self, *, rejected: str | None = None) -> str:
        if rejected is not None:
            raise ReauthorizationRequired(
                "FreshBooks does not accept the configured access_token (they live 12 hours), and "
                "there is no refresh_token to get another: set a new access_token, or set "
                "client_id, client_secret and refresh_token"
            )
        return self._access_token


class RefreshingAuthenticator(Authenticator):
    """Keeps one connection alive over threads and processes. One per tap instance.

    Args:
        store: Where the pair lives.
        endpoint: Where it is traded for the next.
        configured: The refresh token of the settings: the seed of an empty store, and the
            winner over a store that was seeded with another one.
    """

    def __init__(self, store: FileStore, endpoint: TokenEndpoint, configured: str | None) -> None:
        self.store = store
        self.endpoint = endpoint
        self.configured = configured
        # Jitter, so that many workers of one connection do not all refresh in one second.
        self.margin = random.uniform(60, 180)  # noqa: S311 - no cryptography
        self._pair: TokenPair | None = None
        self._mutex = threading.Lock()

    @override
    def access_token(self, *, rejected: str | None = None) -> str:
        with self._mutex:
            if token := self._usable(self._pair, rejected):
                return token
            with self.store.locked():
                self._pair = self._newest()
                if token := self._usable(self._pair, rejected):
                    return token
                self._pair = self._refresh(self._pair)
            return self._pair.access_token or ""

    def _usable(self, pair: TokenPair | None, rejected: str | None) -> str | None:
        if pair and pair.is_fresh(self.margin) and pair.access_token != rejected:
            return pair.access_token
        return None

    def _newest(self) -> TokenPair:
        """The pair to go on with: the stored one, unless the user has authorised anew."""
        stored = self.store.read()
        if self.configured and not self.store.holds_seed:
            seed = seed_of(self.configured)
            if stored is None or stored.seed != seed:
                return TokenPair(self.configured, seed=seed)
        if stored is None:
            raise SettingsError(
                f"there is no connection yet: {self.store} holds no tokens and the setting "
                "refresh_token is missing"
            )
        return stored

    def _refresh(self, pair: TokenPair) -> TokenPair:
        # From here to the commit a signal waits: a token that is spent must be stored.
        with self.store.prepared() as write, interruptions.held():
            try:
                fresh = self._spend(pair)
            except ReauthorizationRequired as error:
                # Final only after another look: somebody without our lock may have refreshed.
                newest = self._newest()
                if newest.refresh_token == pair.refresh_token or not self._usable(newest, None):
                    raise ReauthorizationRequired(
                        f"{error} (tokens in {self.store}); {CONNECT_AGAIN}"
                    ) from None
                return newest
            write.commit(fresh)
            if fresh.access_token is None:
                raise RefreshFailed(
                    "the token answer of FreshBooks holds no access token; the new refresh token "
                    f"is kept in {self.store}. Run again later"
                )
            # Short lives must not mean a refresh per request.
            self.margin = min(self.margin, (fresh.expires_at - time.time()) / 2)
            logger.info("Access token refreshed; the new tokens are in %s", self.store)
            return fresh

    def _spend(self, pair: TokenPair) -> TokenPair:
        """Trade a pair for the next; a request that may have arrived is repeated once.

        A lost answer leaves open whether the token is spent. Under our lock nobody else
        can have spent it, so one more try is harmless: it works, or says `invalid_grant`.
        """
        answers_lost = 0
        attempt = 0
        while True:
            attempt += 1
            try:
                return self.endpoint.refresh(pair)
            except Unavailable as error:
                answers_lost += error.sent
                if answers_lost > 1 or attempt == UNREACHED_ATTEMPTS:
                    fate = (
                        "whether the refresh token is spent is unknown; if the next run says so, "
                        "authorise the account anew"
                        if answers_lost
                        else "the refresh token was not spent"
                    )
                    raise RefreshFailed(
                        f"the access token could not be refreshed: {error}; {fate} (tokens in "
                        f"{self.store}). Is {self.endpoint.api_url} reachable, and FreshBooks up? "
                        "Run again later"
                    ) from None
                wait = min(error.retry_after or random.uniform(0, 2**attempt), LONGEST_WAIT)  # noqa: S311
                logger.warning("%s; trying again in %.1f s", error, wait)
                time.sleep(wait)
            except ReauthorizationRequired as error:
                if answers_lost:
                    raise ReauthorizationRequired(
                        f"{error}, after an answer of the token endpoint was lost"
                    ) from None
                raise
