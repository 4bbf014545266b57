"""Hostile values in the fields of a row (`values.py`): what does not fit is null, and rows stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freshbooks_sandbox import Sandbox
from tests.hostile.harness import Book, Run
from tests.hostile.values import FIELDS, FIRST, PATH, VALUES, rows_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        yield Book(sandbox, tmp_path_factory.mktemp("book"), ("invoices", "taxes"))


@pytest.fixture(scope="module")
def kept() -> dict[str, Run]:
    return {}


@pytest.fixture
def run(book: Book, command: Command, kept: dict[str, Run], kind: str) -> Run:
    """A run with a row for each value, which is in a field of one type."""
    if kind not in kept:
        with book.fault(PATH, edits=rows_with(FIELDS[kind])):
            kept[kind] = book.sync(command, book.config())
    return kept[kind]


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("name", VALUES)
def test_what_fits_is_delivered_and_the_rest_is_null(run: Run, kind: str, name: str) -> None:
    place = list(VALUES).index(name)
    [record] = [each for each in run.records["invoices"] if each["id"] == FIRST + place]
    assert record[FIELDS[kind]] == getattr(VALUES[name], kind)


@pytest.mark.parametrize("kind", FIELDS)
def test_the_run_is_a_success_and_says_what_did_not_fit(run: Run, kind: str) -> None:
    assert run.status == 0
    assert f"The field {FIELDS[kind]} held a" in run.errors
    assert all(len(line) < 2000 for line in run.errors.splitlines())
    assert all(run.bookmarks("invoices").values())
    assert run.records["taxes"]
