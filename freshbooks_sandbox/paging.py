"""The pages of a list: which was asked for, how many rows it has, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freshbooks_sandbox.behaviours import named
from freshbooks_sandbox.families.base import CAP, Page

if TYPE_CHECKING:
    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.resource import Resource

SMALL_CAP = 15
"""Rows on a page of a few lists, whatever was asked (docs/freshbooks-api/accounting.md §3)."""
OTHER_SIZE = 10
"""Rows on a page where nothing is asked, unlike the facts."""


@dataclass(frozen=True)
class PageRequest:
    """The page that was asked for; a size of None stands for all rows at once."""

    number: int = 1
    size: int | None = None
    asked: int | None = None
    past_the_end: str = "asked"

    def page(self, total: int) -> tuple[Page, slice]:
        """What the page says of itself, and the place of its rows."""
        size = self.size or max(total, 1)
        pages = -(-total // size)
        is_past = self.number > max(pages, 1)
        shown = max(pages, 1) if is_past and self.past_the_end == "last" else self.number
        page = Page(shown, pages, self.asked or self.size or total, total)
        return page, slice((self.number - 1) * size, self.number * size)


def page_request(resource: Resource, query: Query, behaviours: Behaviours) -> PageRequest:
    """The page and its size, as far as the list knows pages.

    Raises:
        ApiError: For a page or size that is no number.
    """
    if resource.name == "services" and behaviours.services_paging == "ignored":
        return PageRequest()
    if not (resource.family.is_paged and resource.is_paged):
        return PageRequest()
    number = _page_number(resource, query, behaviours)
    asked = _asked_size(resource, query)
    size = _capped(asked or _default_size(resource, behaviours), resource, behaviours)
    is_echoed = behaviours.per_page_echo == "asked"
    return PageRequest(number, size, asked if is_echoed else None, behaviours.past_the_end)


def _default_size(resource: Resource, behaviours: Behaviours) -> int | None:
    """Rows on a page where nothing is asked; of two lists that is a question of its own."""
    if resource.name == "team_members":
        return int(behaviours.team_members_per_page)
    if resource.name == "time_entries":
        return 30 if behaviours.time_entries_default == "30" else None
    is_other = named(behaviours.default_per_page, resource.name)
    return OTHER_SIZE if is_other else resource.family.per_page


def _capped(size: int | None, resource: Resource, behaviours: Behaviours) -> int | None:
    """Silently at most 100 (docs/freshbooks-api/accounting.md §3)."""
    if named(behaviours.small_pages, resource.name):
        return min(size or SMALL_CAP, SMALL_CAP)
    if size is None or behaviours.page_cap == "none":
        return size
    return min(size, CAP)


def _page_number(resource: Resource, query: Query, behaviours: Behaviours) -> int:
    """`page=0` is page 1, no number is an error of unknown form.

    See docs/freshbooks-api/accounting.md §3.
    """
    name = resource.family.page_names[0]
    page = query.page if name == "page" else query.value(name)
    if page is None or page.strip("0") == "":
        return 1
    if page.isdecimal():
        return int(page)
    if behaviours.bad_page == "first":
        return 1
    raise resource.family.bad_number(name, page, resource.single, int(behaviours.bad_page))


def _asked_size(resource: Resource, query: Query) -> int | None:
    name = resource.family.page_names[1]
    size = query.per_page if name == "per_page" else query.value(name)
    if size is None:
        return None
    if not size.isdecimal() or int(size) == 0:
        raise resource.family.bad_number(name, size, resource.single, 422)
    return int(size)
