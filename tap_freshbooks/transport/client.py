"""FreshBooksClient: sign → throttle → send → classify the response → retry.

Any number of threads may use it at once; the throttle limits their pace.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import backoff

from tap_freshbooks.errors import (
    FreshBooksError,
    TransientError,
)
from tap_freshbooks.singer.stats import StreamStats
from tap_freshbooks.transport.decoding import Oddities, decode
from tap_freshbooks.transport.outage import OutageCheck
from tap_freshbooks.transport.rate_window import route_of
from tap_freshbooks.transport.request import Request, Response
from tap_freshbooks.transport.response_errors import answer_date, error_from_response, retry_after
from tap_freshbooks.transport.retry_budget import RetryBudgets
from tap_freshbooks.transport.session import HttpSession
from tap_freshbooks.transport.signing import SignedRequests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.transport.auth import Authenticator
    from tap_freshbooks.transport.request import RequestStats
    from tap_freshbooks.transport.throttle import Throttle

logger = logging.getLogger("tap-freshbooks.client")

FIRST_BACKOFF = 1.0
"""Upper end of the first wait between two tries, seconds; doubled each time."""

LONGEST_BACKOFF = 30.0
"""Ceiling of the exponential wait between two tries, seconds."""


MOST_PATHS = 20
"""Places in an answer that a warning names."""

LONGEST_PATH = 200
"""Characters of each."""


class FreshBooksClient:
    """Sends requests on behalf of one connection.

    Args:
        api_url: Base URL, without a slash at its end.
        authenticator: Gives access tokens.
        throttle: Limits how fast requests leave, and how many at once.
        user_agent: Sent with each request.
        timeout: Seconds to wait for a response.
        max_size: Bytes that a response may have.
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
        max_size: float,
        max_attempts: int,
    ) -> None:
        self.api_url = api_url
        self.authenticator = authenticator
        self.throttle = throttle
        self.session = HttpSession(
            api_url,
            user_agent=user_agent,
            timeout=timeout,
            max_size=max_size,
            max_connections=throttle.max_concurrency,
        )
        self.max_attempts = max_attempts
        self.totals = StreamStats("all requests")
        self._budgets = RetryBudgets()
        self._signed = SignedRequests(authenticator, self._send)
        self._outages = OutageCheck(self._signed.ask_who_we_are, throttle.sleep, api_url)
        self._warned: set[tuple[str, str]] = set()
        self._warning_mutex = threading.Lock()

    def get(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        subject: str,
        headers: Mapping[str, str] | None = None,
        stats: RequestStats | None = None,
        lazy_list: tuple[str, ...] = (),
    ) -> Response:
        """Read one resource or one page.

        Args:
            path: Path of the endpoint, from the first slash.
            query: Query parameters; a list repeats its name.
            subject: What is being read and for which business, for messages.
            headers: Besides the usual ones.
            stats: Counts requests, retries and 429s.
            lazy_list: Keys to the list of the answer, from outside in, if its rows may be decoded
                when they are looked at.

        Raises:
            FreshBooksError: Of the class that fits the response, with the subject named.
            ConnectionFailedError: If FreshBooks does not answer other requests either.
            ReauthorizationRequiredError: If FreshBooks refuses a token that was just refreshed.
        """
        request = Request(path, query or {}, headers or {}, stats, lazy_list=lazy_list)
        return self.execute(request, subject=subject)

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, subject: str
    ) -> Response:
        """Change something: PUT and DELETE are repeated as reading is, POST only if it is harmless.

        Args:
            method: `POST`, `PUT` or `DELETE`.
            path: Path of the endpoint, from the first slash.
            body: What is sent as JSON.
            subject: What is being changed and for which business, for messages.

        Raises:
            FreshBooksError: As for `get`; `TransientError` if it is not known whether it was done.
        """
        return self.execute(Request(path, method=method, body=body), subject=subject)

    def execute(self, request: Request, *, subject: str) -> Response:
        """Send a request, as often as needed; `request.response` has the last response.

        Args:
            request: To be sent.
            subject: What is read or changed and for which business, for messages.

        Raises:
            FreshBooksError: As for `get` and `send`.
            ConnectionFailedError: As for `get`.
            ReauthorizationRequiredError: If FreshBooks refuses a token that was just refreshed.
        """
        try:
            response = self._send_with_retries(request, subject)
        except TransientError as error:
            self._outages.check(f"{subject}: {error}", request)
            raise error.restated(
                f"{subject}: {error} ({request.method} {request.path}). FreshBooks answers other "
                f"requests; run again later: {request.assurance}"
            ) from None
        except FreshBooksError as error:
            raise error.restated(
                f"{subject}: {error} ({request.method} {request.path}); {error.hint}"
            ) from None
        self._budgets.refill(request.consumer)
        return response

    def close(self) -> None:
        """Send nothing any more: waits end in `RunCancelledError`; a refresh is finished."""
        self.throttle.close()
        try:
            self.authenticator.close()
        finally:
            self.session.close()

    def _send_with_retries(self, request: Request, subject: str) -> Response:
        """Send until there is a response, as often as is sensible."""
        ceilings = backoff.expo(factor=FIRST_BACKOFF, max_value=LONGEST_BACKOFF)
        next(ceilings)  # where backoff begins is not a wait yet
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._signed.send(request)
            except TransientError as error:
                if error.sent and not error.throttled and not request.is_repeatable:
                    raise
                if attempt == self.max_attempts:
                    number = "1 attempt" if attempt == 1 else f"{attempt} attempts"
                    raise _given_up(error, f"after {number}") from None
                # A 429 is no outage: the throttle slows down for it, and the budget stays.
                if not error.throttled:
                    self._spend_retry(error, request, subject)
                self._wait(error, next(ceilings), f"{subject}: {error}", attempt)

    def _spend_retry(self, error: TransientError, request: Request, subject: str) -> None:
        """Take a retry out of the budgets.

        Raises:
            TransientError: If the stream has none left.
            ConnectionFailedError: If the run has none left because FreshBooks is down.
        """
        if not self._budgets.spend(request.consumer):
            raise _given_up(error, "because too many requests of this kind have failed")
        if self._budgets.is_overdrawn:
            self._outages.check(f"{subject}: {error}", request)
            self._budgets.reset()

    def _wait(self, error: TransientError, ceiling: float, message: str, attempt: int) -> None:
        """Wait before the next attempt: for as long as the server says, else with full jitter."""
        wait = error.retry_after
        if wait is None:
            wait = backoff.full_jitter(ceiling)
        logger.warning(
            "%s; trying again in %.1f s (attempt %d of %d failed)",
            message,
            wait,
            attempt,
            self.max_attempts,
        )
        if error.retry_after is not None:
            return  # the throttle has begun to pause when the response came
        if error.throttled:
            self.throttle.pause(wait)
        else:
            self.throttle.sleep(wait)

    def _send(self, request: Request, token: str) -> Response:
        route = route_of(request.method, request.path)
        with self.throttle.slot(route) as sent:
            request.count(self.totals)
            raw, content = self.session.exchange(
                request.method,
                request.path,
                token=token,
                headers=request.headers,
                query=request.query,
                json=request.body,
            )
            received = time.monotonic()
            status, headers = raw.status_code, raw.headers
            # Before the slot is free, so that no thread sends a request in ignorance of it.
            self.throttle.observe(headers, route)
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                self.throttle.slow_down(sent)
                for stats in filter(None, (request.stats, self.totals)):
                    stats.count(throttled=1)
            if (wait := retry_after(status, headers)) is not None:
                self.throttle.pause(wait + backoff.full_jitter(FIRST_BACKOFF))
        oddities = Oddities()
        body = decode(content, oddities, request.lazy_list)
        self._warn_of_texts(request, oddities)
        date = answer_date(headers) or datetime.now(UTC)
        response = Response(body, date, sent, received, status, headers, content)
        request.response = response
        error: FreshBooksError | None
        if oddities.is_too_deep and status < HTTPStatus.MULTIPLE_CHOICES:
            error = FreshBooksError("FreshBooks answered with JSON that is nested too deeply")
        else:
            may_be_empty = request.method != "GET"
            error = error_from_response(
                status, headers, body, content=content, may_be_empty=may_be_empty
            )
        if error is not None:
            raise error
        self.throttle.speed_up(sent)
        return response

    def _warn_of_texts(self, request: Request, oddities: Oddities) -> None:
        """Warn once for each stream that its texts are not what FreshBooks has."""
        if oddities.nul_paths:
            self._warn_once(
                request,
                "the character NUL (U+0000), which databases refuse, is left out of texts: "
                + ", ".join(
                    path[:LONGEST_PATH] for path in sorted(oddities.nul_paths)[:MOST_PATHS]
                ),
            )
        if oddities.has_other_bytes:
            self._warn_once(
                request, "FreshBooks sends bytes that are no UTF-8: U+FFFD takes their places"
            )

    def _warn_once(self, request: Request, what: str) -> None:
        name = request.stats.stream if request.stats else request.path
        with self._warning_mutex:
            if (name, what[:20]) in self._warned:
                return
            self._warned.add((name, what[:20]))
        logger.warning("%s: %s", name, what)


def _given_up(error: TransientError, why: str) -> TransientError:
    message = f"{error}; gave up {why}"
    return error.restated(message, vendor_message=message)
