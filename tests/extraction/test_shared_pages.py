"""A page that two readers need is asked for once, and held no longer than needed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.pagination import Page, PageMetadata
from tap_freshbooks.extraction.shared_pages import SharedPages

if TYPE_CHECKING:
    from collections.abc import Callable

READER = ("invoices", "Qx7Lm2")
QUERY = {"search[v3_status]": "overdue"}


class Server:
    """Answers with the number of the request, or with an error."""

    def __init__(self, *errors: Exception) -> None:
        self.asked = 0
        self.errors = dict(enumerate(errors, 1))

    def ask(self) -> Answer:
        self.asked += 1
        return Answer(self.asked, self.errors.get(self.asked))


class Answer:
    """A page that is on its way to two readers."""

    def __init__(self, number: int, error: Exception | None) -> None:
        self.number = number
        self.error = error

    def result(self) -> Page:
        if self.error:
            raise self.error
        now = datetime.now(UTC)
        return Page(1, [{"id": self.number}], PageMetadata(1, 1, 1), now, 0.0, 0.0)

    def cancel(self) -> bool:
        raise AssertionError("the other reader may want it")


@pytest.fixture
def pages() -> SharedPages:
    pages = SharedPages()
    pages.announce(READER, QUERY)
    return pages


def take(pages: SharedPages, server: Server) -> Callable[[], Page]:
    pending = pages.take(READER, dict(QUERY), server.ask)
    pending.cancel()
    return pending.result


def test_two_readers_get_the_page_of_one_request(pages: SharedPages) -> None:
    server = Server()
    first, second = take(pages, server), take(pages, server)
    assert second() is first()
    assert server.asked == 1


def test_a_third_one_asks_for_a_newer_page(pages: SharedPages) -> None:
    server = Server()
    rows = [take(pages, server)().rows for _ in range(2)]
    pages.announce(READER, QUERY)  # once more is as if never: nobody would come for it
    pending = pages.take(READER, QUERY, server.ask)
    assert [*rows, pending.result().rows] == [[{"id": 1}], [{"id": 1}], [{"id": 2}]]


def test_what_nobody_announced_is_asked_for_each_time() -> None:
    pages, server = SharedPages(), Server()
    pages.announce(("invoices", "another"), QUERY)
    pages.announce(READER, {})
    assert pages.take(READER, QUERY, server.ask).result().rows == [{"id": 1}]
    assert pages.take(READER, QUERY, server.ask).result().rows == [{"id": 2}]


def test_a_reader_does_not_fail_of_what_has_befallen_the_other(pages: SharedPages) -> None:
    server = Server(FreshBooksError("not now"))
    first, second = take(pages, server), take(pages, server)
    with pytest.raises(FreshBooksError):
        first()
    assert second().rows == [{"id": 2}]
