"""Hostile answers to streams that the user defines, with a schema and with an inferred one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.tap import TapFreshBooks
from tests.hostile.harness import Book, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command

PATH = "*/{account_id}/taxes/taxes"
LIST = "response.result.taxes"
DEPTH = 100_000

INFERRED = {
    "name": "my_taxes",
    "path": "/accounting/account/{account_id}/taxes/taxes",
    "records_path": LIST,
    "deletions": "hard_deletes",
}
TYPED = {
    **INFERRED,
    "name": "my_typed_taxes",
    "schema": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "amount": {"type": "number"},
        "updated": {"type": "string", "format": "date-time"},
    },
}
Delivered = tuple[str | None, str | None]

MINE = ("my_taxes", "my_typed_taxes")
BYSTANDERS = ("my_items", "items")
CUSTOM = [
    INFERRED,
    TYPED,
    {
        "name": "my_items",
        "path": "/accounting/account/{account_id}/items/items",
        "records_path": "response.result.items",
        "replication_key": "updated",
    },
]


def put(path: str, content: str) -> dict[str, Any]:
    return {"edits": [{"edit": "set", "path": path, "json": content}]}


BROKEN = {
    "another list key": (
        {"edits": [{"edit": "rename", "path": LIST, "to": "tax_list"}]},
        "it has one at response.result.tax_list",
    ),
    "rows that are texts": (put(LIST, '["a"]'), "rows that are no objects"),
    "a row that is null": (put(f"{LIST}.0", "null"), "rows that are no objects"),
    "an id that is an object": (put(f"{LIST}.0.id", '{"id": 1}'), "a row without id"),
    "an id that is a list": (put(f"{LIST}.0.id", "[1]"), "a row without id"),
    "an id that is a NUL": (put(f"{LIST}.0.id", '"\\u0000"'), "a row without id"),
    "an id that is absurd": (put(f"{LIST}.0.id", "1e1000000"), "a row has nothing in id"),
    "lists in lists": ({"content": "[" * DEPTH + "]" * DEPTH}, "nested too deeply"),
    "a field that has no bottom": (
        {"content": '{"response":' * DEPTH + "1" + "}" * DEPTH},
        "nested too deeply",
    ),
    "a count of pages without an end": (put("response.result.pages", "1e1000000"), "pages"),
}
"""Costs the two streams of the business."""

ODD: dict[str, tuple[str, str, Delivered]] = {
    "an absurd amount": ("amount", "1e1000000", ("1e1000000", None)),
    "an absurd amount, text": ("amount", '"1e1000000"', ("1e1000000", None)),
    "an amount that is an object": ("amount", '{"amount": []}', (None, None)),
    "an amount that is no number": ("amount", "NaN", ("NaN", None)),
    "a moment that is a list": ("updated", "[2026]", (None, None)),
    "a moment that is none": ("updated", '"0000-99-99 99:99:99"', (None, None)),
    "a name with a NUL": ("name", '"a\\u0000b"', ("ab", "ab")),
}
"""A field of the first row, what stands there, and what each of the streams delivers: amounts of
FreshBooks are texts, so an amount is inferred to be one."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    settings = {"max_attempts": 2, "custom_streams": CUSTOM}
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        book = Book(sandbox, tmp_path_factory.mktemp("book"), (*MINE, *BYSTANDERS), settings)
        found = TapFreshBooks(config=book.config()).catalog_dict
        for entry in found["streams"]:
            [whole] = [each for each in entry["metadata"] if not each["breadcrumb"]]
            whole["metadata"]["selected"] = entry["stream"] in book.streams
        book.catalog = book.folder / "catalog.json"
        book.catalog.write_text(json.dumps(found))
        yield book


def test_a_run_that_nothing_disturbs_activates_the_versions(whole: Run) -> None:
    assert set(MINE) <= whole.activated


@pytest.mark.parametrize("kind", BROKEN)
def test_it_costs_the_streams_of_the_business(
    book: Book, command: Command, whole: Run, kind: str
) -> None:
    fault, says = BROKEN[kind]
    with book.fault(PATH, **fault):
        run = book.sync(command, book.config())
    assert run.status == 1
    failed = [each.partition(": ")[0] for each in run.failures]
    assert failed == [f"{stream} of {book.named}" for stream in MINE]
    assert all(says in each and len(each) < 2000 for each in run.failures)
    account = {str(book.business["account_id"])}
    for stream in MINE:
        assert run.rows(stream, account) == whole.rows(stream, account)
        assert run.rows(stream, account)
    for stream in BYSTANDERS:
        assert run.rows(stream) == whole.rows(stream)
    assert not run.activated & set(MINE)


@pytest.mark.parametrize("kind", ODD)
def test_it_costs_a_field(book: Book, command: Command, whole: Run, kind: str) -> None:
    name, content, delivered = ODD[kind]
    with book.fault(PATH, **put(f"{LIST}.0.{name}", content)):
        run = book.sync(command, book.config())
    assert run.status == 0
    for stream, value in zip(MINE, delivered, strict=True):
        pairs = list(zip(run.records[stream], whole.records[stream], strict=True))
        changed = [mine for mine, other in pairs if mine[name] != other[name]]
        assert [each[name] for each in changed] == [value]
    assert None not in delivered or f"The field {name} held" in run.errors
