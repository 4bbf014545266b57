from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tap_freshbooks.errors import BadRequestError
from tap_freshbooks.extraction.pagination import Page, PageMetadata, read_pages


@pytest.mark.parametrize(
    ("holder", "metadata"),
    [
        ({"page": 2, "pages": 3, "per_page": 15, "total": 41}, PageMetadata(2, 3, 41)),
        (
            {"meta": {"page": 1, "pages": 0, "per_page": 30, "total": 0, "sort": []}},
            PageMetadata(1, 0, 0),
        ),
        ({"page": "1", "pages": "4", "per_page": "15", "total": "60"}, PageMetadata(1, 4, 60)),
        # Team members say nothing about the number of pages.
        ({"meta": {"page": 1, "per_page": 5, "total": 11}}, PageMetadata(1, 3, 11)),
        # The ledger does not page.
        ({"data": []}, PageMetadata(None, 1, None)),
    ],
)
def test_both_shapes_of_metadata_are_read(holder: dict[str, Any], metadata: PageMetadata) -> None:
    assert PageMetadata.read(holder) == metadata


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


def test_no_pages_is_an_empty_list() -> None:
    assert numbers_read((PageMetadata(1, 0, 0), 0)) == [1]


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
    assert numbers_read((PageMetadata(1, 0, 0), 0), pages_numbered=False) == [1]
