"""FreshBooksClient: one session, sign → throttle → send → classify the answer → retry.

Any number of threads may ask at once; how fast they may is the throttle's business.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import backoff
import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter

from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.errors import (
    AmbiguousUnauthorizedError,
    FreshBooksError,
    InvalidTokenError,
    PermissionDeniedError,
    ReauthorizationRequiredError,
    TransientError,
)
from tap_freshbooks.transport.connection_errors import never_connected
from tap_freshbooks.transport.response_errors import failure, http_date, retry_after
from tap_freshbooks.transport.retry_budget import RetryBudget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.singer.stats import StreamStats
    from tap_freshbooks.transport.auth import Authenticator
    from tap_freshbooks.transport.throttle import Throttle

logger = logging.getLogger("tap-freshbooks.client")

FIRST_BACKOFF = 1.0
"""Upper end of the first wait between two tries, seconds; doubled each time."""

LONGEST_BACKOFF = 30.0
"""Ceiling of the exponential wait between two tries, seconds."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


NUL = "\0"
"""No text of PostgreSQL may have it: one in a record would make every load fail from then on."""


def decode(content: bytes, nuls: set[str]) -> Any:
    """Decode an answer, without the NULs in its texts; None if it is not complete JSON.

    Args:
        content: What was received.
        nuls: Here the paths of texts are added that had some.
    """
    may_have_nul = b"\\u0000" in content  # else there is none, as JSON has to escape it
    try:
        try:
            body = _decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            body = _without_surrogates(json.loads(content, parse_float=Decimal))
            may_have_nul = True
        return _without_nul(body, "", nuls) if may_have_nul else body
    except (ValueError, RecursionError):
        return None


def _without_nul(value: Any, path: str, nuls: set[str]) -> Any:
    if isinstance(value, str):
        if NUL not in value:
            return value
        nuls.add(path)
        return value.replace(NUL, "")
    if isinstance(value, list):
        return [_without_nul(each, path, nuls) for each in value]
    if isinstance(value, dict):
        result: dict[str, Any] = {}
        for key, each in value.items():
            name = key.replace(NUL, "")
            inner = f"{path}.{name}" if path else name
            if name != key:
                nuls.add(inner)
                if name in value:
                    continue  # the field that is really called so
            result[name] = _without_nul(each, inner, nuls)
        return result
    return value


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
    """An answer.

    Attributes:
        body: The decoded JSON, None if it is not; numbers with a fraction are exact `Decimal`s.
        date: When the server made it, by its own clock where it says so.
        sent: When the request left, `time.monotonic()`.
        received: When the answer was there, by the same clock.
        status: Of HTTP.
        headers: Of the answer.
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
    """What is asked for: a path, its query, and headers besides the usual ones.

    Attributes:
        tally: Where each sending is counted.
        method: Of HTTP.
        body: What is sent as JSON, if anything.
        was_sent: Whether the next sending is a repetition.
        answer: To the last sending, whatever it was; None if there was none.
    """

    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tally: StreamStats | None = None
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    was_sent: bool = False
    answer: Answer | None = None

    @property
    def may_repeat(self) -> bool:
        """Whether it does no harm if it was done before."""
        return self.method != "POST"

    def count(self) -> None:
        """Count a sending."""
        if self.tally:
            self.tally.count(requests=1, retries=int(self.was_sent))
        self.was_sent, self.answer = True, None


class FreshBooksClient:
    """Sends requests on behalf of one connection.

    Args:
        api_url: Base URL, without a slash at its end.
        authenticator: Where access tokens come from.
        throttle: How fast requests may leave, and how many at once.
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
        self._budget = RetryBudget()
        self._nuls_told: set[str] = set()
        self._nuls_told_lock = threading.Lock()
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_maxsize=throttle.max_concurrency)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        # Proxies and certificates of the environment, looked up once and not for each request.
        self._environment = self._session.merge_environment_settings(
            api_url, {}, stream=True, verify=None, cert=None
        )
        self._session.trust_env = False

    def get(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        subject: str,
        headers: Mapping[str, str] | None = None,
        tally: StreamStats | None = None,
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
            ReauthorizationRequiredError: If FreshBooks refuses a token that was just refreshed.
        """
        return self.ask(Request(path, query or {}, headers or {}, tally), subject=subject)

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, subject: str
    ) -> Answer:
        """Change something: PUT and DELETE are repeated as reading is, POST only if it is harmless.

        Args:
            method: `POST`, `PUT` or `DELETE`.
            path: Path of the endpoint, from the first slash.
            body: What is sent as JSON.
            subject: What is being changed and for which business, for messages.

        Raises:
            FreshBooksError: As for `get`; `TransientError` if it is not known whether it was done.
        """
        return self.ask(Request(path, method=method, body=body), subject=subject)

    def ask(self, request: Request, *, subject: str) -> Answer:
        """Send a request; whatever comes of it, `request.answer` has what FreshBooks said last.

        Args:
            request: What is asked for.
            subject: What is read or changed and for which business, for messages.

        Raises:
            FreshBooksError: As for `get` and `send`.
            ReauthorizationRequiredError: If FreshBooks refuses a token that was just refreshed.
        """
        comfort = "nothing that was delivered is lost"
        if request.method != "GET":
            comfort = "what was done is not done twice"
        try:
            answer = self._answer_at_last(request, subject)
        except TransientError as error:
            raise TransientError(
                f"{subject}: {error}. Is {self.api_url} reachable, and FreshBooks up? "
                f"Run again later: {comfort}"
            ) from None
        except FreshBooksError as error:
            what = f"{request.method} {request.path}"
            raise type(error)(
                f"{subject}: {error} ({what}); {error.remedy}", said=str(error)
            ) from None
        self._budget.refill()
        return answer

    def close(self) -> None:
        """Send nothing any more: waits end in `RunCancelledError`; a refresh is finished."""
        self.throttle.close()
        try:
            self.authenticator.close()
        finally:
            self._session.close()

    def _answer_at_last(self, request: Request, subject: str) -> Answer:
        """Send until there is an answer, as often as is sensible."""
        ceilings = backoff.expo(factor=FIRST_BACKOFF, max_value=LONGEST_BACKOFF)
        next(ceilings)  # where backoff begins is not a wait yet
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._send_signed(request)
            except TransientError as error:
                if error.sent and not error.throttled and not request.may_repeat:
                    raise
                if attempt == self.max_attempts:
                    raise TransientError(f"{error}; gave up after {attempt} attempts") from None
                # A 429 is no outage: it asks for patience, which the throttle has.
                if not error.throttled and not self._budget.spend():
                    raise TransientError(
                        f"{error}; gave up, because too many requests of this run have failed"
                    ) from None
                self._wait(error, next(ceilings), f"{subject}: {error}", attempt)

    def _wait(self, error: TransientError, ceiling: float, problem: str, attempt: int) -> None:
        """Wait before the next attempt: for as long as the server says, else with full jitter."""
        wait = error.retry_after
        if wait is None:
            wait = backoff.full_jitter(ceiling)
        logger.warning(
            "%s; trying again in %.1f s (attempt %d of %d failed)",
            problem,
            wait,
            attempt,
            self.max_attempts,
        )
        if error.retry_after is not None:
            return  # the throttle has begun to pause when the answer came
        if error.throttled:
            self.throttle.pause(wait)
        else:
            self.throttle.sleep(wait)

    def _send_signed(self, request: Request) -> Answer:
        """Send once; a dead token is replaced once, and again if others replace it meanwhile."""
        token = self.authenticator.access_token()
        is_renewed = False
        while True:
            try:
                return self._send(request, token)
            except InvalidTokenError as error:
                problem: FreshBooksError = error
            except AmbiguousUnauthorizedError as error:
                if self._is_alive(token):
                    raise PermissionDeniedError(str(error)) from None
                problem = error
            present = self.authenticator.access_token()
            if present == token:
                if is_renewed:
                    raise ReauthorizationRequiredError(
                        f"{problem}, even with a new access token: connect the account again "
                        "with `tap-freshbooks login`"
                    )
                present = self.authenticator.access_token(rejected=token)
                is_renewed = True
            token = present

    def _is_alive(self, token: str) -> bool:
        """Whether a token still opens users/me, which every token may read."""
        try:
            self._send(Request(IDENTITY_PATH), token)
        except (InvalidTokenError, AmbiguousUnauthorizedError):
            return False
        return True

    def _send(self, request: Request, token: str) -> Answer:
        with self.throttle.slot() as sent:
            request.count()
            response, content = self._exchange(request, token)
            received = time.monotonic()
            status, headers = response.status_code, response.headers
            # Before the slot is free, so that nobody leaves in ignorance of it.
            self.throttle.observe(headers)
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                self.throttle.slow_down(sent)
                if request.tally:
                    request.tally.count(throttled=1)
            if (wait := retry_after(status, headers)) is not None:
                self.throttle.pause(wait + backoff.full_jitter(FIRST_BACKOFF))
        nuls: set[str] = set()
        body = decode(content, nuls)
        if nuls:
            self._tell_of_nuls(request, nuls)
        date = http_date(headers.get("Date")) or datetime.now(UTC)
        request.answer = Answer(body, date, sent, received, status, headers, content)
        problem = failure(status, headers, body, json_expected=request.method == "GET")
        if problem is not None:
            raise problem
        self.throttle.speed_up(sent)
        return request.answer

    def _tell_of_nuls(self, request: Request, nuls: set[str]) -> None:
        """Say once for each stream that its texts are not what FreshBooks has."""
        name = request.tally.stream if request.tally else request.path
        with self._nuls_told_lock:
            if name in self._nuls_told:
                return
            self._nuls_told.add(name)
        logger.warning(
            "%s: the character NUL (U+0000), which databases refuse, is left out of texts: %s",
            name,
            ", ".join(sorted(nuls)),
        )

    def _exchange(self, request: Request, token: str) -> tuple[requests.Response, bytes]:
        """Send a request, and read the answer to its end."""
        try:
            with self._session.request(
                request.method,
                self.api_url + request.path,
                params=request.query,
                json=request.body,
                headers=request.headers,
                timeout=self.timeout,
                allow_redirects=False,
                auth=_Bearer(token),
                **self._environment,
            ) as response:
                # At once: `response.content` would read pieces of 10 kB.
                return response, response.raw.read(decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise TransientError(
                _transport_problem(error), sent=not never_connected(error)
            ) from None


class _Bearer(requests.auth.AuthBase):
    """Signs a request. As `auth`, so that a `.netrc` cannot put its own header instead."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _transport_problem(error: Exception) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if never_connected(error) and not isinstance(error, requests.exceptions.SSLError):
        return "the server cannot be reached"
    return f"the connection broke ({type(error).__name__})"
