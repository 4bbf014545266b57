"""Lists that can only be read whole are asked for when their interval is over, and not before."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.streams.resources import STREAMS
from tests.support import failing_sync, sync

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox

Config = dict[str, Any]

DAILY = {"full_table_interval": 24}
LONG_AGO = "2026-01-01T00:00:00Z"


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


def test_an_idle_run_asks_for_what_freshbooks_can_filter(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    names = [stream.name for stream in STREAMS if stream.selected_by_default]
    first = sync({**own_config, **DAILY}, *names)
    own_sandbox.stats_clear()
    second = sync({**own_config, **DAILY}, *names, state=first.state)
    assert own_sandbox.stats()["requests"] <= 60
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
    for name in set(names) - touched:
        assert second.state["bookmarks"][name] == first.state["bookmarks"][name], name


def test_a_list_is_read_again_when_its_interval_is_over(
    own_sandbox: Sandbox, own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    config = {**own_config, "full_table_interval": {"taxes": 24, "team_*": 6, "serv*": 1}}
    names = ("taxes", "team_members", "ledger_account_sub_types", "services")
    first = sync(config, *names)
    [deleted, changed] = own_sandbox.truth("taxes")[:2]
    own_sandbox.delete("taxes", deleted["taxid"])
    own_sandbox.update("taxes", changed["taxid"], name="Changed")
    asked(own_sandbox)

    caplog.set_level(logging.INFO)
    second = sync(config, *names, state=first.state)
    assert asked(own_sandbox) == {"sub_types"}  # no pattern fits it
    [line] = [each for each in caplog.messages if each.startswith("Not due yet")]
    assert line.startswith("Not due yet: services, taxes, team_members; the next is services at ")
    assert set(second.records) == {"ledger_account_sub_types"}

    third = sync(config, *names, state=aged(second.state, "taxes"))
    assert asked(own_sandbox) == {"taxes", "sub_types"}
    assert [m["stream"] for m in third.all if m["type"] == "ACTIVATE_VERSION"] == ["taxes"]
    account = own_sandbox.businesses()[0]["account_id"]
    of_account = [row for row in third.records["taxes"] if row["account_id"] == account]
    rows = {row["id"]: row["name"] for row in of_account}
    assert deleted["taxid"] not in rows
    assert rows[changed["taxid"]] == "Changed"
    sync(config, *names, state=third.state)
    assert asked(own_sandbox) == {"sub_types"}
    sync(config, *names)
    assert asked(own_sandbox) == {"taxes", "team_members", "sub_types", "services"}


@pytest.mark.parametrize("hard_deletes", ["activate_version", "tombstones"])
def test_a_new_business_is_read_at_once(
    own_sandbox: Sandbox, own_config: Config, hard_deletes: str
) -> None:
    config = {**own_config, **DAILY, "hard_deletes": hard_deletes}
    names = ("taxes", "bill_payments", "unified_company_info")
    found = sync(own_config, "businesses").records["businesses"]
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
    own_sandbox.stats_clear()
    assert sync(config, *names, state=after.state).records == {}
    assert own_sandbox.stats()["requests"] == 1


@pytest.mark.parametrize("is_recent", [True, False])
def test_what_failed_is_read_again_by_the_next_run(
    own_sandbox: Sandbox, own_config: Config, *, is_recent: bool
) -> None:
    """Also where the other business has made this one due."""
    config = {**own_config, **DAILY, "max_attempts": 1}
    names = ("taxes", "bill_payments", "ledger_account_sub_types")
    first = sync(config, *names)
    accounts = [each["context"]["account_id"] for each in bookmarks(first.state, "taxes")]
    state = aged(first.state, "ledger_account_sub_types")
    aged(state, "taxes", "bill_payments", first=1 if is_recent else 0)
    for path in (f"*{accounts[0]}/*", "*/sub_types"):
        own_sandbox.faults("status", status=500, path=path)
    second, _ = failing_sync(config, *names, state=state)
    own_sandbox.faults_clear()
    third = sync(config, *names, state=second.state)
    assert third.records["ledger_account_sub_types"]
    assert {row["account_id"] for row in third.records["bill_payments"]} == (
        set() if is_recent else {accounts[0]}
    )
    assert [m["stream"] for m in third.all if m["type"] == "ACTIVATE_VERSION"] == ["taxes"]


def bookmarks(state: dict[str, Any], stream: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = state["bookmarks"][stream]["partitions"]
    return found
