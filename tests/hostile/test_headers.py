"""Hostile headers: none costs a row, and none moves a bookmark beyond the time of the run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.hostile.harness import Book, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command

PATH = "*/{account_id}/invoices/invoices"
MANY = 3000

HEADERS: dict[str, dict[str, Any]] = {
    "no date": {"Date": None},
    "an empty date": {"Date": ""},
    "a date that is none": {"Date": "yesterday"},
    "a date of numbers": {"Date": "0, 0 0 0"},
    "year 0": {"Date": "Mon, 01 Jan 0000 00:00:00 GMT"},
    "year 1": {"Date": "Mon, 01 Jan 0001 00:00:00 +1400"},
    "year 9999": {"Date": "Fri, 31 Dec 9999 23:59:59 -1200"},
    "years ahead": {"Date": "Sat, 01 Jan 2050 00:00:00 GMT"},
    "a month ahead": {"Date": format_datetime(datetime.now(UTC) + timedelta(30), usegmt=True)},
    "two dates": {"Date": ["Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"]},
    "a rate limit of absurd numbers": {
        "X-RateLimit-Limit": "9" * MANY,
        "X-RateLimit-Remaining": "1e1000000",
        "X-RateLimit-Reset": "-1e1000000",
    },
    "a rate limit below 0": {"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "-1"},
    "a rate limit that is over": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"},
    "a rate limit of texts": {"X-RateLimit-Remaining": "none", "X-RateLimit-Reset": "NaN"},
    "Retry-After on a success": {"Retry-After": "86400"},
    "cookies": {"Set-Cookie": ["session=1; Domain=.example.com", "\xe9\xff=;;;=", "a" * MANY]},
    "another content type": {"Content-Type": "text/html; charset=utf-16"},
    "an unknown charset": {"Content-Type": "application/json; charset=\xff\xfe"},
    "no content type": {"Content-Type": None},
    "a location": {"Location": "http://127.0.0.1:9/elsewhere"},
    "a refresh": {"Refresh": "0; url=http://127.0.0.1:9/"},
    "a long header": {"X-Long": "x" * 60_000},
}
TOO_MUCH: dict[str, dict[str, Any]] = {
    "a header beyond bounds": {"X-Long": "x" * 70_000},
    "headers beyond bounds": {f"X-{number}": "x" for number in range(200)},
}
RETRY_AFTER = ["-5", "nan", "1e1000000", "\xb2", "0.1", "soon", "Mon, 01 Jan 0000 00:00:00 GMT"]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        folder = tmp_path_factory.mktemp("book")
        yield Book(sandbox, folder, ("invoices", "taxes"), {"max_attempts": 2})


@pytest.mark.parametrize("name", HEADERS)
def test_every_row_arrives_and_bookmarks_are_of_today_at_most(
    book: Book, command: Command, whole: Run, name: str
) -> None:
    with book.fault(PATH, headers=HEADERS[name]):
        run = book.sync(command, book.config())
    assert run.status == 0
    assert run.rows("invoices") == whole.rows("invoices")
    marks = [each["replication_key_value"] for each in partitions(run, "invoices")]
    assert len(marks) == len(run.bookmarks("taxes"))
    for mark in marks:
        assert datetime.fromisoformat(mark) < datetime.now(UTC) + timedelta(minutes=1)


def partitions(run: Run, stream: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run.state["bookmarks"][stream]["partitions"]
    return found


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_no_answer_costs_the_stream_of_the_business(
    book: Book, command: Command, whole: Run, name: str
) -> None:
    with book.fault(PATH, headers=TOO_MUCH[name]):
        run = book.sync(command, book.config())
    assert run.status == 1
    [failure] = run.failures
    assert failure.startswith(f"invoices of {book.business['name']} (")
    assert "the connection broke" in failure
    assert run.rows("taxes") == whole.rows("taxes")
    account = {str(book.business["account_id"])}
    assert run.rows("invoices") == whole.rows("invoices", account)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", RETRY_AFTER)
def test_a_retry_after_that_is_none_is_no_reason_to_wait(
    book: Book, command: Command, whole: Run, status: int, value: str
) -> None:
    headers = {"Retry-After": value}
    with book.fault(PATH, status=status, content="{}", headers=headers, times=1):
        run = book.sync(command, book.config())
    assert run.status == 0
    assert run.rows("invoices") == whole.rows("invoices")
