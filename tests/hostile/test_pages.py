"""Hostile page metadata: a list is read to its end, or its stream fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from freshbooks_sandbox import Sandbox
from tests.hostile.harness import Book, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command

PATH, RESULT = "*/{account_id}/invoices/invoices", "response.result"
MOST_REQUESTS = 40
"""Of the list of two pages, with that of deleted rows, and what changed meanwhile."""


class Metadata(NamedTuple):
    """What page metadata say, as JSON, and which keys read to the end all the same.

    Attributes:
        json: The value.
        whole: With this value in these keys every row arrives; in the others the stream fails.
    """

    json: str
    whole: str = ""


NONSENSE = {
    "an absurd number": "1e1000000",
    "an absurd number below 0": "-1e1000000",
    "an absurd number, text": '"1e1000000"',
    "many digits": "9" * 100_000,
    "NaN": "NaN",
    "Infinity": "Infinity",
    "below 0": "-3",
    "a half": "1.5",
    "2^63": str(2**63),
    "an object": "{}",
    "a list": "[2]",
    "true": "true",
    "a text": '"many"',
    "an empty text": '""',
}
BELIEVED = {
    "null": Metadata("null", "page pages per_page total"),
    "0": Metadata("0", "pages per_page total"),
    "1": Metadata("1", "pages per_page total"),
    "2": Metadata("2", "pages per_page total"),
    "2, text": Metadata('"2"', "pages per_page total"),
    "2.0": Metadata("2.0", "pages per_page total"),
    "7": Metadata("7", "pages per_page total"),
    "10^12": Metadata("1000000000000", "pages per_page total"),
}
VALUES = {**{name: Metadata(json) for name, json in NONSENSE.items()}, **BELIEVED}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with Sandbox(invoices=130, rate_limit=0) as sandbox:
        folder = tmp_path_factory.mktemp("book")
        yield Book(sandbox, folder, ("invoices", "taxes"), {"max_attempts": 2})


@pytest.mark.parametrize("key", ["page", "pages", "per_page", "total"])
@pytest.mark.parametrize("name", VALUES)
def test_a_list_is_read_to_its_end_or_its_stream_fails(
    book: Book, command: Command, whole: Run, key: str, name: str
) -> None:
    account = book.business["account_id"]
    value = VALUES[name]
    edit = {"edit": "set", "path": f"{RESULT}.{key}", "json": value.json}
    book.sandbox.stats_clear()
    with book.fault(PATH, edits=[edit]):
        run = book.sync(command, book.config())
    requests = book.sandbox.stats()["paths"]
    assert requests[f"GET /accounting/account/{account}/invoices/invoices"] <= MOST_REQUESTS
    assert run.rows("taxes") == whole.rows("taxes")
    assert run.rows("invoices", {account}) == whole.rows("invoices", {account})
    if key in value.whole.split():
        assert run.status == 0
        assert run.rows("invoices") == whole.rows("invoices")
        assert run.bookmarks("invoices") == whole.bookmarks("invoices")
    else:
        assert run.status == 1
        [failure] = run.failures
        assert failure.startswith(f"invoices of {book.business['name']} (")
        nonsense = f"`{key}` of its page metadata is no count of anything"
        says = nonsense if name in NONSENSE else "the list cannot be read completely"
        assert says in failure
        assert not run.bookmarks("invoices")[account]


def test_an_object_in_the_place_of_page_metadata_is_none(
    book: Book, command: Command, whole: Run
) -> None:
    edit = {"edit": "set", "path": f"{RESULT}.meta", "value": {"page": {"a": 1}, "pages": []}}
    with book.fault(PATH, edits=[edit]):
        run = book.sync(command, book.config())
    assert run.status == 1
    assert run.rows("taxes") == whole.rows("taxes")
    assert "`page` of its page metadata" in run.failures[0]


def test_pages_that_are_empty_and_never_end_are_given_up(
    book: Book, command: Command, whole: Run
) -> None:
    edits = [
        {"edit": "set", "path": f"{RESULT}.invoices", "value": []},
        {"edit": "set", "path": f"{RESULT}.pages", "value": 10**12},
        {"edit": "set", "path": f"{RESULT}.total", "value": 10**14},
        {"edit": "remove", "path": f"{RESULT}.page"},
    ]
    with book.fault(PATH, edits=edits):
        run = book.sync(command, book.config())
    assert run.status == 1
    assert run.rows("taxes") == whole.rows("taxes")
    assert "before it are empty; the list cannot be read completely" in run.failures[0]
