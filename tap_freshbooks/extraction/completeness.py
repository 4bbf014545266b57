"""Reading a list completely while it moves.

Lists are paged by offset, without a snapshot. A row that is deleted from page 1 pulls a bystander
from page 4 to page 3 just after page 3 was read; nothing about the bystander changes, so nobody
would ever ask for it again (`docs/freshbooks-api/accounting.md §3`).

What is proved here: the answers of a list form a chain, from page 1 to a last page, of which
each link is sound. A link is sound if

- it leads to the next page and the list was *quiet* between the two answers: no totals differ,
  and no row is known to have come, gone or moved at that time; or
- the two answers *overlap*: they share a row that did not move. Rows that do not move keep their
  order, so what is before the shared row stays before it, and what is behind stays behind.

A row that existed throughout cannot slip through such a chain: where it is behind one answer, it is
in the next one or behind that as well. Where links are not sound, their pages are asked for once
more, and the new answers take the place of what was between the ends.

Totals do not tell of one row that goes and one that comes between the same two answers. Rows with
a stamp do: after a list of several pages, FreshBooks is asked what has changed since the reading
began, and once more after mending: the same news before and after means that nothing moved in
between. Where nothing would tell, the list is read a second time, and again until no row is missing
from the later reading: then nothing was deleted, and insertions alone show in the totals.

A list of one page is a snapshot, and costs nothing more.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Protocol, cast

from tap_freshbooks.extraction.pagination import read_pages

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from datetime import datetime

    from tap_freshbooks.extraction.pagination import Page, Pending, Row

Query = dict[str, Any]

ROUNDS = 6
"""How often links are mended, before a list counts as unsettled."""

READINGS = 4
"""How often a list is read whole, before it counts as unsettled."""

SLACK = timedelta(seconds=2)
"""Stamps and dates of answers have whole seconds, and may come from different clocks."""


class Source(Protocol):
    """Where the lists of a stream are, and what is known about their rows."""

    window: int
    """How many pages may be on their way or waiting, at most."""

    pages_numbered: bool
    """False if nobody knows what an answer says about pages."""

    def ask(self, query: Query, number: int) -> Pending:
        """Ask for a page."""

    def key(self, row: Row) -> Hashable:
        """What tells a row from the others."""

    def ambiguous(self, row: Row) -> Exception:
        """An error to raise: another row of the same answer has the key of this one."""

    def changed_at(self, row: Row) -> datetime | None:
        """When a row changed last, None if it does not say."""

    def changes_order(self, row: Row) -> bool:
        """Whether other rows may have moved when this one changed."""

    def changes(self, since: datetime) -> Sequence[Query] | None:
        """Queries that show, with their stamps, the rows that came, changed or went.

        Empty if the lists themselves show them. None if nothing does.
        """


class _Seen:
    """A set of keys that only grows; small for whole numbers near each other, as most ids are."""

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}
        """Which of 64 numbers in a row are in it."""
        self._others: set[Hashable] = set()

    def add(self, key: Hashable) -> bool:
        """Add a key; whether it was not there yet."""
        if type(key) is int:
            place, bit = key >> 6, 1 << (key & 63)
            mask = self._masks.get(place, 0)
            self._masks[place] = mask | bit
            return not mask & bit
        size = len(self._others)
        self._others.add(key)
        return len(self._others) > size


def _compact(keys: list[Hashable]) -> Sequence[Hashable]:
    try:
        return array("q", cast("list[int]", keys))
    except (TypeError, OverflowError):
        return keys


@dataclass(slots=True)
class _Answer:
    """What is kept of a page: enough to see whether it joins another."""

    number: int
    keys: Sequence[Hashable]
    pages: int
    total: int | None
    date: datetime
    sent: float
    received: float
    quiet: int = 0
    """Names the period between two equal pieces of news in which it came; 0 for none."""

    @classmethod
    def of(cls, page: Page, keys: list[Hashable]) -> _Answer:
        says = page.metadata
        return cls(page.number, keys, says.pages, says.total, page.date, page.sent, page.received)


@dataclass(slots=True)
class _List:
    """One list, as far as it is read."""

    query: Query
    chain: list[_Answer] = field(default_factory=list)
    observed: list[_Answer] = field(default_factory=list)
    """All answers: what they say about totals stays true, whatever became of the chain."""
    fresh: int = 0
    """Rows that nobody had seen before, in no list."""

    @property
    def total(self) -> int | None:
        """What the latest answer says."""
        return max(self.observed, key=lambda answer: answer.received).total

    @property
    def is_steady(self) -> bool:
        """Whether all answers count the same."""
        return len({answer.total for answer in self.observed}) <= 1

    @property
    def has_repetitions(self) -> bool:
        """Whether a row is in the chain twice."""
        return len(self.keys()) < sum(len(answer.keys) for answer in self.chain)

    def keys(self) -> set[Hashable]:
        """Those of all rows in the chain."""
        return {key for answer in self.chain for key in answer.keys}


class _Totals:
    """When a list counted how many rows."""

    def __init__(self, observed: list[_Answer]) -> None:
        self._answers = sorted(observed, key=lambda answer: answer.received)
        self._times = [answer.received for answer in self._answers]
        self._longest = max(answer.received - answer.sent for answer in observed)

    def differ(self, total: int | None, begin: float, end: float) -> bool:
        """Whether an answer of this time counts otherwise."""
        for answer in islice(self._answers, bisect_left(self._times, begin), None):
            if answer.received - self._longest > end:
                return False
            if answer.total != total and answer.sent <= end:
                return True
        return False


class ConsistentListReader:
    """Reads the lists that together hold the rows of one stream of one business.

    Args:
        source: Where they are.
        slack: How far stamps and dates of answers may be apart.

    Attributes:
        read_at: When the reading began, by the server's clock; None before the first answer.
        settled: Whether every row that existed throughout was certainly delivered.
    """

    def __init__(self, source: Source, slack: timedelta = SLACK) -> None:
        self.source = source
        self.slack = slack
        self.read_at: datetime | None = None
        self.settled = True
        self._seen = _Seen()
        self._delivered_again: dict[Hashable, datetime] = {}
        self._moved: dict[Hashable, datetime] = {}
        """Rows that came, went or moved since the reading began, and when."""
        self._lists_show_changes = False

    def pages(self, queries: Iterable[Query]) -> Iterator[list[Row]]:
        """The rows of all lists, page by page; a row comes again only if it has changed."""
        lists = []
        for query in queries:
            lists.append(_List(query))
            yield from self._read(lists[-1])
        moving = [each for each in lists if len(each.chain) > 1]
        if not moving or self.read_at is None:
            return
        changes = self.source.changes(self.read_at - self.slack)
        doubtful = moving
        if changes is not None and all(each.total is not None for each in moving):
            if changes:
                yield from self._settle(moving, changes)
            doubtful = [
                each
                for each in moving
                if self._lacks_rows(each) or (not changes and self._torn(each))
            ]
        for each in doubtful:
            yield from self._compare(each)

    # Reading

    def _read(self, each: _List) -> Iterator[list[Row]]:
        """Read a list from its first page to its last."""
        each.chain = []
        for page in self._walk(each.query):
            if self.read_at is None:
                self.read_at = page.date
                self._lists_show_changes = self.source.changes(page.date) == []
            rows = self._take(each, page)
            each.chain.append(each.observed[-1])
            yield rows

    def _walk(self, query: Query) -> Iterator[Page]:
        def ask(number: int) -> Pending:
            return self.source.ask(query, number)

        return read_pages(ask, self.source.window, pages_numbered=self.source.pages_numbered)

    def _take(self, each: _List, page: Page) -> list[Row]:
        """Note an answer; those of its rows that had not been seen yet."""
        keys = [self.source.key(row) for row in page.rows]
        if len(set(keys)) < len(keys):
            self._check_distinct(page.rows, keys)
        each.observed.append(_Answer.of(page, keys))
        if self._lists_show_changes:
            for row, key in zip(page.rows, keys, strict=True):
                self._note_change(row, key)
        is_new = self._seen.add
        fresh = [row for row, key in zip(page.rows, keys, strict=True) if is_new(key)]
        each.fresh += len(fresh)
        return fresh

    def _check_distinct(self, rows: list[Row], keys: list[Hashable]) -> None:
        """Nothing moves within an answer: rows that share a key are one row, or it is no key."""
        first: dict[Hashable, Row] = {}
        for row, key in zip(rows, keys, strict=True):
            if first.setdefault(key, row) != row:
                raise self.source.ambiguous(row)

    def _note_change(self, row: Row, key: Hashable) -> datetime | None:
        """When a row changed, if that was since the reading began."""
        moment = self.source.changed_at(row)
        if moment is None or self.read_at is None or moment < self.read_at - self.slack:
            return None
        if self.source.changes_order(row):
            self._moved[key] = moment
        return moment

    # Where changes can be asked for

    def _settle(self, moving: list[_List], changes: Sequence[Query]) -> Iterator[list[Row]]:
        """Ask what changed, and mend what that or the totals have torn, until nothing is."""
        mended: list[_Answer] = []
        for number in range(1, ROUNDS + 1):
            before = dict(self._moved)
            news = [_List(query) for query in changes]
            for each in news:
                yield from self._news(each)
            is_steady = all(each.is_steady for each in news)
            if is_steady and self._moved == before:
                for answer in mended:
                    answer.quiet = number
            torn = [(each, runs) for each in moving if (runs := self._torn(each))]
            if is_steady and not torn:
                return
            mended = []
            for each, runs in torn:
                known = len(each.observed)
                yield from self._mend(each, runs)
                mended += each.observed[known:]
        self.settled = False

    def _news(self, each: _List) -> Iterator[list[Row]]:
        """Read what changed since the reading began; it is newer than all that was delivered."""
        taken: set[Hashable] = set()
        for page in self._walk(each.query):
            news = []
            for row in page.rows:
                key = self.source.key(row)
                moment = self._note_change(row, key)
                is_news = moment is not None and self._delivered_again.get(key) != moment
                is_new = self._seen.add(key)
                if key not in taken and (is_news or is_new):
                    news.append(row)
                    if moment:
                        self._delivered_again[key] = moment
                taken.add(key)
            each.observed.append(_Answer.of(page, []))
            yield news

    def _mend(self, each: _List, runs: list[tuple[int, int]]) -> Iterator[list[Row]]:
        """Put new answers between those at the ends of each run; at the list's ends, in place."""
        for begin, end in reversed(runs):
            former, latter = each.chain[begin], each.chain[end]
            is_first, is_last = begin == 0, end == len(each.chain) - 1
            # Pages that went apart by more than a page: one page further to the front each time.
            back = latter.number <= former.number
            first = max(1, min(former.number, latter.number) - back)
            last = max(former.number, latter.number)
            known = len(each.observed)
            # From the end to the front: a row that is deleted meanwhile then makes an overlap.
            yield from self._take_all(each, range(last, first - 1, -1))
            patch = each.observed[: known - 1 : -1]
            while is_last and patch[-1].number < patch[-1].pages:
                yield from self._take_all(each, [patch[-1].number + 1])
                patch.append(each.observed[-1])
            each.chain[begin + (not is_first) : end + is_last] = patch

    def _take_all(self, each: _List, numbers: Iterable[int]) -> Iterator[list[Row]]:
        rest = iter(numbers)
        ahead: deque[Pending] = deque()
        while True:
            for number in islice(rest, self.source.window - len(ahead)):
                ahead.append(self.source.ask(each.query, number))
            if not ahead:
                return
            yield self._take(each, ahead.popleft().result())

    # Links

    def _torn(self, each: _List) -> list[tuple[int, int]]:
        """Runs of links that are not sound: the positions of the answers at their ends."""
        totals = _Totals(each.observed)
        moments = sorted(self._moved.values())
        runs: list[tuple[int, int]] = []
        for position, (former, latter) in enumerate(pairwise(each.chain)):
            follows = latter.number <= former.number + 1
            if follows and self._is_quiet(former, latter, totals, moments):
                continue
            if self._overlap(former, latter):
                continue
            if runs and runs[-1][1] == position:
                runs[-1] = (runs[-1][0], position + 1)
            else:
                runs.append((position, position + 1))
        return runs

    def _is_quiet(
        self, former: _Answer, latter: _Answer, totals: _Totals, moments: list[datetime]
    ) -> bool:
        begin, end = min(former.sent, latter.sent), max(former.received, latter.received)
        if former.total != latter.total or totals.differ(former.total, begin, end):
            return False
        if former.quiet and former.quiet == latter.quiet:
            return True
        position = bisect_left(moments, min(former.date, latter.date) - self.slack)
        return not (
            position < len(moments)
            and moments[position] <= max(former.date, latter.date) + self.slack
        )

    def _overlap(self, former: _Answer, latter: _Answer) -> bool:
        return any(key not in self._moved for key in set(former.keys).intersection(latter.keys))

    # Where nothing tells

    def _compare(self, each: _List) -> Iterator[list[Row]]:
        """Read a list again, until no row is missing from the later reading."""
        for _ in range(READINGS - 1):
            before, moved = each.keys(), dict(self._moved)
            yield from self._read(each)
            for answer in each.chain:
                answer.quiet = 1  # what the stamps have to say is looked at here
            if (
                before <= each.keys()
                and moved == self._moved
                and not self._torn(each)
                # Rows that the token may not read are lacking each time, and move nothing.
                and not (self._lacks_rows(each) and each.has_repetitions)
            ):
                return
        self.settled = False

    def _lacks_rows(self, each: _List) -> bool:
        """Whether FreshBooks counts more rows than came; the token may not read all of them."""
        total = each.total
        return total is not None and each.fresh < total and len(each.keys()) < total
