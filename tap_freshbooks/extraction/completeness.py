"""Reading a list completely while it moves.

Lists are paged by offset, without a snapshot. A row that is deleted from page 1 pulls another one
from page 4 to page 3 just after page 3 was read; nothing about the other one changes, so no later
sync would ask for it (`docs/freshbooks-api/accounting.md §3`).

What is proved here: the pages of a list form a chain, from page 1 to a last page, of which
each link is sound. A link is sound if

- it leads to the next page and the list was *stable* between the two responses: no totals differ,
  and no row is known to have come, gone or moved at that time; or
- the two pages *overlap*: they share a row that did not move. Rows that do not move keep their
  order, so what is before the shared row stays before it, and what is behind stays behind.

A row that existed throughout cannot slip through such a chain: where it is behind one page, it is
in the next one or behind that as well. Where links are broken, their pages are read once more, and
the new ones take the place of what was between the ends.

Totals do not show that one row went and one came between the same two responses. Rows with a
timestamp do: after a list of several pages, FreshBooks is asked what has changed since the reading
began, and once more after a repair: the same changes before and after mean that nothing moved in
between. Where nothing shows changes, the list is read a second time, and again until no row is
missing from the later reading: then nothing was deleted, and insertions alone show in the totals.

A list of one page is a snapshot, and costs nothing more. Nor does a list of the same rows as at
its last reading, where it counts no others: `_has_same_rows`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_freshbooks.extraction.keys import KeySet
from tap_freshbooks.extraction.list_chain import ListChain, PageTrace, found_keys
from tap_freshbooks.extraction.pagination import (
    MAX_GROWTH,
    ListGrowsError,
    read_pages,
    results_in_order,
)
from tap_freshbooks.transport.lazy_rows import chosen

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from datetime import datetime

    from tap_freshbooks.extraction.list_chain import Query
    from tap_freshbooks.extraction.list_source import DeletedQueries, ListSource
    from tap_freshbooks.extraction.pagination import Page, Pending
    from tap_freshbooks.records import Row

MAX_REPAIRS = 6
"""How often links are repaired, before a list counts as incomplete."""

MAX_READINGS = 4
"""How often a list is read whole, before it counts as incomplete."""

SLACK = timedelta(seconds=2)
"""Timestamps and dates of responses have whole seconds, and may come from different clocks."""


class ConsistentListReader:
    """Reads the lists that together hold the rows of one stream of one business.

    Args:
        source: The lists.
        last_keys: The digest of the keys that the last reading found; None if it is not known.
        slack: How far timestamps and dates of responses may be apart.

    Attributes:
        read_at: When the reading began, by the server's clock; None before the first response.
        is_complete: Whether every row that existed throughout was certainly delivered.
        hides_rows: Whether FreshBooks counts rows of a list of which it shows none.
    """

    def __init__(
        self, source: ListSource, *, last_keys: str | None = None, slack: timedelta = SLACK
    ) -> None:
        self.source = source
        self.last_keys = last_keys
        self.slack = slack
        self.read_at: datetime | None = None
        self.is_complete = True
        self.hides_rows = False
        self._seen = KeySet()
        self._delivered_again: dict[Hashable, datetime] = {}
        self._moved: dict[Hashable, datetime] = {}
        """Rows that came, went or moved since the reading began, and when."""
        self._lists_show_changes = False
        self._living: list[ListChain] = []

    def read(
        self, queries: Iterable[Query], deleted: DeletedQueries = lambda _: ()
    ) -> Iterator[Sequence[Row]]:
        """The rows of all lists, page by page; a row comes again only if it has changed.

        Args:
            queries: Of the lists.
            deleted: Gives those of the lists of deleted rows.
        """
        try:
            yield from self._read(queries, deleted)
        except ListGrowsError:
            self.is_complete = False

    @property
    def keys(self) -> str:
        """The digest of the keys that came, those of deleted rows aside."""
        return found_keys(self._living).digest

    @property
    def is_short(self) -> bool:
        """Whether no list had more than a page, those of deleted rows aside."""
        return all(len(each.observed) == 1 for each in self._living)

    def _read(self, queries: Iterable[Query], deleted: DeletedQueries) -> Iterator[Sequence[Row]]:
        living = self._living
        for query in queries:
            living.append(ListChain(query))
            yield from self._read_list(living[-1])
        has_same_rows = self._has_same_rows()
        lists = [] if has_same_rows else list(living)
        for query in deleted(has_same_rows):
            lists.append(ListChain(query))
            yield from self._read_list(lists[-1])
        # Rows that the token may not read count, too (`docs/freshbooks-api/accounting.md §3`).
        self.hides_rows = any(each.total and not each.has_rows for each in lists)
        moving = [each for each in lists if len(each.chain) > 1]
        if not moving or self.read_at is None:
            return
        changes = self.source.change_queries(self.read_at - self.slack)
        doubtful = moving
        if changes is not None and all(each.total is not None for each in moving):
            if changes:
                yield from self._repair_all(moving, changes)
            doubtful = [
                each
                for each in moving
                if each.lacks_rows or (not changes and self._broken_links(each))
            ]
        for each in doubtful:
            yield from self._read_until_same(each)

    def _has_same_rows(self) -> bool:
        """Whether the lists certainly have the rows of the last reading, and no others.

        None of the rows that came is newer than the last reading. So where the first page counts as
        many rows as came, these are the rows that were there then, with any that stays. But for
        one case: a row that was gone, and comes back just now, can stand for another.
        """
        if self.last_keys is None or any(each.total and not each.has_rows for each in self._living):
            return False
        found = found_keys(self._living)
        if found.digest != self.last_keys or self.is_short:
            return found.digest == self.last_keys
        totals = {page.total for each in self._living for page in each.observed}
        return len(self._living) == 1 and totals == {len(found)} and not self._moved

    # Reading

    def _read_list(self, each: ListChain) -> Iterator[Sequence[Row]]:
        """Read a list from its first page to its last."""
        each.chain = []
        for page in self._read_pages(each.query):
            if self.read_at is None:
                self.read_at = page.date
                self._lists_show_changes = self.source.change_queries(page.date) == []
            rows = self._add_page(each, page)
            each.chain.append(each.observed[-1])
            yield rows

    def _read_pages(self, query: Query) -> Iterator[Page]:
        def request(number: int) -> Pending:
            return self.source.request_page(query, number)

        return read_pages(request, self.source.window, pages_numbered=self.source.pages_numbered)

    def _add_page(self, each: ListChain, page: Page) -> Sequence[Row]:
        """Keep a trace of a page; returns those of its rows that had not been seen yet."""
        # Where all are looked at here, the writer need not decode them again.
        rows = list(page.rows) if self._lists_show_changes else page.rows
        keys = self.source.keys(rows)
        if len(set(keys)) < len(keys):
            self._check_distinct(rows, keys)
        each.observed.append(PageTrace.of(page, keys))
        if self._lists_show_changes:
            for row, key in zip(rows, keys, strict=True):
                self._note_change(row, key)
        new_rows = chosen(rows, [self._seen.add(key) for key in keys])
        each.new_rows += len(new_rows)
        return new_rows

    def _check_distinct(self, rows: Sequence[Row], keys: list[Hashable]) -> None:
        """Nothing moves within a page: rows that share a key are one row, or it is no key."""
        first: dict[Hashable, Row] = {}
        for row, key in zip(rows, keys, strict=True):
            if first.setdefault(key, row) != row:
                raise self.source.duplicate_key_error(row)

    def _note_change(self, row: Row, key: Hashable) -> datetime | None:
        """When a row changed, if that was since the reading began."""
        moment = self.source.changed_at(row)
        if moment is None or self.read_at is None or moment < self.read_at - self.slack:
            return None
        if self.source.changes_order(row):
            self._moved[key] = moment
        return moment

    def _broken_links(self, each: ListChain) -> list[tuple[int, int]]:
        return each.broken_links(self._moved, self.slack)

    # Where changes can be asked for

    def _repair_all(
        self, moving: list[ListChain], queries: Sequence[Query]
    ) -> Iterator[Sequence[Row]]:
        """Read what changed, and repair links that the changes or the totals show as broken."""
        repaired: list[PageTrace] = []
        for number in range(1, MAX_REPAIRS + 1):
            before = dict(self._moved)
            changes = [ListChain(query) for query in queries]
            for each in changes:
                yield from self._read_changes(each)
            is_stable = all(each.has_one_total for each in changes)
            if is_stable and self._moved == before:
                for page in repaired:
                    page.stable_period = number
            broken = [(each, runs) for each in moving if (runs := self._broken_links(each))]
            if is_stable and not broken:
                return
            repaired = []
            for each, runs in broken:
                known = len(each.observed)
                yield from self._repair(each, runs)
                repaired += each.observed[known:]
        self.is_complete = False

    def _read_changes(self, each: ListChain) -> Iterator[Sequence[Row]]:
        """Read what changed since the reading began; it is newer than all that was delivered."""
        taken: set[Hashable] = set()
        for page in self._read_pages(each.query):
            rows = []
            changed = list(page.rows)
            for row, key in zip(changed, self.source.keys(changed), strict=True):
                moment = self._note_change(row, key)
                is_changed = moment is not None and self._delivered_again.get(key) != moment
                is_new = self._seen.add(key)
                if key not in taken and (is_changed or is_new):
                    rows.append(row)
                    if moment:
                        self._delivered_again[key] = moment
                taken.add(key)
            each.observed.append(PageTrace.of(page, []))
            yield rows

    def _repair(self, each: ListChain, runs: list[tuple[int, int]]) -> Iterator[Sequence[Row]]:
        """Put new pages between those at the ends of each run; at the list's ends, in place."""
        for begin, end in reversed(runs):
            former, latter = each.chain[begin], each.chain[end]
            is_first, is_last = begin == 0, end == len(each.chain) - 1
            # Pages that went apart by more than a page: one page further to the front each time.
            back = latter.number <= former.number
            first = max(1, min(former.number, latter.number) - back)
            last = max(former.number, latter.number)
            known = len(each.observed)
            # From the end to the front: a row that is deleted meanwhile then makes an overlap.
            yield from self._read_again(each, range(last, first - 1, -1))
            patch = each.observed[: known - 1 : -1]
            while is_last and patch[-1].number < patch[-1].pages:
                if patch[-1].number >= 2 * len(each.chain) + MAX_GROWTH:
                    raise ListGrowsError("the list grows faster than it is read")
                yield from self._read_again(each, [patch[-1].number + 1])
                patch.append(each.observed[-1])
            each.chain[begin + (not is_first) : end + is_last] = patch

    def _read_again(self, each: ListChain, numbers: Iterable[int]) -> Iterator[Sequence[Row]]:
        """Read pages by their numbers, several at once, in this order."""
        pending = (self.source.request_page(each.query, number) for number in numbers)
        for page in results_in_order(pending, self.source.window):
            yield self._add_page(each, page)

    # Where nothing shows changes

    def _read_until_same(self, each: ListChain) -> Iterator[Sequence[Row]]:
        """Read a list again, until no row is missing from the later reading."""
        for _ in range(MAX_READINGS - 1):
            before, moved = each.keys(), dict(self._moved)
            yield from self._read_list(each)
            for page in each.chain:
                page.stable_period = 1  # changes by timestamps are compared here
            if (
                before <= each.keys()
                and moved == self._moved
                and not self._broken_links(each)
                # Rows that the token may not read are missing each time, and move nothing.
                and not (each.lacks_rows and each.has_repetitions)
            ):
                return
        self.is_complete = False
