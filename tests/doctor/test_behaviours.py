"""Doctor names the behaviour of the sandbox that was switched on, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.doctor.examining import behaving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.doctor.examining import Result
    from tests.support import Command


@dataclass(frozen=True)
class Row:
    """A behaviour, and what doctor is to say of it.

    `streams` names the streams with another answer, where each list has one of its own. `found` is
    the answer, where it is not the value of the behaviour. `prepare` does to the sandbox what the
    behaviour needs to be seen; `scopes` are those of the token, `options` those of the command.
    """

    name: str
    value: str
    streams: tuple[str, ...] = ()
    found: str = ""
    prepare: Callable[[Sandbox], object] | None = None
    scopes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


FILTERED = (*("clients", "estimates", "expenses", "invoices", "items", "payments", "tasks"),)
"""The accounting streams whose filter by change a sync uses."""

PROFILE_ONLY = ("user:profile:read", "user:clients:read")
SPEND = ("--spend-a-refresh",)

WITH_LATE_FEES = ("clients", "invoices", "invoice_profiles")
MOVED_REPORTS = (
    *("report_cash_flow", "report_expense_details", "report_general_ledger"),
    *("report_profit_loss", "report_trial_balance"),
)
"""The reports that the documentation has by business_uuid."""

ROWS = (
    Row("updated_filter_ignored", "items", ("items",), "ignored"),
    Row("updated_filter_ignored", "all", FILTERED, "ignored"),
    Row("updated_day_zone", "utc"),
    Row("bad_page", "400"),
    Row("bad_page", "first"),
    Row("team_members_per_page", "30", ("team_members",)),
    Row("time_entries_default", "30", ("time_entries",)),
    Row("accounting_errors", "new"),
    Row("missing_scope", "short", scopes=PROFILE_ONLY),
    Row("side_unauthenticated", "own"),
    Row("total", "visible"),
    Row("old_access_token", "dies", options=SPEND),
    Row("deleted_projects", "ignored", ("projects",)),
    Row("archived_projects", "shown", ("projects",)),
    Row("services_paging", "ignored", ("services",)),
    Row("others_time", "shown", ("time_entries",)),
    Row("running_timers", "shown", ("time_entries",)),
    Row("inactive_retainers", "shown", ("retainers",)),
    Row("invitation_rates", "filled", ("invitation_rates",)),
    Row("bill_vendorid", "shown", ("bills",)),
    Row("journal_envelope", "data", ("journal_entries",)),
    Row("journal_envelope", "journalEntries", ("journal_entries",)),
    Row("journal_envelope", "list", ("journal_entries",)),
    Row("presumed_lists", "missing", ("billable_items", "checkout_links", "expense_profiles")),
    Row("deleted_time", "ignored", ("time_entries",)),
    Row("credit_note_key", "credit_notes", ("credit_notes",)),
    Row("staff_key", "staffs", ("staffs",)),
    Row("bill_category", "text", ("bills",)),
    Row("line_dates", "timed", ("invoices",)),
    Row("late_fee_value", "text", WITH_LATE_FEES),
    Row("late_reminder_id", "text", WITH_LATE_FEES),
    Row("journal_version", "optional", ("journal_entries",)),
    Row("threads_envelope", "data", ("project_threads",)),
    Row("threads_envelope", "list", ("project_threads",)),
    Row("checkout_links_envelope", "checkout-links", ("checkout_links",)),
    Row("checkout_links_envelope", "list", ("checkout_links",)),
    Row("inactive_accounts", "hidden", ("ledger_accounts",)),
    Row("callback_timestamps", "sql", ("callbacks",)),
    Row("account_reports", "gone", MOVED_REPORTS),
    Row("payables_aging", "granted", ("report_accounts_payable_aging",)),
    Row("payments_collected", "all", ("report_payments_collected",)),
    Row("expense_groups", "nested", ("report_expense_details",)),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_behaviour_that_is_switched_on_is_named_and_no_other(
    row: Row, command: Command, tmp_path: Path
) -> None:
    result = run(row, {row.name: row.value}, command, tmp_path)
    value = row.found or row.value
    streams = row.streams or (None,)
    assert result.differing == {row.name: {(value, stream) for stream in streams}}
    assert result.status == 1


UNPREPARED = (
    Row("none", "", options=SPEND),
    Row("none", "", scopes=PROFILE_ONLY),
)


@pytest.mark.parametrize("row", UNPREPARED, ids=repr)
def test_nothing_differs_where_no_behaviour_is_switched_on(
    row: Row, command: Command, tmp_path: Path
) -> None:
    result = run(row, {}, command, tmp_path)
    assert result.differing == {}
    assert result.status == 0


def run(row: Row, behaviours: dict[str, str], command: Command, folder: Path) -> Result:
    scopes = list(row.scopes) or None
    return behaving(command, folder, behaviours, row.prepare, scopes, *row.options)
