"""Token stores: one pair that is locked, checked to be writable, and written durably."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from tap_freshbooks.errors import TokenStoreError
from tap_freshbooks.oauth.stores.encryption import Encryption

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager

    from tap_freshbooks.oauth.stores.overview import Overview
    from tap_freshbooks.oauth.tokens import TokenPair

LOCK_TIMEOUT = 360
"""Seconds to wait for another process that is refreshing: a bit more than its worst case."""


NOTE_TIMEOUT = 10
"""Seconds to wait for it with a note that a run can do without."""


class StoreConflictError(TokenStoreError):
    """The store holds a newer pair than the one that was read: that one counts."""


class TokenStore(ABC):
    """Where the pair of one connection is stored; `str()` is its name in messages.

    Args:
        encryption: How tokens are kept there.
        holds_seed: Whether the store is also where the user configures the refresh token
            (the `--config` file): then the `refresh_token` in it counts.
    """

    def __init__(self, encryption: Encryption | None = None, *, holds_seed: bool = False) -> None:
        self.encryption = encryption or Encryption()
        self.holds_seed = holds_seed

    @property
    @abstractmethod
    def identity(self) -> str:
        """Distinguishes this store from all others; it may contain secrets."""

    @abstractmethod
    def read(self) -> TokenPair | None:
        """The stored pair, None if there is none; without the lock, so it may be replaced at once.

        Raises:
            TokenStoreError: If the store cannot be read.
            SettingsError: If its tokens cannot be decrypted.
        """

    @property
    @abstractmethod
    def place(self) -> str:
        """The file or database, as messages show it, without the connection."""

    @abstractmethod
    def overview(self) -> Overview:
        """What is stored of the connection; no token is decrypted.

        Raises:
            TokenStoreError: If the store cannot be read.
        """

    @abstractmethod
    def overviews(self) -> list[Overview]:
        """The same of all connections in the store.

        Raises:
            TokenStoreError: If the store cannot be read.
            SettingsError: If it is of a kind that holds one connection.
        """

    @abstractmethod
    def note_success(self, streams: Collection[str]) -> None:
        """Note that a sync has read these streams to their end, now.

        Raises:
            TokenStoreError: If it cannot be written, or not within `NOTE_TIMEOUT` seconds.
        """

    def share(self, pair: TokenPair) -> None:  # noqa: B027 - those of a database see its rows
        """Let other stores find a pair that is held back here, by the seed that it was made of.

        Raises:
            OSError: If there is no place for it.
        """

    @abstractmethod
    def find_shared(self, seed: str) -> TokenPair | None:
        """The pair that some store holds back for a seed, None as soon as another has taken it.

        Args:
            seed: Hash of a configured refresh token, which is spent.

        Raises:
            TokenStoreError: If the place cannot be read.
            SettingsError: If its tokens cannot be decrypted.
        """

    def remove_shared(self, seed: str) -> None:  # noqa: B027 - there the taker's row says it
        """Note that a shared pair has found its store."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[LockedStore]:
        """Hold the store against all other threads, processes and machines.

        Raises:
            TokenStoreError: If it cannot be locked, or not within `LOCK_TIMEOUT` seconds.
        """


class LockedStore(ABC):
    """A token store while its lock is held."""

    def __init__(self) -> None:
        self._seen: str | None = None

    def read(self) -> TokenPair | None:
        """The stored pair.

        Raises:
            TokenStoreError: If the store cannot be read.
            SettingsError: If its tokens cannot be decrypted.
        """
        pair = self._load()
        self._seen = _token(pair)
        return pair

    def check_writable(self, pair: TokenPair | None) -> None:
        """Store this pair durably, and reserve what the next write needs.

        To be called before a token is spent, with the pair that says so: then a full disk, a
        folder or database that is read-only, or a file that cannot be replaced show in time,
        and the next process after a crash knows of it. A database's lock is free for a moment
        meanwhile: read again.

        Args:
            pair: What to store; None leaves the content as it is, and so does any pair if the
                store holds another one by now than was read last.

        Raises:
            TokenStoreError: If the store cannot be written.
        """
        is_unchanged = _token(self._load()) == self._seen
        self._save(pair if is_unchanged else None)
        if pair and is_unchanged:
            self._seen = pair.refresh_token
        self._reserve()

    def write(self, pair: TokenPair, *, is_newest: bool = False) -> None:
        """Make this pair the store's content, durably.

        Args:
            pair: What to store.
            is_newest: Whether it counts whatever the store holds by now: it is of a new consent.

        Raises:
            StoreConflictError: If the store does not hold what was read last, but something newer.
            TokenStoreError: If the store cannot be written; its old content is still in place.
        """
        found = None if is_newest else self._load()
        if found and found.refresh_token not in (self._seen, pair.refresh_token):
            raise StoreConflictError("another process has stored new tokens meanwhile")
        self._save(pair)
        self._seen = pair.refresh_token

    @abstractmethod
    def forget_success(self) -> None:
        """Remove the notes on the streams that were read: they were another user's.

        Raises:
            TokenStoreError: If the store cannot be written.
        """

    @abstractmethod
    def forget(self) -> None:
        """Remove the pair and all notes.

        Raises:
            TokenStoreError: If the store cannot be written.
        """

    @abstractmethod
    def _load(self) -> TokenPair | None:
        """Read what is stored."""

    @abstractmethod
    def _save(self, pair: TokenPair | None) -> None:
        """Replace what is stored, durably."""

    def _reserve(self) -> None:  # noqa: B027 - a database needs nothing
        """Reserve what the next `_save` needs, if it needs anything."""


def _token(pair: TokenPair | None) -> str | None:
    return pair.refresh_token if pair else None
