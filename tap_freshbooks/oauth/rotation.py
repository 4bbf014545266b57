"""One rotation: a refresh token is spent for the next pair, and nothing of it is lost.

To be called with the store locked and read: what is about to happen is written down durably,
the place of the next pair is claimed, the token is spent, and the new pair is stored durably
before anybody uses it.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, NoReturn

from tap_freshbooks import signals
from tap_freshbooks.errors import (
    ReauthorizationRequiredError,
    RefreshFailedError,
    RunCancelledError,
    SettingsError,
    TapError,
    TokenStoreError,
    TransientError,
)
from tap_freshbooks.oauth.stores.base import StoreConflictError
from tap_freshbooks.oauth.tokens import PendingRefresh, Rejection, TokenPair, hash_of
from tap_freshbooks.timestamps import utc_text_at

if TYPE_CHECKING:
    from tap_freshbooks.oauth.reauth_notifier import ReauthNotifier
    from tap_freshbooks.oauth.stores.base import LockedStore
    from tap_freshbooks.oauth.stores.fallback import FallbackStore
    from tap_freshbooks.oauth.token_endpoint import TokenEndpoint

logger = logging.getLogger("tap-freshbooks.oauth")

CONNECT_AGAIN = (
    "connect the account again with `tap-freshbooks login`, or set refresh_token to a new token"
)
UNREACHED_ATTEMPTS = 3
"""Tries when the token endpoint certainly did not get the request."""

LONGEST_WAIT = 20
"""Seconds between two tries, at most: others may be waiting for our lock."""

STORE_PATIENCE = 30.0
"""Seconds to go on trying to store a new pair, before it goes into a rescue file."""

FIRST_STORE_WAIT, LONGEST_STORE_WAIT = 0.05, 2.0
"""Seconds between two tries to store a new pair: doubled from the first to the second."""


class Rotation:
    """How the pairs of one connection follow each other.

    Args:
        place: What messages call the store.
        endpoint: Where a pair is traded for the next.
        rescue: Where a new pair goes if the store fails.
        alarm: Who is told that the account must be authorised again.
    """

    def __init__(
        self,
        place: str,
        endpoint: TokenEndpoint,
        rescue: FallbackStore,
        alarm: ReauthNotifier | None,
    ) -> None:
        self.place = place
        self.endpoint = endpoint
        self.client = hash_of(endpoint.client_id)
        self.rescue = rescue
        self.alarm = alarm
        self.closed = Event()
        """Set when the run is over: what has begun is finished, but not tried again."""

    def refresh(self, store: LockedStore, pair: TokenPair) -> TokenPair | None:
        """Trade a pair for the next.

        Args:
            store: Locked, and just read.
            pair: What to go on with: the stored pair, or a configured token that is newer.

        Returns:
            The new pair, None if somebody else has changed the store meanwhile: look again.
        """
        if pair.own_rejection:
            self._refuse(store, pair, pair.own_rejection)
        # A configured token takes the place of the stored pair only once it has proved good.
        former = store.read() or pair
        doubt = pair.pending_refresh or PendingRefresh(hash_of(pair.refresh_token), time.time())
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
            raise RefreshFailedError(
                "the token answer of FreshBooks holds no access token; the new refresh token "
                f"is kept in {self.place}. Run again later"
            )
        logger.info("Access token refreshed; the new tokens are in %s", self.place)
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
        was_doubtful = is_doubtful = pair.pending_refresh is not None
        answers_wanted = 1 if is_doubtful else 2
        attempt = 0
        try:
            while True:
                attempt += 1
                try:
                    # From here to the store a signal waits: what is spent must be kept.
                    with signals.deferred():
                        is_doubtful = True
                        try:
                            fresh = self.endpoint.refresh(pair)
                        except TransientError as error:
                            is_doubtful = was_doubtful = was_doubtful or error.sent
                            raise
                        except (RefreshFailedError, SettingsError):  # refused for another reason
                            is_doubtful = was_doubtful
                            raise
                        fresh = replace(fresh, client=self.client).in_place_of(former)
                        return self.keep(store, fresh, pair.refresh_token)
                except TransientError as error:
                    answers_wanted -= error.sent
                    if not answers_wanted or attempt == UNREACHED_ATTEMPTS:
                        raise self._unreached(error, is_doubtful) from None
                    wait = min(error.retry_after or random.uniform(0, 2**attempt), LONGEST_WAIT)  # noqa: S311
                    logger.warning("%s; trying again in %.1f s", error, wait)
                    if self.closed.wait(wait):
                        raise RunCancelledError from None
                except ReauthorizationRequiredError as error:
                    reason = _reason(error, pair, was_doubtful=was_doubtful)
                    self._rejected(store, pair, former, reason)
                    return None
        finally:
            if not is_doubtful:
                self._unmark(store)

    def _unreached(self, error: TransientError, is_doubtful: bool) -> RefreshFailedError:
        fate = (
            "whether the refresh token is spent is unknown; the next run tries it once more"
            if is_doubtful
            else "the refresh token was not spent"
        )
        return RefreshFailedError(
            f"the access token could not be refreshed: {error}; {fate} (tokens in "
            f"{self.place}). Is {self.endpoint.api_url} reachable, and FreshBooks up? "
            "Run again later"
        )

    def _unmark(self, store: LockedStore) -> None:
        """Take back that the token is being spent: it certainly was not."""
        try:
            if marked := store.read():
                store.write(replace(marked, spending=None))
        except TokenStoreError as error:  # the mark costs the next run a second try, no more
            logger.warning("%s", error)

    def keep(
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
            except StoreConflictError:
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
            path = self.rescue.save(fresh, spent)
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

    def _rejected(
        self, store: LockedStore, pair: TokenPair, former: TokenPair, reason: str
    ) -> None:
        """A refresh token was refused: final, unless the store holds another by now."""
        if (store.read() or former).refresh_token != former.refresh_token:
            return  # somebody without our lock has refreshed, or the user authorised anew
        rejection = Rejection(hash_of(pair.refresh_token), time.time(), reason)
        self._note(store, pair, rejection)
        self._refuse(store, pair, rejection)

    def _refuse(self, store: LockedStore, pair: TokenPair, rejection: Rejection) -> NoReturn:
        """Give up, without a request to FreshBooks; tell whoever wants to know, once."""
        if self.alarm and not rejection.reported and self.alarm.raise_for(rejection):
            self._note(store, pair, replace(rejection, reported=True))
        raise ReauthorizationRequiredError(
            f"{rejection.reason} (found out at {utc_text_at(rejection.since)}, tokens in "
            f"{self.place}); {CONNECT_AGAIN}"
        )

    def _note(self, store: LockedStore, pair: TokenPair, rejection: Rejection) -> None:
        try:
            store.write((store.read() or pair).with_rejection(rejection))
        except TokenStoreError as error:
            logger.warning("%s, so the next run will ask FreshBooks again", error)


def _reason(error: ReauthorizationRequiredError, pair: TokenPair, *, was_doubtful: bool) -> str:
    """Why a connection has ended, as far as we know."""
    reason = str(error)
    if was_doubtful:
        reason += ", after a refresh whose answer never arrived"
        if pair.pending_refresh:
            reason += f" (it began at {utc_text_at(pair.pending_refresh.since)})"
    return reason


def _sentence(error: Exception) -> str:
    """What went wrong, without the text of errors that nobody foresaw: it could quote a secret."""
    return str(error) if isinstance(error, TapError | OSError) else type(error).__name__
