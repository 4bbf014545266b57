"""Only a run that reads all that the state knows lets a target remove rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.tap import TapFreshBooks
from tests.streams.tables import Pipeline, activated, versions
from tests.support import Messages, catalog_of, failing_sync, sync

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

STREAMS = {
    "taxes": ("taxes",),
    "services": ("services",),
    "retainers": ("retainers",),
    "ledger_accounts": ("ledger_accounts",),
    "journal_entry_details": ("journal_entry_details", "unified_journal_lines"),
    "journal_entries": ("journal_entries", "journal_entry_lines"),
    "journal_entry_lines": ("journal_entry_lines",),
}
"""Streams to select, by what they are a case of: with and without timestamps, and derived ones."""

SOURCE = {"journal_entry_lines": "journal_entries"}
"""What is edited, where it is not the first stream of a case."""


def delete_newest(sandbox: Sandbox, case: str) -> None:
    """Let a row of the first business vanish."""
    resource = SOURCE.get(case, case)
    if case == "journal_entry_details":  # its rows are those of other documents
        sandbox.delete("expenses", sandbox.truth("expenses", fields="id")[-1]["id"])
    else:
        sandbox.delete(resource, "newest")


@pytest.mark.parametrize("case", STREAMS)
def test_narrower_business_ids_remove_nothing_of_other_businesses(
    own_sandbox: Sandbox, own_config: dict[str, Any], case: str, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline(own_config, *STREAMS[case])
    first = pipeline.run()
    everything = pipeline.keys()
    assert {stream for stream, _ in activated(first)} == set(STREAMS[case])
    here, *others = own_sandbox.businesses()[:3]
    delete_newest(own_sandbox, case)

    second = pipeline.run(business_ids=[here["id"]])
    assert activated(second) == set()
    assert pipeline.keys() >= everything
    # A new version would have to be activated some day; these rows are of the one that is.
    assert versions(second) <= activated(first)
    source = STREAMS[case][0] if case != "journal_entry_lines" else "journal_entries"
    [told] = [line for line in caplog.messages if "no ACTIVATE_VERSION is sent" in line]
    assert told.startswith(f"{source}: ")
    assert f"{others[0]['name']} (business {others[0]['id']})" in told
    assert f"(business {here['id']})" not in told
    assert told.endswith(f"from the state of {', '.join(STREAMS[case])}")

    third = pipeline.run()
    assert {stream for stream, _ in activated(third)} == set(STREAMS[case])
    assert min(activated(third))[1] > max(activated(first))[1]
    assert pipeline.keys() < everything
    fresh = Pipeline(own_config, *STREAMS[case])
    fresh.run()
    assert pipeline.keys() == fresh.keys()


@pytest.mark.parametrize("case", ["taxes", "services", "journal_entries"])
def test_a_membership_that_is_gone_keeps_its_rows_until_its_partition_leaves_the_state(
    own_config: dict[str, Any], case: str, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline(own_config, *STREAMS[case])
    pipeline.run()
    everything = pipeline.keys()
    assert pipeline.state
    bookmarks = pipeline.state["bookmarks"]
    [scope] = bookmarks[case]["partitions"][0]["context"]
    for stream in STREAMS[case]:
        bookmarks[stream]["partitions"].append({"context": {scope: "gone"}})
        bookmarks[stream].pop("keys_digest", None)

    assert activated(pipeline.run()) == set()
    assert pipeline.keys() == everything
    assert f"did not read {scope} gone, of which" in caplog.text

    for stream in STREAMS[case]:
        bookmarks = pipeline.state["bookmarks"]
        bookmarks[stream]["partitions"].pop()
    assert {stream for stream, _ in activated(pipeline.run())} == set(STREAMS[case])
    assert pipeline.keys() == everything


@pytest.mark.parametrize(
    ("case", "path"),
    [
        ("taxes", "*/{account_id}/taxes/*"),
        ("services", "*/business/{id}/services"),
        ("journal_entries", "*/{business_uuid}/journal_entries"),
        ("journal_entry_lines", "*/{business_uuid}/journal_entries"),
    ],
)
def test_a_business_that_may_not_be_read_keeps_its_rows(
    own_sandbox: Sandbox,
    own_config: dict[str, Any],
    case: str,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipeline = Pipeline(own_config, *STREAMS[case])
    first = pipeline.run()
    everything = pipeline.keys()
    second = own_sandbox.businesses()[1]
    own_sandbox.faults("deny", path=path.format(**second))
    delete_newest(own_sandbox, case)

    refused = pipeline.run()
    assert activated(refused) == set()
    assert versions(refused) <= activated(first)
    assert pipeline.keys() == everything
    assert f"did not read {second['name']} (business {second['id']}), of which" in caplog.text

    own_sandbox.faults_clear()
    assert activated(pipeline.run())
    assert pipeline.keys() < everything


@pytest.mark.parametrize("case", ["taxes", "services"])
def test_what_was_never_read_has_no_rows_that_stay(
    own_sandbox: Sandbox,
    own_config: dict[str, Any],
    case: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipeline = Pipeline(own_config, case, "items")
    own_sandbox.faults("deny", path=f"*/{case}*")
    pipeline.run()
    assert activated(pipeline.run()) == set()
    assert f"Skipped {case} of" in caplog.text
    assert "stay in the target" not in caplog.text

    own_sandbox.faults_clear()
    assert activated(pipeline.run())
    own_sandbox.faults("deny", path=f"*/{case}*")
    pipeline.run()
    assert "stay in the target" in caplog.text


def test_without_a_business_that_can_have_rows_nothing_is_removed(
    own_sandbox: Sandbox, own_config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    [bare] = [each["id"] for each in own_sandbox.businesses() if each["account_id"] is None]
    messages, sentence = failing_sync(
        {**own_config, "business_ids": [bare]}, "taxes", "unified_tax_rates"
    )
    assert activated(messages) == set()
    assert f"(business {bare}) has no account_id, which every selected stream needs" in sentence
    assert "stay in the target" not in caplog.text

    pipeline = Pipeline(own_config, "taxes", "services")
    pipeline.run()
    everything = pipeline.keys()
    caplog.clear()
    pipeline.run(business_ids=[bare])
    assert pipeline.keys() == everything
    told = [line for line in caplog.messages if "stay in the target" in line]
    assert {line.partition(":")[0] for line in told} == {"taxes", "services"}
    assert {each["stream"] for each in messages.all if each["type"] == "SCHEMA"} == {
        "taxes",
        "unified_tax_rates",
    }


def test_a_first_run_activates_what_it_reads_and_a_wider_one_all(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    streams = ("taxes", "services", "journal_entries", "journal_entry_lines")
    pipeline = Pipeline(own_config, *streams)
    narrow = pipeline.run(business_ids=[own_sandbox.businesses()[0]["id"]])
    assert {stream for stream, _ in activated(narrow)} == set(streams)
    part = pipeline.keys()
    wide = pipeline.run()
    assert {stream for stream, _ in activated(wide)} == set(streams)
    assert pipeline.keys() > part
    fresh = Pipeline(own_config, *streams)
    fresh.run()
    assert pipeline.keys() == fresh.keys()


def test_a_row_that_came_and_went_while_only_its_business_was_read_is_removed(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    pipeline = Pipeline(own_config, "taxes")
    pipeline.run()
    everything = pipeline.keys()
    [tax] = own_sandbox.create("taxes", name="For a moment", amount="3")
    narrow = pipeline.run(business_ids=[own_sandbox.businesses()[0]["id"]])
    assert [row["id"] for row in narrow.records["taxes"]] == [tax["id"]]
    own_sandbox.delete("taxes", tax["id"])
    # The list has the same keys as when it was sent whole.
    pipeline.run()
    assert pipeline.keys() == everything


def test_start_date_leaves_nothing_out_of_a_business_that_is_read_for_the_first_time(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    first, second = (business["id"] for business in own_sandbox.businesses()[:2])
    pipeline = Pipeline({**own_config, "start_date": "2999-01-01T00:00:00Z"}, "taxes")
    pipeline.run(business_ids=[first])
    pipeline.run(business_ids=[second])
    fresh = Pipeline(own_config, "taxes")
    fresh.run(business_ids=[first, second])
    assert pipeline.keys() == fresh.keys()


@pytest.mark.parametrize("odd", ["newest", 10**30])
def test_a_version_in_the_state_that_no_target_can_keep_is_not_sent(
    own_sandbox: Sandbox, own_config: dict[str, Any], odd: object
) -> None:
    pipeline = Pipeline(own_config, "services")
    pipeline.run()
    assert pipeline.state
    pipeline.state["bookmarks"]["services"]["version"] = odd
    own_sandbox.update("services", "newest", name="Mended")
    narrow = pipeline.run(business_ids=[own_sandbox.businesses()[0]["id"]])
    [(_, version)] = versions(narrow)
    assert type(version) is int
    assert version < 10**12
    assert activated(narrow) == set()


MEMBERSHIP = "response.business_memberships.1"
NAMES_OF_A_BUSINESS = {
    "no account_id": [{"edit": "set", "path": f"{MEMBERSHIP}.business.account_id", "json": "null"}],
    "a role that is only a client's": [
        {"edit": "set", "path": f"{MEMBERSHIP}.role", "json": '"client"'}
    ],
    "no membership": [{"edit": "remove", "path": MEMBERSHIP}],
    "an account_id that no path can hold": [
        {"edit": "set", "path": f"{MEMBERSHIP}.business.account_id", "json": '"../x"'}
    ],
}


@pytest.mark.parametrize("name", NAMES_OF_A_BUSINESS)
def test_a_business_that_is_no_longer_named_as_before_keeps_its_rows(
    own_sandbox: Sandbox, own_config: dict[str, Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline(own_config, "taxes", "unified_tax_rates")
    pipeline.run()
    everything = pipeline.keys()
    delete_newest(own_sandbox, "taxes")
    own_sandbox.faults("answer", path="*/users/me", edits=NAMES_OF_A_BUSINESS[name])
    if name == "an account_id that no path can hold":
        messages, _ = failing_sync(own_config, *pipeline.streams, state=pipeline.state)
        pipeline.load(messages)
    else:
        messages = pipeline.run()
    assert activated(messages) == set()
    assert pipeline.keys() >= everything
    assert "did not read" in caplog.text
    own_sandbox.faults_clear()
    assert {stream for stream, _ in activated(pipeline.run())} == set(pipeline.streams)
    assert pipeline.keys() < everything


def test_tables_that_are_selected_by_turns_lose_what_vanished_meanwhile(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    pipeline = Pipeline(own_config, "taxes", "unified_tax_rates")
    pipeline.run()
    delete_newest(own_sandbox, "taxes")
    for alone in pipeline.streams:
        messages = sync(own_config, alone, state=pipeline.state)
        pipeline.load(messages)
        assert {stream for stream, _ in activated(messages)} == {alone}
    fresh = Pipeline(own_config, *pipeline.streams)
    fresh.run()
    assert pipeline.keys() == fresh.keys()
    assert activated(pipeline.run()) == set()


def test_a_state_of_an_older_version_goes_on(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    """Derived streams had no version of their own in it."""
    pipeline = Pipeline(own_config, "taxes", "unified_tax_rates")
    first = pipeline.run()
    assert pipeline.state
    for name in ("version", "keys_digest"):
        del pipeline.state["bookmarks"]["unified_tax_rates"][name]
    delete_newest(own_sandbox, "taxes")
    second = pipeline.run()
    assert {stream for stream, _ in activated(second)} == set(pipeline.streams)
    assert min(activated(second))[1] > max(activated(first))[1]


def test_a_table_that_stream_maps_rename_is_activated_under_its_name(
    own_config: dict[str, Any],
) -> None:
    maps = {"taxes": {"__alias__": "catalogue"}}
    messages = sync({**own_config, "stream_maps": maps}, "taxes", "services")
    assert {table for table, _ in activated(messages)} == {"catalogue", "services"}


def test_rows_in_batch_files_are_of_no_version_so_none_is_activated(
    own_config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batch = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
    }
    messages = sync({**own_config, "batch_config": batch}, "services")
    assert {"BATCH", "STATE"} <= {message["type"] for message in messages.all}
    assert activated(messages) == set()
    assert "the files of batch_config are of no version" in caplog.text


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        (
            [{"edit": "set", "path": "response.business_memberships", "json": "[]"}],
            "FreshBooks names none of which the user is a member",
        ),
        (
            [{"edit": "set", "path": "response.business_memberships.*.role", "json": '"client"'}],
            "the FreshBooks user is only a client of ",
        ),
    ],
)
def test_a_run_that_reaches_no_business_fails_and_writes_what_needs_none(
    own_sandbox: Sandbox, own_config: dict[str, Any], edits: list[dict[str, Any]], sentence: str
) -> None:
    pipeline = Pipeline(own_config, "identity", "taxes", "services")
    pipeline.run()
    everything = pipeline.keys()
    renamed = {"edit": "set", "path": "response.first_name", "json": '"Somebody"'}
    own_sandbox.faults("answer", path="*/users/me", edits=[*edits, renamed])
    messages, failure = failing_sync(own_config, *pipeline.streams, state=pipeline.state)
    assert f"no business was reached: {sentence}" in failure
    assert len(messages.records["identity"]) == 1
    assert activated(messages) == set()
    pipeline.load(messages)
    assert pipeline.keys() == everything

    inbox = {**own_config, "webhook_inbox": f"sqlite:///{own_config['token_store']}.db"}
    for _ in range(2):  # FreshBooks is asked again, not an earlier answer
        messages, failure = failing_sync(inbox, *pipeline.streams, state=messages.state)
        assert sentence in failure
    own_sandbox.faults_clear()
    assert sync(inbox, *pipeline.streams, state=messages.state).records["taxes"]


def test_a_test_of_the_connection_activates_nothing(own_config: dict[str, Any]) -> None:
    messages = Messages()
    tap = TapFreshBooks(config=own_config, catalog=catalog_of("services"), message_writer=messages)
    assert tap.run_sync_dry_run(dry_run_record_limit=1000, streams=[tap.streams["services"]])
    assert messages.records["services"]
    assert activated(messages) == set()
