from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import Event, Inbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "inbox.db")
    server = request.getfixturevalue("postgres")
    with server.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS webhooks_turns")
        connection.execute("CREATE DATABASE webhooks_turns")
    url: str = server.url("webhooks_turns")
    return url


def test_writers_take_turns(location: str) -> None:
    with closing(Inbox(location)) as one, closing(Inbox(location)) as other:
        assert one.extent() == other.extent() == (0, 0)
        writer = threading.Thread(target=other.append, args=([Event("a", "tax.update", "2")],))
        with one.writing() as connection:  # also before it has written anything
            writer.start()
            writer.join(0.5)
            assert writer.is_alive()
            one.append_in(connection, [Event("a", "tax.update", "1")])
            assert one.extent() == (0, 0)
        writer.join()
        _, last = one.extent()
        assert [each.object_id for each in one.read("a", ["tax"], 0, last)] == ["1", "2"]


def test_processes_that_want_the_same_callback_get_the_same(location: str) -> None:
    found = []
    begin = threading.Barrier(8)

    def add() -> None:
        with closing(Inbox(location)) as inbox:
            begin.wait()
            found.append(CallbackStore(inbox).add("a", "invoice", "http://127.0.0.1").path)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
