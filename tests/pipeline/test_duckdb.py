from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest

from demo.snapshot import VANISHING, Snapshot
from freshbooks_sandbox import Sandbox
from tests.pipeline.books import KEEPING, NEW_FIELDS, Books, Edits, add_new_fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]

LOADER = "target-duckdb"


@dataclass(frozen=True)
class Loaded:
    """Books that were loaded, edited, and loaded again."""

    books: Books
    edits: Edits
    connection: duckdb.DuckDBPyConnection
    freshbooks: list[Snapshot]
    duckdb: list[Snapshot]


def snapshot(connection: duckdb.DuckDBPyConnection) -> Snapshot:
    """Rows and sums; money is exact text here, which SQL casts."""
    streams = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'tap_freshbooks'"
    ).fetchall()
    rows = {
        stream: connection.table(f"tap_freshbooks.{stream}").count("*").fetchall()[0][0]
        for (stream,) in streams
    }
    sums = connection.execute(
        "select amount__code, sum(amount__amount::decimal(18, 2)) from tap_freshbooks.invoices"
        " where _sdc_deleted_at is null group by 1"
    ).fetchall()
    return Snapshot(rows, dict(sums))


@pytest.fixture(scope="module")
def loaded(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("duckdb")
    database = folder / "books.duckdb"
    freshbooks, arrived = [], []
    with Sandbox(invoices=120, rate_limit=0) as sandbox:
        books = Books(sandbox, plugins, folder, {"TARGET_DUCKDB_PATH": str(database)})
        books.load(LOADER)
        with duckdb.connect(database, read_only=True) as connection:
            arrived.append(snapshot(connection))
        freshbooks.append(Snapshot.of_sandbox(sandbox.url, arrived[0].rows))
        edits = Edits.make(sandbox)
        books.load(LOADER)
        with duckdb.connect(database, read_only=True) as connection:
            arrived.append(snapshot(connection))
            freshbooks.append(Snapshot.of_sandbox(sandbox.url, arrived[1].rows))
            yield Loaded(books, edits, connection, freshbooks, arrived)


def test_after_the_first_run_each_table_has_every_row(loaded: Loaded) -> None:
    assert loaded.duckdb[0].rows == loaded.freshbooks[0].rows
    assert all(loaded.duckdb[0].rows.values())


def test_after_the_second_run_created_rows_are_there_too(loaded: Loaded) -> None:
    expected = loaded.freshbooks[1].rows
    arrived = loaded.duckdb[1].rows
    # This loader does not know ACTIVATE_VERSION: what vanished from FreshBooks stays.
    assert arrived["taxes"] == expected["taxes"] + 1
    for stream, rows in expected.items():
        assert arrived[stream] >= rows if stream in VANISHING else arrived[stream] == rows, stream
    assert expected["invoices"] == loaded.freshbooks[0].rows["invoices"] + 1


@pytest.mark.parametrize("run", [0, 1])
def test_the_sums_of_all_invoices_agree_to_the_cent(loaded: Loaded, run: int) -> None:
    assert loaded.freshbooks[run].sums
    assert loaded.duckdb[run].sums == loaded.freshbooks[run].sums


def test_every_amount_is_the_text_that_freshbooks_wrote(loaded: Loaded) -> None:
    arrived = loaded.connection.execute(
        "select id, typeof(amount__amount), amount__amount from tap_freshbooks.invoices"
        " where account_id = ? order by id",
        [loaded.books.business["account_id"]],
    ).fetchall()
    assert arrived == [
        (row["id"], "VARCHAR", row["amount"]["amount"])
        for row in sorted(loaded.books.sandbox.truth("invoices"), key=lambda row: row["id"])
    ]


def test_changed_and_deleted_invoices_arrive(loaded: Loaded) -> None:
    edits = loaded.edits
    arrived = loaded.connection.execute(
        "select id, amount__amount::decimal(18, 2), _sdc_deleted_at is not null"
        " from tap_freshbooks.invoices where account_id = ? and list_contains(?, id) order by id",
        [
            loaded.books.business["account_id"],
            [edits.changed_invoice, edits.deleted_invoice, edits.created_invoice],
        ],
    ).fetchall()
    by_id = {invoice: (amount, deleted) for invoice, amount, deleted in arrived}
    assert by_id[edits.created_invoice] == (Decimal("299.85"), False)
    assert by_id[edits.changed_invoice] == (Decimal("299.85"), False)
    assert by_id[edits.deleted_invoice][1] is True


def test_two_runs_spend_one_refresh_token(loaded: Loaded) -> None:
    assert loaded.books.stats["refreshes"] == 1
    assert loaded.books.stats["spent_refresh_tokens"] == 0
    assert loaded.books.bookmark(LOADER, "invoices")["partitions"]


def test_unknown_fields_are_json_if_the_tap_flattens_and_not_the_loader(
    own_sandbox: Sandbox, plugins: Path, tmp_path: Path
) -> None:
    add_new_fields(own_sandbox)
    database = tmp_path / "books.duckdb"
    settings = {
        **KEEPING,
        "TARGET_DUCKDB_PATH": str(database),
        "TAP_FRESHBOOKS_FLATTENING_ENABLED": "true",
        "TAP_FRESHBOOKS_FLATTENING_MAX_DEPTH": "2",
        "TAP_FRESHBOOKS__SELECT": '["invoices.*"]',
    }
    Books(own_sandbox, plugins, tmp_path, settings).load(LOADER)
    with duckdb.connect(database, read_only=True) as connection:
        kept = connection.execute(
            "select distinct json_extract(_extra, '$.newly_added')::varchar,"
            " typeof(amount__amount) from tap_freshbooks.invoices"
        ).fetchall()
    assert [(json.loads(value), money) for value, money in kept] == [(NEW_FIELDS, "VARCHAR")]
