"""Every stream, native and unified, and one of the user's own, through Meltano into PostgreSQL.

The project is a copy of ours, in which a user has edited `meltano.yml`. The statements are those of
`docs/unified.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from demo.pipeline import PROJECT, SCHEMA
from freshbooks_sandbox import Sandbox
from tap_freshbooks.unified.mapping_loader import load
from tests.pipeline.books import Books, Edits
from tests.support import every_stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from demo.pipeline import Postgres

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]

LOADER = "target-postgres"

MAPPINGS = load()

CUSTOM = {
    "name": "my_expenses",
    "path": "/accounting/account/{account_id}/expenses/expenses",
    "records_path": "response.result.expenses",
    "replication_key": "updated",
    "filter": "search[updated_min]",
    "schema": {
        "id": {"type": "integer"},
        "vendor": {"type": "string"},
        "updated": {"type": "string", "format": "date-time"},
        "amount": {
            "type": "object",
            "properties": {"amount": {"type": "string"}, "code": {"type": "string"}},
        },
        "vis_state": {"type": "integer"},
    },
}

HOUSE_RULE = """
stream: unified_expenses
columns:
  cost_centre:
    type: string
    description: What the house calls a category
    concat: [category.category, vendor]
    separator: " / "
"""


@dataclass(frozen=True)
class Loaded:
    """Books that were loaded, edited, and loaded again."""

    books: Books
    edits: Edits
    connection: psycopg.Connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the tables."""
        return self.connection.execute(query.encode()).fetchall()


def project_of_a_user(folder: Path) -> Path:
    """A Meltano project with every stream, a custom one, and a house rule."""
    project: dict[str, Any] = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    [tap] = project["plugins"]["extractors"]
    tap["select"] = ["*.*"]
    tap["config"] = {
        "custom_streams": [CUSTOM],
        "report_interval": "year",
        "unified_mappings": "mappings",
    }
    (folder / "mappings").mkdir(parents=True)
    (folder / "mappings" / "house.yaml").write_text(HOUSE_RULE, encoding="utf-8")
    (folder / "meltano.yml").write_text(yaml.safe_dump(project), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def loaded(
    plugins: Path, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("unified")
    with postgres.connect() as connection:
        connection.execute("create database unified")
    place = {"TARGET_POSTGRES_SQLALCHEMY_URL": postgres.url("unified")}
    with Sandbox(invoices=60, rate_limit=0) as sandbox:
        books = Books(sandbox, plugins, folder, place, project_of_a_user(folder / "project"))
        books.load(LOADER)
        edits = Edits.make(sandbox)
        books.load(LOADER)
        with postgres.connect("unified") as connection:
            yield Loaded(books, edits, connection)


PAGE = (PROJECT / "docs" / "unified.md").read_text(encoding="utf-8")
STATEMENTS = [
    statement.strip()
    for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    for statement in block.split(";")
    if statement.strip()
]
JOIN, LINES, BALANCE, LEDGER = STATEMENTS


def test_the_whole_catalog_can_be_loaded_twice_with_flattening(loaded: Loaded) -> None:
    schema = f"table_schema = '{SCHEMA}'"
    tables = loaded.rows(f"select table_name from information_schema.tables where {schema}")
    money = loaded.rows(
        "select table_name, data_type from information_schema.columns"
        rf" where {schema} and column_name like '%\_\_amount'"
    )
    assert {table for (table,) in tables} == {*every_stream(), "my_expenses"}
    assert len({table for table, _ in money}) > 30
    assert {kind for _, kind in money} == {"numeric"}
    assert loaded.rows("select count(*) from report_general_ledger_rows")[0][0] > 100


def test_lines_are_their_invoices(loaded: Loaded) -> None:
    assert loaded.rows("select count(*) from unified_invoice_lines")[0][0] > 60
    assert loaded.rows(LINES) == []


def test_invoices_less_payments_and_credits_are_the_balance(loaded: Loaded) -> None:
    balances = loaded.rows(BALANCE)
    assert len(balances) > 1
    for _, _, owed, computed in balances:
        assert owed == computed > Decimal()


def test_entries_of_the_ledger_are_balanced(loaded: Loaded) -> None:
    assert loaded.rows("select count(*) from unified_journal_lines")[0][0] > 100
    assert loaded.rows(LEDGER) == []


def test_invoices_find_their_native_rows(loaded: Loaded) -> None:
    [(unified,)] = loaded.rows("select count(*) from unified_invoices")
    assert len(loaded.rows(JOIN)) == unified == loaded.rows("select count(*) from invoices")[0][0]


@pytest.mark.parametrize("stream", MAPPINGS)
def test_a_table_has_a_row_for_each_native_one(loaded: Loaded, stream: str) -> None:
    mapping = MAPPINGS[stream]
    where = f" where {mapping.where}" if mapping.where else ""
    native = sum(
        loaded.rows(f"select count(*) from {source}{where}")[0][0] for source in mapping.sources
    )
    assert loaded.rows(f"select count(*) from {stream}") == [(native,)]


@pytest.mark.parametrize("stream", MAPPINGS)
def test_columns_have_the_types_of_the_model(loaded: Loaded, stream: str) -> None:
    kinds = {
        "string": {"text", "character varying"},
        "boolean": {"boolean"},
        "integer": {"bigint", "integer"},
        "decimal": {"numeric"},
        "date": {"date"},
        "datetime": {"timestamp without time zone", "timestamp with time zone"},
    }
    found = dict(
        loaded.rows(
            "select column_name, data_type from information_schema.columns"
            f" where table_schema = '{SCHEMA}' and table_name = '{stream}'"
        )
    )
    for column in MAPPINGS[stream].columns.values():
        if column.name != "remote_data":
            assert found[column.name] in kinds[column.type]


def test_what_was_edited_between_the_runs_is_there(loaded: Loaded) -> None:
    edits = loaded.edits
    company = f"businesses:{loaded.books.business['id']}"
    rows = loaded.rows(
        "select remote_id, remote_deleted, status from unified_invoices"
        f" where company_id = '{company}'"
    )
    flags = {int(key): deleted for key, deleted, _ in rows}
    assert flags[edits.created_invoice] is False
    assert flags[edits.changed_invoice] is False
    assert flags[edits.deleted_invoice] is True
    assert "deleted" not in {status for _, _, status in rows}
    [(lines, amount)] = loaded.rows(
        "select count(*), sum(line_amount) from unified_invoice_lines"
        f" where company_id = '{company}' and invoice_id = 'invoices:{edits.created_invoice}'"
    )
    assert (lines, amount) == (1, Decimal("299.85"))


def test_a_house_rule_is_a_column_and_shows_in_the_version(loaded: Loaded) -> None:
    rows = loaded.rows("select cost_centre, category_name, vendor_name from unified_expenses")
    assert any(centre == f"{name} / {vendor}" for centre, name, vendor in rows if vendor)
    [(version,)] = loaded.rows("select distinct mapping_version from unified_expenses")
    assert version.startswith("1-")
    assert loaded.rows("select distinct mapping_version from unified_bills") == [("1",)]


def test_a_stream_of_the_users_own_is_a_table_like_the_built_in_one(loaded: Loaded) -> None:
    columns = "account_id, id, vendor, amount__amount, updated, _sdc_deleted_at is null"
    mine, theirs = (
        loaded.rows(f"select {columns} from {table} order by 1, 2")
        for table in ("my_expenses", "expenses")
    )
    assert len(mine) > 20
    assert mine == theirs
    assert loaded.books.bookmark(LOADER, "my_expenses")["partitions"]
