"""A token pair in a JSON file: one of its own, or the `--config` file with its other keys."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from typing_extensions import override

from tap_freshbooks.errors import SettingsError, TokenStoreError
from tap_freshbooks.locations import showable
from tap_freshbooks.oauth.stores import base
from tap_freshbooks.oauth.stores.base import LockedStore, TokenStore
from tap_freshbooks.oauth.stores.fallback import FallbackStore
from tap_freshbooks.oauth.stores.overview import Overview
from tap_freshbooks.oauth.stores.serialization import KEYS, decode, encode
from tap_freshbooks.oauth.tokens import TokenPair, hash_of
from tap_freshbooks.storage.json_file import JsonFile, NotAnObjectError
from tap_freshbooks.storage.ownership import MODE, explain, make_folder, make_lock_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from tap_freshbooks.oauth.stores.encryption import Encryption


LAST_SUCCESS = "token_last_success"
"""The key of the moments at which streams were read to their end."""

POLL_INTERVAL = 0.01
"""Seconds between two tries to get a lock; a refresh takes little longer."""


class FileStore(TokenStore):
    """A token pair in a JSON file; its lock is `FILE.lock`.

    Args:
        path: The file; a symbolic link is followed, so that it stays one.
        encryption: How tokens are kept there.
        holds_seed: Whether it is the `--config` file that holds the refresh token: then the
            seed is the hash of the token that we wrote there last.
    """

    def __init__(
        self, path: Path, encryption: Encryption | None = None, *, holds_seed: bool = False
    ) -> None:
        super().__init__(encryption, holds_seed=holds_seed)
        self.file = JsonFile(path)
        self.path = self.file.path
        self._lock_path = self.path.with_name(f"{self.path.name}.lock")
        self._lock = FileLock(self._lock_path, mode=MODE, poll_interval=POLL_INTERVAL)

    def __str__(self) -> str:
        """The path."""
        return showable(str(self.path))

    @property
    @override
    def identity(self) -> str:
        return str(self.path)

    @override
    def locked(self) -> contextlib.AbstractContextManager[LockedFile]:
        return self._locked(base.LOCK_TIMEOUT)

    @contextlib.contextmanager
    def _locked(self, timeout: float) -> Iterator[LockedFile]:
        try:
            make_folder(self.path.parent)
            make_lock_file(self._lock_path, self.path)
            self._lock.acquire(timeout=timeout)
        except Timeout:
            raise TokenStoreError(
                f"the token store {self} has been locked by another process for "
                f"{timeout} seconds; end that process, then run again"
            ) from None
        except OSError as error:
            raise TokenStoreError(
                f"the token store {self} cannot be locked "
                f"({explain(error, self._lock_path, self.path)}); make that writable or set "
                "token_store to another place"
            ) from None
        try:
            yield LockedFile(self)
        finally:
            self.file.discard()
            self._lock.release()

    @override
    def read(self) -> TokenPair | None:
        return self.pair_in(self.content())

    def content(self) -> dict[str, Any]:
        """All keys of the file.

        Raises:
            TokenStoreError: If it cannot be read or is no JSON object.
        """
        try:
            return self.file.read()
        except OSError as error:
            raise TokenStoreError(
                f"the token store {self} cannot be read ({explain(error, self.path)}); make it "
                "readable or set token_store to another place"
            ) from None
        except NotAnObjectError as error:
            raise TokenStoreError(
                f"the token store {self} {error}; mend it, or remove it and connect again with "
                "`tap-freshbooks login`"
            ) from None

    def pair_in(self, content: Mapping[str, Any]) -> TokenPair | None:
        """The pair among the keys of the file."""
        pair = decode(content, self.encryption, str(self))
        if pair and self.holds_seed and pair.seed != (seed := hash_of(pair.refresh_token)):
            # Put there by the user.
            return TokenPair(
                pair.refresh_token, seed=seed, owner=pair.owner, held_back=pair.held_back
            )
        return pair

    @property
    @override
    def place(self) -> str:
        return str(self)

    @override
    def overview(self) -> Overview:
        content = self.content()
        # Nobody but the settings knows which app and connection a file is of.
        return Overview.of(content, _moments(content.get(LAST_SUCCESS)), None, "default")

    @override
    def overviews(self) -> list[Overview]:
        raise SettingsError(
            f"the tokens are in a file, {self}, which holds one connection: `tap-freshbooks "
            "status` shows it. A database of many connections is named by token_store"
        )

    @override
    def note_success(self, streams: Collection[str]) -> None:
        if self.holds_seed:  # a user's configuration, to which nothing is added that it can miss
            return
        with self._locked(base.NOTE_TIMEOUT) as locked:
            locked.note_success(streams)

    @override
    def share(self, pair: TokenPair) -> None:
        self._shared(pair.seed or "").save(pair, "")

    @override
    def find_shared(self, seed: str) -> TokenPair | None:
        found = self._shared(seed).find("")
        return found[1] if found else None

    @override
    def remove_shared(self, seed: str) -> None:
        self._shared(seed).discard()

    def _shared(self, seed: str) -> FallbackStore:
        """Where files of other connections, wherever they are, find a pair for this seed."""
        return FallbackStore(f"held back\n{seed}", self.encryption)


class LockedFile(LockedStore):
    """A token file while its lock is held."""

    def __init__(self, store: FileStore) -> None:
        super().__init__()
        self.store = store
        self._content: dict[str, Any] = {}

    def note_success(self, streams: Collection[str]) -> None:
        """Note that these streams were read, if there are tokens."""
        content = self._refreshed()
        if content.get("refresh_token"):
            now = int(time.time())
            moments = _moments(content.get(LAST_SUCCESS)) | dict.fromkeys(streams, now)
            self._try(lambda: self.store.file.replace({**content, LAST_SUCCESS: moments}))

    @override
    def forget_success(self) -> None:
        content = self._refreshed()
        if content.pop(LAST_SUCCESS, None):
            self._try(lambda: self.store.file.replace(content))

    @override
    def forget(self) -> None:
        owned = {*KEYS, LAST_SUCCESS}
        content = {key: value for key, value in self._refreshed().items() if key not in owned}
        file = self.store.file
        self._try(lambda: file.replace(content) if content else file.path.unlink(missing_ok=True))

    @override
    def _load(self) -> TokenPair | None:
        return self.store.pair_in(self._refreshed())

    @override
    def _save(self, pair: TokenPair | None) -> None:
        content = self._refreshed()
        if pair:
            if self.store.holds_seed:
                pair = replace(pair, seed=hash_of(pair.refresh_token), superseded_seeds=())
            content |= encode(pair, self.store.encryption)
            content = {key: v for key, v in content.items() if v is not None or key not in KEYS}
        self._try(lambda: self.store.file.replace(content))

    @override
    def _reserve(self) -> None:
        self._try(self.store.file.reserve)

    def _refreshed(self) -> dict[str, Any]:
        """The keys of the file as they are now: the user may have edited some meanwhile.

        A file that vanished meanwhile is made anew with all its keys.
        """
        self._content = self.store.content() or self._content
        return dict(self._content)

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except NotAnObjectError as error:
            raise TokenStoreError(f"the token store {self.store} {error}") from None
        except OSError as error:
            file = self.store.file
            raise TokenStoreError(
                f"the token store {self.store} cannot be written "
                f"({explain(error, file.path, file.next)})"
            ) from None


def _moments(stored: Any) -> dict[str, float]:
    found = stored.items() if isinstance(stored, dict) else ()
    return {stream: moment for stream, moment in found if isinstance(moment, int | float)}
