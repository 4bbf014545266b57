"""The chain of a list's pages, and which of its links are sound (see `completeness.py`)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from tap_freshbooks.extraction.keys import KeySet, compact

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from tap_freshbooks.extraction.pagination import Page

Query = dict[str, Any]


@dataclass(slots=True)
class PageTrace:
    """What is kept of a page: enough to see whether it joins another.

    Attributes:
        number: The page that was asked for.
        keys: Of its rows.
        pages: How many there are, by its metadata.
        total: How many rows FreshBooks counts, None if it does not.
        date: When the server made it, by the server's clock.
        sent: When it was asked for, `time.monotonic()`.
        received: When it was there, by the same clock.
        stable_period: Names the time between two equal lists of changes in which it came; 0 for
            none.
    """

    number: int
    keys: Sequence[Hashable]
    pages: int
    total: int | None
    date: datetime
    sent: float
    received: float
    stable_period: int = 0

    @classmethod
    def of(cls, page: Page, keys: list[Hashable]) -> PageTrace:
        """Keep a page whose rows have these keys."""
        metadata = page.metadata
        return cls(
            page.number,
            compact(keys),
            metadata.pages,
            metadata.total,
            page.date,
            page.sent,
            page.received,
        )


@dataclass(slots=True)
class ListChain:
    """One list, as far as it is read.

    Attributes:
        query: Of the list.
        chain: The pages that follow each other.
        observed: All pages: what they say about totals stays true, whatever became of the chain.
        new_rows: Rows that came for the first time, in any list.
    """

    query: Query
    chain: list[PageTrace] = field(default_factory=list)
    observed: list[PageTrace] = field(default_factory=list)
    new_rows: int = 0

    @property
    def total(self) -> int | None:
        """By the latest page."""
        return max(self.observed, key=lambda page: page.received).total

    @property
    def has_one_total(self) -> bool:
        """Whether all pages count the same."""
        return len({page.total for page in self.observed}) <= 1

    @property
    def has_repetitions(self) -> bool:
        """Whether a row is in the chain twice."""
        return len(self.keys()) < sum(len(page.keys) for page in self.chain)

    @property
    def lacks_rows(self) -> bool:
        """Whether FreshBooks counts more rows than came; the token may not read all of them."""
        total = self.total
        return total is not None and self.new_rows < total and len(self.keys()) < total

    @property
    def has_rows(self) -> bool:
        """Whether there is any row in the chain; a set of all keys would take tens of megabytes."""
        return any(page.keys for page in self.chain)

    def keys(self) -> set[Hashable]:
        """Those of all rows in the chain."""
        return {key for page in self.chain for key in page.keys}

    def broken_links(
        self, moved: Mapping[Hashable, datetime], slack: timedelta
    ) -> list[tuple[int, int]]:
        """Runs of links that are not sound: the positions of the pages at their ends.

        Args:
            moved: Rows that are known to have come, gone or moved, and when.
            slack: How far timestamps and dates of responses may be apart.
        """
        totals = _TotalHistory(self.observed)
        moments = sorted(moved.values())
        runs: list[tuple[int, int]] = []
        for position, (former, latter) in enumerate(pairwise(self.chain)):
            follows = latter.number <= former.number + 1
            if follows and _is_stable(former, latter, totals, moments, slack):
                continue
            if _overlap(former, latter, moved):
                continue
            if runs and runs[-1][1] == position:
                runs[-1] = (runs[-1][0], position + 1)
            else:
                runs.append((position, position + 1))
        return runs


def found_keys(lists: Iterable[ListChain]) -> KeySet:
    """The keys of all rows that came in some lists, whatever became of the chains."""
    found = KeySet()
    for each in lists:
        for page in each.observed:
            for key in page.keys:
                found.add(key)
    return found


class _TotalHistory:
    """The totals of a list over time."""

    def __init__(self, observed: list[PageTrace]) -> None:
        self._pages = sorted(observed, key=lambda page: page.received)
        self._times = [page.received for page in self._pages]
        self._longest = max(page.received - page.sent for page in observed)

    def differ(self, total: int | None, begin: float, end: float) -> bool:
        """Whether a page of this time has another total."""
        for page in islice(self._pages, bisect_left(self._times, begin), None):
            if page.received - self._longest > end:
                return False
            if page.total != total and page.sent <= end:
                return True
        return False


def _is_stable(
    former: PageTrace,
    latter: PageTrace,
    totals: _TotalHistory,
    moments: list[datetime],
    slack: timedelta,
) -> bool:
    """Whether nothing is known to have moved between two pages."""
    begin, end = min(former.sent, latter.sent), max(former.received, latter.received)
    if former.total != latter.total or totals.differ(former.total, begin, end):
        return False
    if former.stable_period and former.stable_period == latter.stable_period:
        return True
    position = bisect_left(moments, min(former.date, latter.date) - slack)
    return not (
        position < len(moments) and moments[position] <= max(former.date, latter.date) + slack
    )


def _overlap(former: PageTrace, latter: PageTrace, moved: Mapping[Hashable, datetime]) -> bool:
    """Whether two pages share a row that did not move."""
    return any(key not in moved for key in set(former.keys).intersection(latter.keys))
