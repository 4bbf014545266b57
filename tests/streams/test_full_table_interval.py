"""Lists that can only be read whole are asked for when their interval is over, and not before."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.extraction.partition_reader import PartitionReader
from tap_freshbooks.oauth.stores.file import FileStore
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.resources import STREAMS
from tests.conftest import settings_for
from tests.streams.tables import Pipeline
from tests.support import failing_sync, sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.extraction.batch import Batch

Config = dict[str, Any]

DAILY = {"full_table_interval": 24}
LONG_AGO = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=10, rate_limit=0) as running:
        yield running


@pytest.fixture
def settings(books: Sandbox, tmp_path: Path) -> Iterator[Config]:
    yield settings_for(books, tmp_path)
    books.faults_clear()


def asked(sandbox: Sandbox) -> set[str]:
    """Ends of the paths that were asked for since the last call, users/me left out."""
    paths = {path.rpartition("/")[2] for path in sandbox.stats()["paths"]} - {"me"}
    sandbox.stats_clear()
    return paths


def aged(state: dict[str, Any], *streams: str, first: int = 0) -> dict[str, Any]:
    """The state as it would be after a day or more; of some streams, from one partition on."""
    for name in streams:
        bookmarks = state["bookmarks"][name]
        parts = bookmarks.get("partitions", [bookmarks])
        for part in parts[first:]:
            assert part["polled_at"]
            part["polled_at"] = LONG_AGO
    return state


def test_an_idle_run_asks_for_what_freshbooks_can_filter(books: Sandbox, settings: Config) -> None:
    names = [stream.name for stream in STREAMS if stream.selected_by_default]
    first = sync({**settings, **DAILY}, *names)
    books.stats_clear()
    report = str(Path(settings["token_store"]).with_name("report.jsonl"))
    second = sync({**settings, **DAILY, "run_report": report}, *names, state=first.state)
    assert books.stats()["requests"] <= 60
    assert set(second.records) <= {"identity", "businesses"}
    touched = {message["stream"] for message in second.all if "stream" in message}
    filtered = {stream.name for stream in STREAMS if "lists what" in stream.fixed_pace()}
    assert (
        {"invoices", "projects"}
        <= touched
        <= filtered
        | {"invoice_lines", "estimate_lines"}
        | {
            "identity",
            "businesses",
        }
    )
    untouched = set(names) - touched
    for name in untouched:
        assert second.state["bookmarks"][name] == first.state["bookmarks"][name], name
    [line] = Path(report).read_text(encoding="utf-8").splitlines()
    # Lines of documents come with these, and at no request of their own.
    derived = {"credit_note_lines", "bill_lines", "invoice_profile_lines"}
    derived |= {"journal_entry_sub_accounts"}
    assert set(json.loads(line)["not_due"]) == untouched - derived


def test_a_list_is_read_again_when_its_interval_is_over(
    books: Sandbox, settings: Config, caplog: pytest.LogCaptureFixture
) -> None:
    config = {**settings, "full_table_interval": {"taxes": 24, "team_*": 6, "serv*": 1}}
    names = ("taxes", "team_members", "ledger_account_sub_types", "services")
    first = sync(config, *names)
    [deleted, changed] = books.truth("taxes")[:2]
    books.delete("taxes", deleted["taxid"])
    books.update("taxes", changed["taxid"], name="Changed")
    asked(books)

    caplog.set_level(logging.INFO)
    second = sync(config, *names, state=first.state)
    assert asked(books) == {"sub_types"}  # no pattern fits it
    [line] = [each for each in caplog.messages if each.startswith("Not due yet")]
    assert line.startswith("Not due yet: services, taxes, team_members; the next is services at ")
    [total] = [each for each in caplog.messages if each.startswith("Total: ")]
    assert total.endswith("; 1 stream without new rows")  # of the others nobody knows
    assert not second.records

    third = sync(config, *names, state=aged(second.state, "taxes"))
    assert asked(books) == {"taxes", "sub_types"}
    assert [m["stream"] for m in third.all if m["type"] == "ACTIVATE_VERSION"] == ["taxes"]
    account = books.businesses()[0]["account_id"]
    of_account = [row for row in third.records["taxes"] if row["account_id"] == account]
    rows = {row["id"]: row["name"] for row in of_account}
    assert deleted["taxid"] not in rows
    assert rows[changed["taxid"]] == "Changed"
    sync(config, *names, state=third.state)
    assert asked(books) == {"sub_types"}
    sync(config, *names)
    assert asked(books) == {"taxes", "team_members", "sub_types", "services"}


@pytest.mark.parametrize("hard_deletes", ["activate_version", "tombstones"])
def test_a_new_business_is_read_at_once(
    books: Sandbox, settings: Config, hard_deletes: str
) -> None:
    config = {**settings, **DAILY, "hard_deletes": hard_deletes}
    names = ("taxes", "bill_payments", "unified_company_info")
    found = sync(settings, "businesses").records["businesses"]
    old, new = [each for each in found if each["role"] != "client" and each["account_id"]][:2]
    before = sync({**config, "business_ids": [old["business_id"]]}, *names)
    after = sync(config, *names, state=before.state)
    new_ones = {new["account_id"]}
    assert {row["account_id"] for row in after.records["bill_payments"]} == new_ones
    is_whole = hard_deletes == "activate_version"
    assert {row["account_id"] for row in after.records["taxes"]} == (
        {old["account_id"], *new_ones} if is_whole else new_ones
    )
    companies = {row["id"]: row for row in after.records["unified_company_info"]}
    assert f"businesses:{new['business_id']}" in companies
    # That of the other has columns of its system, which was not read.
    assert f"businesses:{old['business_id']}" not in companies
    books.stats_clear()
    assert sync(config, *names, state=after.state).records == {}
    assert books.stats()["requests"] == 1


@pytest.mark.parametrize("is_recent", [True, False])
def test_what_failed_is_read_again_by_the_next_run(
    books: Sandbox, settings: Config, *, is_recent: bool
) -> None:
    """Also where the other business has made this one due."""
    config = {**settings, **DAILY, "max_attempts": 1}
    names = ("taxes", "bill_payments", "ledger_account_sub_types")
    first = sync(config, *names)
    accounts = [each["context"]["account_id"] for each in bookmarks(first.state, "taxes")]
    state = aged(first.state, "ledger_account_sub_types")
    aged(state, "taxes", "bill_payments", first=1 if is_recent else 0)
    for path in (f"*{accounts[0]}/*", "*/sub_types"):
        books.faults("status", status=500, path=path)
    second, _ = failing_sync(config, *names, state=state)
    books.faults_clear()
    third = sync(config, *names, state=second.state)
    assert third.records["ledger_account_sub_types"]
    assert {row["account_id"] for row in third.records["bill_payments"]} == (
        set() if is_recent else {accounts[0]}
    )
    assert [m["stream"] for m in third.all if m["type"] == "ACTIVATE_VERSION"] == ["taxes"]


def bookmarks(state: dict[str, Any], stream: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = state["bookmarks"][stream]["partitions"]
    return found


def test_what_fails_at_its_end_is_read_again(
    books: Sandbox, settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows are out by then, but what the target is told after them is not."""
    config = {**settings, **DAILY}
    with monkeypatch.context() as patch:
        patch.setattr(HardDeleteStream, "finish", None)
        first, _ = failing_sync(config, "taxes", "staffs")
    books.stats_clear()
    second = sync(config, "taxes", "staffs", state=first.state)
    assert asked(books) == {"taxes"}
    assert second.records["taxes"]


def test_what_kept_moving_is_read_again_and_the_rest_is_not(
    books: Sandbox, settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {**settings, **DAILY}
    account = books.businesses()[0]["account_id"]
    whole = PartitionReader.read_complete_lists

    def moving(reader: PartitionReader, *lists: Any) -> Iterator[Batch]:
        yield from whole(reader, *lists)
        reader.is_complete = reader.plan.partition != {"account_id": account}

    with monkeypatch.context() as patch:
        patch.setattr(PartitionReader, "read_complete_lists", moving)
        first = sync(config, "staffs")
    books.stats_clear()
    sync(config, "staffs", state=first.state)
    paths = [path for path in books.stats()["paths"] if "/me" not in path]
    assert paths == [f"GET /accounting/account/{account}/users/staffs"]


def test_what_is_refused_is_asked_for_again_and_is_no_success(
    books: Sandbox, settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[set[str]] = []
    monkeypatch.setattr(FileStore, "note_success", lambda _, names: noted.append({*names}))
    config = {**settings, **DAILY}
    names = ("taxes", "staffs", "team_members", "tasks", "ledger_account_sub_types")
    accounts = [each["account_id"] for each in books.businesses()[:2]]
    for path in (f"*{accounts[0]}/taxes/*", f"*{accounts[1]}/users/staffs", "*/sub_types"):
        books.faults("deny", path=path)
    first = sync(config, *names)
    books.stats_clear()
    second = sync(config, *names, state=first.state)
    paths = {path.partition(" ")[2] for path in books.stats()["paths"]}
    assert {path for path in paths if not path.endswith(("/me", "/tasks"))} == {
        f"/accounting/account/{accounts[0]}/taxes/taxes",
        f"/accounting/account/{accounts[1]}/users/staffs",
        "/accounting/ledger_accounts/sub_types",
    }
    assert second.records == {}
    # Of some businesses it was read, at first; later there was nothing that could be a success.
    assert noted == [{"taxes", "staffs", "team_members", "tasks"}, {"tasks"}]
    books.faults_clear()
    third = sync(config, *names, state=second.state)
    assert {row["account_id"] for row in third.records["taxes"]} == {accounts[0]}
    assert {row["account_id"] for row in third.records["staffs"]} == {accounts[1]}
    assert third.records["ledger_account_sub_types"]
    assert not [m for m in third.all if m["type"] == "ACTIVATE_VERSION"]
    assert noted[2] == {"taxes", "staffs", "tasks", "ledger_account_sub_types"}
    books.stats_clear()
    fourth = sync(config, *names, state=third.state)
    assert asked(books) == {"tasks"}
    # The next reading of the whole table lets the target remove what went meanwhile.
    fifth = sync(config, *names, state=aged(fourth.state, "taxes"))
    assert [m["stream"] for m in fifth.all if m["type"] == "ACTIVATE_VERSION"] == ["taxes"]


def test_where_every_stream_that_is_due_is_refused_the_run_is_no_failure(
    books: Sandbox, settings: Config
) -> None:
    config = {**settings, **DAILY}
    books.faults("deny", path="*/team_members")
    first = sync(config, "staffs", "team_members")
    assert sync(config, "staffs", "team_members", state=first.state).records == {}


def test_a_row_that_came_and_went_while_others_were_not_due_is_removed(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    """A business that was refused at first is read alone, and its row is the only one."""
    config = {**own_config, **DAILY}
    old, new = own_sandbox.businesses()[:2]
    for tax in own_sandbox.truth("taxes", business=2):
        own_sandbox.delete("taxes", tax["taxid"], business=2)
    pipeline = Pipeline(config, "taxes")
    pipeline.run(business_ids=[old["id"]])
    own_sandbox.faults("deny", path=f"*{new['account_id']}/taxes/*")
    pipeline.run()
    own_sandbox.faults_clear()
    [tax] = own_sandbox.create("taxes", business=2, name="For a moment", amount="3")
    before = pipeline.keys()
    pipeline.run()
    assert len(pipeline.keys() - before) == 1
    own_sandbox.delete("taxes", tax["taxid"], business=2)
    pipeline.state = aged(pipeline.state or {}, "taxes")
    pipeline.run()
    assert pipeline.keys() == before


def test_a_stream_that_is_selected_anew_is_read_with_what_it_lives_on(
    books: Sandbox, settings: Config
) -> None:
    config = {**settings, **DAILY}
    first = sync(config, "credit_notes", "team_members")
    books.stats_clear()
    second = sync(config, "credit_note_lines", "team_members", state=first.state)
    assert asked(books) == {"credit_notes"}
    assert second.records["credit_note_lines"]


def test_a_unified_stream_gets_what_is_due_of_its_sources(books: Sandbox, settings: Config) -> None:
    config = {**settings, **DAILY}
    names = ("unified_contacts", "unified_tax_rates")
    first = sync(config, *names)
    assert {row["id"].partition(":")[0] for row in first.records["unified_contacts"]} >= {
        "clients",
        "bill_vendors",
    }
    client = books.truth("clients")[0]["id"]
    vendor = books.truth("bill_vendors")[0]["vendorid"]
    books.update("clients", client, note="changed")
    books.update("bill_vendors", vendor, note="changed")
    second = sync(config, *names, state=first.state)
    assert [row["id"] for row in second.records["unified_contacts"]] == [f"clients:{client}"]
    assert "unified_tax_rates" not in {m.get("stream") for m in second.all}
    assert not [m for m in second.all if m["type"] == "ACTIVATE_VERSION"]
    state = second.state
    for part in bookmarks(state, "unified_contacts"):
        if part["context"]["source"] == "bill_vendors":
            part["polled_at"] = LONG_AGO
    third = sync(config, *names, state=state)
    ids = {row["id"] for row in third.records["unified_contacts"]}
    assert f"bill_vendors:{vendor}" in ids


def test_periods_of_a_report_are_read_when_its_interval_is_over(
    books: Sandbox, settings: Config
) -> None:
    config = {**settings, "full_table_interval": {"report_*": 24}}
    first = sync(config, "report_profit_loss")
    assert first.records["report_profit_loss"]
    books.stats_clear()
    second = sync(config, "report_profit_loss", state=first.state)
    assert (asked(books), second.records) == (set(), {})
    third = sync(config, "report_profit_loss", state=aged(second.state, "report_profit_loss"))
    assert asked(books)
    assert not third.records  # it says what it said
