"""The callbacks that a receiver knows, read from the inbox as seldom as it can be."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_freshbooks.webhooks.callbacks.store import CALLBACK_PATH

if TYPE_CHECKING:
    from tap_freshbooks.webhooks.callbacks.store import Callback, CallbackStore

MIN_CACHE_AGE = 1.0
"""Seconds for which the paths are not read again, nor a callback for an unknown signature."""

MAX_CACHE_AGE = 60.0
"""Seconds after which a callback is read again although its verifiers match."""


@dataclass(frozen=True, slots=True)
class CachedCallback:
    """A callback with its verifiers, as they were read from the inbox.

    Attributes:
        callback: The callback.
        accepted: Verifiers that FreshBooks took back.
        pending: Verifiers that it has not taken back yet, as far as we know.
        read_at: When they were read, by the monotonic clock.
    """

    callback: Callback
    accepted: tuple[str, ...]
    pending: tuple[str, ...]
    read_at: float


class KnownCallbacks:
    """Finds callbacks by their paths; to be used within one event loop.

    Others register callbacks and give verifiers back, so what is known is read again now and then.

    Args:
        store: The callbacks in the inbox.

    Raises:
        InboxError: From `find`, if the inbox cannot be read.
    """

    def __init__(self, store: CallbackStore) -> None:
        self._store = store
        self._paths: set[str] = set()
        self._paths_read_at = -math.inf
        self._next_reading: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()
        self._cache: dict[str, CachedCallback] = {}

    async def find(self, path: str, max_age: float = MAX_CACHE_AGE) -> CachedCallback | None:
        """The callback with a path, read no more than so many seconds ago; None if there is none.

        A path that is not known is looked for once more before that is said: whoever registers a
        callback stores it first, and FreshBooks may verify it in the same moment. It tries again
        after a refusal, but when, it does not say (`docs/freshbooks-api/webhooks.md §7`).
        """
        if not CALLBACK_PATH.fullmatch(path):
            return None
        if path not in self._paths:
            await asyncio.shield(self._read_paths_soon())
            if path not in self._paths:
                return None
        now = time.monotonic()
        cached = self._cache.get(path)
        if cached is None or now - cached.read_at > max_age:
            cached = await asyncio.to_thread(self._read, path, now)
            if cached is None:
                self._paths.discard(path)
                self.forget(path)
                return None
            self._cache[path] = cached
        return cached

    def forget(self, path: str) -> None:
        """Read the verifiers of a callback again when they are needed next."""
        self._cache.pop(path, None)

    def _read_paths_soon(self) -> asyncio.Task[None]:
        """The next reading of the paths; all who ask before it begins share it.

        So unknown paths cost a query a second, all together.
        """
        if self._next_reading is None:
            self._next_reading = asyncio.create_task(self._read_paths())
        return self._next_reading

    async def _read_paths(self) -> None:
        async with self._reading:
            await asyncio.sleep(self._paths_read_at + MIN_CACHE_AGE - time.monotonic())
            self._next_reading = None  # what is asked for from here on may be too new for this one
            self._paths_read_at = time.monotonic()
            self._paths = await asyncio.to_thread(self._store.paths)

    def _read(self, path: str, now: float) -> CachedCallback | None:
        callback = self._store.find(path)
        if callback is None:
            return None
        verifiers = self._store.verifiers(path)
        return CachedCallback(
            callback,
            tuple(each.verifier for each in verifiers if each.accepted),
            tuple(each.verifier for each in verifiers if not each.accepted),
            now,
        )
