"""Decides which error, if any, a response of FreshBooks stands for.

Error bodies differ by family and by age, an error may come with status 200, and a 401 may
be a missing permission (`docs/freshbooks-api/errors-and-limits.md §1`,
`docs/freshbooks-api/accounting.md §8`): so the status is read first, then everything in the
body that can carry an errno or a message. What is not FreshBooks' own is `gateways.py`'s matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import (
    AmbiguousUnauthorizedError,
    BadRequestError,
    FreshBooksError,
    GatewayError,
    InvalidTokenError,
    MissingScopeError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from tap_freshbooks.numerals import whole_number
from tap_freshbooks.transport.gateways import describe_content, describe_gateway, is_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ERRNO_ACCESS_DENIED = 1003
ERRNO_UNKNOWN_RESOURCE = 1012
ERRNO_FEATURE_MISSING = 12001
GRPC_UNAUTHENTICATED = 16

LONGEST_RETRY_AFTER = 300.0
"""Seconds; the known windows are of one minute (`docs/freshbooks-api/errors-and-limits.md §2`)."""

LONGEST_TEXT = 500
"""Characters of FreshBooks' own words in a message."""

FIRST_YEAR = 1970
"""Of dates that are believed."""

MOST_AHEAD = timedelta(days=7)
"""By which a clock that is believed may be ahead of ours, which may itself be wrong."""

RETRIED_STATUSES = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.TOO_EARLY}
)
INVALID_TOKEN_WORDS = ("unauthenticated", "invalid_token", "unauthorized")

INSUFFICIENT_SCOPE = "insufficient_scope"
"""How the message of a 403 begins (`docs/freshbooks-api/errors-and-limits.md §1`)."""

SCOPE_LIST = re.compile(r"(provided|required):? *\[(.*?)\]", re.IGNORECASE)
SCOPE = re.compile(r"\w+(?::\w+)+")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The error in a body of any shape.

    Attributes:
        errno: FreshBooks' own number, None if there is none.
        message: Its text, with the field it complains about.
        word: The machine-readable word of the OAuth-like shapes (`unauthenticated`).
    """

    errno: int | None
    message: str
    word: str = ""


def read_error_body(body: Any) -> ErrorBody | None:
    """Find the error in a body of any family, None if it holds none."""
    return next(_error_bodies(body), None)


def _error_bodies(body: Any) -> Iterator[ErrorBody]:
    if not isinstance(body, dict):
        return
    response = body.get("response")
    if isinstance(response, dict):  # accounting; `errors` may be one object instead of a list
        errors = response.get("errors")
        for error in errors if isinstance(errors, list) else [errors]:
            if isinstance(error, dict):
                yield _accounting_error(error)
        return
    details = body.get("details")
    for detail in details if isinstance(details, list) else []:  # google.rpc.ErrorInfo
        if isinstance(detail, dict) and "reason" in detail:
            metadata = detail.get("metadata")
            message = metadata.get("message") if isinstance(metadata, dict) else None
            text = _text(message) or _text(body.get("message"))
            yield ErrorBody(whole_number(detail["reason"]), text)
    errors = body.get("errors")
    if isinstance(errors, dict):  # ledger
        yield ErrorBody(None, _text(errors.get("message")))
    if "error" in body or "message" in body:
        yield _oauth_like_error(body)


def _accounting_error(error: Mapping[str, Any]) -> ErrorBody:
    field = _text(error.get("field"))
    message = _text(error.get("message")) or "no message"
    return ErrorBody(
        whole_number(error.get("errno")), f"{message} (field {field})" if field else message
    )


def _oauth_like_error(body: Mapping[str, Any]) -> ErrorBody:
    error = body.get("error")
    message = _text(body.get("error_description") or body.get("message"))
    if isinstance(error, dict):  # validation: field -> message
        message = _text("; ".join(f"{field}: {_text(text)}" for field, text in error.items()))
        error = ""
    errno = whole_number(body.get("errno"))
    word = _text(error or body.get("error_type"))
    if not word and body.get("code") == GRPC_UNAUTHENTICATED:
        word = "unauthenticated"
    return ErrorBody(errno, message or word or "no message", word)


def _text(value: Any) -> str:
    """What FreshBooks says, as short as a message may be; empty if it is no text."""
    if isinstance(value, list):
        value = "; ".join(each for each in value if isinstance(each, str))
    text = str(value) if isinstance(value, str | int | Decimal) else ""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} …"


def error_from_response(
    status: int,
    headers: Mapping[str, str],
    body: Any,
    *,
    content: bytes = b"",
    may_be_empty: bool = False,
) -> FreshBooksError | None:
    """Decide what a response means.

    Args:
        status: HTTP status.
        headers: Of the response; `Retry-After` counts with 429 and 503 only, because
            FreshBooks puts one on every 200 as well (`docs/freshbooks-api/accounting.md §9`).
        body: The decoded body, None if it is not JSON.
        content: What was decoded.
        may_be_empty: Whether a success need not say anything, as where something is deleted; what
            it says must be JSON all the same, or another has answered.

    Returns:
        The error, or None for a success.
    """
    error = read_error_body(body)
    text = f"{status} {_reason(status)}" + (f": {error.message}" if error else "")
    if error and error.errno is not None:
        text += f" (errno {error.errno})"
    if status in RETRIED_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(
            f"FreshBooks answered {text}",
            retry_after=retry_after(status, headers),
            throttled=status == HTTPStatus.TOO_MANY_REQUESTS,
        )
    if gateway := describe_gateway(status, headers, body, content):
        return GatewayError(f"the answer was {status} {_reason(status)} with {gateway}")
    if status >= HTTPStatus.MULTIPLE_CHOICES or error:
        if status == HTTPStatus.METHOD_NOT_ALLOWED and not may_be_empty:
            status = HTTPStatus.NOT_FOUND  # there is nothing that can be read
        return _final_error(status, error, f"FreshBooks answered {text}", body)
    if body is None and not (may_be_empty and not content.strip()):
        if is_page(content):
            return GatewayError(f"the answer was {text} with {describe_content(content)}")
        return TransientError("FreshBooks answered with something that is not complete JSON")
    return None


def _final_error(status: int, error: ErrorBody | None, message: str, body: Any) -> FreshBooksError:
    """What an answer of FreshBooks itself means that the same request would get again."""
    if scopes := _missing_scopes(body):
        # Without the lists: the scopes that are there would hide the one that is not.
        sentence = f"FreshBooks answered {status}: {INSUFFICIENT_SCOPE}"
        return MissingScopeError(sentence, vendor_message=message, scopes=scopes)
    is_scope = error is not None and INSUFFICIENT_SCOPE in error.message
    if status == HTTPStatus.FORBIDDEN or is_scope or _denied(error):
        return PermissionDeniedError(message)
    if status == HTTPStatus.UNAUTHORIZED:
        return _unauthorized(error, message)
    if status == HTTPStatus.NOT_FOUND or (error and error.errno == ERRNO_UNKNOWN_RESOURCE):
        return NotFoundError(message)
    return BadRequestError(message)


def _denied(error: ErrorBody | None) -> bool:
    return error is not None and error.errno in {ERRNO_ACCESS_DENIED, ERRNO_FEATURE_MISSING}


def _missing_scopes(body: Any) -> tuple[str, ...]:
    """The scopes that a token lacks, wherever in a body that stands; empty if nowhere."""
    text = str(body)
    if INSUFFICIENT_SCOPE not in text:
        return ()
    lists = {kind.lower(): SCOPE.findall(names) for kind, names in SCOPE_LIST.findall(text)}
    required, provided = lists.get("required", []), lists.get("provided", [])
    return tuple([scope for scope in required if scope not in provided] or required)


def _unauthorized(error: ErrorBody | None, message: str) -> FreshBooksError:
    is_invalid = error is None or any(
        word in (error.word or error.message) for word in INVALID_TOKEN_WORDS
    )
    return InvalidTokenError(message) if is_invalid else AmbiguousUnauthorizedError(message)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds that a 429 or 503 asks us to wait, None if it names no time."""
    value = headers.get("Retry-After", "").strip()
    if not value or status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return None
    if value.isdecimal():
        return min(float(value), LONGEST_RETRY_AFTER)
    moment = http_date(value)
    if moment is None:
        return None
    now = answer_date(headers) or datetime.now(UTC)  # by the clock that has set it
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER)


def http_date(value: str | None) -> datetime | None:
    """Read an HTTP date as a moment in UTC, None if it is missing or malformed."""
    try:
        moment = parsedate_to_datetime(value or "")
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
    return moment


def answer_date(headers: Mapping[str, str]) -> datetime | None:
    """When the server made an answer, by its own clock; None if it does not say.

    Nor if it says a day that has not come by far: bookmarks follow this date, and what changed
    before one is not asked for any more.
    """
    moment = http_date(headers.get("Date"))
    if moment is None or moment.year < FIRST_YEAR or moment > datetime.now(UTC) + MOST_AHEAD:
        return None
    return moment
