"""Two connections fill one schema of PostgreSQL, with a target that removes rows for good."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from demo.pipeline import PROJECT, SCHEMA
from freshbooks_sandbox import Sandbox
from tap_freshbooks.config.schema import settings_schema
from tap_freshbooks.custom_streams.setting import CUSTOM_STREAMS
from tests.conftest import settings_for
from tests.streams.tables import Pipeline, tombstones

if TYPE_CHECKING:
    from pathlib import Path

    from demo.pipeline import Postgres
    from tests.support import Messages

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]

PAGE = (PROJECT / "docs" / "connections.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """What the page on several connections shows in a language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)


def load(plugins: Path, url: str, *runs: Messages) -> None:
    """Give the output of several runs to one process of target-postgres."""
    settings = {
        "sqlalchemy_url": url,
        "default_target_schema": SCHEMA,
        "load_method": "upsert",
        "hard_delete": True,
    }
    lines = [json.dumps(message, default=str) for run in runs for message in run.all]
    program = plugins / "loaders" / "target-postgres" / "venv" / "bin" / "target-postgres"
    environment = {
        f"TARGET_POSTGRES_{name.upper()}": str(value) for name, value in settings.items()
    }
    subprocess.run(
        [program, "--config=ENV"],
        input="\n".join(lines).encode(),
        env=environment,
        check=True,
        capture_output=True,
    )


def test_nobody_removes_rows_of_others(
    plugins: Path, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with postgres.connect() as server:
        server.execute("create database shared_tables")
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        config = settings_for(sandbox, tmp_path)
        here, there = sandbox.businesses()[:2]
        shared = ("taxes", "ledger_accounts", "unified_tax_rates")
        one, other = (
            Pipeline(
                {**config, "hard_deletes": "tombstones", "business_ids": [each["id"]]}, *shared
            )
            for each in (here, there)
        )
        alone, whole = Pipeline(config, "services"), Pipeline(config, "retainers")
        runs = [one.run(), other.run(), alone.run(), whole.run()]
        for stream in ("taxes", "services", "ledger_accounts", "retainers"):
            sandbox.delete(stream, "newest", here["id"])
        runs += [one.run(), alone.run(business_ids=[here["id"]]), whole.run()]
        load(plugins, postgres.url("shared_tables"), *runs)
        gone = [row["id"] for row in tombstones(runs[4], "taxes")]
        kept = {row["id"]: row["name"] for row in runs[0].records["taxes"] if row["id"] not in gone}

    def count(connection: Any, table: str, condition: str = "true") -> int:
        [[number]] = connection.execute(f"select count(*) from {table} where {condition}")
        return int(number)

    with postgres.connect("shared_tables") as database:
        for stream in shared:
            rows = len(runs[0].records[stream]) + len(runs[1].records[stream])
            assert count(database, stream) == rows
            assert count(database, stream, "_sdc_deleted_at is not null") == 1
        assert count(database, "services") == len(runs[2].records["services"])
        # This target does remove rows, where it is told to.
        assert count(database, "retainers") == len(runs[3].records["retainers"]) - 1
        living = "select id, name from taxes where account_id = %s and _sdc_deleted_at is null"
        assert dict(database.execute(living, [here["account_id"]]).fetchall()) == kept
        check_the_statements_of_the_page(database, here)


def check_the_statements_of_the_page(database: Any, leaves: dict[str, Any]) -> None:
    """All of them run, and a customer who leaves takes nothing of others along."""
    view, drop, deletions = blocks("sql")
    examples = {
        "'ACM123'": f"'{leaves['account_id']}'",
        "1234567": str(leaves["id"]),
        "'2f6c9a52-0c54-4f3b-9b41-6a9f5f0c7d11'": f"'{leaves['business_uuid']}'",
    }
    for example, value in examples.items():
        assert example in deletions
        deletions = deletions.replace(example, value)
    database.execute(view)
    before = database.execute("select distinct account_id from living_taxes").fetchall()
    for statement in deletions.strip().split(";")[:-1]:
        assert database.execute(statement).rowcount > 0
    after = database.execute("select distinct account_id from living_taxes").fetchall()
    assert set(before) - set(after) == {(leaves["account_id"],)}
    assert after
    database.execute(drop.replace("freshbooks_acme", SCHEMA))
    assert database.execute("select to_regclass('taxes')").fetchone() == (None,)


def test_the_plugins_of_the_page_are_apart_and_have_settings_that_exist() -> None:
    known = settings_schema(CUSTOM_STREAMS)["properties"]
    project, shared = (YAML(typ="safe").load(block) for block in blocks("yaml"))
    plugins = project["plugins"]["extractors"]
    assert len({plugin["name"] for plugin in plugins}) == len(plugins) == 2
    assert len({plugin["load_schema"] for plugin in plugins}) == 2
    assert {plugin["inherit_from"] for plugin in (*plugins, *shared)} == {"tap-freshbooks"}
    for name, value in shared[0]["config"].items():
        assert value in known[name]["enum"]
