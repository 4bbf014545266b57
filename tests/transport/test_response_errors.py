from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tap_freshbooks.errors import (
    AmbiguousUnauthorized,
    DeadToken,
    FreshBooksError,
    PermissionDenied,
    RequestRefused,
    Unavailable,
    WrongIdentifier,
)
from tap_freshbooks.transport.response_errors import failure

ACCESS_DENIED = "The server could not verify that you are authorized to access the URL requested."


def accounting(errno: Any, message: str = "Something.", **more: Any) -> dict[str, Any]:
    return {"response": {"errors": [{"errno": errno, "message": message, **more}]}}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            401,
            {"error": "unauthenticated", "error_description": "This action requires …"},
            DeadToken,
        ),
        (401, {"message": "invalid_token: The request token failed to …"}, DeadToken),
        (401, {"errno": 401, "message": "invalid_token: …"}, DeadToken),
        (401, {"code": 16, "message": "Request failed with status_code: 401"}, DeadToken),
        (401, {"error_type": "unauthorized", "message": "Authentication is required"}, DeadToken),
        (401, None, DeadToken),
        (401, accounting(1003, ACCESS_DENIED), PermissionDenied),
        (401, accounting("1003", ACCESS_DENIED), PermissionDenied),
        (
            401,
            {
                "code": 16,
                "message": "Request failed with status_code: 401",
                "details": [
                    {"@type": "…ErrorInfo", "reason": "1003", "metadata": {"message": "No."}}
                ],
            },
            PermissionDenied,
        ),
        (401, {"message": ACCESS_DENIED}, AmbiguousUnauthorized),
        (403, {"message": "insufficient_scope: provided […], required […]"}, PermissionDenied),
        (403, accounting(1003, "Permission Denied.", field=None), PermissionDenied),
        (403, None, PermissionDenied),
        (200, accounting(12001, "Feature"), PermissionDenied),
        (404, accounting(1012, "Client not found."), WrongIdentifier),
        (404, {"error": "Requested resource could not be found."}, WrongIdentifier),
        (404, {"errors": {"message": "Request failed", "status": 404}}, WrongIdentifier),
        (400, accounting(1005, "Parse"), RequestRefused),
        (402, accounting(7005, "Client limit of 50 reached"), RequestRefused),
        (422, {"errno": 2001, "error": {"updated_since": "Input should be …"}}, RequestRefused),
        (422, {"errno": 2001, "error": "Retainer for client already exists"}, RequestRefused),
        (422, {"response": {"errors": {"errno": 1014, "message": "page"}}}, RequestRefused),
        (302, None, RequestRefused),
        (408, None, Unavailable),
        (429, {"message": "Rate limit exceeded."}, Unavailable),
        (500, None, Unavailable),
        (503, {"message": "An internal error has occurred."}, Unavailable),
        (200, None, Unavailable),
    ],
)
def test_every_error_of_the_vendor_has_its_owner(
    status: int, body: Any, error: type[FreshBooksError]
) -> None:
    assert type(failure(status, {}, body)) is error


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
    assert failure(200, {"Retry-After": "60"}, body) is None


def test_the_message_carries_status_errno_and_field() -> None:
    error = failure(400, {}, accounting(1004, "Value is wrong.", field="sales_type"))
    assert str(error) == (
        "FreshBooks answered 400 Bad Request: Value is wrong. (field sales_type) (errno 1004)"
    )


def retry_after(status: int, value: str) -> float | None:
    error = failure(status, {"Retry-After": value}, None)
    assert isinstance(error, Unavailable)
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


@pytest.mark.parametrize("value", ["86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_has_a_ceiling(value: str) -> None:
    assert retry_after(429, value) == 300
