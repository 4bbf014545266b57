"""Only a run that reads all that the state knows lets a target remove rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.target import Target
from tests.support import sync

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tests.faults.target import Key
    from tests.support import Messages

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


class Pipeline:
    """A tap and a target that removes what is of another version than the activated one."""

    def __init__(self, config: dict[str, Any], *streams: str) -> None:
        self.config = config
        self.streams = streams
        self.target = Target()

    def run(self, **settings: Any) -> Messages:
        """Run the tap with the state that the target has seen."""
        messages = sync({**self.config, **settings}, *self.streams, state=self.target.state)
        for message in messages.all:
            self.target.apply(message)
        return messages

    def keys(self) -> set[tuple[str, Key]]:
        """All rows of all tables."""
        return {(stream, key) for stream in self.streams for key in self.target.table(stream)}


def activated(messages: Messages) -> set[tuple[str, int]]:
    return {
        (message["stream"], message["version"])
        for message in messages.all
        if message["type"] == "ACTIVATE_VERSION"
    }


def versions(messages: Messages) -> set[tuple[str, int]]:
    return {
        (message["stream"], message["version"])
        for message in messages.all
        if message["type"] == "RECORD"
    }


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
    assert pipeline.target.state
    bookmarks = pipeline.target.state["bookmarks"]
    [scope] = bookmarks[case]["partitions"][0]["context"]
    for stream in STREAMS[case]:
        bookmarks[stream]["partitions"].append({"context": {scope: "gone"}})
        bookmarks[stream].pop("keys_digest", None)

    assert activated(pipeline.run()) == set()
    assert pipeline.keys() == everything
    assert f"did not read {scope} gone, of which" in caplog.text

    for stream in STREAMS[case]:
        bookmarks = pipeline.target.state["bookmarks"]
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
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    [bare] = [each["id"] for each in own_sandbox.businesses() if each["account_id"] is None]
    messages = sync({**own_config, "business_ids": [bare]}, "taxes", "unified_tax_rates")
    assert activated(messages) == set()
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


def test_a_version_in_the_state_that_is_no_number_is_not_sent(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    pipeline = Pipeline(own_config, "services")
    pipeline.run()
    assert pipeline.target.state
    pipeline.target.state["bookmarks"]["services"]["version"] = "newest"
    narrow = pipeline.run(business_ids=[own_sandbox.businesses()[0]["id"]])
    [(_, version)] = versions(narrow)
    assert type(version) is int
    assert activated(narrow) == set()
