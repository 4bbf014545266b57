from __future__ import annotations

from typing import Any

import pytest

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.envelope import find_list, read_list, read_rows
from tap_freshbooks.extraction.pagination import PageMetadata

ROWS = [{"id": 1}, {"id": 2}]
ACCOUNTING = {"response": {"result": {"taxes": ROWS, "page": 1, "pages": 3, "total": 41}}}


def test_rows_and_what_stands_beside_them() -> None:
    records = ("response", "result", "taxes")
    assert read_rows(ACCOUNTING, records, "taxes") == (ROWS, PageMetadata(1, 3, 41))
    assert read_rows(ACCOUNTING["response"], ("result", "fees|taxes"), "taxes")[0] == ROWS
    assert read_rows(ROWS, (), "taxes") == (ROWS, PageMetadata(None, 1, None))


def test_one_object_is_a_list_of_one() -> None:
    assert read_rows({"data": {"id": 1}}, ("data",), "it") == (
        [{"id": 1}],
        PageMetadata(1, 1, 1),
    )


@pytest.mark.parametrize("body", [{"a": ROWS}, {"b": ROWS}, ROWS])
def test_a_list_of_which_nobody_knows_the_key_is_read_wherever_it_is(body: Any) -> None:
    assert read_rows(body, ("a|b|",), "it")[0] == ROWS
    assert read_rows({"data": body}, ("data", "a|b|"), "it")[0] == ROWS
    with pytest.raises(FreshBooksError, match="the answer has no list at"):
        read_rows({"c": ROWS}, ("a|b|",), "it")


@pytest.mark.parametrize("body", [None, [], {}, {"data": None}, {"data": "x"}, {"data": {"x": 1}}])
def test_no_list_is_not_an_empty_one(body: Any) -> None:
    with pytest.raises(FreshBooksError, match=r"^it: the answer has no list at data\.rows"):
        read_rows(body, ("data", "rows"), "it")


def test_the_error_says_where_lists_are() -> None:
    with pytest.raises(FreshBooksError, match=r"it has one at response\.result\.taxes\."):
        read_rows(ACCOUNTING, ("data",), "it")


def test_rows_are_objects_but_what_a_list_holds_may_be_anything() -> None:
    with pytest.raises(FreshBooksError, match="rows that are no objects"):
        read_rows({"data": [1]}, ("data",), "it")
    assert read_list({"data": [1]}, ("data",), "it")[0] == [1]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (ROWS, ()),
        (ACCOUNTING, ("response", "result", "taxes")),
        ({"deep": {"list": []}, "meta": {}, "data": [1]}, ("data",)),
        ({"a|b": [1]}, ("a|b",)),
    ],
)
def test_the_list_that_is_nearest_to_the_root_is_found(body: Any, path: tuple[str, ...]) -> None:
    assert find_list(body) == path
    read_list(body, path, "it")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x", "holds no list"),
        ({"data": {"id": 1}}, "holds no list"),
        ({"x": {"lines": [], "taxes": []}}, r"several lists \(lines, taxes\)"),
    ],
)
def test_no_list_or_several_are_an_error(body: Any, message: str) -> None:
    with pytest.raises(FreshBooksError, match=message):
        find_list(body)
