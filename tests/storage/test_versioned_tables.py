"""Tables carry a version: others are made, migrated or refused in words, by any number at once."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tap_freshbooks.errors import TapError, TokenStoreError
from tap_freshbooks.oauth.owner import OwnBusiness, Owner
from tap_freshbooks.oauth.stores import tables as token_tables
from tap_freshbooks.oauth.stores.sql import SqlStore
from tap_freshbooks.oauth.tokens import TokenPair
from tap_freshbooks.storage.database import Database
from tap_freshbooks.storage.versioned_tables import VersionedTables
from tap_freshbooks.webhooks import tables
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.connections import InboxError
from tap_freshbooks.webhooks.inbox import Event, Inbox
from tap_freshbooks.webhooks.sync.fetch_log import FetchLog
from tests.faults.processes import CONTEXT, PATIENCE
from tests.storage.databases import (
    columns,
    empty_schema,
    execute,
    make_version_1,
    query,
    without_create,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

    from demo.pipeline import Postgres

COUNT = 6
"""Processes that open tables at once."""

TOKENS = token_tables.TABLES.version
INBOX = tables.TABLES.version
"""The versions of today."""

VERSIONS = "SELECT component, version FROM tap_freshbooks_schema ORDER BY component"
PAIR = TokenPair("the-refresh-token", "the-access-token", expires_at=9e9, generation=3)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tables.db'}"
    return empty_schema(request.getfixturevalue("postgres"), "versioned_tables")


def store_of(url: str) -> SqlStore:
    return SqlStore(url, "app", "default")


def write(url: str, pair: TokenPair) -> None:
    with store_of(url).locked() as locked:
        locked.read()
        locked.write(pair)


def make_store_of_version_1(url: str) -> None:
    """The tables of the first version, with PAIR in them."""
    make_version_1(url)
    execute(
        url,
        "INSERT INTO tap_freshbooks_tokens (client_id, connection, refresh_token, access_token, "
        "expires_at, token_generation) "
        "VALUES ('app', 'default', 'the-refresh-token', 'the-access-token', 9e9, 3)",
    )


# The token store


def test_a_new_token_store_carries_the_version(url: str) -> None:
    assert store_of(url).read() is None
    write(url, PAIR)
    assert query(url, VERSIONS) == [("token_store", TOKENS)]
    assert store_of(url).read() == PAIR


def test_tokens_of_a_store_without_a_version_are_read_and_its_version_is_recorded(
    url: str,
) -> None:
    make_store_of_version_1(url)
    assert store_of(url).read() == PAIR
    # Reading alone writes nothing, unless there is something to migrate.
    assert ("tap_freshbooks_schema" in columns(url)) == (TOKENS > 1)
    write(url, PAIR)
    assert query(url, VERSIONS) == [("token_store", TOKENS)]
    assert store_of(url).read() == PAIR


def test_a_token_store_of_the_first_version_learns_whose_tokens_it_holds(url: str) -> None:
    make_store_of_version_1(url)
    pair = store_of(url).read()
    assert pair == PAIR  # of nobody whom it knows
    held = TokenPair("another", "access", expires_at=9e9, seed="seed")
    known = replace(pair, owner=Owner(7, "uuid", (OwnBusiness(1, "a", None, "One"),)))
    write(url, known.holding_back(held))
    assert store_of(url).read() == replace(known, held_back=(held,))


def test_a_token_store_of_a_later_version_is_left_alone_in_words(url: str) -> None:
    write(url, PAIR)
    execute(url, "UPDATE tap_freshbooks_schema SET version = 77")
    sentence = (
        rf"the token store .* has tables of version 77, .* up to version {TOKENS} only: upgrade"
    )
    with pytest.raises(TokenStoreError, match=sentence):
        store_of(url).read()
    with pytest.raises(TokenStoreError, match=sentence), store_of(url).locked():
        pass
    assert query(url, VERSIONS) == [("token_store", 77)]
    execute(url, f"UPDATE tap_freshbooks_schema SET version = {TOKENS}")
    assert store_of(url).read() == PAIR


def test_a_version_that_never_was_is_refused_in_words(url: str) -> None:
    write(url, PAIR)
    execute(url, "UPDATE tap_freshbooks_schema SET version = 0")
    with pytest.raises(TokenStoreError, match=r"no known version in the row 'token_store' of its"):
        store_of(url).read()


def test_a_table_that_was_dropped_is_made_again(url: str) -> None:
    write(url, PAIR)
    execute(url, "DROP TABLE tap_freshbooks_tokens")
    assert store_of(url).read() is None
    write(url, PAIR)
    assert store_of(url).read() == PAIR


# The webhook inbox


def test_a_new_inbox_carries_the_version(url: str) -> None:
    with closing(Inbox(url)) as inbox:
        assert inbox.extent() == (0, 0)
    assert query(url, VERSIONS) == [("webhook_inbox", INBOX)]


def test_events_and_callbacks_of_an_inbox_without_a_version_stay(url: str) -> None:
    make_version_1(url)
    execute(
        url,
        "INSERT INTO tap_freshbooks_inbox VALUES ('the-inbox', 1, 0)",
        "INSERT INTO tap_freshbooks_inbox_events (account_id, noun, name, object_id, received_at) "
        "VALUES ('a', 'tax', 'tax.update', '7', 1e9)",
        "INSERT INTO tap_freshbooks_callbacks (path, account_id, noun, uri, verified, events) "
        "VALUES ('path', 'a', 'tax', 'https://receiver/path', true, 1)",
        "INSERT INTO tap_freshbooks_looks VALUES ('taxes', 'a', '7', 1e9)",
    )
    before = columns(url)
    with closing(Inbox(url)) as inbox:
        assert inbox.id == "the-inbox"
        assert [event.object_id for event in inbox.read("a", ["tax"], 0, 1)] == ["7"]
        assert [callback.path for callback in CallbackStore(inbox).all()] == ["path"]
        since = datetime(2001, 1, 1, tzinfo=UTC)
        assert list(FetchLog(inbox).since("taxes", "a", since)) == ["7"]
    after = columns(url)
    del after["tap_freshbooks_schema"]
    assert after == before
    assert query(url, VERSIONS) == [("webhook_inbox", INBOX)]


def test_an_inbox_of_a_later_version_is_left_alone_in_words(url: str) -> None:
    with closing(Inbox(url)) as inbox:
        inbox.append([Event("a", "tax.update", "7")])
    execute(url, "UPDATE tap_freshbooks_schema SET version = 77")
    sentence = (
        rf"the webhook inbox .* has tables of version 77, .* up to version {INBOX} only: upgrade"
    )
    with closing(Inbox(url)) as inbox:
        with pytest.raises(InboxError, match=sentence):
            inbox.extent()
        with pytest.raises(InboxError, match=sentence):
            inbox.append([Event("a", "tax.update", "8")])
    assert query(url, "SELECT object_id FROM tap_freshbooks_inbox_events") == [("7",)]


def test_tables_that_are_made_anew_are_those_that_earlier_versions_lead_to(
    url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    make_version_1(url)
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    if not url.startswith("sqlite"):
        fresh = empty_schema(request.getfixturevalue("postgres"), "fresh_tables")
    for each in (url, fresh):
        write(each, PAIR)
        with closing(Inbox(each)) as inbox:
            inbox.extent()
    assert columns(url) == columns(fresh)


def test_token_store_and_inbox_may_share_a_database(url: str) -> None:
    write(url, PAIR)
    with closing(Inbox(url)) as inbox:
        inbox.append([Event("a", "tax.update", "7")])
    assert query(url, VERSIONS) == [("token_store", TOKENS), ("webhook_inbox", INBOX)]
    assert store_of(url).read() == PAIR


# From one version to the next


def add_color(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE things ADD COLUMN color TEXT")
    connection.exec_driver_sql("UPDATE things SET color = 'red'")


def name_colour(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE things RENAME COLUMN color TO colour")


def fail(connection: sa.Connection) -> None:
    add_color(connection)
    connection.exec_driver_sql("SELECT 1 FROM nowhere")


def things(*more: str) -> sa.MetaData:
    declared = sa.MetaData()
    names = ("id", *more)
    sa.Table("things", declared, *(sa.Column(name, sa.Text) for name in names))
    return declared


FIRST = VersionedTables("things", things())
SECOND = VersionedTables("things", things("color"), [add_color])
THIRD = VersionedTables("things", things("colour"), [add_color, name_colour])
BROKEN = VersionedTables("things", things("color"), [fail])


def open_tables(url: str, tables: VersionedTables) -> None:
    database = Database(url, "some_setting", "things", lock_timeout=30)
    with (
        database.errors("the database", "cannot be opened", TapError, 30),
        closing(database.engine.connect()) as connection,
    ):
        tables.open(connection, database, 30)
        assert not connection.in_transaction()


@pytest.mark.parametrize("start", [FIRST, SECOND, None])
def test_each_version_is_brought_to_the_newest(url: str, start: VersionedTables | None) -> None:
    if start:
        open_tables(url, start)
        execute(url, "INSERT INTO things (id) VALUES ('mine')")
        execute(url, *(["UPDATE things SET color = 'red'"] if start is SECOND else []))
    else:  # older than the table of versions
        execute(url, "CREATE TABLE things (id TEXT)", "INSERT INTO things VALUES ('mine')")
    open_tables(url, THIRD)
    assert query(url, "SELECT id, colour FROM things") == [("mine", "red")]
    assert query(url, VERSIONS) == [("things", 3)]
    with pytest.raises(TapError, match=r"^the database has tables of version 3, .* version 2 only"):
        open_tables(url, SECOND)


def test_components_in_one_database_have_versions_of_their_own(url: str) -> None:
    write(url, PAIR)
    open_tables(url, THIRD)
    assert query(url, VERSIONS) == [("things", 3), ("token_store", TOKENS)]
    assert store_of(url).read() == PAIR


def test_a_migration_that_fails_leaves_everything_as_it_was(url: str) -> None:
    open_tables(url, FIRST)
    before = columns(url)
    with pytest.raises(TapError, match=r"^the database cannot be opened .*nowhere"):
        open_tables(url, BROKEN)
    assert columns(url) == before
    assert query(url, VERSIONS) == [("things", 1)]


# A user who may not create tables


def test_tables_of_the_first_version_need_no_right_to_create_any(postgres: Postgres) -> None:
    url = empty_schema(postgres, "versioned_tables")
    make_version_1(url)
    execute(url, "DROP TABLE IF EXISTS things", "CREATE TABLE things (id TEXT)")
    limited = without_create(postgres, url)
    append(limited)
    with pytest.raises(TokenStoreError, match="permission denied"):
        write(limited, PAIR)  # its table has a second version
    assert "tap_freshbooks_schema" not in columns(url)
    open_tables(limited, FIRST)
    with pytest.raises(TapError, match="permission denied"):
        open_tables(limited, SECOND)  # whose column is not there

    write(url, PAIR)
    assert query(url, VERSIONS) == [("token_store", TOKENS)]


def test_a_table_that_is_missing_and_may_not_be_created_is_an_error(postgres: Postgres) -> None:
    url = empty_schema(postgres, "versioned_tables")
    make_version_1(url)
    execute(url, "DROP TABLE tap_freshbooks_tokens")
    with pytest.raises(TokenStoreError, match="permission denied"):
        write(without_create(postgres, url), PAIR)


# Many at once


def at_once(url: str, function: Callable[..., None], *arguments: Any) -> None:
    barrier = CONTEXT.Barrier(COUNT)
    processes = [
        CONTEXT.Process(target=together, args=(barrier, function, url, *arguments))
        for _ in range(COUNT)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    assert [process.exitcode for process in processes] == [0] * COUNT


def together(barrier: Barrier, function: Callable[..., None], *arguments: Any) -> None:
    barrier.wait(PATIENCE)
    function(*arguments)


def append(url: str) -> None:
    with closing(Inbox(url)) as inbox:
        inbox.append([Event("a", "tax.update", "7")])


def lock(url: str) -> None:
    with store_of(url).locked() as locked:
        assert locked.read() == PAIR


def test_many_processes_may_make_the_tables_at_once(url: str) -> None:
    at_once(url, append)
    assert query(url, VERSIONS) == [("webhook_inbox", INBOX)]
    assert query(url, "SELECT count(*) FROM tap_freshbooks_inbox_events") == [(COUNT,)]


def test_many_processes_may_record_the_version_of_older_tables_at_once(url: str) -> None:
    make_store_of_version_1(url)
    at_once(url, lock)
    assert query(url, VERSIONS) == [("token_store", TOKENS)]


def test_many_processes_may_migrate_at_once_and_each_step_is_made_once(url: str) -> None:
    execute(url, "CREATE TABLE things (id TEXT)", "INSERT INTO things VALUES ('mine')")
    at_once(url, open_tables, THIRD)  # a column that is added twice is an error
    assert query(url, "SELECT id, colour FROM things") == [("mine", "red")]
    assert query(url, VERSIONS) == [("things", 3)]
