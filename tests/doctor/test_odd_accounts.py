"""Accounts and answers of which less is to be seen, or something that is no difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freshbooks_sandbox import Sandbox
from tests.doctor.examining import INVOICES, config_file, examine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import Command


def test_a_token_for_everything_says_nothing_of_scopes(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    result = examine(command, odd_sandbox, tmp_path, scopes=["admin:all:legacy"])
    assert result.differing == {}
    assert result.outcomes("ledger_scopes") == {"not tested"}


def test_rows_that_are_hours_old_say_nothing_of_the_zone(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    result = examine(command, odd_sandbox, tmp_path, "--stream", "taxes", "--stream", "items")
    assert result.outcomes("utc_timestamps") == {"not tested"}


@pytest.mark.parametrize(
    ("field", "question", "differing"),
    [
        ("vis_state", "deleted_filter_ignored", set()),
        ("vendorid", "repeated_rows", {("missing", "bill_vendors")}),
    ],
)
def test_rows_without_a_state_or_a_key_are_called_so(
    odd_sandbox: Sandbox,
    command: Command,
    tmp_path: Path,
    field: str,
    question: str,
    differing: set[tuple[str, str]],
) -> None:
    edit = {"edit": "remove", "path": f"response.result.bill_vendors.*.{field}"}
    odd_sandbox.faults("answer", path="*/bill_vendors/bill_vendors", edits=[edit])
    result = examine(command, odd_sandbox, tmp_path, "--stream", "bill_vendors")
    assert result.differing.get(question, set()) == differing
    assert result.outcomes(question) == ({"false"} if differing else {"not tested"})


def test_an_answer_that_is_no_error_has_no_shape_of_errors(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    content, kind = '{"response": {"result": {"client": {}}}}', "application/json"
    odd_sandbox.faults("answer", path="*/users/clients/0", content=content, content_type=kind)
    result = examine(command, odd_sandbox, tmp_path, "--stream", "clients")
    assert result.outcomes("accounting_errors") == {"not tested"}


def test_businesses_that_the_settings_leave_out_are_not_looked_at(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    first, client = odd_sandbox.businesses()[0], odd_sandbox.businesses()[3]
    settings = odd_sandbox.config()
    config = config_file(tmp_path, {**settings, "business_ids": [first["id"]]})
    status, output, _ = command("doctor", "--config", config, "--stream", "taxes")
    assert status == 0
    assert "  total: the setting business_ids leaves out where the user is a client" in output
    paths = odd_sandbox.stats(settings["client_id"])["paths"]
    assert not [path for path in paths if client["account_id"] in path]


def test_a_list_that_says_nothing_of_pages_is_seen_to_be_cut_by_its_second_page(
    command: Command, tmp_path: Path
) -> None:
    behaviours = {"small_pages": "journal_entries"}
    with Sandbox(invoices=INVOICES, rate_limit=0, behaviours=behaviours) as sandbox:
        result = examine(command, sandbox, tmp_path, "--stream", "journal_entries")
    assert result.differing == {"small_pages": {("ignored", "journal_entries")}}
