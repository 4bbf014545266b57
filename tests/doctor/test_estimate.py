from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.doctor.estimate import Estimate, Pace, estimate
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.tap import TapFreshBooks
from tests.conftest import settings_for
from tests.support import Command, Messages, catalog_of, every_stream, sync

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tap_freshbooks.doctor.estimate import EstimatedPartition

CONCURRENCY = 4

Count = tuple[str, Any]
"""A stream, and the identifier of a business that it goes by."""


def estimate_of(config: Mapping[str, Any], *streams: str) -> Estimate:
    """The estimate for these streams; for those that are selected by default if none is named."""
    tap = TapFreshBooks(
        config=dict(config), catalog=catalog_of(*streams) if streams else None, setup_mapper=False
    )
    try:
        return estimate(tap.connection, list(tap.run.sources), [])
    finally:
        tap.connection.close()


def counts_of(
    config: Mapping[str, Any], *streams: str
) -> tuple[Counter[Count], Counter[str], TapFreshBooks]:
    """What a first sync really brings and costs: rows per partition, requests per stream."""
    messages = Messages()
    tap = TapFreshBooks(
        config=dict(config),
        catalog=catalog_of(*streams) if streams else None,
        message_writer=messages,
    )
    tap.sync()
    rows: Counter[Count] = Counter()
    for name, records in messages.records.items():
        stream = tap.streams[name]
        if isinstance(stream, ListStream):
            field = stream.identifier_kind.value
            rows.update((name, record[field]) for record in records)
        else:
            rows[name, None] = len(records)
    requests = Counter({each.stream: each.requests for each in tap.run.state.stats.all()})
    return rows, requests, tap


def partition_of(each: EstimatedPartition, tap: TapFreshBooks) -> Count:
    stream = tap.streams[each.stream]
    if each.business is None or not isinstance(stream, ListStream):
        return each.stream, None
    return each.stream, each.business.identifier(stream.identifier_kind)


def requests_by_stream(found: Estimate) -> Counter[str]:
    requests: Counter[str] = Counter()
    for each in found.partitions:
        requests[each.stream] += each.cost.requests
    return +requests


def test_it_is_what_a_first_sync_takes(sandbox: Sandbox, config: dict[str, Any]) -> None:
    found = estimate_of(config)
    asked = sandbox.stats(config["client_id"])
    rows, requests, tap = counts_of(config)
    really = sandbox.stats(config["client_id"])
    assert {partition_of(each, tap): each.rows for each in found.partitions if each.rows} == {
        key: count for key, count in rows.items() if not tap.streams[key[0]].parent_stream_type
    }
    assert requests_by_stream(found) == +requests
    assert found.asked == asked["requests"] - 1  # the refresh
    assert found.requests == really["requests"] - asked["requests"] > found.asked
    assert len({each.business for each in found.partitions}) == 4  # three, and none
    assert any(each.rows > 500 for each in found.partitions)
    assert not found.is_lower_bound
    assert [path for path in asked["paths"] if not path.startswith("GET ")] == [
        "POST /auth/oauth/token"
    ]


OFF_BY_DEFAULT = (
    "report_profit_loss",
    "report_balance_sheet",
    "report_accounts_payable_aging",
    "project_threads",
    "journal_entries",
    "billable_items",
    "payment_gateways",
    "abilities",
)


def test_reports_cost_a_request_for_each_period_and_currency_and_are_asked_for_once(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = {
        **settings_for(sandbox, tmp_path),
        "report_interval": "quarter",
        "report_currencies": ["CAD", "USD"],
        "start_date": "2025-01-01T00:00:00Z",
    }
    found = estimate_of(config, *OFF_BY_DEFAULT)
    rows, requests, tap = counts_of(config, *OFF_BY_DEFAULT)
    by_stream = requests_by_stream(found)
    refused = "report_accounts_payable_aging"
    assert by_stream[refused] == 2 <= requests.pop(refused) <= 2 * 2 * CONCURRENCY
    del by_stream[refused]
    assert by_stream == +requests
    for each in found.partitions:
        really = rows[partition_of(each, tap)]
        if each.cost.is_lower_bound:
            assert each.rows < really
        else:
            assert each.rows == really, each.stream
    assert {each.stream for each in found.partitions if each.cost.is_lower_bound} == {
        "project_threads",
        "journal_entries",
    }
    assert found.is_lower_bound
    assert {each.stream for each in found.partitions if each.cost.refusal} == {refused}
    reports = [each for each in found.partitions if each.stream == "report_profit_loss"]
    assert {each.cost.asked for each in reports} == {1}
    assert min(each.rows for each in reports) >= 2 * 8


def test_other_answers_where_the_facts_are_open(tmp_path: Path) -> None:
    behaviours = {
        "archived_projects": "shown",
        "services_paging": "ignored",
        "time_entries_default": "30",
        "team_members_per_page": "30",
    }
    streams = ("projects", "services", "time_entries", "team_members", "clients")
    with Sandbox(invoices=60, rate_limit=0, behaviours=behaviours) as sandbox:
        config = settings_for(sandbox, tmp_path)
        found = estimate_of(config, *streams)
        rows, requests, tap = counts_of(config, *streams)
    # One row of a list does not tell that it has archived ones, too, which spares another list.
    spared = Counter(projects=3)
    assert requests_by_stream(found) - spared == +requests
    for each in found.partitions:
        if each.stream == "projects":  # an archived one is in two lists
            assert rows[partition_of(each, tap)] <= each.rows
        else:
            assert rows[partition_of(each, tap)] == each.rows, each.stream


def test_what_was_edited_a_moment_ago_is_counted_once(tmp_path: Path) -> None:
    with Sandbox(invoices=120, rate_limit=0) as sandbox:
        config = settings_for(sandbox, tmp_path)
        sandbox.create("invoices", count=2)
        found = estimate_of(config, "invoices")
        there = [sandbox.count("invoices", position) for position in (1, 2)]
    assert [each.rows for each in found.partitions] == there
    # Two pages, the deleted ones, and two lists of what changed.
    assert [each.cost.requests for each in found.partitions] == [5, 2]


def test_rows_that_are_made_up_did_not_change_just_now(tmp_path: Path) -> None:
    with Sandbox(invoices=60, rate_limit=0) as sandbox:
        config = {
            **settings_for(sandbox, tmp_path),
            "business_ids": [sandbox.businesses()[0]["id"]],
        }
        sandbox.update("bills", "newest", bill_number="edited")
        total = [{"edit": "set", "path": "response.result.total", "value": 250}]
        sandbox.faults("answer", path="*/bills/bills", edits=total)
        found = estimate_of(config, "bills")
    # Three pages of each list: the timestamps of all rows show that nothing has moved.
    assert [each.cost.requests for each in found.partitions] == [6]


def test_rows_since_a_date_are_at_most_as_many_as_are_counted(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    streams = ("invoices", "clients", "bills", "time_entries")
    config = {**settings_for(sandbox, tmp_path), "start_date": "2026-01-01T00:00:00Z"}
    found = estimate_of(config, *streams)
    rows, requests, tap = counts_of(config, *streams)
    assert sum(rows.values()) > 0
    for each in found.partitions:
        # The clients of invoices that have changed come too: their balances have moved.
        assert each.cost.is_lower_bound is (each.stream == "clients")
        assert each.cost.is_lower_bound or rows[partition_of(each, tap)] <= each.rows
    assert abs(found.requests - 1 - requests.total()) <= len(found.partitions)


def test_every_report_is_estimated(config: dict[str, Any]) -> None:
    reports = [name for name in every_stream() if name.startswith("report_")]
    config = {**config, "report_interval": "year", "start_date": "2025-01-01T00:00:00Z"}
    found = estimate_of(config, *reports)
    assert found.failed == []
    years = datetime.now(UTC).year - 2024
    read = [each for each in found.partitions if not each.cost.refusal]
    assert {(each.rows, each.cost.requests, each.cost.asked) for each in read} == {
        (years, years, 1)
    }
    assert len({each.stream for each in read}) > 10


def test_what_the_token_may_not_read_is_named(
    sandbox: Sandbox, tmp_path: Path, command: Command
) -> None:
    config = {
        **settings_for(sandbox, tmp_path),
        **sandbox.config(scopes=["user:profile:read", "user:invoices:read"]),
    }
    status, output, _ = run(command, config, tmp_path, "invoices", "bills")
    first = sandbox.businesses()[0]["id"]
    assert status == 0
    [line] = [line for line in output.splitlines() if line.startswith(f"bills        {first} ")]
    assert " 0         1   refused: bills of " in line
    assert "FreshBooks answered 403" in line


def run(
    command: Command, config: Mapping[str, Any], folder: Path, *streams: str, as_json: bool = False
) -> tuple[int, str, str]:
    """Run the command for these streams."""
    path, catalog = folder / "config.json", folder / "catalog.json"
    path.write_text(json.dumps(config))
    catalog.write_text(json.dumps(catalog_of(*streams)))
    options = ["--json"] if as_json else []
    return command("estimate", "--config", str(path), "--catalog", str(catalog), *options)


def test_the_command_says_it_in_a_table_and_in_sentences(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path, command: Command
) -> None:
    status, output, error = run(command, config, tmp_path, "invoice_lines", "time_entries")
    lines = output.splitlines()
    first, second, third = (each["id"] for each in sandbox.businesses()[:3])
    assert status == 0, error
    assert lines[0].split() == ["stream", "business", "rows", "requests"]
    table = {tuple(line.split()[:2]): line.split()[2:] for line in lines[1:6]}
    entries = sandbox.count("time_entries", first)
    assert table["time_entries", str(first)] == [str(entries), str(-(-entries // 100))]
    assert {business for _, business in table} == {str(first), str(second), str(third)}
    rows, requests, *remark = table["invoices", str(first)]
    assert (rows, " ".join(remark)) == ("0", "read for derived streams only")
    assert int(requests) >= 2
    assert "First sync: " in output
    assert "FreshBooks allows 600 a minute" in output
    assert lines[-1].endswith("as many as they hold: invoice_lines")


def test_rows_that_may_count_twice_are_about_so_many(
    config: dict[str, Any], tmp_path: Path, command: Command
) -> None:
    settings = {**config, "start_date": "2025-10-01T00:00:00Z"}
    _, output, _ = run(command, settings, tmp_path, "invoices", "clients")
    [line] = [each for each in output.splitlines() if each.startswith("First sync: ")]
    assert re.match(r"First sync: about [\d,]+ rows, at least [\d,]+ requests", line)
    records = sync(settings, "invoices", "clients").records
    assert 0 < sum(map(len, records.values())) < int(line.split()[3])


def test_the_command_says_it_to_programs(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path, command: Command
) -> None:
    _, output, _ = run(command, config, tmp_path, "time_entries", "journal_entries", as_json=True)
    found = json.loads(output)
    rows = {each["business_id"]: each["rows"] for each in found["streams"][-3:]}
    businesses = sandbox.businesses()[:3]
    assert rows == {each["id"]: sandbox.count("time_entries", each["id"]) for each in businesses}
    assert found["requests"] == 1 + sum(each["requests"] for each in found["streams"])
    assert found["rows"] == sum(each["rows"] for each in found["streams"])
    assert found["is_lower_bound"] is True
    assert [each["is_lower_bound"] for each in found["streams"]][-3:] == [False] * 3
    assert found["pace"]["rate_limit"] == 600


def test_a_stream_of_which_nothing_can_be_said_costs_no_other(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path, command: Command
) -> None:
    first = sandbox.businesses()[0]["account_id"]
    mine = {"client_id": config["client_id"], "path": f"/accounting/account/{first}/*"}
    edits = [{"edit": "rename", "path": "response.result.bills", "to": "invoices"}]
    sandbox.faults("answer", **{**mine, "path": f"{mine['path']}/bills"}, edits=edits)
    total = [{"edit": "set", "path": "response.result.total", "json": "1000000000000000"}]
    sandbox.faults("answer", **{**mine, "path": f"{mine['path']}/clients"}, edits=total)
    streams = ("bills", "clients", "invoices")
    try:
        status, output, _ = run(command, config, tmp_path, *streams, as_json=True)
    finally:
        sandbox.faults_clear()
    assert status == 1
    failures = {each["stream"]: each["failure"] for each in json.loads(output)["streams"]}
    found = [each for each in json.loads(output)["streams"] if each["failure"]]
    assert [each["stream"] for each in found] == ["bills", "clients"]
    assert "has no list at response.result.bills" in found[0]["failure"]
    assert "more than any list should have" in found[1]["failure"]
    assert failures["invoices"] is None
    assert all(each["rows"] for each in json.loads(output)["streams"] if not each["failure"])


def test_totals_that_count_rows_which_the_token_cannot_read_cost_no_more_than_they_do(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    edits = [
        {"edit": "set", "path": "response.result.invoices", "value": []},
        {"edit": "set", "path": "response.result.total", "value": 16},
        {"edit": "set", "path": "response.result.pages", "value": 1},
    ]
    path = "*/invoices/invoices"
    sandbox.faults("answer", client_id=config["client_id"], path=path, edits=edits)
    try:
        found = estimate_of(config, "invoices")
        rows, requests, _ = counts_of(config, "invoices")
    finally:
        sandbox.faults_clear()
    assert found.rows == rows.total() == 0
    assert requests_by_stream(found) == requests


def test_a_size_that_is_ignored_is_the_size_of_a_page(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    rows = [{"id": number, "vis_state": 0} for number in range(15)]
    edits = [
        {"edit": "set", "path": "response.result.tasks", "value": rows},
        {"edit": "set", "path": "response.result.total", "value": 70},
        {"edit": "set", "path": "response.result.pages", "value": 5},
        {"edit": "set", "path": "response.result.per_page", "value": 15},
    ]
    path = "*/projects/tasks"
    sandbox.faults("answer", client_id=config["client_id"], path=path, edits=edits)
    config = {**config, "include_deleted": False}
    try:
        found = estimate_of(config, "tasks")
    finally:
        sandbox.faults_clear()
    # Five pages, and two lists of what changed meanwhile.
    assert [(each.rows, each.cost.requests) for each in found.partitions] == [(70, 7)] * 2


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [
        (Pace(10, 4, 0.0, None), 103),
        (Pace(10, 4, 0.8, None), 200),
        (Pace(10, 4, 0.8, 600), 200),
        (Pace(10, 4, 0.8, 100), 9 * 60 + 20),
        (Pace(1, 4, 0.8, 100), 1030),
    ],
)
def test_the_slowest_of_caps_answers_and_rate_limit_gives_the_time(
    pace: Pace, seconds: float
) -> None:
    assert pace.seconds(1000) == pytest.approx(seconds)
