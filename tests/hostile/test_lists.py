"""Hostile lists: shapes of the list and of its rows, and ids, in answers that are JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.hostile.harness import Book, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command

PATH, RESULT = "*/{account_id}/taxes/taxes", "response.result"
LIST = f"{RESULT}.taxes"
NO_KEY = "sent a row without id, or with something there that is no key: it cannot be told from"
UNFIT = "a row has nothing in id, by which it is told from others, or something that does not fit"

Edits = list[dict[str, Any]]


def put(path: str, json: str) -> Edits:
    return [{"edit": "set", "path": path, "json": json}]


def rename(path: str, to: str) -> Edits:
    return [{"edit": "rename", "path": path, "to": to}]


SHAPES = {
    "another list key": (rename(LIST, "tax_list"), "; it has one at response.result.tax_list"),
    "another envelope": (rename(RESULT, "results"), "; it has one at response.results.taxes"),
    "no envelope": (rename("response", "data"), "; it has one at data.result.taxes"),
    "a list of envelopes": (put("response", "[{}]"), "no list at response.result.taxes"),
    "null for the list": (put(LIST, "null"), "no list at response.result.taxes; it has none"),
    "a text for the list": (put(LIST, '"none"'), "no list at response.result.taxes"),
    "a number for the list": (put(LIST, "0"), "no list at response.result.taxes"),
    "a text for the result": (put(RESULT, '"none"'), "no list at response.result.taxes"),
    "an object for the list": (put(LIST, "{}"), NO_KEY),
    "rows by their ids": (put(LIST, '{"1": {"id": 1}, "2": {"id": 2}}'), NO_KEY),
    "rows that are numbers": (put(LIST, "[1, 2]"), "rows that are no objects"),
    "rows that are texts": (put(LIST, '["a"]'), "rows that are no objects"),
    "rows that are lists": (put(LIST, "[[]]"), "rows that are no objects"),
    "a row that is null": (put(f"{LIST}.0", "null"), "rows that are no objects"),
    "a row that is empty": (put(f"{LIST}.0", "{}"), NO_KEY),
    "lists with odd names": (
        [{"edit": "remove", "path": LIST}, *put(f"{RESULT}.\x1b[2J\u202e\n" + "x" * 9000, "[]")],
        "it has one at response.result.",
    ),
    "many lists": (
        [
            {"edit": "remove", "path": LIST},
            *(edit for place in range(500) for edit in put(f"{RESULT}.list-{place}", "[]")),
        ],
        "it has one at response.result.list-0, ",
    ),
}
IDS = {
    "missing": ([{"edit": "remove", "path": f"{LIST}.0.id"}], NO_KEY),
    **{
        name: (put(f"{LIST}.0.id", json), says)
        for name, json, says in (
            ("null", "null", NO_KEY),
            ("an empty text", '""', NO_KEY),
            ("a NUL", '"\\u0000"', NO_KEY),
            ("true", "true", NO_KEY),
            ("false", "false", NO_KEY),
            ("an object", '{"id": 1}', NO_KEY),
            ("a list", "[1]", NO_KEY),
            ("blanks", '" "', UNFIT),
            ("a half", "1.5", UNFIT),
            ("a text", '"abc"', UNFIT),
            ("2^63", str(2**63), UNFIT),
            ("an absurd number", "1e1000000", UNFIT),
            ("an absurd number, text", '"1e1000000"', UNFIT),
            ("many digits", "9" * 100_000, UNFIT),
            ("NaN", "NaN", UNFIT),
        )
    },
    "two rows with one": (put(f"{LIST}.*.id", "7"), "two different rows with id 7"),
    "two rows with an absurd one": (
        put(f"{LIST}.*.id", '"' + "7" * 100_000 + '"'),
        "two different rows with id 7777",
    ),
}
KINDS = {**SHAPES, **{f"id: {name}": kind for name, kind in IDS.items()}}
FITTING = {"12": 12, "12.0": 12, '"12"': 12, "-1": -1, str(2**63 - 1): 2**63 - 1}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        streams = ("taxes", "items", "unified_tax_rates")
        yield Book(sandbox, tmp_path_factory.mktemp("book"), streams, {"max_attempts": 2})


@pytest.mark.parametrize("kind", KINDS)
def test_it_costs_the_stream_of_the_business_and_what_is_made_of_it(
    book: Book, command: Command, whole: Run, kind: str
) -> None:
    edits, says = KINDS[kind]
    with book.fault(PATH, edits=edits):
        run = book.sync(command, book.config())
    account, number = book.business["account_id"], book.business["id"]
    assert run.status == 1
    name = f"{book.business['name']} (business {number})"
    assert all(each.startswith(f"taxes of {name}: ") for each in run.failures)
    assert any(says in each for each in run.failures)
    assert all(len(each) < 2000 for each in run.failures)
    assert f"Not read completely: taxes of {name}\n" in run.errors
    assert f"Not read completely: unified_tax_rates of {name}\n" in run.errors
    assert run.rows("items") == whole.rows("items")
    assert run.rows("taxes", {account}) == whole.rows("taxes", {account})
    assert run.rows("taxes", {account})
    own = {f"businesses:{number}"}
    assert run.rows("unified_tax_rates", own) == whole.rows("unified_tax_rates", own)
    assert "taxes" not in run.activated


def test_an_undisturbed_run_activates_the_version_that_a_disturbed_one_must_not(whole: Run) -> None:
    assert whole.status == 0
    assert "taxes" in whole.activated


@pytest.mark.parametrize("json", FITTING)
def test_an_id_in_another_form_is_the_same_id(book: Book, command: Command, json: str) -> None:
    with book.fault(PATH, edits=put(f"{LIST}.0.id", json)):
        run = book.sync(command, book.config())
    assert run.status == 0
    assert FITTING[json] in {row["id"] for row in run.records["taxes"]}
