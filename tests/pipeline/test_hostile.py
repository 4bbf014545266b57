"""Whatever stands in the fields of a row, PostgreSQL takes what the tap makes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.hostile.values import FIELDS, FIRST, VALUES, rows_with
from tests.pipeline.test_postgres import LOADER, books_for

if TYPE_CHECKING:
    from pathlib import Path

    from demo.pipeline import Postgres
    from freshbooks_sandbox import Sandbox

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]


def test_rows_of_hostile_values_are_loaded_with_what_is_made_of_them(
    own_sandbox: Sandbox, plugins: Path, postgres: Postgres, tmp_path: Path
) -> None:
    books, database = books_for(
        own_sandbox,
        plugins,
        tmp_path,
        postgres,
        TAP_FRESHBOOKS__SELECT='["invoices.*", "invoice_lines.*", "unified_invoices.*"]',
        TAP_FRESHBOOKS_UNKNOWN_FIELDS="keep",
        TAP_FRESHBOOKS_UNIFIED_REMOTE_DATA="true",
    )
    account = own_sandbox.businesses()[0]["account_id"]
    edits = rows_with(*FIELDS.values(), "newly_added")
    own_sandbox.faults("answer", path=f"*/{account}/invoices/invoices", edits=edits)
    books.load(LOADER)

    with postgres.connect(database) as connection:
        loaded = connection.execute(
            "select id, discount_value, customerid, create_date::text from invoices where id >= %s",
            (FIRST,),
        ).fetchall()
        [[remote]] = connection.execute(
            "select count(*) from unified_invoices where remote_data is not null"
            " and (remote_data::jsonb ->> 'id')::bigint >= %s",
            (FIRST,),
        ).fetchall()
    assert remote == len(VALUES)
    assert {number: row for number, *row in loaded} == {
        FIRST + place: [value.number and Decimal(value.number), value.whole, value.day]
        for place, value in enumerate(VALUES.values())
    }
