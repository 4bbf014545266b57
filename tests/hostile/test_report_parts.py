"""Hostile parts of a report: its envelope, its groups, their amounts and its totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.hostile.harness import Book, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command

PATH = "*/{account_id}/reports/accounting/profitloss_entity"
REPORT = "response.result.profitloss"
GROUPS = f"{REPORT}.expenses"
GROUP = f"{GROUPS}.0"
DEPTH = 100_000
STREAMS = ("report_profit_loss", "report_profit_loss_rows", "taxes")


def put(path: str, content: str) -> dict[str, Any]:
    return {"edits": [{"edit": "set", "path": path, "json": content}]}


BROKEN = {
    "another envelope": (
        {"edits": [{"edit": "rename", "path": "response.result", "to": "results"}]},
        "no list at response.result; it has one at response.results.profitloss.",
    ),
    "a report that is a list": (put(REPORT, "[]"), "profitloss is a list, not an object"),
    "groups that are an object": (put(GROUPS, "{}"), "expenses is an object, not a list"),
    "groups that are null": (put(GROUPS, "null"), "expenses is null, not a list"),
    "a group that is a text": (put(GROUP, '"Rent"'), "expenses holds a text"),
    "a group that is a list": (put(GROUP, "[[]]"), "expenses holds a list"),
    "parts that are a number": (put(f"{GROUP}.children", "7"), "named children is a number"),
    "a part that is true": (put(f"{GROUP}.children", "[true]"), "children holds true or false"),
    "a total that is a list": (put(f"{REPORT}.net_profit", "[]"), "net_profit is a list"),
    "a total that is null": (put(f"{REPORT}.total_income", "null"), "total_income is null"),
    "a currency that is a list": (
        put(f"{REPORT}.currency_code", "[1]"),
        "currency_code is no text",
    ),
    "an answer that has no bottom": (
        {"content": "[" * DEPTH + "]" * DEPTH},
        "nested too deeply",
    ),
}
"""Costs the report of the business and its rows."""

ODD = {
    "an absurd amount": put(f"{GROUP}.data.0.amount", "1e1000000"),
    "an absurd total, text": put(f"{GROUP}.total.amount", '"1e1000000"'),
    "an amount that is an object": put(f"{GROUP}.total.amount", '{"a": 1}'),
    "a total without an end": put(f"{REPORT}.net_profit.total.amount", "9" * 100_000),
    "a NUL in a name": put(f"{GROUP}.description", '"Re\\u0000nt"'),
}
"""Costs a field at most."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    settings = {"max_attempts": 2, "start_date": "2026-01-01T00:00:00Z"}
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        yield Book(sandbox, tmp_path_factory.mktemp("book"), STREAMS, settings)


@pytest.mark.parametrize("kind", BROKEN)
def test_it_costs_the_report_of_the_business(
    book: Book, command: Command, whole: Run, kind: str
) -> None:
    fault, says = BROKEN[kind]
    with book.fault(PATH, **fault):
        run = book.sync(command, book.config())
    assert run.status == 1
    [failure] = run.failures
    assert failure.startswith(f"{STREAMS[0]} of {book.named}")
    assert says in failure
    assert len(failure) < 2000
    account = {str(book.business["account_id"])}
    for stream in STREAMS[:2]:
        assert f"Not read completely: {stream} of {book.named}\n" in run.errors
        assert run.rows(stream, account) == whole.rows(stream, account)
    assert run.rows("taxes") == whole.rows("taxes")


@pytest.mark.parametrize("kind", ODD)
def test_it_costs_a_field(book: Book, command: Command, whole: Run, kind: str) -> None:
    with book.fault(PATH, **ODD[kind]):
        run = book.sync(command, book.config())
    assert run.status == 0
    for stream in STREAMS:
        assert len(run.records[stream]) == len(whole.records[stream])
    assert run.rows("taxes") == whole.rows("taxes")
    assert any(run.rows(stream) != whole.rows(stream) for stream in STREAMS[:2])


def test_a_report_under_another_key_is_the_same_report(
    book: Book, command: Command, whole: Run
) -> None:
    edit = {"edit": "rename", "path": REPORT, "to": "profit_and_loss"}
    with book.fault(PATH, edits=[edit]):
        run = book.sync(command, book.config())
    assert run.status == 0
    for stream in STREAMS:
        assert run.rows(stream) == whole.rows(stream)
