"""`/readyz` says whether a delivery would be taken, whatever keeps the inbox from being written."""

from __future__ import annotations

import contextlib
import logging
import resource
import shutil
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.connections import InboxError
from tap_freshbooks.webhooks.inbox import Event, Inbox
from tap_freshbooks.webhooks.server import readiness
from tests.webhooks.receivers import ACCOUNT, ReceiverThread, add_verified_callback, event_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from demo.pipeline import Postgres
    from tap_freshbooks.webhooks.callbacks.store import Callback

Fault = contextlib.AbstractContextManager[object]
EVENTS = "tap_freshbooks_inbox_events"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(str(tmp_path / "inbox.db"))


@pytest.fixture
def callback(inbox: Inbox) -> Callback:
    return add_verified_callback(inbox)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "MIN_INTERVAL", 0.0)


def file_of(inbox: Inbox) -> str:
    return str(inbox.database.url.database)


@contextlib.contextmanager
def full_disk(inbox: Inbox) -> Iterator[None]:
    """No file of the process can grow any more."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = Path(f"{file_of(inbox)}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def lost_table(inbox: Inbox, table: str) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(file_of(inbox))) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO away")
        yield
        database.execute(f"ALTER TABLE away RENAME TO {table}")


@contextlib.contextmanager
def no_folder(inbox: Inbox) -> Iterator[None]:
    """The volume is gone, and something else is in its place."""
    folder = Path(file_of(inbox)).parent
    away = folder.rename(f"{folder}-away")
    folder.touch()
    yield
    folder.unlink()
    away.rename(folder)


FAULTS: dict[str, Callable[[Inbox], Fault]] = {
    "full disk": full_disk,
    "no events": lambda inbox: lost_table(inbox, EVENTS),
    "no callbacks": lambda inbox: lost_table(inbox, "tap_freshbooks_callbacks"),
    "no verifiers": lambda inbox: lost_table(inbox, "tap_freshbooks_verifiers"),
    "no folder": no_folder,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_says_503_as_deliveries_do_and_recovers_by_itself(
    inbox: Inbox, callback: Callback, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ReceiverThread(inbox) as running:
        url = f"{running.url}/readyz"
        assert running.post(callback.path, event_fields()) == 200
        assert requests.get(url, timeout=9).text == "ready"
        with FAULTS[fault](inbox):
            answers = [requests.get(url, timeout=9) for _ in range(3)]
            if fault != "no verifiers":  # it is in the cache
                answers_503 = {running.post(callback.path, event_fields()) for _ in range(3)}
                assert answers_503 == {503}
        assert {each.status_code for each in answers} == {503}
        assert answers[0].text.startswith("the webhook inbox cannot be written; ")
        assert file_of(inbox) not in answers[0].text
        assert requests.get(url, timeout=9).text == "ready"
        assert running.post(callback.path, event_fields()) == 200
    refusals = [each for each in caplog.records if "answered with 503" in each.getMessage()]
    assert len(refusals) == (fault != "no verifiers")
    told = [each.getMessage() for each in caplog.records if "eady" in each.getMessage()]
    assert len(told) == 2
    assert told[0].startswith(f"Not ready: the webhook inbox {inbox} cannot be ")
    assert told[1] == "Ready again: the webhook inbox can be written"


def count_writes(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When it was tried to write."""
    writes: list[float] = []
    prove = inbox.prove_writable

    def counted() -> None:
        writes.append(time.monotonic())
        prove()

    monkeypatch.setattr(inbox, "prove_writable", counted)
    return writes


def test_it_asks_for_no_more_than_one_write_at_a_time_and_in_a_second(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "MIN_INTERVAL", 30.0)
    writes = count_writes(inbox, monkeypatch)
    with ReceiverThread(inbox) as running, ThreadPoolExecutor(8) as pool:
        url = f"{running.url}/readyz"
        answers = pool.map(lambda _: requests.get(url, timeout=9).text, range(40))
        assert set(answers) == {"ready"}
    assert len(writes) == 1


def test_a_write_that_hangs_is_waited_for_by_all_together(
    inbox: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "TIMEOUT", 0.05)
    writes = count_writes(inbox, monkeypatch)
    with ReceiverThread(inbox) as running:
        assert running.post(callback.path, event_fields()) == 200
        with contextlib.closing(sqlite3.connect(file_of(inbox), isolation_level=None)) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            for _ in range(20):  # more than there are threads
                assert requests.get(f"{running.url}/readyz", timeout=9).status_code == 503
            assert len(writes) == 1
            with ThreadPoolExecutor(1) as pool:
                delivery = pool.submit(running.post, callback.path, event_fields())
                blocker.execute("ROLLBACK")
                assert delivery.result() == 200


def test_it_leaves_nothing_behind(inbox: Inbox, callback: Callback) -> None:
    before = inbox.extent()
    inbox.prove_writable()
    database = sqlite3.connect(file_of(inbox))
    pages = database.execute("PRAGMA page_count").fetchone()
    for _ in range(50):
        inbox.prove_writable()
    assert database.execute("PRAGMA page_count").fetchone() == pages
    assert database.execute(f"SELECT count(*) FROM {EVENTS}").fetchone() == (1,)  # its gap
    database.close()
    assert inbox.extent() == before
    known = CallbackStore(inbox).find(callback.path)
    assert known
    assert known.events == 0


def test_a_full_database_is_noticed_before_a_delivery_is_lost(
    inbox: Inbox, callback: Callback
) -> None:
    """The proof is larger than a delivery, so it fails first."""
    with inbox.reading() as connection:  # the same as below: there is one in the pool
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(InboxError, match=r"cannot be written \(OperationalError: .* full\)"):
        inbox.prove_writable()
    CallbackStore(inbox).append_events([(callback.path, Event(ACCOUNT, "invoice.create", "1"))])


def test_a_file_that_was_replaced_is_opened_anew(
    inbox: Inbox, callback: Callback, caplog: pytest.LogCaptureFixture
) -> None:
    """What is written to a file that was removed is lost, though SQLite writes it."""
    file = file_of(inbox)
    with ReceiverThread(inbox) as running:
        assert running.post(callback.path, event_fields()) == 200
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute("VACUUM INTO ?", [f"{file}.backup"])
        for name in (file, f"{file}-wal", f"{file}-shm"):
            Path(name).unlink()
        shutil.move(f"{file}.backup", file)
        assert running.post(callback.path, event_fields(object_id=2)) == 200
        assert requests.get(f"{running.url}/readyz", timeout=9).text == "ready"
    assert "was removed or replaced; it is opened anew" in caplog.text
    with contextlib.closing(sqlite3.connect(file)) as database:
        rows = database.execute(f"SELECT object_id FROM {EVENTS} WHERE name != 'gap'").fetchall()
    assert rows == [("904417",), ("2",)]


def test_postgres_that_is_read_only_is_noticed_and_lost_connections_are_not(
    postgres: Postgres,
) -> None:
    with postgres.connect() as admin:
        admin.execute("CREATE DATABASE webhooks_ready")
    inbox = Inbox(postgres.url("webhooks_ready"))
    callback = add_verified_callback(inbox)

    def restart(admin: psycopg.Connection, read_only: str) -> None:
        """As when another server takes over."""
        database = "webhooks_ready"
        admin.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = {read_only}")
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [database],
        )

    with ReceiverThread(inbox) as running, postgres.connect() as admin:
        url = f"{running.url}/readyz"
        assert requests.get(url, timeout=9).text == "ready"
        assert running.post(callback.path, event_fields()) == 200
        restart(admin, "on")
        assert requests.get(url, timeout=9).status_code == 503
        assert running.post(callback.path, event_fields()) == 503
        restart(admin, "off")
        assert running.post(callback.path, event_fields()) == 200
        assert requests.get(url, timeout=9).text == "ready"
    _, last = inbox.extent()
    assert len(inbox.read(ACCOUNT, ["invoice"], 0, last)) == 3  # with its gap
    inbox.close()
