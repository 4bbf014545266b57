"""Access tokens for requests: the configured one, or one that is refreshed when it is due.

Here it is decided which pair counts, and that one process at a time refreshes it; how a refresh
goes without losing a token is in `rotation.py`.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks import signals
from tap_freshbooks.errors import (
    ReauthorizationRequiredError,
    RunCancelledError,
    SettingsError,
    TokenStoreError,
)
from tap_freshbooks.oauth.rotation import Rotation
from tap_freshbooks.oauth.stores.fallback import FallbackStore
from tap_freshbooks.oauth.tokens import TokenPair, hash_of
from tap_freshbooks.transport.auth import Authenticator

if TYPE_CHECKING:
    from tap_freshbooks.oauth.reauth_notifier import ReauthNotifier
    from tap_freshbooks.oauth.stores.base import LockedStore, TokenStore
    from tap_freshbooks.oauth.token_endpoint import TokenEndpoint

logger = logging.getLogger("tap-freshbooks.oauth")

MAX_REREADS = 100
"""How often a store may change while we hold its lock, before something is wrong with it."""

REFRESH_MARGIN = (300, 420)
"""Seconds before its end at which an access token is replaced: 5 minutes of clock skew do no
harm, and jitter keeps many workers of one connection from refreshing in one second."""


class StaticToken(Authenticator):
    """An access token from the settings, used as it is and never refreshed."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    @override
    def access_token(self, *, rejected: str | None = None) -> str:
        if rejected is not None:
            raise ReauthorizationRequiredError(
                "FreshBooks does not accept the configured access_token (they live 12 hours), and "
                "there is no refresh_token to get another: set a new access_token, or remove it "
                "and connect the account with `tap-freshbooks login`"
            )
        return self._access_token

    @override
    def close(self) -> None:
        pass


class RefreshingAuthenticator(Authenticator):
    """Keeps one connection alive over threads, processes and machines. One per tap instance.

    Args:
        store: Where the pair lives.
        endpoint: Where it is traded for the next.
        configured: The refresh token of the settings: the seed of an empty store, and the
            winner over a store that was seeded with another one.
        notifier: Notified when the account must be authorised again.
    """

    def __init__(
        self,
        store: TokenStore,
        endpoint: TokenEndpoint,
        configured: str | None,
        notifier: ReauthNotifier | None = None,
    ) -> None:
        self.store = store
        self.endpoint = endpoint
        self.configured = configured
        self.margin = random.uniform(*REFRESH_MARGIN)  # noqa: S311 - no cryptography
        self._client = hash_of(endpoint.client_id)
        self._fallback = FallbackStore(f"{store.identity}\n{endpoint.client_id}", store.encryption)
        self._rotation = Rotation(str(store), endpoint, self._fallback, notifier)
        self._pair: TokenPair | None = None
        self._mutex = threading.Lock()
        self._rotating = threading.Lock()
        """Apart from the mutex: `close` need not wait for a thread that waits for the store."""

    # Using the connection

    @override
    def access_token(self, *, rejected: str | None = None) -> str:
        with self._mutex:
            if token := self._usable(self._pair, rejected):
                return token
            # Without the lock first: whoever needs no refresh does not wait for one under way.
            self._pair = self.current_pair()
            if token := self._usable(self._pair, rejected):
                return token
            with self.store.locked() as store:
                self._pair = self._refreshed(store, rejected)
            return self._pair.access_token or ""

    @property
    def created_at(self) -> float | None:
        """When the pair in use was made, by the answer to this object's own refresh."""
        return self._pair.created_at if self._pair else None

    def _refreshed(self, store: LockedStore, rejected: str | None) -> TokenPair:
        """The pair that another process has stored meanwhile, else the next one."""
        for _ in range(MAX_REREADS):
            pair = self._read_newest(store)
            if self._usable(pair, rejected):
                return pair
            with self._rotating:
                if self._rotation.closed.is_set():
                    raise RunCancelledError
                fresh = self._rotation.refresh(store, pair)
            if fresh:
                # A token that lives for less than the margin must not be refreshed per request.
                self.margin = max(0.0, min(self.margin, (fresh.expires_at - time.time()) / 2))
                return fresh
        raise TokenStoreError(
            f"the tokens in {self.store} keep changing: does another program write them too?"
        )

    @override
    def close(self) -> None:
        # A signal must not end the waiting: the process would end, and with it the thread that
        # has spent a token.
        with signals.deferred():
            self._rotation.closed.set()
            with self._rotating:
                pass

    def current_pair(self) -> TokenPair | None:
        """The pair that would be used now, None if there is none; nothing is asked or changed.

        Raises:
            TokenStoreError: If the store cannot be read.
        """
        return self._select(self.store.read())

    def _usable(self, pair: TokenPair | None, rejected: str | None) -> str | None:
        if pair and pair.is_fresh(self.margin) and pair.access_token != rejected:
            return pair.access_token
        return None

    def _select(self, stored: TokenPair | None) -> TokenPair | None:
        """The pair to go on with: the stored one, unless the user has authorised anew.

        Raises:
            SettingsError: If the settings do not fit what is stored.
        """
        if self.configured and not self.store.holds_seed:
            seed = hash_of(self.configured)
            if stored is None:
                return TokenPair(self.configured, seed=seed)
            if seed in stored.superseded_seeds:
                raise SettingsError(
                    f"the setting refresh_token is older than the tokens in {self.store}, which "
                    "come from a later consent: remove the setting, or set it to the newest token. "
                    "If it belongs to another FreshBooks user, give that one a token_store or a "
                    "connection of his own"
                )
            if stored.seed != seed:
                return TokenPair(
                    self.configured,
                    seed=seed,
                    pending=stored.pending,
                    rejections=stored.rejections,
                )
        if stored and stored.client not in {None, self._client}:
            raise SettingsError(
                f"the tokens in {self.store} were made for another app than client_id names: set "
                "the client_id and client_secret of that app, or connect the account to this one "
                "with `tap-freshbooks login`"
            )
        return stored

    def _read_newest(self, store: LockedStore) -> TokenPair:
        """The pair to go on with, of what is stored, rescued and configured."""
        self._recover_fallback(store)
        pair = self._select(store.read())
        if pair is None:
            raise SettingsError(
                f"there is no connection yet: {self.store} holds no tokens; connect the account "
                "with `tap-freshbooks login`, or set refresh_token"
            )
        return pair

    def _recover_fallback(self, store: LockedStore) -> None:
        """Store a pair that an earlier run could not store, if it follows the stored one."""
        stored = store.read()
        seed = hash_of(self.configured) if self.configured else None
        if stored is None:
            rescued = self._fallback.latest(seed)
        else:
            rescued = self._fallback.find(stored.refresh_token)
            if rescued is None and seed not in {None, stored.seed, *stored.superseded_seeds}:
                rescued = self._fallback.find(self.configured or "")
        if rescued:
            path, pair = rescued
            store.write(pair)
            with contextlib.suppress(OSError):  # a pair that is stored is not sought
                path.unlink()
            logger.warning("The tokens that an earlier run had rescued are now in %s", self.store)

    # Beginning and ending a connection on purpose

    def connect(self, code: str, verifier: str) -> frozenset[str]:
        """Trade the code of a consent for the first pair, and store it.

        Returns:
            The scopes that were granted, as far as FreshBooks names them.

        Raises:
            ReauthorizationRequiredError: If the code is not accepted.
            TokenStoreError: If the store is not writable; the code is then not spent.
        """
        with self._mutex, self.store.locked() as store:
            former = store.read()
            try:
                store.check_writable(former)
            except TokenStoreError as error:
                raise TokenStoreError(f"{error}; make it writable, then log in again") from None
            with signals.deferred():
                pair, scopes = self.endpoint.exchange(code, verifier)
                # A seed that is still configured is older than this consent.
                seed = hash_of(self.configured) if self.configured else None
                pair = replace(pair, client=self._client, seed=seed).replacing(former)
                self._fallback.discard()
                spent = former.refresh_token if former else ""
                self._pair = self._rotation.store_pair(store, pair, spent, is_newest=True)
        return scopes

    def disconnect(self) -> bool:
        """Revoke the tokens and forget them.

        Returns:
            Whether there were any.

        Raises:
            FreshBooksError: If FreshBooks did not confirm it; nothing is forgotten then.
        """
        with self._mutex, self.store.locked() as store:
            self._recover_fallback(store)
            pair = store.read()
            if pair is None:
                return False
            store.check_writable(pair)
            for token in (pair.access_token, pair.refresh_token):
                if token:
                    self.endpoint.revoke(token)
            try:
                store.forget()
            except TokenStoreError as error:
                raise TokenStoreError(
                    f"the tokens are revoked, but {error}; remove them there"
                ) from None
            self._fallback.discard()
            self._pair = None
        return True
