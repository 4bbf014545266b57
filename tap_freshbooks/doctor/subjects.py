"""What is examined: a stream in a business, and the requests that many checks share."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.doctor.evidence import Ask
from tap_freshbooks.extraction.list_endpoint import fill_path
from tap_freshbooks.extraction.pagination import PAGE_SIZE
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.report_stream import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.doctor.evidence import Evidence, Listing
    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.list_stream import ListStream

OVER_THE_CAP = 500
"""Rows asked for to see whether there is a cap."""

INCLUDES = "include[]"
"""Names what accounting is to include in rows."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")
IDENTIFIERS = frozenset(kind.value for kind in IdentifierKind)


@dataclass(frozen=True)
class Subject:
    """A stream in a business.

    Attributes:
        stream: Its class, which holds the facts.
        business: Whose list it is.
        number: Place of the business among those that are examined, from 1.
    """

    stream: type[ListStream]
    business: Business
    number: int

    @property
    def name(self) -> str:
        """Of the stream."""
        return self.stream.name

    @cached_property
    def is_report(self) -> bool:
        """Whether it is a report, which has neither pages nor rows of its own."""
        return issubclass(self.stream, Report)

    @cached_property
    def is_list(self) -> bool:
        """Whether its path is that of one list of the business."""
        names = {name for _, name, _, _ in string.Formatter().parse(self.stream.path) if name}
        return names <= IDENTIFIERS and not self.is_report

    @cached_property
    def is_accounting(self) -> bool:
        """Whether it is a list of the old accounting service, which knows `search[…]`."""
        return issubclass(self.stream, AccountingStream) and self.stream.path.startswith(
            "/accounting/"
        )

    @property
    def list_path(self) -> str:
        """Path of its list."""
        return fill_path(self.stream.path, self.business)

    def owns(self, ask: Ask) -> bool:
        """Whether a request is for its list, or for one of its lists where it has several."""
        parts = (
            re.escape(part) if number % 2 == 0 else self._identifier(part)
            for number, part in enumerate(PLACEHOLDER.split(self.stream.path))
        )
        return re.fullmatch("".join(parts), ask.path) is not None

    def _identifier(self, name: str) -> str:
        """What stands in its paths for a name in braces, as a pattern."""
        if name not in IDENTIFIERS:
            return "[^/]+"
        return re.escape(str(self.business.identifier(IdentifierKind(name))))

    def ask(self, query: Mapping[str, Any] | None = None) -> Ask:
        """A request for its list with these parameters and no others."""
        return Ask.of(self.list_path, query, self.stream.headers)

    def page(self, query: Mapping[str, Any] | None = None) -> Ask:
        """A request for the first page as a sync asks for it, and with further parameters."""
        number, size = self.stream.page_parameters
        return self.ask({**self.stream.query, number: 1, size: PAGE_SIZE, **(query or {})})

    def object(self, object_id: str) -> Ask:
        """A request for one object, as the list's path has it."""
        path = self.stream.object_path or f"{self.stream.path}/{{object_id}}"
        return Ask.of(
            fill_path(path, self.business, object_id=object_id),
            self.stream.query,
            self.stream.headers,
        )

    @property
    def first_page(self) -> Ask:
        """The first page as a sync asks for it: most checks need no more than its answer."""
        return self.page()

    @property
    def bare(self) -> Ask:
        """The list without any parameter: its defaults."""
        return self.ask()

    @property
    def over_the_cap(self) -> Ask:
        """More rows at once than may be asked for, without what could be included."""
        number, size = self.stream.page_parameters
        return self.page({number: 1, size: OVER_THE_CAP, INCLUDES: []})

    def keys_in(self, rows: Iterable[Row]) -> int:
        """How many rows there are that differ in their keys."""
        return len({repr([row.get(name) for name in self.stream.key]) for row in rows})

    def listing(self, evidence: Evidence, ask: Ask | None = None) -> Listing:
        """The rows that were answered, to the first page if nothing else is named.

        Raises:
            NotTestedError: If there are none.
        """
        return evidence.listing(ask or self.first_page, self.stream.records)
