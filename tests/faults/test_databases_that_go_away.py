"""Databases that restart, are cut off, locked, read-only or no databases: waited for, or told."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.errors import TokenStoreError
from tap_freshbooks.oauth.stores import base, sql
from tap_freshbooks.oauth.stores.sql import SqlStore
from tap_freshbooks.oauth.tokens import TokenPair
from tap_freshbooks.storage import database
from tap_freshbooks.webhooks.connections import InboxError
from tap_freshbooks.webhooks.inbox import Inbox
from tests.faults.socket_proxy import NAME, SocketProxy
from tests.storage.databases import empty_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.pipeline import Postgres
    from tests.faults.account import Account

PAIR = TokenPair("refresh-1", access_token="access-1")
NEWER = TokenPair("refresh-2", access_token="access-2", generation=1)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits as long as a run would."""
    monkeypatch.setattr(database, "RETRY_TIMEOUT", 30.0)


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[SocketProxy]:
    """A way to the database that can be cut."""
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        SocketProxy(Path(folder), postgres.socket) as proxy,
    ):
        yield proxy


@contextlib.contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Do something in another thread."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def check_nothing_spent(account: Account, dead: str, requests: int) -> None:
    assert (account.requests, account.is_kept()) == (requests, True)
    assert account.accepts(account.new().access_token(rejected=dead))
    assert account.spent == 0


def wait_for_a_try(caplog: pytest.LogCaptureFixture) -> None:
    """Wait until a database that is away was asked in vain."""
    deadline = time.monotonic() + 20
    while "trying again" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.01)


# PostgreSQL


@pytest.mark.parametrize("store", ["postgres"])
def test_a_database_that_restarts_is_waited_for(
    account: Account,
    postgres: Postgres,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = account.connected()
    monkeypatch.setattr(database, "RETRY_TIMEOUT", 30.0)
    postgres.__exit__()

    def start() -> None:
        wait_for_a_try(caplog)
        postgres.__enter__()

    with meanwhile(start):
        token = account.new().access_token(rejected=dead)
    assert account.accepts(token)
    assert (account.refreshes, account.spent, account.is_kept()) == (2, 0, True)
    assert "trying again, for 30 seconds at most" in caplog.text


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("how", ["cut", "terminated"])
def test_a_lock_that_broke_is_acquired_anew(
    proxy: SocketProxy, postgres: Postgres, how: str
) -> None:
    def disturb() -> None:
        if how == "cut":
            proxy.cut()
            return
        with postgres.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    store = SqlStore(proxy.url(), "app", how)
    with store.locked() as locked:
        disturb()
        assert locked.read() is None
        locked.write(PAIR)
        disturb()
        assert locked.read() == PAIR
        disturb()
        locked.check_writable(replace(PAIR, generation=7))
        disturb()
        with pytest.raises(TokenStoreError, match="cannot be written"):
            locked.write(NEWER)  # `Rotation.store_pair` tries again
        locked.write(NEWER)
    assert store.read() == NEWER


@pytest.mark.usefixtures("patient")
def test_a_note_overwrites_nothing_that_was_stored_while_the_lock_was_broken(
    proxy: SocketProxy,
) -> None:
    store = SqlStore(proxy.url(), "app", "overtaken")
    with store.locked() as locked:
        locked.read()
        locked.write(PAIR)
    with store.locked() as locked:
        locked.read()
        proxy.cut()
        with SqlStore(proxy.url(), "app", "overtaken").locked() as other:
            other.read()
            other.write(NEWER)
        locked.check_writable(replace(PAIR, generation=7))
        assert locked.read() == NEWER


@pytest.fixture
def failing_over(postgres: Postgres) -> Iterator[Callable[[str], None]]:
    """Makes the database take no writes on new connections, or take them again."""

    def set_to(value: str) -> None:
        with postgres.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(
                f"ALTER DATABASE postgres SET default_transaction_read_only = {value}"
            )

    yield set_to
    set_to("off")


@pytest.mark.parametrize("store", ["postgres"])
def test_a_server_that_only_follows_another_is_left_for_the_one_that_writes(
    account: Account,
    failing_over: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = account.connected()
    requests = account.requests
    failing_over("on")
    with pytest.raises(TokenStoreError, match="read-only transaction"):
        account.new().access_token(rejected=dead)
    assert account.requests == requests
    monkeypatch.setattr(database, "RETRY_TIMEOUT", 30.0)
    caplog.clear()

    def write_again() -> None:
        wait_for_a_try(caplog)
        failing_over("off")

    with meanwhile(write_again):
        assert account.accepts(account.new().access_token(rejected=dead))
    assert account.spent == 0


def test_an_inbox_leaves_a_server_that_takes_no_events(
    postgres: Postgres, failing_over: Callable[[str], None]
) -> None:
    url = empty_schema(postgres, "read_only_inbox")
    with contextlib.closing(Inbox(url)) as inbox:
        inbox.append_gap("*", "*", "one")
    failing_over("on")
    with contextlib.closing(Inbox(url)) as inbox:
        with pytest.raises(InboxError, match="read-only transaction"):
            inbox.append_gap("*", "*", "refused")
        failing_over("off")
        inbox.append_gap("*", "*", "two")
        assert [event.object_id for event in inbox.read("a", ["invoice"], 0, 9)] == ["one", "two"]


def test_an_inbox_outlives_a_restart_of_its_database(proxy: SocketProxy) -> None:
    with contextlib.closing(Inbox(proxy.url())) as inbox:
        inbox.append_gap("*", "*", "one")
        for reason in ("two", "three"):
            proxy.cut()
            assert inbox.extent()[1] > 0
            proxy.cut()
            inbox.append_gap("*", "*", reason)


def test_a_sync_waits_for_the_database_of_its_inbox_and_a_receiver_does_not(
    proxy: SocketProxy, caplog: pytest.LogCaptureFixture
) -> None:
    socket, away = proxy.folder / NAME, proxy.folder / "away"
    socket.rename(away)

    def come_back() -> None:
        wait_for_a_try(caplog)
        away.rename(socket)

    with contextlib.closing(Inbox(proxy.url(), patience=30.0)) as inbox:
        with pytest.raises(InboxError, match="cannot be opened"):
            Inbox(proxy.url()).append_gap("*", "*", "lost")
        with meanwhile(come_back):
            inbox.append_gap("*", "*", "one")
            proxy.cut()
            assert inbox.extent()[1] > 0


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("name", ["nobody@/postgres", "postgres@/nothing"])
def test_what_waiting_does_not_mend_is_told_at_once(
    postgres: Postgres, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqlStore(f"postgresql+psycopg://{name}?host={postgres.socket}", "app", "default")
    with pytest.raises(TokenStoreError, match="does not exist"):
        store.read()
    with pytest.raises(TokenStoreError, match="does not exist"):
        store.locked().__enter__()
    assert "trying again" not in caplog.text


def test_a_server_that_quotes_a_misplaced_password_is_not_quoted(postgres: Postgres) -> None:
    url = f"postgresql+psycopg:///u:p4ssw0rd@host/db?host={postgres.socket}&user=postgres"
    with pytest.raises(TokenStoreError, match="the URL can be read in several ways") as caught:
        SqlStore(url, "app", "default").read()
    assert "p4ss" not in str(caught.value)


# SQLite


@contextlib.contextmanager
def held_exclusively(account: Account) -> Iterator[sqlite3.Connection]:
    holder = sqlite3.connect(
        account.client.place.removeprefix("sqlite:///"), check_same_thread=False
    )
    holder.execute("BEGIN EXCLUSIVE")
    try:
        yield holder
    finally:
        holder.close()


@pytest.mark.parametrize("store", ["sqlite"])
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_database_that_another_process_holds_is_told(
    account: Account, monkeypatch: pytest.MonkeyPatch, journal: str
) -> None:
    dead = account.connected()
    requests = account.requests
    monkeypatch.setattr(base, "LOCK_TIMEOUT", 0.3)
    monkeypatch.setattr(sql, "SQLITE_LOCK_TIMEOUT", 0.1)
    with contextlib.closing(sqlite3.connect(account.client.place[len("sqlite:///") :])) as other:
        other.execute(f"PRAGMA journal_mode = {journal}")
    with held_exclusively(account):
        with pytest.raises(TokenStoreError, match=r"process for 0\.[23] seconds; end that process"):
            account.new().access_token(rejected=dead)
        if journal == "WAL":  # who only reads does not wait
            assert account.new().access_token() == dead
        else:
            with pytest.raises(TokenStoreError, match=r"process for 0\.2 seconds"):
                account.new().access_token()
    check_nothing_spent(account, dead, requests)


@pytest.mark.parametrize("store", ["sqlite"])
def test_a_database_that_is_released_in_time_is_waited_for(
    account: Account, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = account.connected()
    monkeypatch.setattr(database, "RETRY_TIMEOUT", 30.0)
    monkeypatch.setattr(sql, "SQLITE_LOCK_TIMEOUT", 0.05)
    with held_exclusively(account) as holder:

        def release() -> None:
            wait_for_a_try(caplog)
            holder.rollback()

        with meanwhile(release):
            assert account.accepts(account.new().access_token(rejected=dead))
    assert (account.refreshes, account.spent) == (2, 0)
