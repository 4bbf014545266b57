"""Unified streams read what the native ones read, remember it, and see what is deleted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.commands.webhooks import nouns_needed
from tap_freshbooks.login.scopes import required_by, selected_streams
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.unified.mapping_loader import load
from tests.support import Messages, catalog_of, every_stream, sync
from tests.unified.golden import rows_of, tap_with
from tests.webhooks.fake_receiver import FakeReceiver

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

Config = dict[str, Any]

MAPPINGS = load()

CHANGED = "tests changed this"


def asked(sandbox: Sandbox) -> dict[str, int]:
    """Requests since the last call, by path; those for tokens and for the user left out."""
    paths: dict[str, int] = sandbox.stats()["paths"]
    sandbox.stats_clear()
    return {path: number for path, number in paths.items() if "/auth/" not in path}


def ids(messages: Messages, stream: str) -> set[str]:
    return {row["id"] for row in messages.records[stream]}


def test_nothing_unified_is_read_unless_it_is_selected(own_config: Config) -> None:
    assert not [name for name in sync(own_config).records if name.startswith("unified_")]
    assert {name for name in every_stream() if name.startswith("unified_")} == set(MAPPINGS)


@pytest.mark.parametrize("stream", MAPPINGS)
def test_both_cost_no_request_more_than_one(
    own_sandbox: Sandbox, own_config: Config, stream: str
) -> None:
    sources = set(MAPPINGS[stream].sources) | (
        {"systems"} if stream == "unified_company_info" else set()
    )
    asked(own_sandbox)
    sync(own_config, *sources)
    native = asked(own_sandbox)
    both = sync(own_config, stream, *sources)
    assert asked(own_sandbox) == native
    alone = sync(own_config, stream)
    assert asked(own_sandbox) == native
    assert alone.records[stream] == both.records[stream]
    assert set(alone.records) == {stream}
    schemas = [each["stream"] for each in alone.all if each["type"] == "SCHEMA"]
    assert schemas == [stream]


def test_only_what_changed_is_delivered_again(own_sandbox: Sandbox, own_config: Config) -> None:
    streams = ["unified_invoices", "unified_invoice_lines", "unified_contacts", "unified_expenses"]
    first = sync(own_config, *streams)
    invoice = own_sandbox.truth("invoices")[0]
    own_sandbox.update("invoices", invoice["id"], notes=CHANGED)
    own_sandbox.update(
        "bill_vendors", own_sandbox.truth("bill_vendors")[0]["vendorid"], note=CHANGED
    )
    second = sync(own_config, *streams, state=first.state)
    [row] = [row for row in second.records["unified_invoices"] if row["customer_memo"] == CHANGED]
    assert row["id"] == f"invoices:{invoice['id']}"
    assert len(second.records["unified_invoices"]) < 10 < len(first.records["unified_invoices"])
    lines = [
        line for line in second.records["unified_invoice_lines"] if line["invoice_id"] == row["id"]
    ]
    assert len(lines) == row["line_count"]
    assert {line["parent_remote_updated_at"] for line in lines} == {row["remote_updated_at"]}
    vendors = [row for row in second.records["unified_contacts"] if row["contact_type"] == "vendor"]
    assert CHANGED in {vendor["notes"] for vendor in vendors}
    assert len(vendors) < 5


def test_the_bookmark_of_one_source_says_nothing_of_another(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    own_sandbox.faults("deny", reason="feature", path="*/bill_vendors/*")
    first = sync(own_config, "unified_contacts")
    assert {row["contact_type"] for row in first.records["unified_contacts"]} == {"customer"}
    own_sandbox.faults_clear()
    second = sync(own_config, "unified_contacts", state=first.state)
    vendors = {each for each in ids(second, "unified_contacts") if each.startswith("bill_vendors:")}
    assert vendors == {
        f"bill_vendors:{row['vendorid']}" for row in own_sandbox.truth("bill_vendors")
    }


def test_a_new_unified_stream_is_filled_although_its_source_was_read(own_config: Config) -> None:
    first = sync(own_config, "clients", "invoices", "taxes")
    streams = ["unified_contacts", "unified_invoices", "unified_tax_rates"]
    fresh = sync(own_config, *streams)
    second = sync(own_config, "clients", "invoices", "taxes", *streams, state=first.state)
    for stream in streams:
        assert ids(second, stream) == ids(fresh, stream)


@pytest.mark.parametrize(
    ("resource", "stream", "key"),
    [
        ("clients", "unified_contacts", "id"),
        ("invoices", "unified_invoices", "id"),
        ("payments", "unified_payments", "id"),
        ("projects", "unified_projects", "id"),
        ("time_entries", "unified_time_entries", "id"),
    ],
)
def test_a_deletion_is_a_flag_and_leaves_the_status(
    own_sandbox: Sandbox, own_config: Config, resource: str, stream: str, key: str
) -> None:
    first = sync(own_config, stream)
    row = next(
        row
        for row in own_sandbox.truth(resource)
        if f"{resource}:{row[key]}"
        in {each["id"] for each in first.records[stream] if not each["remote_deleted"]}
    )
    own_sandbox.delete(resource, row[key])
    second = sync(own_config, stream, state=first.state)
    before, after = (
        next(each for each in messages.records[stream] if each["id"] == f"{resource}:{row[key]}")
        for messages in (first, second)
    )
    assert (before["remote_deleted"], after["remote_deleted"]) == (False, True)
    assert after.get("status") == before.get("status")


def test_hard_deletes_are_shown_by_a_version_of_the_table(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    first = sync(own_config, "unified_tax_rates")
    tax = own_sandbox.truth("taxes")[0]
    own_sandbox.delete("taxes", tax["id"])
    second = sync(own_config, "unified_tax_rates", state=first.state)
    rows = [
        {(row["company_id"], row["id"]) for row in messages.records["unified_tax_rates"]}
        for messages in (first, second)
    ]
    [gone] = rows[0] - rows[1]
    assert gone[1] == f"taxes:{tax['id']}"
    [version] = [each for each in second.all if each["type"] == "ACTIVATE_VERSION"]
    assert version["stream"] == "unified_tax_rates"
    assert second.all.index(version) > max(
        number for number, each in enumerate(second.all) if each["type"] == "RECORD"
    )


def test_a_business_whose_system_may_not_be_read_is_a_company_all_the_same(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    whole = sync(own_config, "unified_company_info").records["unified_company_info"]
    assert [row["currency"] for row in whole if row["account_id"]]
    own_sandbox.faults("deny", reason="scope", path="*/systems/*")
    bare = sync(own_config, "unified_company_info").records["unified_company_info"]
    assert {row["id"] for row in bare} == {row["id"] for row in whole}
    assert {row["currency"] for row in bare} == {None}
    assert {row["name"] for row in bare} == {row["name"] for row in whole}


def test_companies_are_those_that_are_read(own_sandbox: Sandbox, own_config: Config) -> None:
    one = own_sandbox.businesses()[0]["id"]
    config = {**own_config, "business_ids": [one]}
    [row] = sync(config, "unified_company_info").records["unified_company_info"]
    assert (row["id"], row["currency"]) == (f"businesses:{one}", "CAD")


# With webhooks


@pytest.fixture
def fake_receiver(own_sandbox: Sandbox, tmp_path: Path) -> FakeReceiver:
    return FakeReceiver(own_sandbox, tmp_path)


def test_events_move_unified_rows_and_silence_costs_nothing(
    own_sandbox: Sandbox, own_config: Config, fake_receiver: FakeReceiver
) -> None:
    settings = fake_receiver.settings(own_config)
    state = sync(settings, *MAPPINGS).state
    asked(own_sandbox)
    idle = sync(settings, *MAPPINGS, state=state)
    assert asked(own_sandbox) == {}
    assert [message["type"] for message in idle.all] == ["STATE"]
    client, vendor = (own_sandbox.truth(name)[0] for name in ("clients", "bill_vendors"))
    own_sandbox.update("clients", client["id"], note=CHANGED)
    own_sandbox.update("bill_vendors", vendor["vendorid"], note=CHANGED)
    fake_receiver.deliver("client.update", client["id"])
    second = sync(settings, *MAPPINGS, state=idle.state)
    assert sum(asked(own_sandbox).values()) == 1
    [row] = second.records["unified_contacts"]
    assert (row["id"], row["notes"]) == (f"clients:{client['id']}", CHANGED)
    fake_receiver.deliver("bill_vendor.update", vendor["vendorid"])
    third = sync(settings, *MAPPINGS, state=second.state)
    [row] = third.records["unified_contacts"]
    assert (row["id"], row["notes"]) == (f"bill_vendors:{vendor['vendorid']}", CHANGED)
    assert sync(settings, *MAPPINGS, state=third.state).records == {}


def test_a_source_without_events_is_polled_for_itself(
    own_sandbox: Sandbox, own_config: Config, fake_receiver: FakeReceiver
) -> None:
    settings = fake_receiver.settings(own_config)
    state = sync(settings, "unified_items").state
    for partition in state["bookmarks"]["unified_items"]["partitions"]:
        if partition["context"]["source"] == "tasks":
            del partition["polled_at"]
    asked(own_sandbox)
    sync(settings, "unified_items", state=state)
    paths = asked(own_sandbox)
    assert paths
    assert all("/projects/tasks" in path for path in paths)


def test_an_object_of_which_nothing_is_left_is_a_deleted_row(
    own_config: Config, fake_receiver: FakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    settings = fake_receiver.settings(own_config)
    state = sync(settings, "unified_invoices").state
    fake_receiver.deliver("invoice.delete", 99_999_901)
    with caplog.at_level(logging.WARNING):
        [row] = sync(settings, "unified_invoices", state=state).records["unified_invoices"]
    assert row["id"] == "invoices:99999901"
    assert (row["remote_deleted"], row["status"]) == (True, "unknown")
    assert "no word of its own" not in caplog.text


def chosen(*streams: str) -> TapFreshBooks:
    return TapFreshBooks(config={}, catalog=catalog_of(*streams), validate_config=False)


def test_what_unified_streams_need_is_asked_for_and_registered() -> None:
    tap = chosen("unified_payments", "unified_items")
    assert set(required_by(selected_streams(tap))) == {
        "user:billable_items:read",
        "user:bill_payments:read",
        "user:payments:read",
        "user:profile:read",
    }
    assert nouns_needed(tap) == {"payment", "item"}


# Words that are new


def test_a_new_word_is_logged_once_with_its_number(caplog: pytest.LogCaptureFixture) -> None:
    tap = TapFreshBooks(config={"include_deleted": True}, validate_config=False)
    for word in ("escrow", "escrow", "barter", "a secret of " + "x" * 50):
        rows_of("invoices", {"id": 1, "v3_status": word, "vis_state": 0}, tap)
    with caplog.at_level(logging.WARNING):
        tap.streams["unified_invoices"].finish()  # type: ignore[attr-defined] # of a unified one
    messages = [record.getMessage() for record in caplog.records]
    [message] = [each for each in messages if each.startswith("The column")]
    assert message.startswith("The column status has no word of its own for escrow (2 x), ")
    assert "barter (1 x)" in message
    assert "a secret" not in message


def test_a_value_that_does_not_fit_is_null_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    tap = TapFreshBooks(config={"include_deleted": True}, validate_config=False)
    [row] = rows_of("projects", {"id": 1, "budget": "50.00"}, tap)["unified_projects"]
    assert row["budget_seconds"] is None
    with caplog.at_level(logging.WARNING):
        tap.streams["unified_projects"].finish()  # type: ignore[attr-defined] # of a unified one
    assert "The column budget_seconds is null in 1 row" in caplog.text


def test_a_row_says_which_mapping_made_it() -> None:
    assert {each.version for each in MAPPINGS.values()} == {"1"}
    [row] = rows_of("taxes", {"id": 1}, tap_with())["unified_tax_rates"]
    assert row["mapping_version"] == "1"
