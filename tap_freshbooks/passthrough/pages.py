"""The list in an answer whose kind nobody told us, and the pages after it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.pagination import PAGE_SIZE, PageMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_freshbooks.transport.client import Answer


def rows_of(body: Any) -> tuple[list[Any], PageMetadata]:
    """The list of an answer that is nearest to its root, and what stands beside it about pages.

    Raises:
        FreshBooksError: If there is none.
    """
    if isinstance(body, list):
        return body, PageMetadata(None, 1, None)
    level = deque([body])
    while level:
        holder = level.popleft()
        if not isinstance(holder, dict):
            continue
        lists = {name: value for name, value in holder.items() if isinstance(value, list)}
        if len(lists) > 1:
            raise FreshBooksError(
                f"the answer holds several lists ({', '.join(lists)}), so --all does not know which"
            )
        if lists:
            [rows] = lists.values()
            return rows, PageMetadata.read(holder)
        level.extend(holder.values())
    raise FreshBooksError("the answer holds no list, so there is nothing to go through with --all")


def all_rows(ask: Callable[[Mapping[str, Any]], Answer], query: Mapping[str, Any]) -> Iterator[Any]:
    """The rows of all pages, one after the other.

    Args:
        ask: Asks with a query.
        query: What the user wants of each page.
    """
    number, before = 1, None
    while True:
        rows, metadata = rows_of(ask({"per_page": PAGE_SIZE, **query, "page": number}).body)
        if number > 1 and (rows == before or metadata.page not in {None, number}):
            raise FreshBooksError(
                f"FreshBooks says that there are {metadata.pages} pages, and sends page "
                f"{metadata.page or 1} for page {number}; what it sent so far is above"
            )
        yield from rows
        if number >= metadata.pages or not rows:
            return
        number, before = number + 1, rows
