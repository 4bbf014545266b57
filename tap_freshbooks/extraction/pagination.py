"""Page metadata, and all pages of a list in their order.

Page metadata drives paging; never row counts and never the requested page size: FreshBooks caps
the size in silence, and `total` may count rows that the token cannot see
(`docs/freshbooks-api/accounting.md §3`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.errors import BadRequestError, FreshBooksError
from tap_freshbooks.numerals import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_freshbooks.records import Row

PAGE_SIZE = 100
"""Rows asked for; FreshBooks silently caps at this (`docs/freshbooks-api/accounting.md §3`)."""


MAX_EMPTY_PAGES = 100
"""Pages in a row that may be empty although more are said to follow. There can be some, of rows
that the token may not read."""

MAX_GROWTH = 100
"""Pages that a list may have gained while it was read, once it has twice as many as at first."""

MAX_UNCOUNTED_PAGES = 10_000
"""Pages of a list that does not say how many it has."""


class ListGrowsError(FreshBooksError):
    """A list grows faster than it can be read, so it is not read to its end."""


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """What a response says about its place in a list.

    Attributes:
        page: The page that was served, None if the list does not page.
        pages: How many there are; 0 for an empty list.
        total: How many rows FreshBooks counts, which may be more than the token may read.
        per_page: How many rows a page has at most, None if it does not say.
    """

    page: int | None
    pages: int
    total: int | None
    per_page: int | None = None

    @classmethod
    def read(cls, holder: Mapping[str, Any]) -> PageMetadata:
        """Read the metadata beside a list, or in the `meta` object beside it.

        Args:
            holder: The object with the keys page, pages, per_page and total, or with
                `meta`. Team members have no `pages`; unpaged lists have no keys at all.

        Raises:
            UnreadableMetadataError: If one of them holds anything but a number.
        """
        meta = holder.get("meta")
        if not isinstance(meta, dict):
            meta = holder
        # Beside a list that does not page, a `total` can be an amount.
        counts = {key: meta.get(key) for key in COUNTS} if PAGED & meta.keys() else {}
        page, pages, total, per_page = (_count(counts.get(key), key) for key in COUNTS)
        if pages is None:
            pages = -(-total // per_page) if total is not None and per_page else 1
        return cls(page, pages, total, per_page)

    def has_more(self, number: int, rows: int) -> bool:
        """Whether rows must follow, even behind the last page: this one is full, and more count.

        Args:
            number: Of the page, from 1.
            rows: How many it has.
        """
        if not self.per_page or self.total is None:
            return False
        return rows >= self.per_page and number * self.per_page < self.total


COUNTS = ("page", "pages", "total", "per_page")
"""Keys of page metadata."""

PAGED = {"page", "pages", "per_page"}
"""Of which page metadata have one at least."""


class UnreadableMetadataError(FreshBooksError):
    """Page metadata that no pages can be counted by."""


def _count(value: Any, key: str) -> int | None:
    number = whole_number(value)
    if (number is None and value is not None) or (number is not None and number < 0):
        # Not as if it were missing: a list of one page looks like that.
        raise UnreadableMetadataError(f"`{key}` of its page metadata is no count of anything")
    return number


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        number: The page that was asked for.
        rows: Of the page.
        metadata: Its place in the list, by the server's word.
        date: When the server made it, by the server's clock.
        sent: When it was asked for, `time.monotonic()`.
        received: When it was there, by the same clock.
    """

    number: int
    rows: Sequence[Row]
    metadata: PageMetadata
    date: datetime
    sent: float
    received: float


class Pending(Protocol):
    """A page that is on its way."""

    def result(self) -> Page:
        """Wait for it; raises what went wrong."""

    def cancel(self) -> bool:
        """Give it up, if it has not been asked for yet."""


def read_pages(
    request: Callable[[int], Pending], window: int = 1, *, pages_numbered: bool = True
) -> Iterator[Page]:
    """All pages of a list, in their order, several of them on their way at once.

    The first page says how many there are; a later one that says more is believed too.

    Args:
        request: Asks for a page by its number, from 1.
        window: How many pages may be on their way or waiting, at most.
        pages_numbered: False if responses may say nothing about pages: then pages are read one by
            one until one is empty, or the same again.

    Raises:
        BadRequestError: If the server repeats one page although there are more.
        FreshBooksError: If many pages are empty although there are more.
        ListGrowsError: If the list has no end.
    """
    ahead = deque([request(1)])
    asked = 1
    previous: Sequence[Row] | None = None
    progress = _Progress()
    try:
        while ahead:
            page = ahead.popleft().result()
            says_so = page.metadata.page is not None or page.metadata.pages > 1
            is_counted = pages_numbered or says_so
            if is_counted:
                last = _last_page(page)
            else:
                is_end = not page.rows or page.rows == previous
                last, previous = page.number + (not is_end), page.rows
            if progress.is_over(page, last if is_counted else None):
                last = 0
            if len(page.rows) > PAGE_SIZE:  # the size is ignored, so perhaps the page is as well
                window = 1
            while asked < last and len(ahead) < window:
                asked += 1
                ahead.append(request(asked))
            yield page
            progress.check(page, last)
    finally:
        for pending in ahead:
            pending.cancel()


def results_in_order(pending: Iterable[Any], window: int) -> Iterator[Any]:
    """Results of futures in their order, several of them on their way at once.

    Args:
        pending: Futures, each of which is begun when it is taken from here.
        window: How many may be on their way, at most.
    """
    rest = iter(pending)
    ahead: deque[Any] = deque()
    while True:
        ahead.extend(islice(rest, window - len(ahead)))
        if not ahead:
            return
        yield ahead.popleft().result()


def _last_page(page: Page) -> int:
    """Number of the last page, by the metadata of one."""
    metadata = page.metadata
    if metadata.page is None or metadata.page == page.number:
        follows = metadata.has_more(page.number, len(page.rows))
        return max(metadata.pages, page.number + follows)
    # The server ignores `page` (said of services): fine if it sends all at once.
    if metadata.total is None or len(page.rows) < metadata.total:
        raise BadRequestError(
            f"FreshBooks answered page {metadata.page} when asked for page {page.number}, "
            f"with {len(page.rows)} of {metadata.total} rows; the list cannot be read completely"
        )
    return 0


class _Progress:
    """How far a list is read, and whether it can have an end."""

    def __init__(self) -> None:
        self._rows = 0
        self._empty = 0
        self._most: int | None = None

    def is_over(self, page: Page, last: int | None) -> bool:
        """Take note of a page; whether nothing can follow, though more pages are said to.

        Args:
            page: The next one.
            last: Number of the last one, None if the server does not say.
        """
        self._rows += len(page.rows)
        self._empty = 0 if page.rows else self._empty + 1
        if self._most is None:
            self._most = MAX_UNCOUNTED_PAGES if last is None else 2 * last + MAX_GROWTH
        total = page.metadata.total
        return not page.rows and total is not None and self._rows >= total

    def check(self, page: Page, last: int) -> None:
        """See whether there is an end to come.

        Raises:
            FreshBooksError: If there are only empty pages.
            ListGrowsError: If the end moves away.
        """
        metadata = page.metadata
        if self._empty >= MAX_EMPTY_PAGES and page.number < last:
            raise FreshBooksError(
                f"FreshBooks says that there are {metadata.pages} pages of {metadata.total} rows, "
                f"but page {page.number} and the {self._empty - 1} before it are empty; the list "
                "cannot be read completely"
            )
        if self._most is not None and page.number >= self._most and page.number < last:
            raise ListGrowsError(
                f"the list grows faster than it is read: page {page.number} is not the last"
            )
