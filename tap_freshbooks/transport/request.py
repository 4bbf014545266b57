"""A request, the response to it, and who counts that it was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class RequestStats(Protocol):
    """Counts the requests of a stream. Any thread may count."""

    stream: str
    """Its name."""

    def count(self, *, requests: int = 0, retries: int = 0, throttled: int = 0) -> None:
        """Add to the counts.

        Args:
            requests: Sent, the repeated ones included.
            retries: How many of them were repetitions.
            throttled: How many were answered with 429.
        """


@dataclass(frozen=True, slots=True)
class Response:
    """A response that was received whole.

    Attributes:
        body: The decoded JSON, None if it is not; numbers with a fraction are exact `Decimal`s.
        date: When the server made it, by its own clock where it says so.
        sent: When the request left, `time.monotonic()`.
        received: When the response was there, by the same clock.
        status: Of HTTP.
        headers: Of HTTP.
        content: What was decoded.
    """

    body: Any
    date: datetime
    sent: float
    received: float
    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(slots=True)
class Request:
    """A path, its query, and headers besides the usual ones.

    Attributes:
        stats: Counts each sending.
        method: Of HTTP.
        body: What is sent as JSON, if anything.
        lazy_list: Keys to the list of the answer, if its rows are to be `LazyRows` where nothing is
            odd about them.
        was_sent: Whether the next sending is a repetition.
        response: To the last sending, an error too; None if there was none.
    """

    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    stats: RequestStats | None = None
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    lazy_list: tuple[str, ...] = ()
    was_sent: bool = False
    response: Response | None = None

    @property
    def consumer(self) -> str:
        """The stream that it is for, or the path where there is none: what shares retries."""
        return self.stats.stream if self.stats else self.path

    @property
    def assurance(self) -> str:
        """Why it is safe to run again after a failure."""
        if self.method == "GET":
            return "nothing that was delivered is lost"
        return "what was done is not done twice"

    @property
    def is_repeatable(self) -> bool:
        """Whether to send it again does no harm if the server has seen it already."""
        return self.method != "POST"

    def count(self, totals: RequestStats) -> None:
        """Count a sending, in totals too."""
        for stats in filter(None, (self.stats, totals)):
            stats.count(requests=1, retries=int(self.was_sent))
        self.was_sent, self.response = True, None
