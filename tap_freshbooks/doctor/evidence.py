"""Evidence: sends requests, each once and none beyond the limit, and keeps the answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_freshbooks.doctor.findings import NotTestedError
from tap_freshbooks.errors import (
    FreshBooksError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from tap_freshbooks.extraction.envelope import read_rows
from tap_freshbooks.extraction.pagination import PAGE_SIZE
from tap_freshbooks.transport.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.extraction.pagination import PageMetadata
    from tap_freshbooks.records import Row
    from tap_freshbooks.transport.client import FreshBooksClient


class LimitReachedError(NotTestedError):
    """The user allows no more requests."""

    def __init__(self) -> None:
        super().__init__("limit")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to read; equal ones are sent once."""

    path: str
    query: tuple[tuple[str, Any], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        path: str,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Ask:
        """A request with these parameters; a list repeats its name."""
        plain = {
            name: tuple(value) if isinstance(value, list | tuple) else str(value)
            for name, value in (query or {}).items()
        }
        return cls(path, tuple(plain.items()), tuple((headers or {}).items()))


@dataclass(frozen=True)
class Answer:
    """An answer to a request, an error too.

    Attributes:
        status: Of HTTP; 0 if there was no answer.
        headers: Of HTTP.
        body: The decoded JSON, None if it is not.
        date: By the server's clock; None if there was no answer.
        error: What the tap makes of it, None for a success.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    date: datetime | None
    error: FreshBooksError | None

    @property
    def is_refused(self) -> bool:
        """Whether the scopes, the role or the plan do not allow it."""
        return isinstance(self.error, PermissionDeniedError)

    @cached_property
    def problem(self) -> str:
        """In our own words why there is nothing to look at; empty if there is something."""
        if self.error is None:
            return ""
        if self.status == 0:
            return "FreshBooks did not answer"
        kind = "not there" if isinstance(self.error, NotFoundError) else "failed"
        if self.is_refused:
            kind = "refused"
        if isinstance(self.error, TransientError) and self.status < HTTPStatus.BAD_REQUEST:
            return f"failed: a {self.status} without JSON"
        return f"{kind}: {self.status}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a list, and what stands beside them.

    Attributes:
        answer: Where they are from.
        rows: The objects of the list.
        beside: Names and values that stand beside the list, or in the `meta` there.
        metadata: What the tap reads of them.
    """

    answer: Answer
    rows: list[Row]
    beside: Mapping[str, Any]
    metadata: PageMetadata

    @property
    def is_cut(self) -> bool:
        """Whether a page has room for fewer rows than a sync asks for, and the list for more."""
        size, total = self.number("per_page"), self.metadata.total
        is_short = size is not None and size < PAGE_SIZE and size != total
        return is_short or (self.metadata.pages > 1 and len(self.rows) < PAGE_SIZE)

    def number(self, name: str) -> int | None:
        """A number that stands beside the list, None if it does not."""
        value = self.beside.get(name)
        try:
            return int(value)  # type: ignore[arg-type] # whatever fails is no number
        except (TypeError, ValueError, OverflowError):
            return None


class Evidence:
    """The answers so far.

    Args:
        client: Sends the requests.
        limit: The most that it may send; None for as many as are needed.
        tell: Is told each time how many were sent.

    Attributes:
        sent: How many requests were sent, repetitions apart.
    """

    def __init__(
        self,
        client: FreshBooksClient,
        limit: int | None,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.client = client
        self.limit = limit
        self.sent = 0
        self._tell = tell
        self._answers: dict[Ask, Answer] = {}
        self._old_token: str | None = None

    def spend(self) -> None:
        """Count a request before it is sent.

        Raises:
            LimitReachedError: If there may be no more.
        """
        if self.limit is not None and self.sent >= self.limit:
            raise LimitReachedError
        self.sent += 1
        self._tell(self.sent)

    def answers(self) -> Iterable[tuple[Ask, Answer]]:
        """All requests so far, with their answers."""
        return self._answers.items()

    def allows(self, follow_ups: int, asks: Iterable[Ask] = ()) -> bool:
        """Whether the limit leaves room for requests, of which some may be answered already."""
        wanted = follow_ups + len(set(asks) - self._answers.keys())
        return self.limit is None or self.sent + wanted <= self.limit

    def answer(self, ask: Ask) -> Answer:
        """The answer to a request, an error too.

        Raises:
            LimitReachedError: If it was not asked before, and there may be no more requests.
            TapError: Where the connection itself is at fault.
        """
        if ask not in self._answers:
            self.spend()
            self._answers[ask] = self.send(self.client, ask)
        return self._answers[ask]

    def refresh(self, connection: Connection) -> str:
        """Refresh the tokens, once, and give the access token from before.

        Raises:
            LimitReachedError: If there may be no more requests.
            TapError: If there are no new tokens.
        """
        if self._old_token is None:
            self.spend()
            authenticator = connection.refreshing_authenticator
            old = authenticator.access_token()
            authenticator.access_token(rejected=old)
            self._old_token = old
        return self._old_token

    @staticmethod
    def send(client: FreshBooksClient, ask: Ask) -> Answer:
        """Send a request with another client, say one with another token."""
        request = Request(ask.path, dict(ask.query), dict(ask.headers))
        try:
            response, error = client.execute(request, subject=ask.path), None
        except FreshBooksError as problem:
            error = problem
            if request.response is None:
                return Answer(0, {}, None, None, error)
            response = request.response
        return Answer(response.status, response.headers, response.body, response.date, error)

    def listing(self, ask: Ask, records: tuple[str, ...]) -> Listing:
        """The rows of a list.

        Args:
            ask: The request for them.
            records: Keys to the list.

        Raises:
            NotTestedError: If there are none.
        """
        answer = self.answer(ask)
        if answer.error is not None:
            raise NotTestedError(answer.problem)
        try:
            rows, metadata = read_rows(answer.body, records, "")
        except FreshBooksError:
            raise NotTestedError("the list is not where it was expected") from None
        return Listing(answer, list(rows), _beside(answer.body, records), metadata)


def _beside(body: Any, records: tuple[str, ...]) -> Mapping[str, Any]:
    for name in records[:-1]:
        body = body.get(name) if isinstance(body, dict) else None
    holder: Mapping[str, Any] = body if isinstance(body, dict) else {}
    meta = holder.get("meta")
    return meta if isinstance(meta, dict) else holder
