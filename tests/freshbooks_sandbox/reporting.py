"""Asking for reports, and adding up what the lists hold."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

    from tests.freshbooks_sandbox.conftest import Caller

ALL = "start_date=2023-11-01&end_date=2026-01-31"
YEAR = "start_date=2025-01-01&end_date=2025-12-31"
START, END = "2025-01-01", "2025-12-31"


def ask(caller: Caller, path: str, query: str = "") -> requests.Response:
    return caller.get(f"/accounting/account/{caller.account}/reports/accounting/{path}?{query}")


def report(caller: Caller, path: str, query: str = "") -> Any:
    answer = ask(caller, path, query)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["response"]["result"].values()
    return found


def modern(caller: Caller, path: str, query: str = "") -> Any:
    answer = caller.get(f"/accounting/businesses/{caller.uuid}/reports/{path}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["response"]["result"]


def params(found: Any) -> dict[str, Any]:
    """The parameters that the report really used, by its download token."""
    body = found["download_token"].split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    used: dict[str, Any] = payload["params"]
    return used


def amount(money: Any) -> Decimal:
    return Decimal(money["amount"])


def total(rows: Any, key: str) -> Decimal:
    return sum((amount(row[key]) for row in rows if row[key] is not None), Decimal())


def living(caller: Caller, resource: str, business: int = 1, **options: Any) -> Any:
    rows = caller.sandbox.truth(resource, business, **options)
    return [row for row in rows if row["vis_state"] != 1]


def booked(caller: Caller, business: int = 1, **options: Any) -> Any:
    """The invoices that are in the books: neither drafts nor deleted."""
    rows = living(caller, "invoices", business, **options)
    return [row for row in rows if row["v3_status"] != "draft"]


def of_year(rows: Any, day: str, code: str | None = None, money: str = "amount") -> Any:
    return [
        row
        for row in rows
        if START <= row[day] <= END and (code is None or row[money]["code"] == code)
    ]


def net(row: Any) -> Decimal:
    """Lines less discount, before tax."""
    return sum((amount(line["amount"]) for line in row["lines"]), amount(row["discount_total"]))
