"""FreshBooksClient: one session, sign → throttle → send → classify the answer → retry."""

from __future__ import annotations

import json
import logging
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import backoff
import msgspec
import requests

from tap_freshbooks.answers import failure, http_date
from tap_freshbooks.errors import (
    AmbiguousUnauthorized,
    DeadToken,
    FreshBooksError,
    PermissionDenied,
    ReauthorizationRequired,
    Unavailable,
)
from tap_freshbooks.identity import IDENTITY_PATH

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from backoff.types import Details

    from tap_freshbooks.oauth.authenticator import Authenticator
    from tap_freshbooks.tallies import Tally
    from tap_freshbooks.throttle import Throttle

logger = logging.getLogger("tap-freshbooks.client")

FIRST_BACKOFF = 1.0
"""Upper end of the first wait between two tries, seconds; doubled each time."""

LONGEST_BACKOFF = 30.0
"""Ceiling of the exponential wait between two tries, seconds."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def decode(content: bytes) -> Any:
    """Decode an answer; None if it is not complete JSON."""
    try:
        return _decode(content)
    except msgspec.DecodeError:
        try:
            return _without_surrogates(json.loads(content, parse_float=Decimal))
        except (ValueError, RecursionError):
            return None


def _without_surrogates(value: Any) -> Any:
    """Replace lone surrogates: half an emoji in a note is no reason to lose a page of rows."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_surrogates(each) for key, each in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer.

    Attributes:
        body: The decoded JSON; numbers with a fraction are exact `Decimal`s.
        date: When the server made it, by its own clock where it says so.
        sent: When the request left, `time.monotonic()`.
        received: When the answer was there, by the same clock.
    """

    body: Any
    date: datetime
    sent: float
    received: float


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: a path, its query, and headers besides the usual ones."""

    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tally: Tally | None = None


class FreshBooksClient:
    """Sends requests on behalf of one connection.

    Args:
        api_url: Base URL, without a slash at its end.
        authenticator: Where access tokens come from.
        throttle: How fast requests may leave.
        user_agent: Sent with each request.
        timeout: Seconds to wait for an answer.
        max_attempts: Tries per request, the first included.
    """

    def __init__(
        self,
        *,
        api_url: str,
        authenticator: Authenticator,
        throttle: Throttle,
        user_agent: str,
        timeout: float,
        max_attempts: int,
    ) -> None:
        self.api_url = api_url
        self.authenticator = authenticator
        self.throttle = throttle
        self.timeout = timeout
        self.max_attempts = max_attempts
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})

    def get(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        subject: str,
        headers: Mapping[str, str] | None = None,
        tally: Tally | None = None,
    ) -> Answer:
        """Read one resource or one page.

        Args:
            path: Path of the endpoint, from the first slash.
            query: Query parameters; a list repeats its name.
            subject: What is being read and for which business, for messages.
            headers: Besides the usual ones.
            tally: Where requests, retries and 429s are counted.

        Raises:
            FreshBooksError: Of the class that fits the answer, with the subject named.
            ReauthorizationRequired: If FreshBooks refuses a token that was just refreshed.
        """

        def announce(details: Details) -> None:
            logger.warning(
                "%s: %s; trying again in %.1f s (attempt %d of %d failed)",
                subject,
                details.get("exception"),
                details.get("wait", 0),
                details["tries"],
                self.max_attempts,
            )

        attempt = backoff.on_exception(
            self._waits,
            Unavailable,
            max_tries=self.max_attempts,
            jitter=None,  # the waits have their own, and Retry-After is not to be undercut
            on_backoff=announce,
            logger=None,
        )(self._get_signed)
        try:
            answer: Answer = attempt(Request(path, query or {}, headers or {}, tally))
        except Unavailable as error:
            raise Unavailable(
                f"{subject}: {error}; gave up after {self.max_attempts} attempts. "
                f"Is {self.api_url} reachable, and FreshBooks up? Run again later: "
                "nothing that was delivered is lost"
            ) from None
        except FreshBooksError as error:
            raise type(error)(f"{subject}: {error} (GET {path}); {error.remedy}") from None
        return answer

    def _waits(self) -> Generator[float, Unavailable, None]:
        """Seconds to wait after each failure: the server's word, else full jitter."""
        error = yield 0.0
        for doubling in count():
            if error.retry_after is None:
                ceiling = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2**doubling)
                wait = random.uniform(0, ceiling)  # noqa: S311 - no cryptography
            else:
                wait = error.retry_after + random.uniform(0, FIRST_BACKOFF)  # noqa: S311
            error = yield wait

    def _get_signed(self, request: Request) -> Answer:
        """Send once; a dead token is replaced once."""
        token = self.authenticator.access_token()
        try:
            return self._send(request, token)
        except DeadToken:
            pass
        except AmbiguousUnauthorized as error:
            if self._is_alive(token):
                raise PermissionDenied(str(error)) from None
        token = self.authenticator.access_token(rejected=token)
        try:
            return self._send(request, token)
        except DeadToken as error:
            raise ReauthorizationRequired(
                f"{error}, even with a new access token: connect the account again with "
                "`tap-freshbooks login`"
            ) from None

    def _is_alive(self, token: str) -> bool:
        """Whether a token still opens users/me, which every token may read."""
        try:
            self._send(Request(IDENTITY_PATH), token)
        except (DeadToken, AmbiguousUnauthorized):
            return False
        return True

    def _send(self, request: Request, token: str) -> Answer:
        self.throttle.wait()
        if request.tally:
            request.tally.count(requests=1)
        sent = time.monotonic()
        try:
            response = self._session.get(
                self.api_url + request.path,
                params=request.query,
                headers=request.headers,
                timeout=self.timeout,
                allow_redirects=False,
                auth=_Bearer(token),
            )
        except requests.RequestException as error:
            raise Unavailable(_transport_problem(error)) from None
        received = time.monotonic()
        body = decode(response.content)
        problem = failure(response.status_code, response.headers, body)
        if problem is not None:
            raise problem
        date = http_date(response.headers.get("Date")) or datetime.now(UTC)
        return Answer(body, date, sent, received)


class _Bearer(requests.auth.AuthBase):
    """Signs a request. As `auth`, so that a `.netrc` cannot put its own header instead."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _transport_problem(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error):
        return "the server cannot be reached"
    return f"the connection broke ({type(error).__name__})"
