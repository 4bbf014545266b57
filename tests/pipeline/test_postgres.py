from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, LiteralString
from zoneinfo import ZoneInfo

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from demo.pipeline import SCHEMA
from demo.snapshot import DELETED, UNLISTED, VANISHING, Snapshot
from freshbooks_sandbox import Sandbox
from tests.pipeline.books import KEEPING, NEW_FIELDS, Books, Edits, add_new_fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from demo.pipeline import Postgres

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]

LOADER = "target-postgres"


@dataclass(frozen=True)
class Loaded:
    """Books that were loaded, edited, and loaded again."""

    books: Books
    edits: Edits
    connection: psycopg.Connection
    freshbooks: list[Snapshot]
    postgres: list[Snapshot]

    def rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Ask the tables."""
        return self.connection.execute(query, values).fetchall()

    def table(self, name: str) -> list[dict[str, Any]]:
        """All rows of a table, by column."""
        query = sql.SQL("select * from {}").format(sql.Identifier(name))
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query).fetchall()


def books_for(
    sandbox: Sandbox, plugins: Path, folder: Path, server: Postgres, **settings: str
) -> tuple[Books, str]:
    """Books whose tables go to a database of their own, which is returned too."""
    database = f"books_{folder.name}".replace("-", "_")
    with server.connect() as connection:
        connection.execute(f'create database "{database}"')
    place = {"TARGET_POSTGRES_SQLALCHEMY_URL": server.url(database)}
    return Books(sandbox, plugins, folder, {**place, **settings}), database


@pytest.fixture(scope="module")
def loaded(
    plugins: Path, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    with Sandbox(invoices=120, rate_limit=0) as sandbox:
        add_new_fields(sandbox)
        folder = tmp_path_factory.mktemp("twice")
        books, database = books_for(sandbox, plugins, folder, postgres, **KEEPING)
        with postgres.connect(database) as connection:
            books.load(LOADER)
            arrived = [Snapshot.of_postgres(connection)]
            there = [Snapshot.of_sandbox(sandbox.url, arrived[0].rows)]
            edits = Edits.make(sandbox)
            books.load(LOADER)
            arrived.append(Snapshot.of_postgres(connection))
            there.append(Snapshot.of_sandbox(sandbox.url, arrived[1].rows))
            yield Loaded(books, edits, connection, there, arrived)


def test_after_the_first_run_each_table_has_every_row(loaded: Loaded) -> None:
    assert loaded.postgres[0].rows == loaded.freshbooks[0].rows
    assert all(loaded.postgres[0].rows.values())


def test_after_the_second_run_created_rows_are_there_too(loaded: Loaded) -> None:
    expected = loaded.freshbooks[1].rows
    assert loaded.postgres[1].rows == expected
    assert expected["invoices"] == loaded.freshbooks[0].rows["invoices"] + 1


def test_each_table_has_the_keys_of_freshbooks(loaded: Loaded) -> None:
    keys = loaded.rows(
        "select table_name, column_name from information_schema.key_column_usage"
        " where table_schema = %s and ordinal_position = 2",
        SCHEMA,
    )
    assert len(keys) > 10
    sandbox = loaded.books.sandbox
    members = [each for each in sandbox.businesses() if each["role"] not in {"client", "none"}]
    for stream, key in keys:
        if stream not in members[0]["rows"]:
            continue  # derived from another stream
        truth = Counter(
            row[key]
            for business in members
            for row in (sandbox.truth(stream, business["id"]) if stream in business["rows"] else ())
            if stream not in UNLISTED
            or (row.get("vis_state") != DELETED and row.get("active") is not False)
        )
        if stream in VANISHING:
            living = [row for row in loaded.table(stream) if row["_sdc_deleted_at"] is None]
            assert Counter(row[key] for row in living) == truth, stream
        else:
            assert Counter(row[key] for row in loaded.table(stream)) == truth, stream


def test_fields_that_the_tap_does_not_know_are_json(loaded: Loaded) -> None:
    kept = loaded.rows(
        "select distinct _extra::jsonb->'newly_added', _extra::jsonb->>'lines[0].newly_added'"
        " from invoices"
    )
    assert kept == [(NEW_FIELDS, "of a line")]
    lines = loaded.rows("select distinct _extra::jsonb->>'newly_added' from invoice_lines")
    assert {value for (value,) in lines} == {"of a line", None}
    assert loaded.rows("select distinct _extra from taxes") == [(None,)]


def test_a_row_that_vanished_without_a_trace_is_marked_as_deleted(loaded: Loaded) -> None:
    marked = loaded.rows("select count(*) from taxes where _sdc_deleted_at is not null")
    assert marked == [(1,)]


@pytest.mark.parametrize("run", [0, 1])
def test_the_sums_of_all_invoices_agree_to_the_cent(loaded: Loaded, run: int) -> None:
    assert loaded.freshbooks[run].sums
    assert loaded.postgres[run].sums == loaded.freshbooks[run].sums


def test_the_amounts_of_each_invoice_agree(loaded: Loaded) -> None:
    business = loaded.books.business
    arrived = loaded.rows(
        "select id, amount__amount, amount__code, outstanding__amount from invoices"
        " where account_id = %s order by id",
        business["account_id"],
    )
    assert arrived == [
        (
            row["id"],
            Decimal(row["amount"]["amount"]),
            row["amount"]["code"],
            Decimal(row["outstanding"]["amount"]),
        )
        for row in sorted(loaded.books.sandbox.truth("invoices"), key=lambda row: row["id"])
    ]


def test_a_changed_invoice_arrives_as_it_is_now(loaded: Loaded) -> None:
    account_id = loaded.books.business["account_id"]
    for invoice in (loaded.edits.created_invoice, loaded.edits.changed_invoice):
        arrived = loaded.rows(
            "select amount__amount from invoices where account_id = %s and id = %s",
            account_id,
            invoice,
        )
        assert arrived == [(Decimal("299.85"),)]


def test_a_deleted_invoice_is_marked(loaded: Loaded) -> None:
    arrived = loaded.rows(
        "select _sdc_deleted_at is not null, vis_state from invoices"
        " where account_id = %s and id = %s",
        loaded.books.business["account_id"],
        loaded.edits.deleted_invoice,
    )
    assert arrived == [(True, 1)]


def test_every_amount_of_money_is_numeric(loaded: Loaded) -> None:
    columns = loaded.rows(
        r"select table_name, column_name, data_type from information_schema.columns"
        r" where table_schema = %s and column_name like '%%\_\_amount'",
        SCHEMA,
    )
    assert {table for table, _, _ in columns} >= {"invoices", "estimates", "payments", "expenses"}
    assert {kind for _, _, kind in columns} == {"numeric"}


def test_times_are_timestamps_in_utc(loaded: Loaded) -> None:
    """FreshBooks writes US/Eastern without saying so."""
    arrived = loaded.rows(
        "select id, updated from invoices where account_id = %s order by id",
        loaded.books.business["account_id"],
    )
    truth = sorted(loaded.books.sandbox.truth("invoices"), key=lambda row: row["id"])
    eastern, utc = ZoneInfo("America/New_York"), ZoneInfo("UTC")
    assert arrived == [
        (
            row["id"],
            datetime.fromisoformat(row["updated"])
            .replace(tzinfo=eastern)
            .astimezone(utc)
            .replace(tzinfo=None),
        )
        for row in truth
    ]


def test_the_second_run_reads_only_what_changed(loaded: Loaded) -> None:
    by_run = loaded.rows(
        "select count(*) from invoices group by _sdc_sync_started_at order by _sdc_sync_started_at"
    )
    [(untouched,), (read_again,)] = by_run
    assert untouched > read_again >= 3
    assert loaded.books.bookmark(LOADER, "invoices")["partitions"]


def test_two_runs_spend_one_refresh_token(loaded: Loaded) -> None:
    assert loaded.books.stats["refreshes"] == 1
    assert loaded.books.stats["spent_refresh_tokens"] == 0


def test_tokens_live_below_the_system_directory_and_nowhere_else(loaded: Loaded) -> None:
    meltano = loaded.books.meltano
    [store] = meltano.system_dir.glob("tap-freshbooks/*.json")
    assert store.stat().st_mode & 0o777 == 0o600
    printed = meltano.log.read_text(encoding="utf-8")
    for secret in ("client_secret", "refresh_token"):
        assert loaded.books.tap_config[secret] not in printed


def test_without_flattening_money_and_unknown_fields_are_jsonb(
    own_sandbox: Sandbox, plugins: Path, postgres: Postgres, tmp_path: Path
) -> None:
    add_new_fields(own_sandbox)
    books, database = books_for(
        own_sandbox,
        plugins,
        tmp_path,
        postgres,
        TARGET_POSTGRES_FLATTENING_ENABLED="false",
        TAP_FRESHBOOKS__SELECT='["invoices.*"]',
        **KEEPING,
    )
    books.load(LOADER)
    with postgres.connect(database) as connection:
        arrived = connection.execute(
            "select pg_typeof(amount)::text, jsonb_typeof(amount->'amount'),"
            " sum((amount->>'amount')::numeric) from invoices"
            " where _sdc_deleted_at is null group by 1, 2"
        ).fetchall()
        kept = connection.execute(
            "select distinct pg_typeof(_extra)::text, _extra->'newly_added' from invoices"
        ).fetchall()
    sums = Snapshot.of_sandbox(own_sandbox.url, ["invoices"]).sums
    assert arrived == [("jsonb", "string", sum(sums.values()))]
    assert kept == [("jsonb", NEW_FIELDS)]
