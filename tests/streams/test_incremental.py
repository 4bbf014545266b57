"""A second run delivers what changed, and the traps that could make it miss something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from freshbooks_sandbox import Sandbox, paging
from tap_freshbooks.streams import bookmarks
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.transport.client import FreshBooksClient
from tests.conftest import settings_for
from tests.support import Messages, catalog_of, failing_sync, sync

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import Record

SERVER_FILTER = [
    "clients",
    "invoices",
    "estimates",
    "payments",
    "expenses",
    "projects",
    "time_entries",
]


CAPS = [100, 8]
"""Rows on a page: lists of one page are read whole, others with their filter."""


def by_id(messages: Messages, stream: str, account: str | int) -> dict[int, Record]:
    return {
        record["id"]: record
        for record in messages.records[stream]
        if account in (record.get("account_id"), record.get("business_id"))
    }


@pytest.mark.parametrize("stream", SERVER_FILTER)
def test_created_changed_and_deleted_rows_arrive_and_old_ones_do_not(
    own_sandbox: Sandbox, own_config: dict[str, Any], stream: str
) -> None:
    before = sync(own_config, stream)
    rows = [row["id"] for row in own_sandbox.truth(stream) if row.get("vis_state", 0) == 0]
    rows = [row for row in rows if by_id_is_active(own_sandbox, stream, row)]
    text = {"clients": "note", "payments": "note", "time_entries": "note", "projects": "title"}
    field = text.get(stream, "notes")
    [created] = own_sandbox.create(stream)
    whole: dict[str, Any] = {}  # a PUT replaces a time entry, where it merges into the others
    if stream == "time_entries":
        whole = {"is_logged": True, "started_at": "2026-01-05T10:00:00Z", "duration": 600}
    changed = own_sandbox.update(stream, rows[0], **whole, **{field: "mended"})
    deleted = own_sandbox.delete(stream, rows[1])

    after = sync(own_config, stream, state=before.state)
    business = own_sandbox.businesses()[0]
    records = by_id(after, stream, business["account_id"]) | by_id(after, stream, business["id"])
    assert created["id"] in records
    assert records[changed["id"]][field] == "mended"
    assert records[changed["id"]]["_sdc_deleted_at"] is None
    assert records[deleted["id"]]["_sdc_deleted_at"] is not None
    assert len(after.records[stream]) < len(before.records[stream]) / 2


def by_id_is_active(sandbox: Sandbox, stream: str, key: int) -> bool:
    [row] = [row for row in sandbox.truth(stream) if row["id"] == key]
    return bool(row.get("active", True)) and not row.get("complete", False)


def test_the_bookmark_is_the_time_of_the_run_and_not_that_of_a_row(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    # A row stamped while the run goes on must be read again by the next one.
    own_sandbox.clock(now=(datetime.now(UTC) + timedelta(hours=2)).isoformat())
    own_sandbox.update("invoices", "newest", notes="from the future")
    own_sandbox.clock()
    state = sync(own_config, "invoices").state
    for partition in state["bookmarks"]["invoices"]["partitions"]:
        assert datetime.fromisoformat(partition["replication_key_value"]) <= datetime.now(UTC)


@pytest.mark.parametrize("zone", ["eastern", "utc"])
@pytest.mark.parametrize("moment", ["2026-03-10T23:30:00-04:00", "2026-03-11T00:30:00-04:00"])
def test_no_change_around_midnight_is_missed_whatever_zone_the_server_compares_in(
    tmp_path: Path, zone: str, moment: str
) -> None:
    with Sandbox(invoices=20, rate_limit=0, behaviours={"updated_day_zone": zone}) as sandbox:
        config = settings_for(sandbox, tmp_path)
        first = datetime.fromisoformat(moment)
        sandbox.clock(now=first.isoformat(), frozen=True)
        sandbox.update("invoices", "oldest", notes="one")
        state = sync(config, "invoices").state
        sandbox.clock(now=(first + timedelta(minutes=1)).isoformat(), frozen=True)
        changed = sandbox.update("invoices", "newest", notes="two")
        after = sync(config, "invoices", state=state)
        assert changed["id"] in {record["id"] for record in after.records["invoices"]}


@pytest.mark.parametrize("streams", [["invoices"], ["items"], ["clients"]])
def test_a_server_that_ignores_the_filter_costs_time_but_no_row(
    tmp_path: Path,
    streams: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paging, "CAP", 3)  # a list of one page is not filtered
    with Sandbox(
        invoices=20, rate_limit=0, behaviours={"updated_filter_ignored": "all"}
    ) as sandbox:
        config = settings_for(sandbox, tmp_path)
        first = sync(config, *streams)
        changed = sandbox.update(streams[0], "oldest", name="mended", note="mended", notes="mended")
        second = sync(config, *streams, state=first.state)
        assert {record["id"] for record in second.records[streams[0]]} == {changed["id"]}
        ignored = [line for line in caplog.messages if "ignores the filter by change" in line]
        assert len(ignored) == 1


@pytest.mark.parametrize("cap", CAPS)
def test_an_invoice_that_becomes_overdue_arrives_although_its_stamp_stays(
    own_sandbox: Sandbox,
    own_config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    cap: int,
) -> None:
    monkeypatch.setattr(paging, "CAP", cap)
    today = datetime.now(UTC).date()
    [created] = own_sandbox.create(
        "invoices", create_date=today.isoformat(), due_offset_days=10, status=2
    )
    first = sync(own_config, "invoices")
    own_sandbox.clock(advance=20 * 86_400)
    state = first.state
    for partition in state["bookmarks"]["invoices"]["partitions"]:
        partition["full_read_at"] = datetime.now(UTC).isoformat()  # no full refresh is due
    second = sync(own_config, "invoices", state=state)
    [row] = [row for row in own_sandbox.truth("invoices") if row["id"] == created["id"]]
    assert (row["v3_status"], row["updated"]) == ("overdue", created["updated"])
    arrived = {(record["id"], record["v3_status"]) for record in second.records["invoices"]}
    assert arrived == {(created["id"], "overdue")}


@pytest.mark.parametrize("cap", CAPS)
def test_a_client_arrives_when_his_balance_moves_although_his_stamp_stays(
    own_sandbox: Sandbox,
    own_config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    cap: int,
) -> None:
    monkeypatch.setattr(paging, "CAP", cap)
    first = sync(own_config, "clients")
    [invoice] = own_sandbox.create("invoices", status=2)
    second = sync(own_config, "clients", state=first.state)
    [client] = second.records["clients"]
    assert client["id"] == invoice["customerid"]
    account = own_sandbox.businesses()[0]["account_id"]
    [before] = [
        each
        for each in first.records["clients"]
        if (each["account_id"], each["id"]) == (account, client["id"])
    ]
    assert client["updated"] == before["updated"]
    assert client["grand_total_balance"] != before["grand_total_balance"]

    own_sandbox.delete("invoices", invoice["id"])  # no list shows it any more
    third = sync(own_config, "clients", state=second.state)
    [client] = third.records["clients"]
    assert client["grand_total_balance"] == before["grand_total_balance"]


def test_a_stream_is_read_whole_when_its_last_full_read_is_old_or_yet_to_come(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    state = sync(config, "items", "expense_categories").state
    for stream, read_at in (
        ("items", "2020-01-01T00:00:00Z"),
        ("expense_categories", "2999-01-01"),
    ):
        for partition in state["bookmarks"][stream]["partitions"]:
            partition["full_read_at"] = read_at  # long ago, or at a time that cannot be
    again = sync(config, "items", "expense_categories", state=state)
    assert len(again.records["items"]) == sandbox.count("items") + sandbox.count("items", 2)
    assert len(again.records["expense_categories"]) == 2 * sandbox.count("expense_categories")
    after = sync(config, "items", "expense_categories", state=again.state)
    assert after.records == {}
    always = sync({**config, "full_refresh_interval": 0}, "items", state=again.state)
    assert len(always.records["items"]) == len(again.records["items"])


def test_fields_that_are_new_and_values_that_do_not_fit_are_told_once_and_without_the_value(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    row = '{"id": %d, "name": "x", "new": 1, "newer": 2, "tax1": "sekret"}'
    rows = ", ".join(row % number for number in (1, 2, 3))
    sandbox.faults(
        "status",
        status=200,
        body=f'{{"response": {{"result": {{"items": [{rows}], "page": 1, "pages": 1}}}}}}',
        content_type="application/json",
        client_id=config["client_id"],
        path="*/items/*",
    )
    messages = sync(config, "items")
    sandbox.faults_clear()
    assert all(record["tax1"] is None for record in messages.records["items"])
    warnings = [each.message for each in caplog.records if each.name == "tap-freshbooks.items"]
    assert sum("new, newer" in text for text in warnings) == 1
    assert sum("The field tax1 held a str" in text for text in warnings) == 1
    assert "sekret" not in caplog.text


def test_start_date_leaves_out_what_did_not_change_since(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    start = datetime(2025, 6, 1, tzinfo=UTC)
    messages = sync({**config, "start_date": "2025-06-01T00:00:00Z"}, "invoices", "time_entries")
    delivered = {(r["account_id"], r["id"]) for r in messages.records["invoices"]}
    for position in (1, 2):
        account = sandbox.businesses()[position - 1]["account_id"]
        for row in sandbox.truth("invoices", position):
            timestamp = datetime.fromisoformat(row["updated"]).replace(
                tzinfo=ZoneInfo("America/New_York")
            )
            if timestamp >= start:
                assert (account, row["id"]) in delivered
            elif timestamp < start - timedelta(days=3) and row["v3_status"] != "overdue":
                assert (account, row["id"]) not in delivered
    assert 0 < len(messages.records["time_entries"]) < 360


def test_a_failed_run_moves_no_bookmark_of_the_business_it_failed_in(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    second = sandbox.businesses()[1]["account_id"]
    sandbox.faults("status", client_id=config["client_id"], path=f"*/{second}/payments/*")
    messages, _ = failing_sync({**config, "max_attempts": 2}, "payments")
    sandbox.faults_clear()
    assert "gave up after 2 attempts" in caplog.text
    bookmarks = {
        partition["context"]["account_id"]: partition.get("replication_key_value")
        for partition in messages.state["bookmarks"]["payments"]["partitions"]
    }
    assert bookmarks[second] is None
    assert bookmarks[sandbox.businesses()[0]["account_id"]] is not None


def test_time_entries_are_bookmarked_by_the_begin_of_the_read(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    assert sandbox
    began = datetime.now(UTC).replace(microsecond=0)
    state = sync(config, "time_entries").state
    partitions = state["bookmarks"]["time_entries"]["partitions"]
    assert len(partitions) == 3
    for partition in partitions:
        read_at = datetime.fromisoformat(partition["replication_key_value"])
        assert began <= read_at <= datetime.now(UTC)


def test_a_time_entry_that_was_edited_while_the_list_was_read_comes_with_the_next_run(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    own_sandbox.create("time_entries", count=150)
    own_sandbox.faults(
        "change",
        action="update",
        resource="time_entries",
        which="newest",
        values={
            "note": "mended",
            "is_logged": True,
            "started_at": "2026-01-05T10:00:00Z",
            "duration": 600,
        },
        path="*/time_entries",
        times=1,
    )
    first = sync(own_config, "time_entries")
    second = sync(own_config, "time_entries", state=first.state)
    assert "mended" in {record["note"] for record in second.records["time_entries"]}


def test_full_table_can_be_forced(sandbox: Sandbox, config: dict[str, Any]) -> None:
    state = sync(config, "time_entries", "invoices").state
    catalog = catalog_of("time_entries", "invoices")
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    messages = Messages()
    tap = TapFreshBooks(config=config, catalog=catalog, state=state, message_writer=messages)
    tap.sync_all()
    assert len(messages.records["invoices"]) == sum(sandbox.count("invoices", n) for n in (1, 2))
    assert len(messages.records["time_entries"]) == sum(
        sandbox.count("time_entries", n) for n in (1, 2, 3)
    )


def test_clients_are_read_again_even_if_the_token_may_not_read_the_invoices_behind_their_balances(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scopes = ["user:profile:read", "user:clients:read"]
    config = {**sandbox.config(scopes=scopes), "token_store": str(tmp_path / "tokens.json")}
    first = sync(config, "clients")
    assert first.records["clients"]
    second = sync(config, "clients", state=first.state)
    assert "The balances of clients are brought up to date by the next full read" in caplog.text
    assert "user:invoices:read" in caplog.text
    bookmarks = [each.state["bookmarks"]["clients"]["partitions"] for each in (first, second)]
    assert len(bookmarks[1]) == len(bookmarks[0]) == 2


def test_a_service_that_no_list_shows_as_deleted_vanishes(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    first = sync(own_config, "services")
    gone = own_sandbox.delete("services", "newest")
    second = sync(own_config, "services", state=first.state)
    assert "ACTIVATE_VERSION" in {message["type"] for message in second.all}
    before, after = (
        {(row["business_id"], row["id"]) for row in run.records["services"]}
        for run in (first, second)
    )
    assert after == before - {(gone["business_id"], gone["id"])}


def test_a_read_that_began_as_an_incremental_one_is_not_booked_as_a_full_one(
    own_sandbox: Sandbox, own_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`full_refresh_interval` is over between the first request and the end of the reading."""
    first = sync(own_config, "invoices")
    before = {
        tuple(each["context"].items()): each["full_read_at"]
        for each in first.state["bookmarks"]["invoices"]["partitions"]
    }
    assert len(before) > 1
    own_sandbox.clock(advance=60)
    ahead = timedelta()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + ahead

    def get(self: FreshBooksClient, path: str, *args: Any, **kwargs: Any) -> Any:
        nonlocal ahead
        if path.endswith("/invoices"):
            ahead = timedelta(days=8)
        return asked(self, path, *args, **kwargs)

    asked = FreshBooksClient.get
    monkeypatch.setattr(FreshBooksClient, "get", get)
    monkeypatch.setattr(bookmarks, "datetime", Clock)
    again = sync(own_config, "invoices", state=first.state)
    assert ahead
    assert before == {
        tuple(each["context"].items()): each["full_read_at"]
        for each in again.state["bookmarks"]["invoices"]["partitions"]
    }
