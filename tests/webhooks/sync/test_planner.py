from __future__ import annotations

import json
import logging
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox.webhooks.events import NOUNS
from tap_freshbooks.config.singer_files import read_state
from tap_freshbooks.errors import TapError
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.webhooks.inbox import ANY
from tap_freshbooks.webhooks.sync import draft, missed_changes, planner
from tests.support import sync
from tests.webhooks.fake_receiver import NOUN_BY_STREAM, FakeReceiver

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

Config = dict[str, Any]

NOT_FOUND = {"status": 404, "content": '{"error": "Requested resource could not be found."}'}


@pytest.fixture
def fake_receiver(own_sandbox: Sandbox, tmp_path: Path) -> FakeReceiver:
    return FakeReceiver(own_sandbox, tmp_path)


@pytest.fixture
def settings(fake_receiver: FakeReceiver, own_config: Config) -> Config:
    return fake_receiver.settings(own_config)


def requests(sandbox: Sandbox) -> dict[str, int]:
    """Requests since the last call, by path."""
    paths: dict[str, int] = sandbox.stats()["paths"]
    sandbox.stats_clear()
    return paths


def requests_of(sandbox: Sandbox, part: str) -> int:
    return sum(number for path, number in requests(sandbox).items() if part in path)


def test_an_idle_account_costs_no_request(
    own_sandbox: Sandbox, settings: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tap-freshbooks")
    first = sync(settings)
    ours = [each for each in caplog.records if each.name.startswith("tap-freshbooks")]
    said = [record.getMessage() for record in ours if record.levelno >= logging.INFO]
    whole = [text for text in said if "not read yet with this webhook inbox" in text]
    assert ["invoices, " in text for text in whole] == [True]  # one line for all
    assert len(said) <= 10
    assert len(first.records["invoices"]) >= 60
    requests(own_sandbox)
    second = sync(settings, state=first.state)
    assert requests(own_sandbox) == {}
    assert [message["type"] for message in second.all] == ["STATE"]
    assert second.state["bookmarks"].keys() == first.state["bookmarks"].keys()


def test_an_edit_costs_a_request_for_the_object_and_for_each_related_one(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    first = sync(settings)
    invoice = own_sandbox.truth("invoices")[0]
    own_sandbox.update("invoices", invoice["id"], notes="changed")
    fake_receiver.deliver(
        "invoice.update", invoice["id"], invoice["id"]
    )  # two equal ones are one request
    requests(own_sandbox)
    second = sync(settings, state=first.state)
    account = fake_receiver.accounts[0][0]
    assert requests(own_sandbox) == {
        f"GET /accounting/account/{account}/invoices/invoices/{invoice['id']}": 1,
        f"GET /accounting/account/{account}/users/clients/{invoice['customerid']}": 1,
    }
    [record] = second.records["invoices"]
    assert record["notes"] == "changed"
    assert [line["invoiceid"] for line in second.records["invoice_lines"]] == [
        invoice["id"] for _ in record["lines"]
    ]
    assert record["lines"]
    assert set(second.records) == {"invoices", "invoice_lines", "clients", "client_contacts"} or (
        set(second.records) == {"invoices", "invoice_lines", "clients"}
    )
    requests(own_sandbox)
    assert sync(settings, state=second.state).records == {}
    assert requests(own_sandbox) == {}


def test_an_object_of_an_event_has_unknown_fields_too(
    own_sandbox: Sandbox,
    settings: Config,
    fake_receiver: FakeReceiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keeping = {**settings, "unknown_fields": "keep"}
    first = sync(keeping, "invoices", "invoice_lines")
    edits = [
        {"edit": "set", "path": "response.result.invoice.new", "value": 1},
        {"edit": "set", "path": "response.result.invoice.lines.0.new", "value": 2},
    ]
    own_sandbox.faults("answer", path="*/invoices/invoices/*", edits=edits)
    fake_receiver.deliver("invoice.update", own_sandbox.truth("invoices")[0]["id"])
    second = sync(keeping, "invoices", "invoice_lines", state=first.state)
    [record] = second.records["invoices"]
    assert record["_extra"] == {"new": 1, "lines[0].new": 2}
    assert second.records["invoice_lines"][0]["_extra"] == {"new": 2}
    assert "came in the column _extra: lines.new, new;" in caplog.text


def test_what_the_target_did_not_confirm_is_read_again(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    first = sync(settings, "invoices")
    invoice = own_sandbox.truth("invoices")[0]
    fake_receiver.deliver("invoice.update", invoice["id"])
    for _ in range(2):  # the state of the first attempt is lost
        again = sync(settings, "invoices", state=first.state)
        assert [record["id"] for record in again.records["invoices"]] == [invoice["id"]]


@pytest.mark.parametrize("stream", NOUN_BY_STREAM)
def test_a_fetched_object_equals_its_row_of_the_list(
    sandbox: Sandbox, config: Config, tmp_path: Path, stream: str
) -> None:
    fake_receiver = FakeReceiver(sandbox, tmp_path)
    settings = fake_receiver.settings(config)
    first = sync(settings, stream)
    key = next(each for each in STREAMS if each.name == stream).key[0]
    account, business = fake_receiver.accounts[0]
    listed = {
        record[key]: record
        for record in first.records[stream]
        if account == record.get("account_id") or business == str(record.get("business_id"))
    }
    assert listed
    some = sorted(listed)[:: max(1, len(listed) // 40)]
    fake_receiver.deliver(f"{NOUN_BY_STREAM[stream]}.update", *some)
    second = sync(settings, stream, state=first.state)
    fetched = {record[key]: record for record in second.records[stream]}
    for record in [*fetched.values(), *listed.values()]:
        # Where nothing says when it was deleted, it is the moment of the read.
        if "_sdc_deleted_at" in record:
            record["_sdc_deleted_at"] = record["_sdc_deleted_at"] is not None
    assert fetched == {each: listed[each] for each in some}


@pytest.mark.parametrize(
    "stream", ["clients", "invoices", "bills", "projects", "time_entries", "items", "services"]
)
def test_a_deleted_object_that_can_be_read_is_a_deleted_record(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver, stream: str
) -> None:
    first = sync(settings, stream)
    [created] = own_sandbox.create(stream)
    own_sandbox.delete(stream, created["id"])
    fake_receiver.deliver(f"{NOUN_BY_STREAM[stream]}.delete", created["id"])
    [record] = sync(settings, stream, state=first.state).records[stream]
    assert record["id"] == created["id"]
    assert record["_sdc_deleted_at"] is not None
    assert len(record) > 5


@pytest.mark.parametrize("stream", ["clients", "time_entries"])
def test_a_deleted_object_that_cannot_be_read_is_found_in_the_list(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver, stream: str
) -> None:
    first = sync(settings, stream)
    [created] = own_sandbox.create(stream)
    own_sandbox.delete(stream, created["id"])
    own_sandbox.faults("answer", path=f"*/{stream}/{created['id']}", **NOT_FOUND)
    fake_receiver.deliver(f"{NOUN_BY_STREAM[stream]}.delete", created["id"])
    [record] = sync(settings, stream, state=first.state).records[stream]
    assert record["id"] == created["id"]
    assert record["_sdc_deleted_at"] is not None
    assert len(record) > 5


def test_an_object_that_is_not_there_any_more_is_a_deletion(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    first = sync(settings, "taxes")
    tax = own_sandbox.truth("taxes")[0]
    own_sandbox.delete("taxes", tax["id"])
    fake_receiver.deliver("tax.delete", tax["id"])
    second = sync(settings, "taxes", state=first.state)
    [record] = second.records["taxes"]
    assert record.keys() == {"account_id", "id", "_sdc_deleted_at"}
    assert record["id"] == tax["id"]
    assert record["_sdc_deleted_at"] is not None
    assert not [message for message in second.all if message["type"] == "ACTIVATE_VERSION"]
    # The next read of the lists sends the table whole, for targets that remove rows.
    third = sync({**settings, "reconcile_interval": 0}, "taxes", state=second.state)
    assert [message for message in third.all if message["type"] == "ACTIVATE_VERSION"]
    account = fake_receiver.accounts[0][0]
    keys = {(record["account_id"], record["id"]) for record in third.records["taxes"]}
    assert len(keys) > 1
    assert (account, tax["id"]) not in keys


def test_a_payment_changes_its_invoice_and_its_client_whether_there_are_events_or_not(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    streams = ("payments", "invoices", "clients")
    first = sync(settings, *streams)
    invoice = next(
        record
        for record in first.records["invoices"]
        if float(record["outstanding"]["amount"]) > 10
        and record["account_id"] == fake_receiver.accounts[0][0]
    )
    [payment] = own_sandbox.create(
        "payments",
        invoiceid=invoice["id"],
        amount={"amount": "1.00", "code": invoice["currency_code"]},
        date="2026-01-05",
        type="Check",
    )
    fake_receiver.deliver("payment.create", payment["id"])
    requests(own_sandbox)
    second = sync(settings, *streams, state=first.state)
    assert sum(requests(own_sandbox).values()) == 3
    [paid] = second.records["invoices"]
    assert paid["id"] == invoice["id"]
    assert float(paid["outstanding"]["amount"]) == float(invoice["outstanding"]["amount"]) - 1
    assert [record["id"] for record in second.records["clients"]] == [invoice["customerid"]]


# Reads of the lists


def lists_read(sandbox: Sandbox) -> bool:
    return requests_of(sandbox, "/invoices/invoices") > 0


def test_a_gap_makes_one_read_of_the_lists(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    state = sync(settings, "invoices").state
    requests(own_sandbox)
    fake_receiver.inbox.append_gap(fake_receiver.accounts[0][0], "client", "of another noun")
    state = sync(settings, "invoices", state=state).state
    assert not lists_read(own_sandbox)
    for account, noun in ((fake_receiver.accounts[0][0], "invoice"), (ANY, ANY)):
        fake_receiver.inbox.append_gap(account, noun, "the receiver was down")
        state = sync(settings, "invoices", state=state).state
        assert lists_read(own_sandbox)
        state = sync(settings, "invoices", state=state).state
        assert not lists_read(own_sandbox)


def test_an_inbox_that_is_not_the_same_is_a_gap(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver, tmp_path: Path
) -> None:
    state = sync(settings, "invoices").state
    fake_receiver.deliver("invoice.update", 1)
    fake_receiver.inbox.prune(before=9e9)
    requests(own_sandbox)
    state = sync(settings, "invoices", state=state).state
    assert lists_read(own_sandbox)
    assert not sync(settings, "invoices", state=state).records
    (tmp_path / "other").mkdir()
    other = FakeReceiver(own_sandbox, tmp_path / "other").settings(settings)
    requests(own_sandbox)
    state = sync(other, "invoices", state=state).state
    assert lists_read(own_sandbox)


def test_an_inbox_from_an_old_backup_is_a_gap(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    fake_receiver.deliver("invoice.update", 1)
    state = sync(settings, "invoices").state
    with sqlite3.connect(fake_receiver.location) as database:
        database.execute("DELETE FROM tap_freshbooks_inbox_events")
    database.close()
    requests(own_sandbox)
    sync(settings, "invoices", state=state)
    assert lists_read(own_sandbox)


def test_rows_that_others_change_without_a_timestamp_are_all_sent_by_the_reconcile_pass(
    settings: Config,
) -> None:
    """No filter shows what a lost event would have: a project's time moves no timestamp."""
    first = sync(settings, "projects")
    again = sync({**settings, "reconcile_interval": 0}, "projects", state=first.state)
    ids = [[row["id"] for row in messages.records["projects"]] for messages in (first, again)]
    assert ids[0]
    assert sorted(ids[0]) == sorted(ids[1])


def test_lists_are_read_after_the_reconcile_interval(
    own_sandbox: Sandbox, settings: Config
) -> None:
    state = sync(settings, "invoices").state
    requests(own_sandbox)
    sync({**settings, "reconcile_interval": 0}, "invoices", state=state)
    assert lists_read(own_sandbox)


def test_many_changes_are_read_from_the_lists(
    own_sandbox: Sandbox,
    settings: Config,
    fake_receiver: FakeReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draft, "MAX_OBJECT_READS", 5)
    state = sync(settings, "invoices").state
    ids = [row["id"] for row in own_sandbox.truth("invoices")[:6]]
    for each in ids:
        own_sandbox.update("invoices", each, notes="changed")
    fake_receiver.deliver("invoice.update", *ids)
    requests(own_sandbox)
    second = sync(settings, "invoices", state=state)
    assert lists_read(own_sandbox)
    changed = {r["id"] for r in second.records["invoices"] if r["notes"] == "changed"}
    assert changed == set(ids)


@pytest.mark.parametrize("blocked_by", ["no receiver", "not verified"])
def test_while_no_events_can_come_streams_are_polled(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver, blocked_by: str
) -> None:
    state = sync(settings, "invoices").state
    if blocked_by == "no receiver":
        with sqlite3.connect(fake_receiver.location) as database:
            database.execute("UPDATE tap_freshbooks_receivers SET seen_at = seen_at - 100")
        database.close()
    else:
        fake_receiver.store.update(fake_receiver.paths[0, "invoice"], verified=False)
    requests(own_sandbox)
    sync(settings, "invoices", state=state)
    assert not lists_read(own_sandbox)
    sync({**settings, "poll_interval": 0}, "invoices", state=state)
    assert lists_read(own_sandbox)


def test_while_events_come_the_poll_interval_does_not_matter(
    own_sandbox: Sandbox, settings: Config
) -> None:
    state = sync(settings, "invoices").state
    requests(own_sandbox)
    sync({**settings, "poll_interval": 0}, "invoices", state=state)
    assert not lists_read(own_sandbox)


def test_streams_without_events_are_polled(own_sandbox: Sandbox, settings: Config) -> None:
    streams = ("staffs", "report_profit_loss", "businesses", "tasks")
    state = sync(settings, *streams).state
    requests(own_sandbox)
    assert sync(settings, *streams, state=state).records == {}
    assert requests(own_sandbox) == {}
    third = sync({**settings, "poll_interval": 0}, *streams, state=state)
    assert third.records == {}  # nothing has changed
    paths = " ".join(requests(own_sandbox))
    assert all(part in paths for part in ("/staffs", "/profitloss", "/users/me"))


def test_of_both_intervals_the_longer_one_counts_and_none_delays_events(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    streams = ("staffs", "tasks", "businesses", "taxes")
    settings = {**settings, "full_table_interval": 24, "poll_interval": 1}
    state = sync(settings, *streams).state
    polled = {**settings, "poll_interval": 0}
    requests(own_sandbox)
    sync(polled, *streams, state=state)
    ends = {path.rpartition("/")[2] for path in requests(own_sandbox)}
    assert {"tasks", "me"} <= ends  # of these, no list can only be read whole
    assert not {"staffs", "taxes"} & ends
    tax = own_sandbox.truth("taxes")[0]["taxid"]
    fake_receiver.deliver("tax.update", tax)
    second = sync(settings, *streams, state=state)
    assert [row["id"] for row in second.records["taxes"]] == [tax]
    requests(own_sandbox)
    sync({**settings, "reconcile_interval": 0}, *streams, state=second.state)
    assert {path.rpartition("/")[2] for path in requests(own_sandbox)} == {"taxes"}
    fake_receiver.store.update(fake_receiver.paths[0, "tax"], verified=False)
    sync(polled, *streams, state=second.state)
    assert not requests_of(own_sandbox, "/taxes")  # although no events of it can come
    sync({**polled, "full_table_interval": {"staffs": 24}}, *streams, state=second.state)
    assert requests_of(own_sandbox, "/taxes")


def test_a_stream_that_is_selected_later_is_read_at_once(settings: Config) -> None:
    state = sync(settings, "invoices", "staffs").state
    second = sync(settings, "invoices", "invoice_lines", "staffs", "tasks", state=state)
    assert second.records["invoice_lines"]
    assert second.records["tasks"]
    assert not second.records["staffs"]


def test_a_stream_that_may_not_be_read_is_asked_again_later(
    own_sandbox: Sandbox, settings: Config
) -> None:
    own_sandbox.faults("deny", path="*/invoices/invoices*")
    state = sync(settings, "invoices", "payments").state
    own_sandbox.faults_clear()
    requests(own_sandbox)
    state = sync(settings, "invoices", state=state).state
    assert not lists_read(own_sandbox)
    third = sync({**settings, "poll_interval": 0}, "invoices", state=state)
    assert len(third.records["invoices"]) >= 60


# Changes without an event


def test_changed_rows_without_an_event_are_counted(
    own_sandbox: Sandbox,
    settings: Config,
    fake_receiver: FakeReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (planner, missed_changes):
        monkeypatch.setattr(module, "DELIVERY_GRACE", timedelta(0))
    state = sync(settings, "invoices").state
    own_sandbox.clock(advance=600)
    reported, missed, pending = (row["id"] for row in own_sandbox.truth("invoices")[:3])
    for each in (reported, missed):
        own_sandbox.update("invoices", each, notes="changed")
    fake_receiver.deliver("invoice.update", reported)
    own_sandbox.clock(advance=600)
    state = sync(settings, "invoices", state=state).state
    own_sandbox.update("invoices", pending, notes="changed")
    fake_receiver.deliver("invoice.update", pending)
    own_sandbox.clock(advance=600)
    state = sync({**settings, "reconcile_interval": 0}, "invoices", state=state).state
    account = fake_receiver.accounts[0][0]
    assert {key: rows for key, (rows, _) in fake_receiver.store.missed_rows().items()} == {
        (account, "invoice"): 1
    }
    own_sandbox.clock(advance=600)
    sync({**settings, "reconcile_interval": 0}, "invoices", state=state)
    assert fake_receiver.store.missed_rows()[account, "invoice"][0] == 1


def test_an_inbox_that_cannot_be_read_is_a_sentence(config: Config, tmp_path: Path) -> None:
    (tmp_path / "inbox.db").write_text("no database " * 1000)
    with pytest.raises(TapError, match=r"the webhook inbox sqlite:///.* cannot be opened"):
        sync({**config, "webhook_inbox": str(tmp_path / "inbox.db")}, "invoices")


def test_every_noun_has_a_stream_of_lists() -> None:
    streams = [each for each in STREAMS if each.webhook_noun]
    nouns = {each.webhook_noun: each.name for each in streams}
    assert nouns == {noun: NOUNS[noun].resource for noun in NOUNS}, (
        "a noun of events is the webhook_noun of a stream and in NOUNS of the sandbox, "
        "freshbooks_sandbox/webhooks/events.py"
    )
    assert all(issubclass(each, ListStream) for each in streams)
    names = {each.name: each for each in STREAMS}
    for stream in streams:
        assert issubclass(stream, ListStream)
        for name in stream.affected_by:
            assert names[name].webhook_noun


def test_a_state_message_is_a_state(settings: Config, tmp_path: Path) -> None:
    state = sync(settings, "taxes").state
    for number, content in enumerate([state, {"type": "STATE", "value": state}]):
        path = tmp_path / f"state-{number}.json"
        path.write_text(json.dumps(content))
        with path.open() as file:
            assert read_state(file) == state


def test_a_row_that_came_by_an_event_and_went_without_one_is_removed_by_the_reconcile_pass(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    first = sync(settings, "taxes")
    [tax] = own_sandbox.create("taxes", name="For a moment", amount="3")
    fake_receiver.deliver("tax.create", tax["taxid"])
    second = sync(settings, "taxes", state=first.state)
    assert [row["id"] for row in second.records["taxes"]] == [tax["taxid"]]
    own_sandbox.delete("taxes", tax["taxid"])
    third = sync({**settings, "reconcile_interval": 0}, "taxes", state=second.state)
    assert "ACTIVATE_VERSION" in {message["type"] for message in third.all}
    assert tax["taxid"] not in {row["id"] for row in third.records["taxes"]}


@pytest.mark.parametrize("stream", ["items", "credit_notes"])
def test_where_deleted_rows_have_a_list_it_is_read_then(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver, stream: str
) -> None:
    # The list of rows that are there is the one of the last reading: none is missing from it.
    first = sync(settings, stream)
    [row] = own_sandbox.create(stream)
    fake_receiver.deliver(f"{NOUN_BY_STREAM[stream]}.create", row["id"])
    second = sync(settings, stream, state=first.state)
    assert [record["id"] for record in second.records[stream]] == [row["id"]]
    own_sandbox.delete(stream, row["id"])
    third = sync({**settings, "reconcile_interval": 0}, stream, state=second.state)
    deleted = {record["id"] for record in third.records[stream] if record["_sdc_deleted_at"]}
    assert row["id"] in deleted


def test_what_was_denied_is_read_later_although_events_go_on(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    state = sync(settings, "invoices").state
    one, other = (row["id"] for row in own_sandbox.truth("invoices")[:2])
    own_sandbox.update("invoices", one, notes="while denied")
    fake_receiver.deliver("invoice.update", one)
    own_sandbox.faults("deny", path="*/invoices/invoices*")
    state = sync(settings, "invoices", "payments", state=state).state
    own_sandbox.faults_clear()
    fake_receiver.deliver("invoice.update", other)
    state = sync(settings, "invoices", state=state).state
    third = sync({**settings, "poll_interval": 0}, "invoices", state=state)
    assert one in {row["id"] for row in third.records["invoices"]}


def test_events_of_a_deletion_come_in_any_order(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    assert own_sandbox
    state = sync(settings, "invoices").state
    fake_receiver.deliver("invoice.delete", 99_999_901)
    fake_receiver.deliver("invoice.update", 99_999_901)
    second = sync(settings, "invoices", state=state)
    [row] = [row for row in second.records["invoices"] if row["id"] == 99_999_901]
    assert row["_sdc_deleted_at"]


def test_a_payment_that_is_gone_still_changes_its_invoice(
    own_sandbox: Sandbox, settings: Config, fake_receiver: FakeReceiver
) -> None:
    state = sync(settings, "invoices").state
    invoice = own_sandbox.truth("invoices")[0]["id"]
    own_sandbox.update("invoices", invoice, notes="as its payment would")
    fake_receiver.deliver("payment.delete", 99_999_901)  # it is not known any more of which invoice
    second = sync(settings, "invoices", state=state)
    assert invoice in {row["id"] for row in second.records["invoices"]}
    assert len(second.records["invoices"]) < 60
