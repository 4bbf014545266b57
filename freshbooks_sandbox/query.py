"""The query string of a list or single read, taken apart but not yet judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from freshbooks_sandbox.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Collection

FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
"""Spellings of booleans, in lower case."""


def bare_boolean(name: str, value: str) -> bool:
    """A boolean of a project-like list.

    Raises:
        ApiError: 422/2001 for a value that is none
            (docs/freshbooks-api/projects-and-time.md §3, §9).
    """
    wanted = FLAGS.get(value.casefold())
    if wanted is None:
        message = "Input should be a valid boolean, unable to interpret input"
        raise ApiError(422, message, 2001, name, value)
    return wanted


@dataclass
class Query:
    """The parameters of a request. `search` and `bare` keep every value of a repeated name.

    `parent` is the record in whose list the rows are, where the path names one.
    """

    page: str | None = None
    per_page: str | None = None
    sort: str | None = None
    search: dict[str, list[str]] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    bare: dict[str, list[str]] = field(default_factory=dict)
    include: list[str] = field(default_factory=list)
    filters: dict[str, list[str]] = field(default_factory=dict)
    parent: int | None = None

    def value(self, name: str) -> str | None:
        """The last value of a bare parameter."""
        values = self.bare.get(name)
        return values[-1] if values else None

    def is_on(self, name: str) -> bool:
        """Whether a bare switch such as `team=true` is on.

        Raises:
            ApiError: As `bare_boolean`.
        """
        value = self.value(name)
        return value is not None and bare_boolean(name, value)

    def includes(self, known: Collection[str]) -> tuple[str, ...]:
        """The includes that exist, each once, in one order."""
        return tuple(sorted(set(self.include) & set(known)))


def parse(query_string: str) -> Query:
    """Take a query string apart: `search[x]`, `search[xs][]`, `include[]`, bare names.

    A comma list in one `include[]` works as well (docs/freshbooks-api/accounting.md §4).
    """
    query = Query()
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        if name == "page":
            query.page = value
        elif name == "per_page":
            query.per_page = value
        elif name == "sort":
            query.sort = value
        elif name == "include[]":
            query.include.extend(value.split(","))
        elif name.startswith("search["):
            key, bracket, rest = name[len("search[") :].partition("]")
            if bracket:
                query.search.setdefault(key, []).append(value)
                if rest == "[]":
                    query.lists.add(key)
        else:
            query.bare.setdefault(name, []).append(value)
    return query
