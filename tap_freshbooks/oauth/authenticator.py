"""Access tokens for requests: the configured one, or one that is refreshed when it is due.

Here one process at a time refreshes the pair that counts (`selection.py`); how a refresh goes
without losing a token is in `rotation.py`, and whose tokens new ones are in `owner_check.py`.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks import signals
from tap_freshbooks.errors import (
    ConnectionFailedError,
    ReauthorizationRequiredError,
    RunCancelledError,
    TokenStoreError,
)
from tap_freshbooks.oauth.owner_check import OwnerCheck
from tap_freshbooks.oauth.rotation import Rotation
from tap_freshbooks.oauth.selection import PairSelection
from tap_freshbooks.oauth.stores.fallback import FallbackStore
from tap_freshbooks.oauth.tokens import hash_of
from tap_freshbooks.transport.auth import Authenticator

if TYPE_CHECKING:
    from tap_freshbooks.oauth.owner import Owner
    from tap_freshbooks.oauth.owner_check import AskOwner
    from tap_freshbooks.oauth.reauth_notifier import ReauthNotifier
    from tap_freshbooks.oauth.stores.base import LockedStore, TokenStore
    from tap_freshbooks.oauth.token_endpoint import TokenEndpoint
    from tap_freshbooks.oauth.tokens import TokenPair

logger = logging.getLogger("tap-freshbooks.oauth")

MAX_REREADS = 100
"""How often a store may change while we hold its lock, before something is wrong with it."""

REFRESH_MARGIN = (300, 420)
"""Seconds before its end at which an access token is replaced: 5 minutes of clock skew do no
harm, and jitter keeps many workers of one connection from refreshing in one second."""


class RefreshingAuthenticator(Authenticator):
    """Keeps one connection alive over threads, processes and machines. One per tap instance.

    Args:
        store: Where the pair lives.
        endpoint: Where it is traded for the next.
        configured: The refresh token of the settings: the seed of an empty store, and the
            winner over a store that was seeded with another one.
        notifier: Notified when the account must be authorised again.
        ask_owner: Asks FreshBooks whose an access token is; None: any user's are taken.
    """

    def __init__(
        self,
        store: TokenStore,
        endpoint: TokenEndpoint,
        configured: str | None,
        notifier: ReauthNotifier | None = None,
        ask_owner: AskOwner | None = None,
    ) -> None:
        self.store = store
        self.endpoint = endpoint
        self.margin = random.uniform(*REFRESH_MARGIN)  # noqa: S311 - no cryptography
        self._client = hash_of(endpoint.client_id)
        self._owners = OwnerCheck(store, endpoint, ask_owner)
        self._fallback = FallbackStore(f"{store.identity}\n{endpoint.client_id}", store.encryption)
        self._selection = PairSelection(
            store, self._fallback, self._owners, configured, self._client
        )
        self._rotation = Rotation(str(store), endpoint, self._fallback, notifier)
        self._pair: TokenPair | None = None
        self._owner: Owner | None = None
        """The user whom users/me has named in this run."""
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
            pair = self.current_pair()
            if not pair or not self._usable(pair, rejected):
                with self.store.locked() as store:
                    pair = self._refreshed(store, rejected)
            if self._owner:
                self._owners.check_handover(pair, self._owner)
            self._pair = pair
            return pair.access_token or ""

    @property
    def created_at(self) -> float | None:
        """When the pair in use was made, by the answer to this object's own refresh."""
        return self._pair.created_at if self._pair else None

    def _refreshed(self, store: LockedStore, rejected: str | None) -> TokenPair:
        """The pair that another process has stored meanwhile, else the next one."""
        is_renewed = False
        for _ in range(MAX_REREADS):
            pair = self._selection.read_newest(store, self._pair)
            if self._usable(pair, rejected):
                return pair
            if pair.is_held_back and self._settle(store, pair, may_renew=not is_renewed):
                continue
            is_renewed = pair.is_held_back
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

    def _settle(self, store: LockedStore, held: TokenPair, *, may_renew: bool) -> bool:
        """Find out whose a pair is; False if it has to be refreshed before it can tell."""
        if not held.is_fresh(0):
            return False
        try:
            self._owners.settle(store, held, self._selection.seed)
        except ReauthorizationRequiredError as error:
            if not may_renew:
                raise ConnectionFailedError(str(error)) from None
            return False
        return True

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
        return self._selection.select(self.store.read())

    def _usable(self, pair: TokenPair | None, rejected: str | None) -> str | None:
        if not pair or pair.is_held_back:
            return None
        if pair.is_fresh(self.margin) and pair.access_token != rejected:
            return pair.access_token
        return None

    # Beginning and ending a connection on purpose

    def connect(self, code: str, verifier: str, *, is_replacing: bool = False) -> frozenset[str]:
        """Trade the code of a consent for the first pair, and store it.

        Args:
            code: Of the consent.
            verifier: The secret half of PKCE.
            is_replacing: Whether the user may be another than before.

        Returns:
            The scopes that were granted, as far as FreshBooks names them.

        Raises:
            ReauthorizationRequiredError: If the code is not accepted.
            OtherUserError: If the consent is of another user than the tokens in the store.
            TokenStoreError: If the store is not writable; the code is then not spent.
        """
        with self._mutex, self.store.locked() as store:
            former = store.read()
            if not is_replacing:
                former = self._owners.learn(store, former)
            try:
                store.check_writable(former)
            except TokenStoreError as error:
                raise TokenStoreError(f"{error}; make it writable, then log in again") from None
            is_held_back = self._owners.guards(former) and not is_replacing
            with signals.deferred():
                pair, scopes = self.endpoint.exchange(code, verifier)
                pair = replace(pair, client=self._client, is_held_back=is_held_back)
                self._store_consent(store, pair, former, is_replacing=is_replacing)
            if is_held_back:
                self._owners.settle_login(store, pair, self._selection.seed)
            if is_replacing:
                store.forget_success()
            self._fallback.discard()
            self._pair = store.read()
        return scopes

    def _store_consent(
        self, store: LockedStore, pair: TokenPair, former: TokenPair | None, *, is_replacing: bool
    ) -> None:
        spent = former.refresh_token if former else ""
        if former and pair.is_held_back:
            content = former.holding_back(pair)
        else:
            # A seed that is still configured is older than this consent.
            content = replace(pair, seed=self._selection.seed).replacing(former)
        if is_replacing:
            content = replace(content, owner=None)
        self._rotation.store_pair(store, content, spent, is_newest=True)

    def disconnect(self) -> bool:
        """Revoke the tokens and forget them.

        Returns:
            Whether there were any.

        Raises:
            FreshBooksError: If FreshBooks did not confirm it; nothing is forgotten then.
        """
        with self._mutex, self.store.locked() as store:
            self._selection.recover(store)
            pair = store.read()
            if pair is None:
                return False
            store.check_writable(pair)
            for token in (pair.access_token, pair.refresh_token):
                if token:
                    self.endpoint.revoke(token)
            heir = self._end_held_back(pair)
            try:
                if heir:
                    store.write(heir)
                else:
                    store.forget()
            except TokenStoreError as error:
                raise TokenStoreError(
                    f"the tokens are revoked, but {error}; remove them there"
                ) from None
            self._fallback.discard()
            self._pair = None
        return True

    def _end_held_back(self, pair: TokenPair) -> TokenPair | None:
        """Revoke what is held back, unless another store has taken it.

        Returns:
            The pair of the token that is still configured: the next run goes on with it.
        """
        heir = None
        for held in pair.held_back:
            if held.seed and held.seed == self._selection.seed and not self.store.holds_seed:
                heir = held
            elif held.seed is None or self.store.find_shared(held.seed):
                self._owners.revoke(held)
            if held.seed:
                self.store.remove_shared(held.seed)
        return heir

    # Whose connection it is

    def note_owner(self, owner: Owner | None) -> None:
        """Remember whom users/me has named; a store that cannot be written is a warning.

        Args:
            owner: The user, None if the answer names none.

        Raises:
            OtherUserError: If the store remembers another.
        """
        with self._mutex:
            stored = self._pair
            if owner is None or stored is None:
                return
            self._owners.check_current(stored, owner)
            self._owner = owner
            if stored.owner == owner.completed_by(stored.owner):
                return
            try:
                with self.store.locked() as store:
                    self._pair = self._owners.remember(store, owner) or stored
            except TokenStoreError as error:
                logger.warning("Whose tokens they are could not be noted: %s", error)
