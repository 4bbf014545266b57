from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from freshbooks_sandbox import Sandbox
from tests.pipeline.books import Edits
from tests.pipeline.test_postgres import LOADER, books_for
from tests.webhooks.receivers import TAP, ReceiverProcess

if TYPE_CHECKING:
    from pathlib import Path

    from demo.pipeline import Postgres

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]


def test_an_edit_is_a_row_after_the_next_run_and_an_idle_run_asks_for_nothing(
    plugins: Path, postgres: Postgres, tmp_path: Path
) -> None:
    with Sandbox(invoices=20, rate_limit=0) as sandbox:
        sandbox.webhooks.settings(scale=0.01)
        inbox = {"webhook_inbox": str(tmp_path / "inbox.db")}
        books, database = books_for(
            sandbox,
            plugins,
            tmp_path,
            postgres,
            TAP_FRESHBOOKS_WEBHOOK_INBOX=inbox["webhook_inbox"],
        )
        # The receiver has a connection of its own: an app of the same user.
        serving = ReceiverProcess(
            {**sandbox.config(), **inbox, "token_store": str(tmp_path / "tokens.json")}, tmp_path
        )
        try:
            url = ["--config", str(serving.config_file), "--url", serving.url]
            subprocess.run([*TAP, "webhooks", "register", *url], check=True)
            books.load(LOADER)
            sandbox.stats_clear()
            books.load(LOADER)
            assert books.stats["requests"] == 0
            edits = Edits.make(sandbox)
            sandbox.webhooks.settle()
            books.load(LOADER)
        finally:
            assert serving.end() == 0
        with postgres.connect(database) as connection:
            rows: dict[int, bool] = dict(
                connection.execute(
                    "SELECT id, _sdc_deleted_at IS NULL FROM invoices"
                    " WHERE id = ANY(%s) AND account_id = %s",
                    (list(vars(edits).values()), books.business["account_id"]),
                ).fetchall()
            )
            lines = connection.execute(
                "SELECT name, unit_cost__amount FROM invoice_lines"
                " WHERE invoiceid = %s AND account_id = %s AND name = 'Travel'",
                (edits.changed_invoice, books.business["account_id"]),
            ).fetchall()
        assert rows == {
            edits.created_invoice: True,
            edits.changed_invoice: True,
            edits.deleted_invoice: False,
        }
        assert [(name, str(cost)) for name, cost in lines] == [("Travel", "99.95")]
