"""The parameters of a report: bare names, their defaults, and the token that shows them.

`search[...]` and whatever a report does not know are dropped without a word, so that the report
covers today only (docs/freshbooks-api/accounting.md §4).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business

Params = dict[str, Any]
TOKEN_DAYS = 30
"""The lifetime of a download token (docs/freshbooks-api/resources/report_invoice_details.yaml)."""
SIGNING_KEY = b"sandbox"


@dataclass(frozen=True)
class Parameter:
    """One that is honoured: how its values are read, and what it is when it was not sent."""

    read: Callable[[str, list[str]], Any]
    default: Callable[[Business], Any] = lambda _business: None


def _refuse(errno: int, kind: str, name: str, value: str) -> ApiError:
    return ApiError(422, f"{name} must be {kind}.", errno, name, value, "report")


def _day(name: str, value: str) -> str:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 a plain date
    except ValueError:
        raise _refuse(1033, "a date (YYYY-MM-DD)", name, value) from None


def _flag(name: str, values: list[str]) -> bool:
    found = {"true": True, "1": True, "false": False, "0": False}.get(values[-1].casefold())
    if found is None:
        raise _refuse(1031, "a boolean", name, values[-1])
    return found


def _number(name: str, values: list[str]) -> int:
    try:
        return int(values[-1])
    except ValueError:
        raise _refuse(1015, "a number", name, values[-1]) from None


def _split(values: list[str]) -> list[str]:
    """One value with commas, as the vendor's own requests have it."""
    return [part for value in values for part in value.split(",") if part]


def _today(business: Business) -> str:
    return (business.today or datetime.now(UTC).date()).isoformat()


DAY = Parameter(lambda name, values: _day(name, values[-1]), _today)
DAYS = Parameter(
    lambda name, values: [_day(name, value) for value in values],
    lambda business: [_today(business)],
)
CURRENCY = Parameter(lambda _name, values: values[-1], lambda business: business.currency)
FLAG = Parameter(_flag, lambda _business: False)
NUMBER = Parameter(_number)
TEXT = Parameter(lambda _name, values: values[-1])
TEXTS = Parameter(lambda _name, values: values, lambda _business: [])
NUMBERS = Parameter(
    lambda name, values: [_number(name, [value]) for value in values], lambda _business: []
)
COMMA_TEXTS = Parameter(lambda _name, values: _split(values), lambda _business: [])
COMMA_NUMBERS = Parameter(
    lambda name, values: [_number(name, [value]) for value in _split(values)],
    lambda _business: [],
)


def a_word(default: str) -> Parameter:
    """A word that has a default."""
    return Parameter(lambda _name, values: values[-1], lambda _business: default)


PERIOD = {"start_date": DAY, "end_date": DAY}


def effective(known: Mapping[str, Parameter], query: Query, business: Business) -> Params:
    """The parameters as the report uses them; a name may end in `[]`.

    Raises:
        ApiError: 422 for a malformed value, and errno 1007 for a period that runs backwards.
    """
    params: Params = {}
    for name, parameter in known.items():
        values = query.bare.get(name)
        plain = name.removesuffix("[]")
        if values is None or values == [""]:
            params[plain] = parameter.default(business)
        else:
            params[plain] = parameter.read(plain, values)
    start, end = params.get("start_date"), params.get("end_date")
    if start is not None and end is not None and start > end:
        raise ApiError(422, "start_date is after end_date.", 1007, "start_date", start, "report")
    return params


def download_token(name: str, params: Params, business: Business) -> str:
    """A JWT whose payload holds the effective parameters (docs/freshbooks-api/accounting.md §4)."""
    day = business.today or date.max - timedelta(days=TOKEN_DAYS + 1)
    expires = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=TOKEN_DAYS)
    payload = {
        "report": name,
        "accountid": business.account_id,
        "params": params,
        "exp": int(expires.timestamp()),
    }
    head = _part(encode({"alg": "HS256", "typ": "JWT"}))
    body = _part(encode(payload))
    signature = hmac.digest(SIGNING_KEY, head + b"." + body, hashlib.sha256)
    return b".".join((head, body, _part(signature))).decode()


def _part(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
