"""One rotation: a refresh token is spent for the next pair, and nothing of it is lost.

The states of a connection, as every process reads them in its store:

    note beside the pair    lock    meaning
    none                    free    no process refreshes
    pending refresh         held    another process refreshes: wait for the lock, then read again
    pending refresh         free    a refresh was cut off or not answered: its outcome is unknown
    rejection               any     the token is spent or revoked: only a new consent helps

With the lock held, a refresh goes from *noted as pending*, which proves that the store can be
written, to *sent* (`refresh_attempts.py`), and ends as one of: *stored*, or kept in a fallback file
if the store fails; *rejected*; *unknown*, with the note left for the next run; or *unspent*, with
the note removed. If the store has changed meanwhile, nothing is done: the caller reads it again.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, NoReturn

from tap_freshbooks import signals
from tap_freshbooks.errors import (
    ReauthorizationRequiredError,
    RefreshFailedError,
    RunCancelledError,
    TapError,
    TokenStoreError,
)
from tap_freshbooks.locations import showable
from tap_freshbooks.oauth.refresh_attempts import RefreshAttempts, TokenState
from tap_freshbooks.oauth.stores.base import StoreConflictError
from tap_freshbooks.oauth.tokens import PendingRefresh, Rejection, TokenPair, hash_of
from tap_freshbooks.timestamps import utc_text_at

if TYPE_CHECKING:
    from tap_freshbooks.errors import TransientError
    from tap_freshbooks.oauth.reauth_notifier import ReauthNotifier
    from tap_freshbooks.oauth.stores.base import LockedStore
    from tap_freshbooks.oauth.stores.fallback import FallbackStore
    from tap_freshbooks.oauth.token_endpoint import TokenEndpoint

logger = logging.getLogger("tap-freshbooks.oauth")

CONNECT_AGAIN = (
    "connect the account again with `tap-freshbooks login`, or set refresh_token to a new token"
)

STORE_TIMEOUT = 30.0
"""Seconds to go on trying to store a new pair, before it goes into a rescue file."""

FIRST_STORE_WAIT, MAX_STORE_WAIT = 0.05, 2.0
"""Seconds between two tries to store a new pair: doubled from the first to the second."""


class Rotation:
    """How the pairs of one connection follow each other.

    Args:
        store_name: What messages call the store.
        endpoint: Where a pair is traded for the next.
        fallback: Where a new pair goes if the store fails.
        notifier: Notified when the account must be authorised again.
    """

    def __init__(
        self,
        store_name: str,
        endpoint: TokenEndpoint,
        fallback: FallbackStore,
        notifier: ReauthNotifier | None,
    ) -> None:
        self.store_name = store_name
        self.endpoint = endpoint
        self.client = hash_of(endpoint.client_id)
        self.fallback = fallback
        self.notifier = notifier
        self.closed = Event()
        """Set when the run is over: what has begun is finished, but not tried again."""

    def refresh(self, store: LockedStore, pair: TokenPair) -> TokenPair | None:
        """Trade a pair for the next.

        Args:
            store: Locked, and just read.
            pair: What to go on with: the stored pair, or one that is newer.

        Returns:
            The new pair, None if the store is to be read again: it has changed meanwhile, or holds
            the new pair back.

        Raises:
            ReauthorizationRequiredError: If FreshBooks no longer accepts the refresh token.
            RefreshFailedError: If there was no usable answer.
            TokenStoreError: If the store cannot be written; nothing is spent then.
            RunCancelledError: If it would take another try after the end of the run.
        """
        if pair.own_rejection:
            self._give_up(store, pair, pair.own_rejection)
        # A configured token takes the place of the stored pair only once it has proved good.
        former = store.read() or pair
        if not self._note_pending(store, pair, former):
            return None
        if fresh := self._spend(store, pair, former):
            _check_access_token(fresh, self.store_name)
            logger.info("Access token refreshed; the new tokens are in %s", self.store_name)
        return fresh

    def _note_pending(self, store: LockedStore, pair: TokenPair, former: TokenPair) -> bool:
        """Note durably that the token is about to be spent.

        Returns:
            False if the store holds something else by now: another process has written it.
        """
        pending = pair.pending_refresh or PendingRefresh(hash_of(pair.refresh_token), time.time())
        noted = replace(former, pending=pending)
        try:
            store.check_writable(noted)
        except TokenStoreError as error:
            raise TokenStoreError(
                f"{error}, so no refresh token was spent; make it writable or set token_store to "
                "another place"
            ) from None
        return store.read() == noted

    def _remove_pending(self, store: LockedStore) -> None:
        """Remove the note that the token is being spent: it certainly was not."""
        try:
            if noted := store.read():
                store.write(replace(noted, pending=None))
        except TokenStoreError as error:  # the note costs the next run a second try, no more
            logger.warning("%s", error)

    def _spend(self, store: LockedStore, pair: TokenPair, former: TokenPair) -> TokenPair | None:
        """Send the refresh token until its fate is known, or one more request could do harm.

        Args:
            store: Where the refresh of `pair` is noted as pending.
            pair: What is spent; if it is held back, so is what follows it.
            former: What is stored, `pair` itself as a rule.
        """
        attempts = RefreshAttempts(self.endpoint, pair)
        try:
            while True:
                # From here to the store a signal waits: what is spent must be kept.
                with signals.deferred():
                    answer = attempts.send()
                    if isinstance(answer, TokenPair):
                        return self._keep(store, answer, pair, former)
                if isinstance(answer, ReauthorizationRequiredError):
                    self._reject(store, former, attempts, answer)
                    return None
                self._wait_for_retry(attempts, answer)
        finally:
            if attempts.state is TokenState.UNSPENT:
                self._remove_pending(store)

    def _keep(
        self, store: LockedStore, answer: TokenPair, pair: TokenPair, former: TokenPair
    ) -> TokenPair | None:
        """Store what an answer has brought, in the place of the pair that was spent for it."""
        fresh = replace(answer, client=self.client)
        if not pair.is_held_back:
            return self.store_pair(store, fresh.replacing(former), pair.refresh_token)
        noted = replace(former, pending=None).holding_back(fresh)
        while not self.store_pair(store, noted, pair.refresh_token, rescued=fresh):
            noted = (store.read() or noted).holding_back(fresh)
        _check_access_token(fresh, self.store_name)
        return None

    def _wait_for_retry(self, attempts: RefreshAttempts, error: TransientError) -> None:
        if not attempts.may_retry:
            fate = (
                "the refresh token was not spent"
                if attempts.state is TokenState.UNSPENT
                else "whether the refresh token is spent is unknown; the next run tries it once "
                "more"
            )
            raise RefreshFailedError(
                f"the access token could not be refreshed: {error}; {fate} (tokens in "
                f"{self.store_name}). Is {showable(self.endpoint.api_url)} reachable, and "
                "FreshBooks up? Run again later"
            )
        wait = attempts.wait_after(error)
        logger.warning("%s; trying again in %.1f s", error, wait)
        if self.closed.wait(wait):
            raise RunCancelledError

    # A new pair is stored

    def store_pair(
        self,
        store: LockedStore,
        fresh: TokenPair,
        spent: str,
        *,
        rescued: TokenPair | None = None,
        is_newest: bool = False,
    ) -> TokenPair | None:
        """Store a new pair; if the store fails for long, in a rescue file.

        Args:
            store: Where it belongs.
            fresh: What the store shall hold.
            spent: The refresh token whose place it takes; empty if there was none.
            rescued: The new pair, if the store shall hold it back.
            is_newest: Whether it counts whatever the store holds by now.

        Returns:
            The pair, None if the store holds a newer one: the user has authorised anew.

        Raises:
            RefreshFailedError: If it is in a rescue file, where the next run finds it.
            ReauthorizationRequiredError: If no place took it.
        """
        deadline = time.monotonic() + STORE_TIMEOUT
        wait = FIRST_STORE_WAIT
        while True:
            try:
                store.write(fresh, is_newest=is_newest)
            except StoreConflictError:
                return None
            except Exception as error:  # noqa: BLE001 - whatever it is, the pair must not be lost
                problem = _sentence(error)
                if time.monotonic() + wait > deadline:
                    self._store_in_fallback(rescued or fresh, spent, problem)
                logger.warning("%s; trying again", problem)
                time.sleep(wait)
                wait = min(2 * wait, MAX_STORE_WAIT)
            else:
                return fresh

    def _store_in_fallback(self, fresh: TokenPair, spent: str, problem: str) -> NoReturn:
        try:
            path = self.fallback.save(fresh, spent)
        except Exception as error:  # noqa: BLE001 - there is nothing else to try
            raise ReauthorizationRequiredError(
                f"the new tokens could be stored nowhere: {problem}, and no other place is "
                f"writable either ({_sentence(error)}); they are lost. Make the store writable, "
                f"then {CONNECT_AGAIN}"
            ) from None
        raise RefreshFailedError(
            f"{problem}; the new tokens were rescued to {path}. Make the store writable and run "
            "again with the same settings: the next run takes them from there. Until then do not "
            "remove that file"
        )

    # A token is rejected

    def _reject(
        self,
        store: LockedStore,
        former: TokenPair,
        attempts: RefreshAttempts,
        error: ReauthorizationRequiredError,
    ) -> None:
        """FreshBooks refused the token: final, unless the store holds another by now."""
        if (store.read() or former).refresh_token != former.refresh_token:
            return  # a program without our lock has refreshed, or the user authorised anew
        pair = attempts.pair
        reason = str(error)
        if attempts.lost_answers:
            reason += ", after a refresh whose answer never arrived"
            if pair.pending_refresh:
                reason += f" (it began at {utc_text_at(pair.pending_refresh.since)})"
        rejection = Rejection(hash_of(pair.refresh_token), time.time(), reason)
        self._note_rejection(store, pair, rejection)
        self._give_up(store, pair, rejection)

    def _give_up(self, store: LockedStore, pair: TokenPair, rejection: Rejection) -> NoReturn:
        """End the run without a request to FreshBooks; `auth_failure_url` is notified once."""
        owner = (store.read() or pair).owner
        if self.notifier and not rejection.reported and self.notifier.notify(rejection, owner):
            self._note_rejection(store, pair, replace(rejection, reported=True))
        raise ReauthorizationRequiredError(
            f"{rejection.reason} (found out at {utc_text_at(rejection.since)}, tokens in "
            f"{self.store_name}); {CONNECT_AGAIN}"
        )

    def _note_rejection(self, store: LockedStore, pair: TokenPair, rejection: Rejection) -> None:
        try:
            store.write((store.read() or pair).with_rejection(rejection))
        except TokenStoreError as error:
            logger.warning("%s, so the next run will ask FreshBooks again", error)


def _check_access_token(fresh: TokenPair, store_name: str) -> None:
    if fresh.access_token is None:
        raise RefreshFailedError(
            "the token answer of FreshBooks holds no access token; the new refresh token "
            f"is kept in {store_name}. Run again later"
        )


def _sentence(error: Exception) -> str:
    """What went wrong, without the text of unforeseen errors: it could quote a secret."""
    return str(error) if isinstance(error, TapError | OSError) else type(error).__name__
