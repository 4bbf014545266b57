from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.webhooks.callbacks.store import CallbackStore, new_path
from tap_freshbooks.webhooks.connections import InboxError
from tap_freshbooks.webhooks.inbox import Inbox
from tap_freshbooks.webhooks.server import known_callbacks
from tap_freshbooks.webhooks.server.known_callbacks import KnownCallbacks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class CountingStore(CallbackStore):
    """Counts how often the paths are read."""

    readings = 0

    def paths(self) -> set[str]:
        self.readings += 1
        return super().paths()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingStore]:
    inbox = Inbox(str(tmp_path / "inbox.db"))
    yield CountingStore(inbox)
    inbox.close()


def test_a_path_is_known_as_soon_as_it_is_stored(store: CountingStore) -> None:
    """Whether or not the paths were read a moment ago, by any number of receivers."""

    async def onboard() -> None:
        receivers = [KnownCallbacks(store), KnownCallbacks(store)]
        for receiver in receivers:
            assert await receiver.find(new_path()) is None
        path = store.add("a", "invoice", "http://127.0.0.1").path
        found = await asyncio.gather(*(each.find(path) for each in receivers for _ in range(9)))
        assert all(each and each.callback.path == path for each in found)

    asyncio.run(onboard())


def test_unknown_paths_cost_few_queries_however_many_they_are(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_callbacks, "MIN_CACHE_AGE", 0.1)

    async def attack() -> float:
        known = KnownCallbacks(store)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(4):  # each wave comes after the reading that answered the one before
            await asyncio.gather(*(known.find(new_path()) for _ in range(500)))
        await asyncio.gather(*(known.find(path) for path in ("a", "../a", "x" * 47)))
        return loop.time() - began

    seconds = asyncio.run(attack())
    assert store.readings == 4
    assert seconds >= 3 * 0.1


def test_all_who_wait_learn_that_the_inbox_cannot_be_read(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_callbacks, "MIN_CACHE_AGE", 0.1)
    path = store.add("a", "invoice", "http://127.0.0.1").path
    database = sqlite3.connect(store.inbox.database.url.database or "")
    database.execute("ALTER TABLE tap_freshbooks_callbacks RENAME TO away")

    async def ask() -> None:
        known = KnownCallbacks(store)
        answers = await asyncio.gather(
            *(known.find(path) for _ in range(20)), return_exceptions=True
        )
        assert {type(each) for each in answers} == {InboxError}
        database.execute("ALTER TABLE away RENAME TO tap_freshbooks_callbacks")
        assert await known.find(path)

    asyncio.run(ask())
    database.close()
    assert store.readings == 2


def test_a_sender_that_leaves_keeps_nobody_from_the_answer(store: CountingStore) -> None:
    async def leave() -> None:
        known = KnownCallbacks(store)
        await known.find(new_path())
        path = store.add("a", "invoice", "http://127.0.0.1").path
        impatient = asyncio.create_task(known.find(path))
        patient = asyncio.create_task(known.find(path))
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient

    asyncio.run(leave())
