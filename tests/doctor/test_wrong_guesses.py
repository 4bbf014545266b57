"""Doctor where nothing is there to see, and where every guess about the answers is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.doctor.examining import examine

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Command


BOOKS = "/accounting/account/*"
WORK = ("/projects/*", "/timetracking/*", "/comments/*")
OTHERS = ("/accounting/businesses/*", "/payments/*", "/events/*", "/auth/api/v1/*/business*")


def test_where_no_rows_are_there_nothing_is_called_true(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    emptied = [{"edit": "set", "path": path, "value": []} for path in ROWS_OF_BOOKS]
    odd_sandbox.faults("answer", path=BOOKS, edits=emptied)
    odd_sandbox.faults("answer", path="/events/*", edits=emptied)
    for path in WORK:
        names = ("projects", "time_entries", "services", "retainers", "invitation_rates")
        edits = [{"edit": "set", "path": name, "value": []} for name in names]
        odd_sandbox.faults("answer", path=path, edits=edits)
    result = examine(command, odd_sandbox, tmp_path)
    for question in OF_ROWS:
        assert result.outcomes(question) == {"not tested"}, question


def test_where_the_rows_are_instead_is_told(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    moved = {"taxes": "taxRateList", "tasks": "featherstonehaugh_list", "items": "4c1b"}
    for name, key in moved.items():
        edits = [{"edit": "rename", "path": f"response.result.{name}", "to": key}]
        odd_sandbox.faults("answer", path=f"*/{name}/{name}", edits=edits)
        odd_sandbox.faults("answer", path=f"*/projects/{name}", edits=edits)
    report = tmp_path / "report.json"
    streams = [option for name in moved for option in ("--stream", name)]
    result = examine(command, odd_sandbox, tmp_path, *streams, "--report", str(report))
    names = {
        each["stream"]: each["names"] for each in result.findings if each["value"] == "elsewhere"
    }
    assert names == {
        "taxes": ["response.result.taxRateList"],
        "tasks": ["response.result.?_list", "response.result.featherstonehaugh_list"],
        "items": ["response.result.?", "response.result.4c1b"],
    }
    text = report.read_text()
    assert "response.result.taxRateList" in text
    assert "feather" not in text
    assert "4c1b" not in text


def test_where_there_is_something_to_see_each_fact_is_true(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    result = examine(command, odd_sandbox, tmp_path)
    unseen = {"inactive_retainers", "invitation_rates"}  # only the unexpected can be seen
    others = ("payables_aging", "account_reports", "presumed_lists", "staff_key", "journal_version")
    envelopes = ("journal_envelope", "checkout_links_envelope", "inactive_accounts")
    for question in (*OF_ROWS, *others, *envelopes):
        expected = {"not tested"} if question in unseen else {"true"}
        assert result.outcomes(question) - {"not tested"} == expected - {"not tested"}, question


@pytest.mark.parametrize(
    ("status", "question"),
    [(403, "payables_aging"), (404, "account_reports"), (404, "presumed_lists")],
)
def test_what_is_answered_with_an_error_like_everything_else_says_nothing(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path, status: int, question: str
) -> None:
    body = '{"response": {"errors": [{"errno": 1003, "message": "No."}]}}'
    for path in ("/accounting/account/*", "/payments/*"):
        odd_sandbox.faults("answer", path=path, status=status, content=body)
    result = examine(command, odd_sandbox, tmp_path)
    assert result.outcomes(question) == {"not tested"}


def test_where_nothing_is_deleted_or_archived_nothing_is_known_of_it(
    own_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    for row in own_sandbox.truth("projects"):
        own_sandbox.update("projects", row["id"], title=row["title"], active=True, complete=False)
    result = examine(command, own_sandbox, tmp_path, "--stream", "projects")
    for question in ("deleted_projects", "archived_projects", "deleted_unreadable"):
        assert result.outcomes(question) == {"not tested"}, question


def test_time_of_others_on_a_later_page_is_seen_by_the_total(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    total = [{"edit": "set", "path": "meta.total", "value": 5000}]
    odd_sandbox.faults("answer", path="/timetracking/*/time_entries", edits=total)
    result = examine(command, odd_sandbox, tmp_path, "--stream", "time_entries")
    assert ("shown", "time_entries") in result.differing["others_time"]


def test_expenses_by_something_else_than_categories_say_nothing_of_groups(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    path = "response.result.expense_details.data.*.groupid"
    edits = [{"edit": "set", "path": path, "value": "a vendor"}]
    odd_sandbox.faults("answer", path="*/expense_details", edits=edits)
    result = examine(command, odd_sandbox, tmp_path, "--stream", "report_expense_details")
    assert result.outcomes("expense_groups") == {"not tested"}


ROWS_OF_BOOKS = [
    f"response.result.{name}"
    for name in (
        *("bills", "invoices", "clients", "invoice_profiles", "estimates", "credit_notes"),
        *("callbacks", "payments_collected.totals", "expense_details.data"),
    )
]
OF_ROWS = (
    *("credit_note_key", "bill_category", "bill_vendorid", "line_dates", "late_fee_value"),
    *("late_reminder_id", "callback_timestamps", "deleted_projects", "archived_projects"),
    *("services_paging", "others_time", "running_timers", "deleted_time", "inactive_retainers"),
    *("invitation_rates", "threads_envelope", "payments_collected", "expense_groups"),
)
"""Questions that only rows answer."""


@pytest.mark.parametrize("content", ["[]", '"text"', '{"response": {"result": [1]}}'])
def test_another_answer_to_everything_is_no_crash(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path, content: str
) -> None:
    for path in (BOOKS, *WORK, *OTHERS):
        odd_sandbox.faults("answer", path=path, content=content, content_type="application/json")
    result = examine(command, odd_sandbox, tmp_path)
    assert result.status == 1, result.said
    assert "envelope" in result.differing
    for question in set(OF_ROWS) - {"credit_note_key", "threads_envelope"}:
        assert result.outcomes(question) == {"not tested"}, question


@pytest.mark.parametrize(
    ("depth", "value"),
    [(2, None), (2, []), (2, {"a": [1]}), (2, "x"), (3, -(10**30)), (3, [True])],
)
def test_other_values_everywhere_are_no_crash(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path, depth: int, value: Any
) -> None:
    """At depth 2 in place of the fields of rows, at 3 of what is in these."""
    stars = ".*" * depth
    places = {BOOKS: f"response.result.*{stars}", **dict.fromkeys((*WORK, *OTHERS), f"*{stars}")}
    for path, place in places.items():
        edits = [{"edit": "set", "path": place, "value": value}]
        odd_sandbox.faults("answer", path=path, edits=edits)
    result = examine(command, odd_sandbox, tmp_path)
    assert result.status in {0, 1}, result.said
    assert result.findings


def test_fields_of_reports_and_discussions_are_examined_too(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    whole = ["response", "result", "cash_flow"]
    activity = [*whole, "activities", "*"]
    edits = [
        {"edit": "set", "path": [*whole, "newly_added"], "value": 1},
        {"edit": "set", "path": [*activity, "added_inside"], "value": 1},
        {"edit": "set", "path": [*whole, "currency_code"], "value": ["CAD"]},
    ]
    odd_sandbox.faults("answer", path="*/reports/accounting/cash_flow", edits=edits)
    thread = {"edit": "set", "path": "threads", "value": [{"id": 1, "newly_added": 1}]}
    odd_sandbox.faults("answer", path="*/threads", edits=[thread])
    report = tmp_path / "report.json"
    names = ("report_cash_flow", "report_balance_sheet", "project_threads")
    options = [option for name in names for option in ("--stream", name)]
    result = examine(command, odd_sandbox, tmp_path, *options, "--report", str(report))
    found = {
        (each["question"], each["stream"]): each["names"]
        for each in result.findings
        if each["value"] in {"more", "other"}
    }
    assert found["unknown_fields", "project_threads"] == ["newly_added"]
    assert "newly_added" in found["unknown_fields", "report_cash_flow"]
    assert "category_added_inside" in found["unknown_fields", "report_cash_flow"]
    assert found["other_kinds", "report_cash_flow"] == ["currency_code"]
    assert not {stream for _, stream in found} & {"report_balance_sheet"}
    streams = {each["stream"]: each for each in json.loads(report.read_text())["streams"]}
    assert streams["report_cash_flow"]["shape"]["fields"]["currency_code"]["kinds"] == ["array"]
    assert streams["report_balance_sheet"]["table"]["fields"]["account_name"]["forms"] == ["text"]
    assert streams["project_threads"]["rows"] == "1"
    assert "added" not in report.read_text()  # names of one row may be its words


def test_a_stream_with_two_possible_scopes_needs_one_of_them(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    scopes = ["user:profile:read", "user:projects:read"]
    options = ("--stream", "team_member_rates", "--stream", "team_members")
    result = examine(command, odd_sandbox, tmp_path, *options, scopes=scopes)
    assert result.differing == {}
    assert result.outcomes("scopes") == {"true"}


def test_a_token_for_everything_says_nothing_about_scopes(
    odd_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    scopes = ["user:profile:read", "admin:all:legacy"]
    result = examine(command, odd_sandbox, tmp_path, scopes=scopes)
    assert result.differing == {}
    assert result.outcomes("scopes") == {"not tested"}
    assert result.outcomes("ledger_scopes") == {"not tested"}
