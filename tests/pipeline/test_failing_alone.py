"""A stream that fails takes nothing from the others: their rows are loaded, their state is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo.pipeline import PipelineError
from tests.pipeline.test_postgres import LOADER, books_for

if TYPE_CHECKING:
    from pathlib import Path

    from demo.pipeline import Postgres
    from freshbooks_sandbox import Sandbox

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]


def test_the_good_streams_of_a_failed_run_are_in_postgres_and_their_state_is_kept(
    own_sandbox: Sandbox, plugins: Path, postgres: Postgres, tmp_path: Path
) -> None:
    books, database = books_for(
        own_sandbox,
        plugins,
        tmp_path,
        postgres,
        TAP_FRESHBOOKS__SELECT='["clients.*", "invoices.*", "payments.*", "taxes.*"]',
        TAP_FRESHBOOKS_MAX_ATTEMPTS="2",
    )
    broken, good = (business["account_id"] for business in own_sandbox.businesses()[:2])
    own_sandbox.faults("answer", content="{}", path=f"*/{broken}/invoices/invoices")
    own_sandbox.faults("status", status=500, path="*/taxes/taxes")
    with pytest.raises(PipelineError):
        books.load(LOADER)

    printed = books.meltano.log.read_text(encoding="utf-8")
    assert (
        f"Failed: invoices of {books.business['name']} (business {books.business['id']})" in printed
    )
    assert "2 streams could not be read completely: invoices, taxes (" in printed
    with postgres.connect(database) as connection:
        invoices = connection.execute("select distinct account_id from invoices").fetchall()
        assert invoices == [(good,)]
        loaded = connection.execute(
            "select 'clients', account_id, count(*) from clients group by 2"
            " union all select 'payments', account_id, count(*) from payments group by 2"
        ).fetchall()
    assert set(loaded) == {
        (stream, account, own_sandbox.count(stream, number))
        for stream in ("clients", "payments")
        for number, account in enumerate((broken, good), start=1)
    }
    bookmarks = books.bookmarks(LOADER)
    kept = {
        (stream, each["context"]["account_id"]): "replication_key_value" in each
        for stream in ("clients", "invoices", "payments")
        for each in bookmarks[stream]["partitions"]
    }
    assert len(kept) == 6
    assert [key for key, is_there in kept.items() if not is_there] == [("invoices", broken)]
