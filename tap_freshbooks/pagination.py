"""Which page comes next, from what the server says about pages and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE_SIZE = 100
"""Rows asked for; FreshBooks silently caps at this (`accounting.md §3`)."""


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """What an answer says about its place in a list.

    Attributes:
        page: The page that was served, None if the list does not page.
        pages: How many there are; 0 for an empty list.
        total: How many rows FreshBooks counts, which may be more than the token may read.
    """

    page: int | None
    pages: int
    total: int | None

    @classmethod
    def read(cls, holder: Mapping[str, Any]) -> PageMetadata:
        """Read the metadata beside a list, or in the `meta` object beside it.

        Args:
            holder: The object with the keys page, pages, per_page and total, or with
                `meta`. Team members have no `pages`; unpaged answers have no keys at all.
        """
        meta = holder.get("meta")
        if not isinstance(meta, dict):
            meta = holder
        page, pages, total = (_integer(meta.get(key)) for key in ("page", "pages", "total"))
        if pages is None:
            per_page = _integer(meta.get("per_page"))
            pages = -(-total // per_page) if total is not None and per_page else 1
        return cls(page, pages, total)


class PageMetadataPaginator:
    """Walks a list by its page metadata.

    Never by row counts and never by the requested page size: FreshBooks caps the size, and
    `total` may count rows that the token cannot see (`accounting.md §3`).

    Args:
        page: Name of the query parameter for the page.
        per_page: Name of the one for its size.
    """

    def __init__(self, page: str = "page", per_page: str = "per_page") -> None:
        self.parameters = (page, per_page)
        self.page = 1
        self.finished = False

    def query(self) -> dict[str, int]:
        """Query parameters of the page to ask for."""
        page, per_page = self.parameters
        return {page: self.page, per_page: PAGE_SIZE}

    def advance(self, metadata: PageMetadata, rows: int) -> None:
        """Go to the next page, or finish.

        Args:
            metadata: Of the page that was just read.
            rows: How many rows it held.

        Raises:
            RequestRefused: If the server repeats one page although there are more.
        """
        if metadata.page is not None and metadata.page != self.page:
            # The server ignores `page` (said of services): fine if it sends all at once.
            if metadata.total is None or rows < metadata.total:
                raise RequestRefused(
                    f"FreshBooks answered page {metadata.page} when asked for page {self.page}, "
                    f"with {rows} of {metadata.total} rows; the list cannot be read completely"
                )
            self.finished = True
            return
        self.finished = self.page >= metadata.pages
        self.page += 1


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
