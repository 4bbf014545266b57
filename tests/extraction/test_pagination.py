from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tap_freshbooks.errors import BadRequestError, FreshBooksError
from tap_freshbooks.extraction import pagination
from tap_freshbooks.extraction.pagination import (
    ListGrowsError,
    Page,
    PageMetadata,
    UnreadableMetadataError,
    read_pages,
)


@pytest.mark.parametrize(
    ("holder", "metadata"),
    [
        ({"page": 2, "pages": 3, "per_page": 15, "total": 41}, PageMetadata(2, 3, 41, 15)),
        (
            {"meta": {"page": 1, "pages": 0, "per_page": 30, "total": 0, "sort": []}},
            PageMetadata(1, 0, 0, 30),
        ),
        ({"page": "1", "pages": "4", "per_page": "15", "total": "60"}, PageMetadata(1, 4, 60, 15)),
        # Team members say nothing about the number of pages.
        ({"meta": {"page": 1, "per_page": 5, "total": 11}}, PageMetadata(1, 3, 11, 5)),
        # The ledger does not page.
        ({"data": []}, PageMetadata(None, 1, None)),
    ],
)
def test_both_shapes_of_metadata_are_read(holder: dict[str, Any], metadata: PageMetadata) -> None:
    assert PageMetadata.read(holder) == metadata


@pytest.mark.parametrize("key", ["page", "pages", "total", "per_page"])
@pytest.mark.parametrize(
    "value",
    ["1e1000000", "9" * 5000, 10**30, Decimal("1e99"), -1, "", "many", True, [1], {"a": 1}, "NaN"],
)
def test_metadata_that_count_nothing_are_not_taken_for_none(key: str, value: Any) -> None:
    holder = {"page": 1, "pages": 3, "per_page": 15, "total": 41}
    for damaged in ({**holder, key: value}, {"meta": {**holder, key: value}}):
        with pytest.raises(UnreadableMetadataError, match=key):
            PageMetadata.read(damaged)


def test_an_amount_beside_a_list_that_does_not_page_is_no_metadata() -> None:
    holder = {"data": [], "total": {"amount": "41.94", "code": "CAD"}}
    assert PageMetadata.read(holder) == PageMetadata(None, 1, None)


def numbers_read(
    *responses: tuple[PageMetadata, int], window: int = 4, pages_numbered: bool = True
) -> list[int]:
    """Respond in this order; the pages that were asked for."""
    asked: list[int] = []

    class Ready:
        def __init__(self, number: int) -> None:
            asked.append(number)
            self.number = number

        def result(self) -> Page:
            metadata, rows = responses[self.number - 1]
            return Page(self.number, [{"of": rows}] * rows, metadata, datetime.now(UTC), 0, 0)

        def cancel(self) -> bool:
            return True

    pages = read_pages(Ready, window, pages_numbered=pages_numbered)
    assert [page.number for page in pages] == asked
    return asked


def test_pages_are_followed_to_the_end_even_where_rows_are_missing() -> None:
    # `total` counts rows that the token may not read, so a page can be short or empty.
    full, short = (100, 0)
    assert numbers_read(
        (PageMetadata(1, 3, 216), full),
        (PageMetadata(2, 3, 216), short),
        (PageMetadata(3, 3, 216), 16),
    ) == [1, 2, 3]


@pytest.mark.parametrize("pages", [0, 1])
def test_a_full_page_is_not_the_last_while_more_rows_are_counted(pages: int) -> None:
    wrong = PageMetadata(1, pages, 130, 100)
    assert numbers_read((wrong, 100), (PageMetadata(2, pages, 130, 100), 30)) == [1, 2]
    # Rows that the token may not read are counted too: then the last page is not full.
    assert numbers_read((wrong, 99)) == [1]
    assert numbers_read((PageMetadata(1, 1, 100, 100), 100)) == [1]


def test_no_pages_is_an_empty_list() -> None:
    assert numbers_read((PageMetadata(1, 0, 0, 30), 0)) == [1]


def test_a_list_that_shrinks_while_it_is_read_ends() -> None:
    assert numbers_read((PageMetadata(1, 2, 101), 100), (PageMetadata(2, 1, 100), 0)) == [1, 2]


def test_a_server_that_ignores_the_page_but_sends_all_rows_is_read_once_more_at_most() -> None:
    assert numbers_read((PageMetadata(1, 2, 120), 120), (PageMetadata(1, 2, 120), 120)) == [1, 2]


def test_a_server_that_ignores_the_page_and_keeps_rows_back_is_an_error() -> None:
    with pytest.raises(BadRequestError, match="cannot be read completely"):
        numbers_read((PageMetadata(1, 2, 120), 100), (PageMetadata(1, 2, 120), 100))


SILENT = PageMetadata(None, 1, None)


def test_pages_without_metadata_are_followed_to_an_empty_one() -> None:
    responses = ((SILENT, 30), (SILENT, 20), (SILENT, 0))
    assert numbers_read(*responses, pages_numbered=False) == [1, 2, 3]
    assert numbers_read(*responses) == [1]


def test_pages_without_metadata_are_followed_to_one_that_comes_again() -> None:
    assert numbers_read((SILENT, 30), (SILENT, 30), pages_numbered=False) == [1, 2]


def test_metadata_is_followed_where_it_was_not_expected() -> None:
    responses = ((PageMetadata(1, 2, 130), 100), (PageMetadata(2, 2, 130), 30))
    assert numbers_read(*responses, pages_numbered=False) == [1, 2]
    assert numbers_read((PageMetadata(1, 0, 0, 30), 0), pages_numbered=False) == [1]


def test_an_empty_page_ends_a_list_of_which_all_rows_came() -> None:
    billion = PageMetadata(1, 10**9, 100), PageMetadata(2, 10**9, 100)
    assert numbers_read((billion[0], 100), (billion[1], 0), window=1) == [1, 2]


def test_empty_pages_without_an_end_are_an_error() -> None:
    responses = [(PageMetadata(number, 10**9, 10**11), 0) for number in range(1, 200)]
    responses[1] = (responses[1][0], 100)
    with pytest.raises(FreshBooksError, match=r"page 102 and the 99 before it are empty"):
        numbers_read(*responses)


def test_pages_that_are_hidden_whole_are_gone_through() -> None:
    hidden = [(PageMetadata(number, 60, 6000), 0) for number in range(1, 60)]
    read = numbers_read(*hidden, (PageMetadata(60, 60, 6000), 3))
    assert read == list(range(1, 61))


@pytest.mark.parametrize("window", [1, 4])
def test_a_list_that_grows_with_each_page_is_not_read_for_ever(
    monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(pagination, "MAX_GROWTH", 5)
    growing = [(PageMetadata(number, number + 1, 100 * number), 100) for number in range(1, 100)]
    with pytest.raises(ListGrowsError, match="page 9 is not the last"):
        numbers_read(*growing, window=window)


def test_pages_that_nobody_counts_are_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "MAX_UNCOUNTED_PAGES", 7)
    responses = [(SILENT, 30 + number) for number in range(100)]
    with pytest.raises(ListGrowsError, match="page 7"):
        numbers_read(*responses, pages_numbered=False)
