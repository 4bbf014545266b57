"""Gives requests an access token that works, refreshing at most once for everybody.

The order of things is what keeps the refresh token from being lost: lock the store, read it
again, write down durably that the token is about to be spent, claim the place of the next pair,
spend the token, store the new pair durably, and only then use it (`DESIGN` invariant 1).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from tap_freshbooks import interruptions
from tap_freshbooks.errors import (
    ReauthorizationRequired,
    RefreshFailed,
    SettingsError,
    TapError,
    TokenStoreError,
    Unavailable,
)
from tap_freshbooks.oauth.rescue import Rescue
from tap_freshbooks.oauth.stores import Superseded
from tap_freshbooks.oauth.tokens import Rejection, Spending, TokenPair, hash_of
from tap_freshbooks.times import utc_text_at

if TYPE_CHECKING:
    from tap_freshbooks.oauth.alarm import Alarm
    from tap_freshbooks.oauth.endpoint import TokenEndpoint
    from tap_freshbooks.oauth.stores import LockedStore, TokenStore

logger = logging.getLogger("tap-freshbooks.oauth")

CONNECT_AGAIN = (
    "connect the account again with `tap-freshbooks login`, or set refresh_token to a new token"
)
UNREACHED_ATTEMPTS = 3
"""Tries when the token endpoint certainly did not get the request."""

LONGEST_WAIT = 20
"""Seconds between two tries, at most: others may be waiting for our lock."""

LOOKS = 100
"""How often the store may have changed under our eyes, before something is wrong with it."""

STORE_PATIENCE = 30.0
"""Seconds to go on trying to store a new pair, before it goes into a rescue file."""

FIRST_STORE_WAIT, LONGEST_STORE_WAIT = 0.05, 2.0
"""Seconds between two tries to store a new pair: doubled from the first to the second."""

MARGIN = (300, 420)
"""Seconds before its end at which an access token is replaced: 5 minutes of clock skew do no
harm, and jitter keeps many workers of one connection from refreshing in one second."""


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
                "there is no refresh_token to get another: set a new access_token, or remove it "
                "and connect the account with `tap-freshbooks login`"
            )
        return self._access_token


class RefreshingAuthenticator(Authenticator):
    """Keeps one connection alive over threads, processes and machines. One per tap instance.

    Args:
        store: Where the pair lives.
        endpoint: Where it is traded for the next.
        configured: The refresh token of the settings: the seed of an empty store, and the
            winner over a store that was seeded with another one.
        alarm: Who is told that the account must be authorised again.
    """

    def __init__(
        self,
        store: TokenStore,
        endpoint: TokenEndpoint,
        configured: str | None,
        alarm: Alarm | None = None,
    ) -> None:
        self.store = store
        self.endpoint = endpoint
        self.configured = configured
        self.alarm = alarm
        self.margin = random.uniform(*MARGIN)  # noqa: S311 - no cryptography
        self._client = hash_of(endpoint.client_id)
        self._rescue = Rescue(f"{store.identity}\n{endpoint.client_id}", store.encryption)
        self._pair: TokenPair | None = None
        self._mutex = threading.Lock()

    # Using the connection

    @override
    def access_token(self, *, rejected: str | None = None) -> str:
        with self._mutex:
            if token := self._usable(self._pair, rejected):
                return token
            # Without the lock first: while somebody refreshes, who needs nothing need not wait.
            self._pair = self.standing()
            if token := self._usable(self._pair, rejected):
                return token
            with self.store.locked() as store:
                self._pair = self._renewed(store, rejected)
            return self._pair.access_token or ""

    def _renewed(self, store: LockedStore, rejected: str | None) -> TokenPair:
        """The pair that somebody else has made meanwhile, else one of our own making."""
        for _ in range(LOOKS):
            pair = self._newest(store)
            if self._usable(pair, rejected):
                return pair
            if fresh := self._refresh(store, pair):
                return fresh
        raise TokenStoreError(
            f"the tokens in {self.store} keep changing: does another program write them too?"
        )

    def standing(self) -> TokenPair | None:
        """The pair that would be used now, None if there is none; nothing is asked or changed.

        Raises:
            TokenStoreError: If the store cannot be read.
        """
        return self._chosen(self.store.read())

    def _usable(self, pair: TokenPair | None, rejected: str | None) -> str | None:
        if pair and pair.is_fresh(self.margin) and pair.access_token != rejected:
            return pair.access_token
        return None

    def _chosen(self, stored: TokenPair | None) -> TokenPair | None:
        """The pair to go on with: the stored one, unless the user has authorised anew.

        Raises:
            SettingsError: If the settings do not fit what is stored.
        """
        if self.configured and not self.store.holds_seed:
            seed = hash_of(self.configured)
            if stored is None:
                return TokenPair(self.configured, seed=seed)
            if seed in stored.replaced:
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
                    spending=stored.spending,
                    rejections=stored.rejections,
                )
        if stored and stored.client not in {None, self._client}:
            raise SettingsError(
                f"the tokens in {self.store} were made for another app than client_id names: set "
                "the client_id and client_secret of that app, or connect the account to this one "
                "with `tap-freshbooks login`"
            )
        return stored

    def _newest(self, store: LockedStore) -> TokenPair:
        """The pair to go on with, after a look at what is stored and at what was rescued."""
        self._adopt(store)
        chosen = self._chosen(store.read())
        if chosen is None:
            raise SettingsError(
                f"there is no connection yet: {self.store} holds no tokens; connect the account "
                "with `tap-freshbooks login`, or set refresh_token"
            )
        return chosen

    def _adopt(self, store: LockedStore) -> None:
        """Take in a pair that an earlier run could not store, if it follows the present one."""
        stored = store.read()
        seed = hash_of(self.configured) if self.configured else None
        if stored is None:
            rescued = self._rescue.latest(seed)
        else:
            rescued = self._rescue.find(stored.refresh_token)
            if rescued is None and seed not in {None, stored.seed, *stored.replaced}:
                rescued = self._rescue.find(self.configured or "")
        if rescued:
            path, pair = rescued
            store.write(pair)
            path.unlink(missing_ok=True)
            logger.warning("The tokens that an earlier run had rescued are now in %s", self.store)

    # Refreshing, under the lock of the store

    def _refresh(self, store: LockedStore, pair: TokenPair) -> TokenPair | None:
        """Trade a pair for the next.

        Returns:
            The new pair, None if somebody else has changed the store meanwhile: look again.
        """
        if pair.own_rejection:
            self._refuse(store, pair, pair.own_rejection)
        # A configured token takes the place of the stored pair only once it has proved good.
        former = store.read() or pair
        doubt = pair.own_spending or Spending(hash_of(pair.refresh_token), time.time())
        marked = replace(former, spending=doubt)
        try:
            store.prove(marked)
        except TokenStoreError as error:
            raise TokenStoreError(
                f"{error}, so no refresh token was spent; make it writable or set token_store to "
                "another place"
            ) from None
        if store.read() != marked:
            return None
        fresh = self._spend(store, pair, former)
        if fresh is None:
            return None
        if fresh.access_token is None:
            raise RefreshFailed(
                "the token answer of FreshBooks holds no access token; the new refresh token "
                f"is kept in {self.store}. Run again later"
            )
        # Short lives must not mean a refresh per request.
        self.margin = max(0.0, min(self.margin, (fresh.expires_at - time.time()) / 2))
        logger.info("Access token refreshed; the new tokens are in %s", self.store)
        return fresh

    def _spend(self, store: LockedStore, pair: TokenPair, former: TokenPair) -> TokenPair | None:
        """Ask for the next pair; a request that may have arrived is repeated once in all.

        A lost answer leaves open whether the token is spent. Under our lock nobody else
        can have spent it, so one more try is harmless: it works, or says `invalid_grant`.
        What an earlier run has lost counts too.

        Args:
            store: Where `pair` is marked as being spent.
            pair: What is spent.
            former: What is stored, `pair` itself as a rule.
        """
        was_doubtful = is_doubtful = pair.own_spending is not None
        answers_wanted = 1 if is_doubtful else 2
        attempt = 0
        try:
            while True:
                attempt += 1
                try:
                    # From here to the store a signal waits: what is spent must be kept.
                    with interruptions.held():
                        is_doubtful = True
                        try:
                            fresh = self.endpoint.refresh(pair)
                        except Unavailable as error:
                            is_doubtful = was_doubtful = was_doubtful or error.sent
                            raise
                        except (RefreshFailed, SettingsError):  # refused for another reason
                            is_doubtful = was_doubtful
                            raise
                        fresh = replace(fresh, client=self._client).in_place_of(former)
                        return self._keep(store, fresh, pair.refresh_token)
                except Unavailable as error:
                    answers_wanted -= error.sent
                    if not answers_wanted or attempt == UNREACHED_ATTEMPTS:
                        raise self._unreached(error, is_doubtful) from None
                    wait = min(error.retry_after or random.uniform(0, 2**attempt), LONGEST_WAIT)  # noqa: S311
                    logger.warning("%s; trying again in %.1f s", error, wait)
                    time.sleep(wait)
                except ReauthorizationRequired as error:
                    return self._rejected(store, pair, str(error), was_doubtful=was_doubtful)
        finally:
            if not is_doubtful:
                self._unmark(store)

    def _unreached(self, error: Unavailable, is_doubtful: bool) -> RefreshFailed:
        fate = (
            "whether the refresh token is spent is unknown; the next run tries it once more"
            if is_doubtful
            else "the refresh token was not spent"
        )
        return RefreshFailed(
            f"the access token could not be refreshed: {error}; {fate} (tokens in "
            f"{self.store}). Is {self.endpoint.api_url} reachable, and FreshBooks up? "
            "Run again later"
        )

    def _unmark(self, store: LockedStore) -> None:
        """Take back that the token is being spent: it certainly was not."""
        try:
            if marked := store.read():
                store.write(replace(marked, spending=None))
        except TokenStoreError as error:  # the mark costs the next run a second try, no more
            logger.warning("%s", error)

    def _keep(
        self, store: LockedStore, fresh: TokenPair, spent: str, *, is_newest: bool = False
    ) -> TokenPair | None:
        """Store a new pair, somewhere.

        Args:
            store: Where it belongs.
            fresh: The pair.
            spent: The refresh token whose place it takes; empty if there was none.
            is_newest: Whether it counts whatever the store holds by now.

        Returns:
            The pair, None if the store holds a newer one: the user has authorised anew.
        """
        deadline = time.monotonic() + STORE_PATIENCE
        wait = FIRST_STORE_WAIT
        while True:
            try:
                store.write(fresh, is_newest=is_newest)
            except Superseded:
                return None
            except Exception as error:  # noqa: BLE001 - whatever it is, the pair must not be lost
                problem = _sentence(error)
                if time.monotonic() + wait > deadline:
                    self._save_elsewhere(fresh, spent, problem)
                logger.warning("%s; trying again", problem)
                time.sleep(wait)
                wait = min(2 * wait, LONGEST_STORE_WAIT)
            else:
                return fresh

    def _save_elsewhere(self, fresh: TokenPair, spent: str, problem: str) -> NoReturn:
        try:
            path = self._rescue.save(fresh, spent)
        except Exception as error:  # noqa: BLE001 - there is nothing else to try
            raise ReauthorizationRequired(
                f"the new tokens could be stored nowhere: {problem}, and no other place is "
                f"writable either ({_sentence(error)}); they are lost. Make the store writable, "
                f"then {CONNECT_AGAIN}"
            ) from None
        raise RefreshFailed(
            f"{problem}; the new tokens were rescued to {path}. Make the store writable and run "
            "again with the same settings: the next run takes them from there. Until then do not "
            "remove that file"
        )

    # The end of a connection

    def _rejected(
        self, store: LockedStore, pair: TokenPair, reason: str, *, was_doubtful: bool
    ) -> TokenPair | None:
        """A refresh token was refused: final, unless the store holds another by now."""
        if self._newest(store).refresh_token != pair.refresh_token:
            return None  # somebody without our lock has refreshed, or the user authorised anew
        if was_doubtful:
            reason += ", after a refresh whose answer never arrived"
            if pair.own_spending:
                reason += f" (it began at {utc_text_at(pair.own_spending.since)})"
        rejection = Rejection(hash_of(pair.refresh_token), time.time(), reason)
        self._note(store, pair, rejection)
        self._refuse(store, pair, rejection)

    def _refuse(self, store: LockedStore, pair: TokenPair, rejection: Rejection) -> NoReturn:
        """Give up, without a request to FreshBooks; tell whoever wants to know, once."""
        if self.alarm and not rejection.reported and self.alarm.raise_for(rejection):
            self._note(store, pair, replace(rejection, reported=True))
        raise ReauthorizationRequired(
            f"{rejection.reason} (found out at {utc_text_at(rejection.since)}, tokens in "
            f"{self.store}); {CONNECT_AGAIN}"
        )

    def _note(self, store: LockedStore, pair: TokenPair, rejection: Rejection) -> None:
        try:
            store.write((store.read() or pair).with_rejection(rejection))
        except TokenStoreError as error:
            logger.warning("%s, so the next run will ask FreshBooks again", error)

    # Beginning and ending a connection on purpose

    def connect(self, code: str, verifier: str) -> frozenset[str]:
        """Trade the code of a consent for the first pair, and store it.

        Returns:
            The scopes that were granted, as far as FreshBooks names them.

        Raises:
            ReauthorizationRequired: If the code is not accepted.
            TokenStoreError: If the store is not writable; the code is then not spent.
        """
        with self._mutex, self.store.locked() as store:
            former = store.read()
            try:
                store.prove(former)
            except TokenStoreError as error:
                raise TokenStoreError(f"{error}; make it writable, then log in again") from None
            with interruptions.held():
                pair, scopes = self.endpoint.exchange(code, verifier)
                # A seed that is still configured is older than this consent.
                seed = hash_of(self.configured) if self.configured else None
                pair = replace(pair, client=self._client, seed=seed).in_place_of(former)
                self._rescue.discard()
                spent = former.refresh_token if former else ""
                self._pair = self._keep(store, pair, spent, is_newest=True)
        return scopes

    def disconnect(self) -> bool:
        """Revoke the tokens and forget them.

        Returns:
            Whether there were any.

        Raises:
            FreshBooksError: If FreshBooks did not confirm it; nothing is forgotten then.
        """
        with self._mutex, self.store.locked() as store:
            self._adopt(store)
            pair = store.read()
            if pair is None:
                return False
            store.prove(pair)
            for token in (pair.access_token, pair.refresh_token):
                if token:
                    self.endpoint.revoke(token)
            try:
                store.forget()
            except TokenStoreError as error:
                raise TokenStoreError(
                    f"the tokens are revoked, but {error}; remove them there"
                ) from None
            self._rescue.discard()
            self._pair = None
        return True


def _sentence(error: Exception) -> str:
    """What went wrong, without the text of errors that nobody foresaw: it could quote a secret."""
    return str(error) if isinstance(error, TapError | OSError) else type(error).__name__
