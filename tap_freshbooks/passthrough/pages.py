"""Reads all pages of a list whose place in the answer is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.envelope import find_list, read_list
from tap_freshbooks.extraction.pagination import PAGE_SIZE, Page, read_pages
from tap_freshbooks.extraction.prefetch import InlineFuture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_freshbooks.transport.request import Response


def all_rows(
    ask: Callable[[Mapping[str, Any]], Response], query: Mapping[str, Any]
) -> Iterator[Any]:
    """The rows of all pages, one after the other.

    Args:
        ask: Sends a request with this query.
        query: The parameters of the user, which each page has.

    Raises:
        FreshBooksError: If an answer has no list, or if the server repeats a page.
    """

    def fetch(number: int) -> Page:
        response = ask({"per_page": PAGE_SIZE, **query, "page": number})
        rows, metadata = read_list(response.body, find_list(response.body), "the answer")
        return Page(number, rows, metadata, response.date, response.sent, response.received)

    previous: Sequence[Any] | None = None
    for page in read_pages(lambda number: InlineFuture(lambda: fetch(number))):
        if previous and page.rows == previous:
            raise FreshBooksError(
                f"FreshBooks says that there are {page.metadata.pages} pages, and repeats page "
                f"{page.number - 1} for page {page.number}; the list cannot be read completely, "
                "and what it sent so far is above"
            )
        yield from page.rows
        previous = page.rows
