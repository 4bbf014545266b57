"""ListEndpoint: the path of a resource's lists and objects, and the requests for them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.errors import NotFoundError
from tap_freshbooks.extraction.envelope import read_page, read_rows
from tap_freshbooks.extraction.pagination import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.pagination import Page
    from tap_freshbooks.extraction.prefetch import Submit
    from tap_freshbooks.records import Row
    from tap_freshbooks.singer.stats import StreamStats
    from tap_freshbooks.transport.client import FreshBooksClient

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FetchedObject:
    """One object as FreshBooks has it: its row, None if it does not know it, and the time."""

    row: Row | None
    date: datetime


@dataclass(frozen=True, slots=True, eq=False)
class ListEndpoint:
    """The lists and objects of one resource, in every business.

    Attributes:
        name: Of the stream, for messages.
        path: Of the list; `{…}` stands for an identifier of the business.
        identifier_kind: The kind of identifier in the path.
        records: Keys to the list in an answer, from outside in; `a|b` means either, `a|` that the
            list may also stand there without a key.
        client: Sends the requests.
        stats: Counts them.
        query: Parameters of every request.
        headers: Of every request.
        page_parameters: How the page and its size are spelled.
        object_path: Of one object.
        object_key: Key to the one object of an answer.
        as_list_row: Makes a row of an object as a list would show it.
    """

    name: str
    path: str
    identifier_kind: IdentifierKind
    records: tuple[str, ...]
    client: FreshBooksClient
    stats: StreamStats
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    page_parameters: tuple[str, str] = ("page", "per_page")
    object_path: str = ""
    object_key: str = ""
    as_list_row: Callable[[Row], Row] = dict

    @property
    def _lazy_list(self) -> tuple[str, ...]:
        """Keys to the list, if there is one spelling of them only."""
        return () if any("|" in key for key in self.records) else self.records

    def subject(self, business: Business) -> str:
        """Names in messages whose rows are read."""
        return f"{self.name} of {business}"

    def fetch_page(
        self,
        business: Business,
        query: Query,
        number: int,
        *,
        path: str = "",
        records: tuple[str, ...] = (),
        subject: str = "",
        per_page: int = PAGE_SIZE,
    ) -> Page:
        """Ask for a page of a list.

        Args:
            business: Whose list it is.
            query: Besides that of every request.
            number: Of the page, from 1.
            path: Another path than that of the list.
            records: Keys to the list, where they are others.
            subject: What is read, for messages.
            per_page: Rows asked for.

        Raises:
            FreshBooksError: If it cannot be had.
        """
        page, size = self.page_parameters
        subject = subject or self.subject(business)
        answer = self.client.get(
            path or fill_path(self.path, business),
            {**self.query, **query, page: number, size: per_page},
            headers=self.headers,
            subject=subject,
            stats=self.stats,
            lazy_list=self._lazy_list if not records else (),
        )
        return read_page(answer, number, records or self.records, subject)

    def fetch_object(self, business: Business, object_id: str) -> FetchedObject:
        """Ask for one object, with all that the list would show of it.

        Raises:
            FreshBooksError: If it cannot be had, though it may be there.
        """
        subject = f"{self.name} {object_id} of {business}"
        path = fill_path(self.object_path, business, object_id=quote(object_id, safe=""))
        try:
            answer = self.client.get(
                path, self.query, headers=self.headers, subject=subject, stats=self.stats
            )
        except NotFoundError:
            return FetchedObject(None, datetime.now(UTC))
        rows, _ = read_rows(answer.body, (*self.records[:-1], self.object_key), subject)
        self.stats.count(total=1)
        return FetchedObject(self.as_list_row(rows[0]) if rows else None, answer.date)

    def probe(self, business: Business, path: str = "") -> None:
        """Ask for one row, to see whether the token may read the list.

        Args:
            business: Whose list it is.
            path: Another path than that of the list.

        Raises:
            FreshBooksError: If it may not, or something else is wrong.
        """
        _, size = self.page_parameters
        self.client.get(
            path or fill_path(self.path, business),
            {**self.query, size: 1},
            headers=self.headers,
            subject=self.subject(business),
        )


class ObjectFetcher:
    """Fetches objects by their ids: each once, whichever streams need it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._fetched: dict[tuple[str, Any, str], Any] = {}

    def fetch(
        self, endpoint: ListEndpoint, business: Business, object_id: str, submit: Submit
    ) -> Any:
        """A future `FetchedObject`.

        Args:
            endpoint: Where the object is.
            business: Whose it is.
            object_id: As events name it.
            submit: Lets a worker send a request.
        """
        key = (endpoint.name, business.identifier(endpoint.identifier_kind), object_id)
        with self._mutex:
            if key not in self._fetched:
                self._fetched[key] = submit(lambda: endpoint.fetch_object(business, object_id))
            return self._fetched[key]


def fill_path(template: str, business: Business, **more: str) -> str:
    """A path with the identifiers of a business."""
    return template.format(
        **{kind.value: business.identifier(kind) for kind in IdentifierKind}, **more
    )
