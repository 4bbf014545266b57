"""Which pair counts: the stored, one that is held back, a rescued one, or a configured token."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.oauth.tokens import TokenPair, hash_of

if TYPE_CHECKING:
    from pathlib import Path

    from tap_freshbooks.oauth.owner_check import OwnerCheck
    from tap_freshbooks.oauth.stores.base import LockedStore, TokenStore
    from tap_freshbooks.oauth.stores.fallback import FallbackStore

logger = logging.getLogger("tap-freshbooks.oauth")


class PairSelection:
    """Selects the pair that a connection goes on with.

    Args:
        store: Where its pair lives.
        fallback: Where pairs are that it could not take.
        owners: Knows whose pairs have to be asked for.
        configured: The refresh token of the settings.
        client: Hash of the client id of the settings.

    Attributes:
        seed: Hash of the configured refresh token.
    """

    def __init__(
        self,
        store: TokenStore,
        fallback: FallbackStore,
        owners: OwnerCheck,
        configured: str | None,
        client: str,
    ) -> None:
        self.store = store
        self.fallback = fallback
        self.owners = owners
        self.configured = configured
        self.client = client
        self.seed = hash_of(configured) if configured else None

    def select(self, stored: TokenPair | None) -> TokenPair | None:
        """The pair to go on with: the stored one, unless the user has authorised anew.

        Raises:
            SettingsError: If the settings do not fit what is stored.
        """
        if stored is None:
            is_seed = self.configured and not self.store.holds_seed
            return TokenPair(self.configured or "", seed=self.seed) if is_seed else None
        if waiting := stored.unchecked:
            return _beside(stored, waiting, is_held_back=True)
        if seed := self._new_seed(stored):
            return self._select_new(stored, seed)
        if stored.client not in {None, self.client}:
            raise SettingsError(
                f"the tokens in {self.store} were made for another app than client_id names: set "
                "the client_id and client_secret of that app, or connect the account to this one "
                "with `tap-freshbooks login`"
            )
        return stored

    def _select_new(self, stored: TokenPair, seed: str) -> TokenPair:
        """The pair of a seed that the store has not taken yet."""
        if seed in stored.superseded_seeds:
            raise SettingsError(
                f"the setting refresh_token is older than the tokens in {self.store}, which "
                "come from a later consent: remove the setting, or set it to the newest token. "
                "If it belongs to another FreshBooks user, give that one a token_store or a "
                "connection of his own"
            )
        self.owners.check_seed(stored, seed)
        token = stored.refresh_token if self.store.holds_seed else self.configured
        pair = stored.held_back_for(seed) or TokenPair(token or "", seed=seed)
        return _beside(stored, pair, is_held_back=self.owners.guards(stored))

    def _new_seed(self, stored: TokenPair) -> str | None:
        """The seed that the user has configured since the stored pair began, if he has."""
        if self.store.holds_seed:
            return stored.seed if stored.is_unused_seed and stored.owner else None
        return self.seed if self.seed != stored.seed else None

    def read_newest(self, locked: LockedStore, in_use: TokenPair | None) -> TokenPair:
        """The pair to go on with, of what is stored, rescued and configured.

        Args:
            locked: The store.
            in_use: What this run has used so far. If the store has lost it, with its file or its
                volume, then nothing else lives: the configured token was spent for it.

        Raises:
            SettingsError: If there is none, or the settings do not fit what is stored.
        """
        if in_use and locked.read() is None:
            logger.warning("%s holds no tokens any more; this run goes on with its own", self.store)
            return in_use
        self.recover(locked)
        pair = self.select(locked.read())
        if pair is None:
            raise SettingsError(
                f"there is no connection yet: {self.store} holds no tokens; connect the account "
                "with `tap-freshbooks login`, or set refresh_token"
            )
        return pair

    def recover(self, locked: LockedStore) -> None:
        """Store a pair that belongs here and is elsewhere: rescued, or held back by another."""
        stored = locked.read()
        if stored and self._new_seed(stored):
            stored = self.owners.learn(locked, stored)
        if rescued := self._rescued(stored):
            path, pair = rescued
            locked.write(pair)
            with contextlib.suppress(OSError):  # a pair that is stored is not sought
                path.unlink()
            logger.warning("The tokens that an earlier run had rescued are now in %s", self.store)
        else:
            self._take_shared(locked, stored)

    def _rescued(self, stored: TokenPair | None) -> tuple[Path, TokenPair] | None:
        """Where a rescued pair is, and the content of the store that it makes."""
        if stored is None:
            return self.fallback.latest(self.seed)
        is_new = self._new_seed(stored)
        if not is_new and (found := self.fallback.find(stored.refresh_token)):
            return found
        tokens = [each.refresh_token for each in stored.held_back if each.owner is None]
        if is_new and is_new not in stored.superseded_seeds:
            tokens.append(self.configured or "")
        for found in filter(None, map(self.fallback.find, tokens)):
            path, pair = found
            return path, stored.holding_back(pair) if self.owners.guards(stored) else pair
        return None

    def _take_shared(self, locked: LockedStore, stored: TokenPair | None) -> None:
        """Store the pair that another store holds back for our seed."""
        seed = self._new_seed(stored) if stored else self.seed
        if stored and self.store.holds_seed and stored.is_unused_seed:
            seed = stored.seed  # of a new file for the user who was refused
        if seed is None or (stored and seed in self._known_seeds(stored)):
            return
        pair = self.store.find_shared(seed)
        if pair is None:
            return
        if stored and self.owners.guards(stored):
            locked.write(stored.holding_back(replace(pair, owner=None)))
        else:
            locked.write(pair.replacing(stored))
        self.store.remove_shared(seed)
        logger.info("The tokens that another store has held back are now in %s", self.store)

    @staticmethod
    def _known_seeds(stored: TokenPair) -> set[str | None]:
        return {*stored.superseded_seeds, *(each.seed for each in stored.held_back)}


def _beside(stored: TokenPair, pair: TokenPair, *, is_held_back: bool) -> TokenPair:
    """A pair that is not that of the store, with the notes that the store has on its token."""
    return replace(
        pair, pending=stored.pending, rejections=stored.rejections, is_held_back=is_held_back
    )
