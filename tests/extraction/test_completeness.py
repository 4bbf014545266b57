"""No schedule of inserts, edits and deletions, between and during page reads, costs a row."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_freshbooks.extraction.completeness import ConsistentListReader
from tap_freshbooks.extraction.pagination import Page, PageMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from tap_freshbooks.records import Row

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS_PER_PAGE = 3
NEVER = -100.0


@dataclass
class Record:
    """A row as FreshBooks keeps it; its rank is what the list is sorted by, beside the id."""

    id: int
    rank: int
    content: int
    timestamp: float
    is_deleted: bool = False


class Books:
    """A list that moves while it is read, and a server that responds in no particular order.

    Args:
        decisions: What happens, when and to which row; nothing once they are used up.
        has_ranks: Whether the list is sorted by something that an edit can change.
        keeps_deleted: Whether a deleted row stays in the list.
    """

    def __init__(
        self, decisions: Sequence[int], *, rows: int, has_ranks: bool, keeps_deleted: bool = False
    ) -> None:
        self.decisions = deque(decisions)
        self.has_ranks = has_ranks
        self.keeps_deleted = keeps_deleted
        self.now = 0.0
        self.contents = 0
        self.records: dict[int, Record] = {}
        for _ in range(rows):
            self.insert(NEVER)
        self.gone: set[int] = set()
        self.waiting: list[Asked] = []

    def decide(self, choices: int) -> int:
        return self.decisions.popleft() % choices if self.decisions else 0

    def insert(self, timestamp: float) -> None:
        key = len(self.records) + 1
        rank = self.decide(9) if self.has_ranks else 0
        self.records[key] = Record(key, rank, self.content(), timestamp)

    def content(self) -> int:
        self.contents += 1
        return self.contents

    def happen(self) -> None:
        """Nothing, an insertion, an edit or a deletion."""
        action = self.decide(8)
        alive = [record for record in self.records.values() if not record.is_deleted]
        if action in {1, 2}:
            self.insert(self.now)
        elif action in {3, 4, 5} and alive:
            record = alive[self.decide(len(alive))]
            record.timestamp = self.now
            record.content = self.content()
            if action == 3:
                record.is_deleted = True
                self.gone.add(record.id)
            elif self.has_ranks:
                record.rank = self.decide(9)

    def listed(self, query: dict[str, Any]) -> list[Record]:
        """A list, newest first within a rank."""
        found = [
            record
            for record in self.records.values()
            if (self.keeps_deleted or record.is_deleted == query.get("deleted", False))
            and record.timestamp >= query.get("since", NEVER)
        ]
        return sorted(found, key=lambda record: (record.rank, -record.id))

    def respond(self, asked: Asked) -> None:
        """Let things happen, respond, and let things happen again."""
        for _ in range(self.decide(3)):
            self.now += (0.01, 0.4, 1.3)[self.decide(3)]
            self.happen()
        self.now += 0.01
        found = self.listed(asked.query)
        start = (asked.number - 1) * ROWS_PER_PAGE
        rows = [
            {
                "id": each.id,
                "content": each.content,
                "timestamp": int(each.timestamp),
                "deleted": each.is_deleted,
            }
            for each in found[start : start + ROWS_PER_PAGE]
        ]
        pages = -(-len(found) // ROWS_PER_PAGE)
        metadata = PageMetadata(asked.number, pages, len(found))
        date = BEGINNING + timedelta(seconds=int(self.now))
        self.now += 0.01
        asked.page = Page(asked.number, rows, metadata, date, asked.sent, self.now)


class Asked:
    """A page on its way. Waiting for it lets the server respond to others first, perhaps."""

    def __init__(self, books: Books, query: dict[str, Any], number: int) -> None:
        self.books = books
        self.query = query
        self.number = number
        books.now += 0.001
        self.sent = books.now
        self.page: Page | None = None
        books.waiting.append(self)

    def result(self) -> Page:
        waiting = self.books.waiting
        while self.page is None:
            self.books.respond(waiting.pop(self.books.decide(len(waiting))))
        return self.page

    def cancel(self) -> bool:
        return True


class Lists:
    """The books as a source: how they show changes is what the tests vary."""

    pages_numbered = True

    def __init__(
        self,
        books: Books,
        window: int,
        changes: Callable[[float], Sequence[dict[str, Any]] | None],
    ) -> None:
        self.books = books
        self.window = window
        self._changes = changes
        self.asked = 0

    def request_page(self, query: dict[str, Any], number: int) -> Asked:
        self.asked += 1
        return Asked(self.books, query, number)

    def keys(self, rows: Sequence[Row]) -> list[Hashable]:
        return [row["id"] for row in rows]

    def duplicate_key_error(self, row: Row) -> Exception:
        return AssertionError(row)

    def changed_at(self, row: Row) -> datetime | None:
        return BEGINNING + timedelta(seconds=row["timestamp"])

    def changes_order(self, row: Row) -> bool:
        return self.books.has_ranks or row["deleted"]

    def change_queries(self, since: datetime) -> Sequence[dict[str, Any]] | None:
        return self._changes((since - BEGINNING).total_seconds() // 5 * 5)  # a coarse filter


def can_be_asked_for(since: float) -> list[dict[str, Any]]:
    """As invoices: a filter by change, for each state."""
    return [{"since": since}, {"since": since, "deleted": True}]


def shown_by_lists(_since: float) -> list[dict[str, Any]]:
    """As bills: the lists show all timestamps; and time entries, which never leave theirs."""
    return []


def not_shown(_since: float) -> None:
    """As credit notes: nothing shows changes."""


def read(
    books: Books,
    source: Lists,
    queries: list[dict[str, Any]],
    *,
    last_keys: str | None = None,
    deleted: Sequence[dict[str, Any]] = (),
) -> tuple[ConsistentListReader, set[int]]:
    """Read, and see that no content is followed by an older one; the keys that came.

    Where the rows are those of the last reading, the deleted ones are not asked for.
    """
    reader = ConsistentListReader(source, last_keys=last_keys)
    contents: dict[int, int] = {}
    throughout = {record.id for query in queries for record in books.listed(query)}
    for rows in reader.read(queries, lambda is_same: () if is_same else deleted):
        for row in rows:
            assert row["content"] >= contents.get(row["id"], 0), "an older content came later"
            contents[row["id"]] = row["content"]
    if reader.is_complete:
        assert throughout - books.gone <= set(contents), "a row that existed throughout is missing"
    return reader, set(contents)


SCHEDULES = st.lists(st.integers(0, 255), max_size=70)
MANY = settings(
    max_examples=2_500,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
WINDOWS = st.integers(1, 6)
SIZES = st.integers(0, 16)


@MANY
@given(SCHEDULES, SIZES, WINDOWS, st.booleans())
def test_lists_whose_changes_can_be_asked_for(
    decisions: list[int], rows: int, window: int, has_ranks: bool
) -> None:
    books = Books(decisions, rows=rows, has_ranks=has_ranks)
    read(books, Lists(books, window, can_be_asked_for), [{}, {"deleted": True}])


@MANY
@given(SCHEDULES, SIZES, WINDOWS, st.booleans())
def test_filtered_lists(decisions: list[int], rows: int, window: int, has_ranks: bool) -> None:
    books = Books(decisions, rows=rows, has_ranks=has_ranks)
    for record in list(books.records.values())[::2]:
        record.timestamp = -10.0
    queries = [{"since": -20.0}, {"since": -20.0, "deleted": True}]
    read(books, Lists(books, window, can_be_asked_for), queries)


@MANY
@given(SCHEDULES, SIZES, WINDOWS, st.booleans())
def test_lists_that_show_their_changes_themselves(
    decisions: list[int], rows: int, window: int, has_ranks: bool
) -> None:
    books = Books(decisions, rows=rows, has_ranks=has_ranks)
    read(books, Lists(books, window, shown_by_lists), [{}, {"deleted": True}])


@MANY
@given(SCHEDULES, SIZES, WINDOWS)
def test_lists_that_show_no_changes(decisions: list[int], rows: int, window: int) -> None:
    books = Books(decisions, rows=rows, has_ranks=False)
    read(books, Lists(books, window, not_shown), [{}])


@MANY
@given(SCHEDULES, SIZES, WINDOWS)
def test_lists_that_keep_deleted_rows(decisions: list[int], rows: int, window: int) -> None:
    books = Books(decisions, rows=rows, has_ranks=False, keeps_deleted=True)
    read(books, Lists(books, window, shown_by_lists), [{}])


def test_lists_that_were_read_before() -> None:
    for seed in range(2_000):
        random = Random(seed)  # noqa: S311 - reproducible
        books = Books([], rows=random.randrange(17), has_ranks=False)
        books.has_ranks = random.random() < 0.7
        source = Lists(books, random.randint(1, 6), random.choice([shown_by_lists, not_shown]))
        former, known = read(books, source, [{}])
        for _ in range(random.choice([0, 0, 1, 1, 2])):
            if random.random() < 0.7:
                books.decisions.extend([random.randrange(9)])
                books.insert(books.now)
            else:
                books.decisions.extend([3, random.randrange(255)])
                books.happen()
            books.decisions.clear()
        books.now += 60
        gone_before = books.gone.copy()
        books.gone.clear()
        for _ in range(random.randrange(30)):  # now and then something happens
            books.decisions.append(random.randrange(255))
            action = [1, random.randrange(3), random.choice([1, 3, 3, 3, 4]), random.randrange(255)]
            books.decisions.extend([0] if random.random() < 0.75 else action)
        _, keys = read(books, source, [{}], last_keys=former.keys, deleted=[{"deleted": True}])
        assert known & gone_before <= keys, seed  # no deletion of a known row is left untold


def test_the_same_rows_need_neither_a_second_reading_nor_the_list_of_deleted_ones() -> None:
    books = Books([], rows=30, has_ranks=False)
    source = Lists(books, 4, not_shown)
    former, _ = read(books, source, [{}])
    assert source.asked == 2 * 10
    reader, keys = read(books, source, [{}], last_keys=former.keys, deleted=[{"deleted": True}])
    assert reader.is_complete
    assert reader.keys == former.keys
    assert len(keys) == 30
    assert source.asked == 3 * 10


def test_a_new_row_that_slips_through_among_known_ones_shows_in_the_total() -> None:
    books = Books([], rows=15, has_ranks=False)
    source = Lists(books, 1, not_shown)
    former, _ = read(books, source, [{}])
    books.has_ranks = True
    books.decisions.append(1)
    books.insert(books.now)  # the last row of the list
    # A deletion right after the fifth response: the new row moves to a page that was read.
    books.decisions.extend([0] * 10 + [0, 1, 0, 3, 14])
    reader, keys = read(books, source, [{}], last_keys=former.keys)
    assert reader.is_complete
    assert keys == set(range(1, 17))


@pytest.mark.parametrize("has_ranks", [False, True])
@pytest.mark.parametrize("changes", [can_be_asked_for, shown_by_lists])
def test_rows_that_all_changed_just_before_are_proved_complete_soon(
    changes: Any, has_ranks: bool
) -> None:
    books = Books([], rows=30, has_ranks=has_ranks)
    for record in books.records.values():
        record.timestamp = -1.0
    source = Lists(books, 4, changes)
    reader, _ = read(books, source, [{}, {"deleted": True}])
    assert reader.is_complete
    assert source.asked < 5 * 10


def test_a_stable_list_is_read_once_and_its_changes_once() -> None:
    books = Books([], rows=30, has_ranks=False)
    source = Lists(books, 4, can_be_asked_for)
    reader, _ = read(books, source, [{}, {"deleted": True}])
    assert reader.is_complete
    assert source.asked == 10 + 1 + 2


def test_a_list_of_one_page_costs_one_request() -> None:
    for changes in (can_be_asked_for, shown_by_lists, not_shown):
        books = Books([], rows=ROWS_PER_PAGE, has_ranks=True)
        source = Lists(books, 4, changes)
        read(books, source, [{}])
        assert source.asked == 1


def test_another_row_that_slips_to_a_page_already_read_is_found() -> None:
    # A deletion right after the third response; the row at the head of page 4 moves to page 3.
    books = Books([0] * 6 + [0, 1, 0, 3, 14], rows=15, has_ranks=False)
    source = Lists(books, 1, can_be_asked_for)
    reader, keys = read(books, source, [{}, {"deleted": True}])
    assert reader.is_complete
    assert books.gone
    assert keys == set(range(1, 16))
    assert source.asked > 5 + 1 + 2
