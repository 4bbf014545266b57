"""Tables carry a version: others are made, migrated or refused in words, by any number at once."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tap_freshbooks.errors import TapError, TokenStoreError
from tap_freshbooks.oauth.stores.sql import SqlStore
from tap_freshbooks.oauth.tokens import TokenPair
from tap_freshbooks.storage.database import Database
from tap_freshbooks.storage.versioned_tables import VersionedTables
from tests.storage.databases import columns, empty_schema, execute, make_version_1, query

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
COUNT = 6
"""Processes that open tables at once."""

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


# The token store


def test_a_new_token_store_carries_the_version(url: str) -> None:
    assert store_of(url).read() is None
    write(url, PAIR)
    assert query(url, VERSIONS) == [("token_store", 1)]
    assert store_of(url).read() == PAIR


def test_tokens_of_a_store_without_a_version_are_read_and_its_version_is_recorded(
    url: str,
) -> None:
    make_version_1(url)
    execute(
        url,
        "INSERT INTO tap_freshbooks_tokens (client_id, connection, refresh_token, access_token, "
        "expires_at, token_generation) "
        "VALUES ('app', 'default', 'the-refresh-token', 'the-access-token', 9e9, 3)",
    )
    assert store_of(url).read() == PAIR
    assert "tap_freshbooks_schema" not in columns(url)  # reading alone writes nothing
    write(url, PAIR)
    assert query(url, VERSIONS) == [("token_store", 1)]
    assert store_of(url).read() == PAIR


def test_a_token_store_of_a_later_version_is_left_alone_in_words(url: str) -> None:
    write(url, PAIR)
    execute(url, "UPDATE tap_freshbooks_schema SET version = 7")
    sentence = r"the token store .* has tables of version 7, .* up to version 1 only: upgrade"
    with pytest.raises(TokenStoreError, match=sentence):
        store_of(url).read()
    with pytest.raises(TokenStoreError, match=sentence), store_of(url).locked():
        pass
    assert query(url, VERSIONS) == [("token_store", 7)]
    execute(url, "UPDATE tap_freshbooks_schema SET version = 1")
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
    assert query(url, VERSIONS) == [("things", 3), ("token_store", 1)]
    assert store_of(url).read() == PAIR


def test_a_migration_that_fails_leaves_everything_as_it_was(url: str) -> None:
    open_tables(url, FIRST)
    before = columns(url)
    with pytest.raises(TapError, match=r"^the database cannot be opened .*nowhere"):
        open_tables(url, BROKEN)
    assert columns(url) == before
    assert query(url, VERSIONS) == [("things", 1)]


# Many at once


def open_at_once(url: str, tables: VersionedTables) -> None:
    barrier = CONTEXT.Barrier(COUNT)
    processes = [
        CONTEXT.Process(target=open_together, args=(url, tables, barrier)) for _ in range(COUNT)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * COUNT


def open_together(url: str, tables: VersionedTables, barrier: Barrier) -> None:
    barrier.wait(60)
    open_tables(url, tables)


def test_many_processes_may_make_the_tables_at_once(url: str) -> None:
    open_at_once(url, THIRD)
    assert query(url, VERSIONS) == [("things", 3)]


def test_many_processes_may_migrate_at_once_and_each_step_is_made_once(url: str) -> None:
    execute(url, "CREATE TABLE things (id TEXT)", "INSERT INTO things VALUES ('mine')")
    open_at_once(url, THIRD)  # a column that is added twice is an error
    assert query(url, "SELECT id, colour FROM things") == [("mine", "red")]
    assert query(url, VERSIONS) == [("things", 3)]
