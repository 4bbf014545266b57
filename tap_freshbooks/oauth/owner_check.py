"""Whose tokens are these? Asked before new ones take the place of those of another user.

A new pair whose owner is not known is *held back*: it is on durable storage, beside the pair that
works, and used for nothing but the question whose it is. The answer makes it the pair of the
connection, or leaves it held back for a store of its own.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_freshbooks.errors import (
    ConnectionFailedError,
    FreshBooksError,
    OtherUserError,
    ReauthorizationRequiredError,
    TapError,
)
from tap_freshbooks.oauth.owner import Owner

if TYPE_CHECKING:
    from tap_freshbooks.oauth.stores.base import LockedStore, TokenStore
    from tap_freshbooks.oauth.token_endpoint import TokenEndpoint
    from tap_freshbooks.oauth.tokens import TokenPair

logger = logging.getLogger("tap-freshbooks.oauth")

AskOwner = Callable[[str], Owner | None]
"""Asks FreshBooks whose an access token is; None if the answer names nobody.

Raises a `ReauthorizationRequiredError` if the token is dead, another `TapError` if there is no
usable answer.
"""


class OwnerCheck:
    """The question whose tokens these are, for one connection.

    Args:
        store: Where its tokens live.
        endpoint: Where tokens are revoked.
        ask: Asks FreshBooks; None where nobody wants to know.
    """

    def __init__(self, store: TokenStore, endpoint: TokenEndpoint, ask: AskOwner | None) -> None:
        self.store = store
        self.endpoint = endpoint
        self.ask = ask

    def learn(self, locked: LockedStore, stored: TokenPair | None) -> TokenPair | None:
        """Find out whose the stored pair is before another takes its place, if that is easy.

        A store of an earlier version does not know; its access token may still answer.
        """
        if self.ask is None or stored is None or stored.owner or not stored.is_fresh(0):
            return stored
        try:
            owner = self.ask(stored.access_token or "")
        except TapError as error:
            logger.debug("Whose the tokens in %s are is not known: %s", self.store, error)
            return stored
        known = replace(stored, owner=owner)
        if owner:
            locked.write(known)
        return known

    def guards(self, stored: TokenPair | None) -> bool:
        """Whether a new pair has to show whose it is before it takes the place of this one."""
        return self.ask is not None and stored is not None and stored.owner is not None

    def settle(self, locked: LockedStore, held: TokenPair, seed: str | None) -> Owner | None:
        """Let a pair that is held back take its place, or refuse it.

        Args:
            locked: The store, locked.
            held: The pair; its access token is fresh.
            seed: The seed of the pair once it has its place, if it was made of none.

        Returns:
            The owner, if it is another user, and the pair was refused.

        Raises:
            ConnectionFailedError: If FreshBooks does not say whose it is; all stays as it is.
            ReauthorizationRequiredError: If its access token is dead.
            TokenStoreError: If the store cannot be written.
        """
        owner = self._owner_of(held)
        stored = locked.read()
        if stored is None:
            return None
        if owner and stored.owner and owner.is_other_than(stored.owner):
            self._refuse(locked, stored, replace(held, owner=owner))
            return owner
        accepted = replace(held, owner=owner, seed=held.seed or seed, pending=None)
        locked.write(accepted.replacing(stored.without(held)))
        logger.info("The new tokens are of the same FreshBooks user: they count from now on")
        return None

    def settle_login(self, locked: LockedStore, held: TokenPair, seed: str | None) -> None:
        """Let the pair of a login take its place.

        Raises:
            OtherUserError: If it is of another user.
            ConnectionFailedError: If FreshBooks does not say whose it is; all stays as it is.
        """
        try:
            refused = self.settle(locked, held, seed)
        except ReauthorizationRequiredError as error:
            raise ConnectionFailedError(str(error)) from None
        if refused:
            stored = locked.read()
            raise OtherUserError(
                f"this login is of another FreshBooks user ({refused}) than the tokens in "
                f"{self.store} ({stored.owner if stored else None}), which were left as they are; "
                "the new tokens were revoked. Log in as the user before, or give this one a "
                "token_store or a connection of his own; if he has one with this app, this consent "
                "has ended it: log in there again. `tap-freshbooks login --replace` hands this "
                "connection over"
            )

    def _owner_of(self, held: TokenPair) -> Owner | None:
        assert self.ask is not None  # noqa: S101 - nothing is held back otherwise
        try:
            return self.ask(held.access_token or "")
        except (FreshBooksError, ConnectionFailedError) as error:
            raise ConnectionFailedError(
                f"there are new tokens, which are kept in {self.store}, and it is not known yet "
                f"whether they are of the same FreshBooks user as those before: {error}; run again "
                "later"
            ) from None

    def _refuse(self, locked: LockedStore, stored: TokenPair, held: TokenPair) -> None:
        """Keep the pair for a store of its own; that of a login, which is at hand, is revoked."""
        if held.seed:
            locked.write(stored.holding_back(held))
            with contextlib.suppress(OSError):  # it is in this store all the same
                self.store.share(held)
            return
        locked.write(stored.without(held))
        logger.warning("Tokens of another FreshBooks user (%s) were refused", held.owner)
        self.revoke(held)

    def revoke(self, pair: TokenPair) -> None:
        """End the tokens of a pair that nobody will use; a failure is a warning."""
        try:
            for token in (pair.access_token, pair.refresh_token):
                if token:
                    self.endpoint.revoke(token)
        except FreshBooksError as error:
            logger.warning("Its tokens could not be revoked: %s", error)

    def check_seed(self, stored: TokenPair, seed: str | None) -> None:
        """Stop where the configured token has shown to be of another user.

        Raises:
            OtherUserError: If it has.
        """
        held = stored.held_back_for(seed)
        if held and held.owner and stored.owner and held.owner.is_other_than(stored.owner):
            if self.store.holds_seed:
                raise OtherUserError(
                    f"the refresh_token in {self.store} belongs to another FreshBooks user "
                    f"({held.owner}) than the one that the file was for ({stored.owner}). If it is "
                    "a mistake, put the last one of that user back. If the file was made from a "
                    "copy of his, remove its keys token_…: the new tokens are kept, and found "
                    "then. To hand it over, `tap-freshbooks login --replace` takes any user"
                )
            raise OtherUserError(
                f"the refresh_token that is configured belongs to another FreshBooks user "
                f"({held.owner}) than the tokens in {self.store} ({stored.owner}), which were left "
                "as they are. If it is a mistake, take the setting out. To read both users, give "
                "each a token_store or a connection of his own; the new tokens are kept, and found "
                "there. To hand this one over, `tap-freshbooks logout` ends the user before, and "
                "`tap-freshbooks login --replace` takes any user"
            )

    def remember(self, locked: LockedStore, owner: Owner) -> TokenPair | None:
        """Note whose the stored pair is.

        Returns:
            The pair with the note, None if there is none.

        Raises:
            OtherUserError: If another user's pair is there by now.
            TokenStoreError: If the store cannot be written.
        """
        stored = locked.read()
        if stored is None:
            return None
        self.check_current(stored, owner)
        noted = replace(stored, owner=owner.completed_by(stored.owner))
        if noted != stored:
            locked.write(noted)
        return noted

    def check_handover(self, pair: TokenPair, owner: Owner) -> None:
        """Stop a run whose store was handed over to another user while it ran.

        Where two users share a business, the requests of the one would go on with what the other
        may see of it, and all else count as gone.

        Args:
            pair: What the store holds by now.
            owner: The user with whom the run began.

        Raises:
            OtherUserError: If it is another user's.
            ConnectionFailedError: If FreshBooks does not say whose it is.
        """
        found = pair.owner
        if found is None and self.ask:
            with contextlib.suppress(ReauthorizationRequiredError):  # the next request will tell
                found = self._owner_of(pair)
        if found and found.is_other_than(owner):
            raise OtherUserError(
                f"while this ran, the tokens in {self.store} were replaced by those of another "
                f"FreshBooks user ({found}); this run is of {owner}, and reads no more. Run again "
                "with the state of that user; or connect the user before with `tap-freshbooks "
                "login --replace`"
            )

    def check_current(self, stored: TokenPair, owner: Owner) -> None:
        """Stop where users/me names another user than the store remembers.

        Raises:
            OtherUserError: If it does.
        """
        if stored.owner and owner.is_other_than(stored.owner):
            raise OtherUserError(
                f"the tokens in {self.store} are of another FreshBooks user ({owner}) than those "
                f"that were there before ({stored.owner}), so nothing was read. If it is a "
                "mistake, put the right ones back, or connect that user again with "
                "`tap-freshbooks login`; `tap-freshbooks login --replace` hands the connection over"
            )
