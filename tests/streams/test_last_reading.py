"""What is not asked for once more, as the last reading tells it; and that nothing is lost by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox, paging
from tests.conftest import settings_for
from tests.support import failing_sync, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTS = ["items", "clients", "bills", "credit_notes", "other_incomes", "projects"]
"""With a filter that may be left out, with none, without timestamps, with several living lists."""


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=30, rate_limit=0) as sandbox:
        yield sandbox


@pytest.fixture
def config(books: Sandbox, tmp_path: Path) -> dict[str, Any]:
    config = settings_for(books, tmp_path)
    return {**config, "business_ids": [books.state.store.businesses[0].id]}


def key_of(stream: str) -> str:
    return "incomeid" if stream == "other_incomes" else "id"


def requests(books: Sandbox, config: dict[str, Any]) -> int:
    """How many all runs have sent so far."""
    count: int = books.stats(config["client_id"])["requests"]
    return count


def partitions(state: dict[str, Any], stream: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = state["bookmarks"][stream]["partitions"]
    return found


def gone(messages: Any, stream: str) -> set[int]:
    return {
        record[key_of(stream)] for record in messages.records[stream] if record["_sdc_deleted_at"]
    }


@pytest.mark.parametrize("stream", LISTS)
def test_a_row_that_comes_and_goes_between_two_runs_is_told_in_time(
    books: Sandbox, config: dict[str, Any], stream: str
) -> None:
    first = sync(config, stream)
    books.clock(now=(datetime.now(UTC) - timedelta(days=5)).isoformat())
    [row] = books.create(stream)
    books.delete(stream, row[key_of(stream)])
    books.clock()
    second = sync(config, stream, state=first.state)
    assert row[key_of(stream)] not in gone(second, stream)
    [partition] = partitions(second.state, stream)
    long_ago = datetime.now(UTC) - timedelta(days=8)
    partition["deletions_read_at"] = long_ago.isoformat()
    third = sync(config, stream, state=second.state)
    assert row[key_of(stream)] in gone(third, stream)
    [partition] = partitions(third.state, stream)
    assert partition["deletions_read_at"] > long_ago.isoformat()


@pytest.mark.parametrize("stream", LISTS)
def test_a_row_that_goes_is_told_by_the_next_run_with_all_that_came_and_went(
    books: Sandbox, config: dict[str, Any], stream: str
) -> None:
    [known] = books.create(stream)
    first = sync(config, stream)
    [row] = books.create(stream)
    books.delete(stream, row[key_of(stream)])
    second = sync(config, stream, state=first.state)
    books.delete(stream, known[key_of(stream)])
    third = sync(config, stream, state=second.state)
    assert {row[key_of(stream)], known[key_of(stream)]} <= gone(third, stream)


@pytest.mark.parametrize(
    ("stream", "count"),
    [("items", 1), ("invoices", 1), ("bills", 1), ("bill_payments", 1), ("projects", 2)],
)
def test_a_quiet_run_asks_for_the_rows_that_are_there_and_no_others(
    books: Sandbox, config: dict[str, Any], stream: str, count: int
) -> None:
    first = sync(config, stream)
    before = requests(books, config)
    sync(config, stream, state=first.state)
    assert requests(books, config) - before == 1 + count  # besides who the user is


def test_a_list_of_several_pages_is_read_once_where_its_rows_are_the_same(
    books: Sandbox, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = "journal_entry_details"
    monkeypatch.setattr(paging, "CAP", 30)
    first = sync(config, stream)
    pages = -(-len(books.truth(stream)) // 30)
    before = requests(books, config)
    assert before == 2 + 2 * pages  # besides a token, and who the user is
    second = sync(config, stream, state=first.state)
    assert requests(books, config) - before == 1 + pages
    assert partitions(second.state, stream) == partitions(first.state, stream)


def test_a_list_that_outgrows_a_page_is_filtered_from_then_on(
    books: Sandbox, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    living = [row for row in books.truth("estimates") if row["vis_state"] != 1]
    monkeypatch.setattr(paging, "CAP", len(living))
    state = sync(config, "estimates").state
    [created] = books.create("estimates")
    second = sync(config, "estimates", state=state)
    arrived = {row["id"] for row in second.records["estimates"]} - gone(second, "estimates")
    assert arrived == {created["id"]}
    assert "keys_digest" not in partitions(second.state, "estimates")[0]
    before = requests(books, config)
    changed = books.update("estimates", living[0]["id"], notes="mended")
    third = sync(config, "estimates", state=second.state)
    assert {row["id"] for row in third.records["estimates"]} == {created["id"], changed["id"]}
    assert requests(books, config) - before == 1 + 2


@pytest.mark.parametrize("stream", ["items", "bills", "projects"])
def test_deleted_rows_that_are_not_wanted_are_never_asked_for(
    books: Sandbox, config: dict[str, Any], stream: str
) -> None:
    [row] = books.create(stream)
    config["include_deleted"] = False
    first = sync(config, stream)
    books.delete(stream, row["id"])
    second = sync(config, stream, state=first.state)
    assert second.records[stream] == []
    assert "deletions_read_at" not in partitions(second.state, stream)[0]
    # Wanted again, from when they were read last: never.
    third = sync({**config, "include_deleted": True}, stream, state=second.state)
    assert "deletions_read_at" in partitions(third.state, stream)[0]


INVOICES = "/invoices/invoices"


def asked_for(books: Sandbox, config: dict[str, Any], path: str) -> int:
    """How often all runs have asked for a list of the first business."""
    paths = books.stats(config["client_id"])["paths"]
    return sum(count for name, count in paths.items() if name.endswith(path))


@pytest.mark.parametrize("is_short", [True, False])
def test_clients_and_invoices_share_what_has_changed(
    books: Sandbox, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, is_short: bool
) -> None:
    living = [row for row in books.truth("invoices") if row["vis_state"] != 1]
    if not is_short:
        monkeypatch.setattr(paging, "CAP", len(living) - 1)
    state = sync(config, "clients", "invoices").state
    client = next(row for row in books.truth("clients") if row["vis_state"] == 0)
    [invoice] = books.create("invoices", customerid=client["id"], status=2)
    counts = []
    for streams in (["invoices"], ["clients", "invoices"], ["clients"]):
        before = asked_for(books, config, INVOICES)
        run = sync(config, *streams, state=state)
        counts.append(asked_for(books, config, INVOICES) - before)
        for stream, key in (("clients", client["id"]), ("invoices", invoice["id"])):
            assert (stream in streams) == (key in {row["id"] for row in run.records[stream]})
    alone = 2 if is_short else 3  # all, or changed and overdue ones; and deleted ones
    assert counts == [alone, alone + 1, 3]  # the balances follow deleted ones, too
    books.delete("invoices", invoice["id"])


@pytest.mark.parametrize(("hours", "is_shared"), [(0, True), (24, False)])
def test_what_has_changed_is_shared_by_streams_that_began_within_a_day(
    books: Sandbox,
    config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    hours: int,
    *,
    is_shared: bool,
) -> None:
    living = [row for row in books.truth("invoices") if row["vis_state"] != 1]
    monkeypatch.setattr(paging, "CAP", len(living) - 1)
    state = sync(config, "clients", "invoices").state
    noon = (datetime.now(UTC) - timedelta(days=3)).replace(hour=17, minute=0, second=0)
    for stream, moment in (
        ("clients", noon),
        ("invoices", noon + timedelta(hours=hours, seconds=50)),
    ):
        [partition] = partitions(state, stream)
        partition["replication_key_value"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    before = asked_for(books, config, INVOICES)
    sync(config, "clients", "invoices", state=state)
    assert asked_for(books, config, INVOICES) - before == (4 if is_shared else 6)


def test_what_befalls_the_one_does_not_befall_the_other(
    books: Sandbox, config: dict[str, Any]
) -> None:
    state = sync(config, "clients", "invoices").state
    client = next(row for row in books.truth("clients") if row["vis_state"] == 0)
    [invoice] = books.create("invoices", customerid=client["id"], status=2)
    books.faults("deny", reason="scope", path=INVOICES, client_id=config["client_id"], times=1)
    run = sync(config, "clients", "invoices", state=state)
    books.faults_clear()
    delivered = [
        key in {row["id"] for row in run.records[stream]}
        for stream, key in (("clients", client["id"]), ("invoices", invoice["id"]))
    ]
    assert sorted(delivered) == [False, True]
    books.delete("invoices", invoice["id"])


@pytest.mark.parametrize(
    ("archived", "again", "whole"),
    [("hidden", 2, 4), ("shown", 1, 3)],  # living ones; with deleted ones, archived or not
)
def test_a_flag_that_shows_the_rows_of_another_spares_its_list(
    tmp_path: Path, archived: str, again: int, whole: int
) -> None:
    with Sandbox(invoices=10, rate_limit=0, behaviours={"archived_projects": archived}) as books:
        config = settings_for(books, tmp_path)
        config["business_ids"] = [books.state.store.businesses[0].id]
        first = sync(config, "projects")
        counts = [asked_for(books, config, "/projects")]
        sync(config, "projects", state=first.state)
        counts.append(asked_for(books, config, "/projects"))
        assert {row["id"] for row in first.records["projects"]} == {
            row["id"] for row in books.truth("projects")
        }
        assert {row["complete"] for row in books.truth("projects")} == {True, False}
        assert counts == [whole, whole + again]


@pytest.mark.parametrize("stream", ["items", "bills"])
def test_older_rows_than_are_wanted_do_not_come_with_deleted_ones(
    books: Sandbox, config: dict[str, Any], stream: str
) -> None:
    config["start_date"] = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    first = sync(config, stream)
    [row] = books.create(stream)
    books.delete(stream, row["id"])
    second = sync(config, stream, state=first.state)
    [partition] = partitions(second.state, stream)
    partition["deletions_read_at"] = (datetime.now(UTC) - timedelta(days=20)).isoformat()
    third = sync(config, stream, state=second.state)
    assert row["id"] in gone(second, stream) | gone(third, stream)
    name = "updated" if stream == "items" else "updated_at"
    oldest = (datetime.now(UTC) - timedelta(days=3, minutes=1)).isoformat()
    records = [*second.records[stream], *third.records[stream]]
    assert min(record[name] for record in records) >= oldest[:19]


def test_a_row_of_a_reading_that_failed_is_not_taken_for_one_that_nobody_has(
    books: Sandbox, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = "bills"
    monkeypatch.setattr(paging, "CAP", 10)
    first = sync(config, stream)
    [row] = books.create(stream)
    content = '{"response": {"result": {}}}'
    path = "/bills/bills"
    books.faults("answer", status=200, content=content, path=path, skip=1, times=1)
    second, _ = failing_sync(config, stream, state=first.state)
    books.faults_clear()
    assert row["id"] in {record["id"] for record in second.records[stream]}
    books.delete(stream, row["id"])
    third = sync(config, stream, state=second.state)
    assert row["id"] in gone(third, stream)


def test_what_the_state_should_not_have_says_nothing(config: dict[str, Any]) -> None:
    state = sync(config, *LISTS).state
    odd: list[Any] = [[], {}, ["x"], {"a": 1}, 0, "\x00"]
    for stream, value in zip(LISTS, odd, strict=True):
        [partition] = partitions(state, stream)
        for name in ("keys_digest", "delivered_digest", "deleted_digest", "deletions_read_at"):
            partition[name] = value
    again = sync(config, *LISTS, state=state)
    assert again.records["credit_notes"]  # all of them
    assert sync(config, *LISTS, state=again.state).records == {}
