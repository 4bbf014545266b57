"""Lists that move while they are read ahead: no row is missed, and none goes back."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox, lists, paging
from tests.streams.schedules import BY_NAME, LISTS, PAGE, Books, Edit, Schedule, bookmark_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.streams.schedules import PartitionReader


@pytest.fixture(scope="module")
def books() -> Iterator[Books]:
    """A sandbox whose pages are short, so that few rows make many of them."""
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(invoices=12, rate_limit=0) as sandbox,
    ):
        patch.setattr(paging, "CAP", PAGE)
        yield Books(sandbox)


@pytest.mark.parametrize("seed", range(100))
def test_no_row_is_missed_and_none_goes_back(books: Books, tmp_path: Path, seed: int) -> None:
    listed = LISTS[seed % len(LISTS)]
    run = ("first", "second", "little later")[seed // len(LISTS) % 3]
    prepared = books.prepared(listed, tmp_path)
    begin = prepared.at_first if run == "first" else prepared.at_second
    if run == "little later":
        begin = books.little_later(listed, tmp_path, seed)
    books.put_back(begin)
    edits = Schedule(seed, books, listed).draw()
    reading = books.read(listed, edits, tmp_path, is_second=run != "first", begin=begin)
    assert reading.missed == set(), edits
    assert reading.gone_back == [], edits
    assert reading.wrong_in_the_end == {}, edits


RUNS = [
    ("payments", False),
    ("payments", True),
    ("expenses", False),
    ("projects", False),
    ("projects", True),
    ("clients", True),
    ("credit_notes", False),
    ("other_incomes", False),
]


@pytest.mark.parametrize("answered", [1, 2, 4])
@pytest.mark.parametrize(("stream", "is_second"), RUNS)
def test_a_row_that_is_deleted_after_it_was_read_hides_no_other(
    books: Books, tmp_path: Path, stream: str, is_second: bool, answered: int
) -> None:
    edits = [Edit(answered - 1, "after", "delete", "top")]
    reading = books.read(BY_NAME[stream], edits, tmp_path, is_second=is_second)
    assert len(reading.before) > 5 * PAGE
    assert reading.missed == set()
    assert reading.wrong_in_the_end == {}


@pytest.mark.parametrize("answered", [1, 2, 4])
@pytest.mark.parametrize(("stream", "is_second"), RUNS)
def test_nor_does_it_if_another_is_created_at_the_same_moment(
    books: Books, tmp_path: Path, stream: str, is_second: bool, answered: int
) -> None:
    listed = BY_NAME[stream]
    books.prepared(listed, tmp_path)
    values = {**listed.whole, listed.text: "marker 500"}
    if stream == "payments":
        values["invoiceid"] = books.sandbox.truth("invoices", fields="id")[0]["id"]
    if stream == "expenses":
        values["date"] = "2020-01-01"  # at the end of the list
    edits = [
        Edit(answered - 1, "after", "delete", "top"),
        Edit(answered - 1, "after", "create", values=values),
    ]
    reading = books.read(listed, edits, tmp_path, is_second=is_second)
    assert reading.missed == set()
    assert reading.wrong_in_the_end == {}


@pytest.mark.parametrize("answered", [1, 2, 4])
def test_nor_does_it_if_a_row_far_down_comes_back_in_a_list_without_stamps(
    books: Books, tmp_path: Path, answered: int
) -> None:
    # The total stays, and no filter tells what happened.
    listed = BY_NAME["credit_notes"]
    before = books.prepared(listed, tmp_path).before
    deleted = min(key for key, row in before.items() if row.is_deleted)
    edits = [
        Edit(answered - 1, "after", "delete", "top"),
        Edit(answered - 1, "after", "update", deleted, {"vis_state": 0}),
    ]
    reading = books.read(listed, edits, tmp_path, is_second=False)
    assert reading.missed == set()
    assert reading.wrong_in_the_end == {}


@pytest.mark.parametrize("answered", [1, 2, 4])
@pytest.mark.parametrize("stream", ["payments", "clients", "projects"])
def test_nor_does_it_if_an_old_row_joins_the_list_of_changed_ones(
    books: Books, tmp_path: Path, stream: str, answered: int
) -> None:
    listed = BY_NAME[stream]
    before = books.prepared(listed, tmp_path).before
    oldest = min(key for key, row in before.items() if not row.is_deleted)
    values = {**listed.whole, listed.text: "marker 500"}
    edits = [
        Edit(answered - 1, "after", "delete", "top"),
        Edit(answered - 1, "after", "update", oldest, values),
    ]
    reading = books.read(listed, edits, tmp_path, is_second=True)
    assert reading.missed == set()
    assert reading.wrong_in_the_end == {}


@pytest.mark.parametrize("counted", ["in pages too", "in the total alone"])
@pytest.mark.parametrize(
    ("stream", "is_second"), [("payments", False), ("payments", True), ("credit_notes", False)]
)
def test_a_total_that_counts_rows_which_nobody_may_read_blocks_nothing(
    books: Books,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
    is_second: bool,
    counted: str,
) -> None:
    hidden = 60
    listed = BY_NAME[stream]
    prepared = books.prepared(listed, tmp_path)
    select, select_page = lists._select, lists.select_page

    def with_hidden_rows(*args: Any) -> lists.Selection:
        selection = select(*args)
        return replace(selection, total=selection.total + hidden)

    def with_hidden_total(*args: Any) -> Any:
        page, *rest = select_page(*args)
        return replace(page, total=page.total + hidden), *rest

    if counted == "in pages too":
        monkeypatch.setattr(lists, "_select", with_hidden_rows)
    else:
        monkeypatch.setattr(lists, "select_page", with_hidden_total)
    reading = books.read(listed, [], tmp_path, is_second=is_second)
    assert reading.missed == set()
    requests = books.sandbox.stats(reading.config["client_id"])["requests"]
    pages = (len(reading.before) + 2 * hidden) / PAGE
    assert requests < 5 * pages + 20
    if stream == "payments":
        former = bookmark_of(prepared.state, stream) if is_second else ""
        assert (reading.bookmark or "") > (former or "")
    monkeypatch.undo()
    assert reading.wrong_in_the_end == {}


@pytest.mark.parametrize("is_second", [False, True])
@pytest.mark.parametrize("stream", ["payments", "expenses"])
def test_a_list_that_never_settles_moves_no_bookmark(
    books: Books, tmp_path: Path, caplog: pytest.LogCaptureFixture, stream: str, is_second: bool
) -> None:
    reading, former, warnings = _shrinking(books, tmp_path, caplog, stream, is_second)
    assert warnings
    assert reading.bookmark == former
    assert reading.wrong_in_the_end == {}


@pytest.mark.parametrize("is_second", [False, True])
@pytest.mark.parametrize("stream", ["projects", "clients", "invoices"])
def test_nor_does_one_that_settles_unless_everything_came(
    books: Books, tmp_path: Path, caplog: pytest.LogCaptureFixture, stream: str, is_second: bool
) -> None:
    # A chain of pages that overlap is complete, even if rows go away all the time.
    reading, former, warnings = _shrinking(books, tmp_path, caplog, stream, is_second)
    if warnings:
        assert reading.bookmark == former
    else:
        assert reading.missed == set()
    assert reading.wrong_in_the_end == {}


def _shrinking(
    books: Books, folder: Path, caplog: pytest.LogCaptureFixture, stream: str, is_second: bool
) -> tuple[PartitionReader, str | None, list[str]]:
    """Read a list that loses a row at every request; the bookmark before, and the warnings."""
    listed = BY_NAME[stream]
    former = bookmark_of(books.prepared(listed, folder).state, stream) if is_second else None
    caplog.clear()
    edits = [Edit(-1, "after", "delete", "newest")]
    reading = books.read(listed, edits, folder, is_second=is_second)
    assert books.sandbox.stats(reading.config["client_id"])["requests"] < 200
    warnings = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and stream in f"{record.name} {record.getMessage()}"
    ]
    return reading, former, warnings
