from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

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
from tap_freshbooks.transport.response_errors import error_from_response

ACCESS_DENIED = "The server could not verify that you are authorized to access the URL requested."


def accounting(errno: Any, message: str = "Something.", **more: Any) -> dict[str, Any]:
    return {"response": {"errors": [{"errno": errno, "message": message, **more}]}}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            401,
            {"error": "unauthenticated", "error_description": "This action requires …"},
            InvalidTokenError,
        ),
        (401, {"message": "invalid_token: The request token failed to …"}, InvalidTokenError),
        (401, {"errno": 401, "message": "invalid_token: …"}, InvalidTokenError),
        (401, {"code": 16, "message": "Request failed with status_code: 401"}, InvalidTokenError),
        (
            401,
            {"error_type": "unauthorized", "message": "Authentication is required"},
            InvalidTokenError,
        ),
        (401, None, GatewayError),
        (401, accounting(1003, ACCESS_DENIED), PermissionDeniedError),
        (401, accounting("1003", ACCESS_DENIED), PermissionDeniedError),
        (
            401,
            {
                "code": 16,
                "message": "Request failed with status_code: 401",
                "details": [
                    {"@type": "…ErrorInfo", "reason": "1003", "metadata": {"message": "No."}}
                ],
            },
            PermissionDeniedError,
        ),
        (401, {"message": ACCESS_DENIED}, AmbiguousUnauthorizedError),
        (403, {"message": "insufficient_scope: provided […], required […]"}, PermissionDeniedError),
        (403, accounting(1003, "Permission Denied.", field=None), PermissionDeniedError),
        (403, None, GatewayError),
        (200, accounting(12001, "Feature"), PermissionDeniedError),
        (404, accounting(1012, "Client not found."), NotFoundError),
        (404, {"error": "Requested resource could not be found."}, NotFoundError),
        (404, {"errors": {"message": "Request failed", "status": 404}}, NotFoundError),
        (400, accounting(1005, "Parse"), BadRequestError),
        (402, accounting(7005, "Client limit of 50 reached"), BadRequestError),
        (422, {"errno": 2001, "error": {"updated_since": "Input should be …"}}, BadRequestError),
        (422, {"errno": 2001, "error": "Retainer for client already exists"}, BadRequestError),
        (422, {"response": {"errors": {"errno": 1014, "message": "page"}}}, BadRequestError),
        (302, None, GatewayError),
        (302, {}, GatewayError),
        (304, None, GatewayError),
        (307, {"message": "Moved"}, BadRequestError),
        (408, None, TransientError),
        (429, {"message": "Rate limit exceeded."}, TransientError),
        (500, None, TransientError),
        (503, {"message": "An internal error has occurred."}, TransientError),
        (200, None, TransientError),
    ],
)
def test_every_error_of_the_vendor_has_its_owner(
    status: int, body: Any, error: type[FreshBooksError]
) -> None:
    assert type(error_from_response(status, {}, body)) is error


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty body"),
        (b" \n<!DOCTYPE html><title>No</title>", "an HTML page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML page"),
        (b"Access denied", "a text of"),
        (b"[]", "JSON of"),
        (b"{}", "JSON of"),
        (b'"Forbidden"', "JSON of"),
        (b'{"message": "Forbidden"}', "JSON of"),
        (b'{"message": "Unauthorized"}', "JSON of"),
        (b'{"message": "no Route matched with those values", "request_id": "1"}', "JSON of"),
        (b'{"detail": "Not allowed"}', "JSON of"),
        (b'{"error": {"code": %d, "message": "No.", "status": "NO"}}', "JSON of"),
        (b'{"code": %d, "message": "PERMISSION_DENIED: no such key"}', "JSON of"),
    ],
)
def test_what_is_not_of_freshbooks_is_no_refusal(status: int, content: bytes, says: str) -> None:
    content = content.replace(b"%d", str(status).encode())
    error = error_from_response(status, {}, decode(content), content=content)
    assert type(error) is GatewayError
    assert f"{says}" in str(error)
    assert "FreshBooks answered" not in str(error)
    assert error.sent
    assert error.retry_after is None


def decode(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"error_type": "forbidden", "message": "Forbidden."}, PermissionDeniedError),
        (404, {"error_type": "not_found", "message": "Resource not found"}, NotFoundError),
        (404, {"error": "File not found"}, NotFoundError),
        (404, {"code": 5, "message": "Not found.", "details": []}, NotFoundError),
        (404, {"errno": 404, "message": "Requested resource could not be found."}, NotFoundError),
        (404, {"message": "The requested URL was not found on the server."}, NotFoundError),
        (403, {"message": "You don't have the permission to access it."}, PermissionDeniedError),
        (405, {"error": "Method not allowed"}, NotFoundError),
    ],
)
def test_what_is_like_an_answer_of_a_gateway_but_of_freshbooks(
    status: int, body: Any, error: type[FreshBooksError]
) -> None:
    assert type(error_from_response(status, {}, body, content=b"{}")) is error


def test_a_401_that_asks_for_a_bearer_token_needs_no_words() -> None:
    headers = {"WWW-Authenticate": 'Bearer realm="FreshBooks", error="invalid_token"'}
    assert type(error_from_response(401, headers, None)) is InvalidTokenError


@pytest.mark.parametrize("status", [400, 405, 406, 451])
def test_no_final_error_of_freshbooks_is_a_page(status: int) -> None:
    error = error_from_response(status, {}, None, content=b"<html>Blocked</html>")
    assert type(error) is GatewayError


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("lists", "missing"),
    [
        ("Provided: ['a:b:read c:d:read']. Required: ['e:f:read'].", ("e:f:read",)),
        ("Provided: ['a:b:read']. Required: ['a:b:read', 'c:d:read'].", ("c:d:read",)),
        ("Required: ['a:b:read'].", ("a:b:read",)),
        ("provided [], required [a:b:read]", ("a:b:read",)),
        (f"Provided: ['{'a:b:read ' * 500}']. Required: ['c:d:read'].", ("c:d:read",)),
        ("Provided: ['a:b:read']. Required: ['a:b:read'].", ("a:b:read",)),
    ],
)
def test_the_scopes_that_a_token_lacks_are_taken_from_the_message(
    status: int, lists: str, missing: tuple[str, ...]
) -> None:
    error = error_from_response(status, {}, {"message": f"insufficient_scope: More. {lists}"})
    assert type(error) is MissingScopeError
    assert error.scopes == missing
    assert f"lacks {' and '.join(missing)}: enable" in error.hint
    assert lists[:50] in error.vendor_message
    again = error.restated("it: so it is")
    assert (str(again), again.scopes, again.hint) == ("it: so it is", missing, error.hint)


@pytest.mark.parametrize(
    "body",
    [
        {"response": {"result": {"invoices": [], "page": 1, "pages": 0}}},
        {"meta": {"page": 1, "pages": 0}, "projects": []},
        {"data": []},
        {"response": {"id": 1}},
        {"response": [{"uuid": "…"}], "meta": {}},
    ],
)
def test_a_success_is_no_failure(body: Any) -> None:
    assert error_from_response(200, {"Retry-After": "60"}, body) is None


def test_the_message_carries_status_errno_and_field() -> None:
    error = error_from_response(400, {}, accounting(1004, "Value is wrong.", field="sales_type"))
    assert str(error) == (
        "FreshBooks answered 400 Bad Request: Value is wrong. (field sales_type) (errno 1004)"
    )


def retry_after(status: int, value: str) -> float | None:
    error = error_from_response(status, {"Retry-After": value}, None)
    assert isinstance(error, TransientError)
    return error.retry_after


def test_retry_after_counts_on_429_and_503_only() -> None:
    assert retry_after(429, "7") == 7
    assert retry_after(503, "7") == 7
    assert retry_after(500, "7") is None
    assert retry_after(200, "60") is None


def test_retry_after_may_be_a_date_and_may_be_nonsense() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < (retry_after(429, in_a_minute) or 0) <= 60
    assert retry_after(429, "Thu, 01 Jan 1970 00:00:00 GMT") == 0
    assert retry_after(429, "soon") is None


def test_retry_after_as_a_date_counts_by_the_clock_of_the_server() -> None:
    headers = {
        "Date": "Mon, 03 Feb 2020 10:00:00 GMT",
        "Retry-After": "Mon, 03 Feb 2020 10:00:20 GMT",
    }
    error = error_from_response(429, headers, None)
    assert isinstance(error, TransientError)
    assert error.retry_after == 20


@pytest.mark.parametrize("value", ["86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_has_a_ceiling(value: str) -> None:
    assert retry_after(429, value) == 300
