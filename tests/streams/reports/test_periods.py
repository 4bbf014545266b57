from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_freshbooks.streams.periods import Period, periods
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS
from tests.support import failing_sync, sync

if TYPE_CHECKING:
    import pytest

    from freshbooks_sandbox import Sandbox

REPORTS = [stream.name for stream in STREAMS if issubclass(stream, Report)]
ROWS = [stream.name for stream in STREAMS if issubclass(stream, ReportRows)]
REFUSED = "report_accounts_payable_aging"


def test_periods_are_calendar_months_quarters_and_years() -> None:
    february = Period(date(2024, 2, 1), date(2024, 2, 29))
    assert Period.containing(date(2024, 2, 10), "month") == february
    assert Period.containing(date(2024, 12, 31), "quarter").start == date(2024, 10, 1)
    assert Period.containing(date(2024, 5, 1), "year").end == date(2024, 12, 31)
    assert february.previous("month").start == date(2024, 1, 1)
    found = periods(date(2023, 11, 15), date(2024, 2, 1), "month")
    assert [period.start.month for period in found] == [11, 12, 1, 2]
    assert periods(date(2024, 5, 1), date(2024, 5, 1), "year") == [
        Period(date(2024, 1, 1), date(2024, 12, 31))
    ]


def test_each_report_is_one_record_per_period(sandbox: Sandbox, config: dict[str, Any]) -> None:
    start = datetime.now(UTC).date().replace(month=1, day=1)
    messages = sync({**config, "start_date": start.isoformat()}, *REPORTS, *ROWS)
    months = len(periods(start, datetime.now(UTC).date(), "month"))
    for name in REPORTS:
        assert len(messages.records[name]) == (0 if name == REFUSED else 2 * months), name
    for name in [*REPORTS, *ROWS]:
        [stream] = [stream for stream in STREAMS if stream.name == name]
        keys = [tuple(r[key] for key in stream.record_keys()) for r in messages.records[name]]
        assert len(set(keys)) == len(keys)
    assert "download_token" not in str(messages.records).replace("'download_token': None", "")
    assert sandbox


def test_rows_add_up_to_what_the_books_say(sandbox: Sandbox, config: dict[str, Any]) -> None:
    settings = {
        **config,
        "start_date": "2023-10-01",
        "report_currencies": ["CAD", "USD", "EUR"],
    }
    rows = sync(settings, "report_invoice_details_rows", "report_payments_collected_rows").records
    account = sandbox.businesses()[0]["account_id"]
    issued = {
        row["invoiceid"]
        for row in rows["report_invoice_details_rows"]
        if row["account_id"] == account
    }
    invoices = [row for row in sandbox.truth("invoices") if row["vis_state"] != 1]
    assert issued <= {row["id"] for row in invoices}
    assert len(issued) > len(invoices) / 2
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows["report_payments_collected_rows"]:
        if row["account_id"] == account:
            totals[row["amount"]["code"]] += Decimal(row["amount"]["amount"])
    booked: dict[str, Decimal] = defaultdict(Decimal)
    for payment in sandbox.truth("payments"):
        if payment["vis_state"] != 1:
            booked[payment["amount"]["code"]] += Decimal(payment["amount"]["amount"])
    assert totals == booked


def _requests(sandbox: Sandbox, config: dict[str, Any]) -> int:
    """Requests for reports, so far."""
    paths = sandbox.stats(config["client_id"])["paths"]
    return sum(number for path, number in paths.items() if "/reports/" in path)


def test_closed_periods_are_read_once_and_the_last_ones_again(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    today = datetime.now(UTC).date()
    settings = {**config, "start_date": f"{today.year - 1}-01-01"}
    name = "report_trial_balance"
    first = sync(settings, name)
    assert len(first.records[name]) == 2 * (12 + today.month)
    before = _requests(sandbox, config)
    second = sync(settings, name, state=first.state)
    assert _requests(sandbox, config) - before == 2 * 2
    assert second.records == {}  # as they have not changed
    third = sync({**settings, "report_lookback": 0}, name, state=first.state)
    assert len(third.records[name]) == 2  # the open one
    rows = sync(settings, name, f"{name}_rows", state=first.state)
    assert len(rows.records[name]) == 2 * (12 + today.month)  # rows that were selected later


def test_the_closing_row_of_the_trial_balance_is_left_out_and_the_rest_balances(
    config: dict[str, Any],
) -> None:
    settings = {**config, "start_date": "2025-10-01", "report_interval": "quarter"}
    rows = sync(settings, "report_trial_balance_rows").records["report_trial_balance_rows"]
    assert all(row["account_name"] != "total" for row in rows)
    sums: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal(), Decimal()])
    for row in rows:
        total = sums[row["account_id"], row["period_start"]]
        total[0] += Decimal(row["debit"]["amount"])
        total[1] += Decimal(row["credit"]["amount"])
    assert sums
    assert all(debit == credit > 0 for debit, credit in sums.values() if debit or credit)


def test_a_report_of_another_period_is_an_error(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    body = (
        '{"response": {"result": {"cash_flow": {"start_date": "2026-01-31", '
        '"end_date": "2026-01-31", "activities": []}}}}'
    )
    sandbox.faults(
        "status",
        status=200,
        body=body,
        content_type="application/json",
        client_id=config["client_id"],
        path="*/cash_flow",
    )
    failing_sync(config, "report_cash_flow")
    sandbox.faults_clear()
    assert "answered for another period" in caplog.text
