"""Retainers: hours that a client pays for in advance, month by month."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import utc_naive
from freshbooks_sandbox.errors import UNKNOWN_ROUTE, ApiError
from freshbooks_sandbox.families.base import PLAIN_COMMENTS
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources.projects import integer
from freshbooks_sandbox.resources.rates import decimal
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "client_user_id": None,
    "invoice_profile_id": None,
    "fee": "0.00",
    "excess_rate": None,
    "budgeted_time": None,
    "start_date": None,
    "next_period_start_date": None,
    "active": True,
}
DECIMALS = ("fee", "excess_rate")
INTEGERS = ("client_user_id", "invoice_profile_id", "budgeted_time")
DATES = ("start_date", "next_period_start_date")


def month_after(day: date) -> date:
    """The same day of the next month; every month has one up to the 28th."""
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, min(day.day, 28))


def _visibility(_query: Query, context: FilterContext) -> Predicate | None:
    """How to list the inactive ones is unknown (docs/freshbooks-api/resources/retainers.yaml)."""
    if context.behaviours.inactive_retainers == "shown":
        return None
    return lambda row: bool(row.get("active", True))


def _date(value: Any, name: str) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ApiError(422, "invalid date format", 2001, name, value) from None


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in BLANK if name in body}
    for name in INTEGERS:
        if name in columns:
            columns[name] = integer(columns[name], name)
    for name in DECIMALS:
        if columns.get(name) is not None:
            columns[name] = decimal(columns[name], name)
    for name in DATES:
        if columns.get(name) is not None:
            columns[name] = _date(columns[name], name)
    standing = row or {"active": True}
    if columns.get("active", standing.get("active", True)):
        client = columns.get("client_user_id", standing.get("client_user_id"))
        _check_alone(client, standing.get("id"), business)
    if row is None:
        started = date.fromisoformat(columns["start_date"])
        columns.setdefault("next_period_start_date", month_after(started).isoformat())
    return columns


def _check_alone(client: Any, key: Any, business: Business) -> None:
    """One active retainer for each client."""
    if client not in business.table("clients"):
        raise ApiError(422, "Client does not exist", 2001, "client_user_id", client)
    for other in business.index("retainers", "client_user_id").get(client, []):
        if other.get("active", True) and other["id"] != key:
            raise ApiError(422, "Retainer for client already exists", 2001)


def _example(business: Business) -> dict[str, Any]:
    """A client who has none yet."""
    held = business.index("retainers", "client_user_id")
    clients = (row["id"] for row in business.table("clients").values() if row["vis_state"] == 0)
    free = next((key for key in clients if key not in held), None)
    return {"client_user_id": free, "fee": "900.00", "start_date": "2026-02-01"}


RETAINERS = Resource(
    name="retainers",
    family=PLAIN_COMMENTS,
    path="retainers",
    item_paths=("retainer",),
    plural="retainers",
    single="retainer",
    scope="retainers",
    unknown={"message": UNKNOWN_ROUTE},
    blank=BLANK,
    computed=lambda _row, business: {
        "business_id": business.id,
        "system_id": business.profile["systemid"],
    },
    timestamps={"created_at": ("created_at", utc_naive), "updated_at": ("updated_at", utc_naive)},
    # Alone in its family, id ascending (docs/freshbooks-api/accounting.md §3).
    order=lambda rows: sorted(rows, key=lambda row: row["id"]),
    visibility=_visibility,
    client_key="client_user_id",
    write_rules=WriteRules(
        to_columns=_to_columns,
        example=_example,
        required=("client_user_id", "fee", "start_date"),
        created=("created_at",),
        updated="updated_at",
        deleted=("active", False),
    ),
)
