"""A stream fails alone: of one business, with what is made of it, and nothing else."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from freshbooks_sandbox import Sandbox
from tests.conftest import settings_for
from tests.support import failing_sync, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import Messages

Config = dict[str, Any]

CONSUMERS = ("invoices", "invoice_lines", "unified_invoices")
BYSTANDERS = (
    *("identity", "businesses", "clients", "client_contacts", "payments", "projects", "taxes"),
    *("ledger_accounts", "unified_payments", "ledger_account_sub_types"),
)
"""Streams of each family, before and after invoices."""

STREAMS = (*CONSUMERS, *BYSTANDERS)


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=130, rate_limit=0) as running:
        yield running


@pytest.fixture
def settings(books: Sandbox, tmp_path: Path) -> Config:
    return {**settings_for(books, tmp_path), "max_attempts": 2}


@pytest.fixture(scope="module")
def whole(books: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Messages:
    """What a run delivers that nothing disturbs."""
    return sync(settings_for(books, tmp_path_factory.mktemp("whole")), *STREAMS)


@contextmanager
def fault(books: Sandbox, kind: str, **options: Any) -> Iterator[None]:
    """Disturb the requests of a block."""
    books.faults(kind, **options)
    try:
        yield
    finally:
        books.faults_clear()


def rows(messages: Messages, stream: str, **values: Any) -> list[str]:
    """The records of a stream with these values, as text, in an order of their own."""
    records = (each for each in messages.records[stream] if values.items() <= each.items())
    moments = ("_sdc_extracted_at", "read_at")
    return sorted(
        json.dumps({k: v for k, v in each.items() if k not in moments}) for each in records
    )


def bookmarks(messages: Messages, stream: str) -> dict[Any, str | None]:
    """The bookmark of each partition of a stream."""
    state = messages.state["bookmarks"][stream]
    return {
        next(iter(each["context"].values())): each.get("replication_key_value")
        for each in state["partitions"]
    }


class Answer(NamedTuple):
    """An answer that makes no sense, and a part of the sentence about it."""

    fault: dict[str, Any]
    says: str


def page(**result: Any) -> str:
    return json.dumps({"response": {"result": result}})


HTML = "<html><body>Access denied by policy</body></html>"
ANSWERS = {
    "another list key": Answer(
        {"content": page(manualInvoices=[], page=1, pages=0, total=0)},
        "no list at response.result.invoices; it has one at response.result.manualInvoices",
    ),
    "rows that are no objects": Answer(
        {"content": page(invoices=[1, 2], page=1, pages=1)}, "objects"
    ),
    "a row without its key": Answer(
        {"content": page(invoices=[{"a": 1}], page=1, pages=1)}, "without id"
    ),
    "another page": Answer(
        {"content": page(invoices=[], page=7, pages=9, total=900)}, "page 7 when asked for page 1"
    ),
    "HTML of a firewall": Answer(
        {"content": HTML, "status": 403}, "an HTML page of a proxy or firewall"
    ),
    "HTML that is not found": Answer(
        {"content": HTML, "status": 404}, "404 Not Found with an HTML page"
    ),
    "HTML for JSON": Answer({"content": HTML, "status": 200}, "200 OK with an HTML page"),
    "an empty refusal": Answer({"content": "", "status": 403}, "403 Forbidden with an empty body"),
    "a gateway's 401": Answer(
        {"content": HTML, "status": 401}, "401 Unauthorized with an HTML page"
    ),
    "a gateway's JSON": Answer(
        {"content": '{"message": "Forbidden"}', "status": 403}, "JSON of a proxy or gateway"
    ),
    "a wrong request": Answer(
        {
            "content": '{"response": {"errors": [{"errno": 1014, "message": "page"}]}}',
            "status": 400,
        },
        "400 Bad Request: page (errno 1014)",
    ),
    "a broken server": Answer({"content": "oops", "status": 500}, "gave up after 2 attempts"),
    "half an answer": Answer({"content": '{"response": {"result"'}, "not complete JSON"),
    "a list": Answer({"content": "[]"}, "no list at response.result.invoices"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_whatever_a_list_is_answered_costs_that_stream_of_that_business(
    books: Sandbox,
    settings: Config,
    whole: Messages,
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer, says = ANSWERS[kind]
    broken, *others = books.businesses()[:2]
    path = f"*/{broken['account_id']}/invoices/invoices"
    with fault(books, "answer", path=path, **answer):
        messages, sentence = failing_sync(settings, *STREAMS)

    for stream in BYSTANDERS:
        assert rows(messages, stream) == rows(whole, stream), stream
        if "partitions" in whole.state["bookmarks"].get(stream, {}):
            there = {key: bool(value) for key, value in bookmarks(messages, stream).items()}
            assert there == {key: bool(value) for key, value in bookmarks(whole, stream).items()}
    for stream in CONSUMERS:
        for business in others:
            own = "company_id" if stream.startswith("unified_") else "account_id"
            value = (
                f"businesses:{business['id']}" if own == "company_id" else business["account_id"]
            )
            assert rows(messages, stream, **{own: value}) == rows(whole, stream, **{own: value})
            assert rows(messages, stream, **{own: value})
            assert bookmarks(messages, stream)[business["account_id"]], stream
        assert bookmarks(messages, stream)[broken["account_id"]] is None

    name = f"{broken['name']} (business {broken['id']})"
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    [first, *at_the_end] = errors
    assert first.startswith(f"Failed: invoices of {name}: ")
    assert says in first
    assert first.endswith(f"The bookmark of {', '.join(CONSUMERS)} stays where it was")
    assert at_the_end == [f"Not read completely: {stream} of {name}" for stream in CONSUMERS]
    assert sentence.startswith(f"3 streams could not be read completely: {', '.join(CONSUMERS)} (")
    assert books.stats(settings["client_id"])["refreshes"] == 1
