"""SharedPages: the first page of a list that two streams of a run need is asked for once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from tap_freshbooks.extraction.pagination import Page, Pending


class SharedPages:
    """Hands the same page to two readers, in whatever order they come.

    A page is kept until both have it. Those that follow are not shared: each reader asks for them
    itself, so that no long list has to wait in memory for the second one.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._announced: set[Hashable] = set()
        self._waiting: dict[Hashable, _KeptPage | None] = {}
        """Lists that are still wanted, and their pages, once one was asked for."""

    def announce(self, reader: Hashable, query: Mapping[str, Any]) -> None:
        """Say that another reader than the one that a list belongs to needs its first page, too."""
        key = _key(reader, query)
        with self._mutex:
            if key not in self._announced:
                self._announced.add(key)
                self._waiting[key] = None

    def take(
        self, reader: Hashable, query: Mapping[str, Any], ask: Callable[[], Pending]
    ) -> Pending:
        """The first page of a list, which the other reader perhaps has asked for already.

        Args:
            reader: Identifies the one that the list belongs to.
            query: Of the list.
            ask: Asks for the page.
        """
        key = _key(reader, query)
        with self._mutex:
            if key not in self._waiting:
                return ask()
            kept = self._waiting[key]
            if kept is not None:
                del self._waiting[key]
                return _SecondTaker(kept, ask)
            kept = self._waiting[key] = _KeptPage(ask())
            return kept


class _KeptPage:
    """A page on its way to two readers."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending
        self._mutex = threading.Lock()
        self._page: Page | None = None

    def result(self) -> Page:
        """Wait for it; raises what went wrong."""
        with self._mutex:
            if self._page is None:
                self._page = self._pending.result()
            return self._page

    def cancel(self) -> bool:
        """Not given up: the other reader may want it."""
        return False


class _SecondTaker:
    """The same page for the second reader; one that failed for the first is asked for again."""

    def __init__(self, kept: _KeptPage, ask: Callable[[], Pending]) -> None:
        self._kept = kept
        self._ask = ask

    def result(self) -> Page:
        """Wait for it; raises what went wrong."""
        try:
            return self._kept.result()
        except Exception:  # noqa: BLE001 - one stream does not fail of what has befallen another
            return self._ask().result()

    def cancel(self) -> bool:
        """It is there already, or on its way for the other."""
        return False


def _key(reader: Hashable, query: Mapping[str, Any]) -> Hashable:
    return reader, str(sorted(query.items()))
