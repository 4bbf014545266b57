"""Hourly rates: of services, of team members, and those promised to the invited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import PLAIN_COMMENTS
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.resource import Order
    from freshbooks_sandbox.store import Business, Row

TEAM_OR_PROJECTS = ("user:teams:read", "user:projects:read")


def decimal(value: Any, name: str) -> str:
    """A rate or fee; numbers come in bare as well (docs/freshbooks-api/resources/retainers.yaml).

    Raises:
        ApiError: 422/2001.
    """
    try:
        return f"{float(value):.2f}"
    except (TypeError, ValueError):
        raise ApiError(422, "value is not a valid decimal", 2001, name, value) from None


def _rate(body: Mapping[str, Any], _row: Row | None, _business: Business) -> dict[str, Any]:
    return {"rate": decimal(body["rate"], "rate")} if "rate" in body else {}


def _business_id(_row: Row, business: Business) -> dict[str, Any]:
    return {"business_id": business.id}


def _by(column: str) -> Order:
    def order(rows: Iterable[Row]) -> list[Row]:
        return sorted(rows, key=lambda row: row[column])

    return order


def _without_rate(name: str, key: str, owners: str, column: str) -> Callable[[Business], Any]:
    """The first service or person that has none yet."""

    def example(business: Business) -> dict[str, Any]:
        rated = business.table(name)
        keys = (row[column] for row in business.table(owners).values())
        free = next((found for found in keys if found is not None and found not in rated), None)
        return {} if free is None else {key: free, "rate": "75.00"}

    return example


SERVICE_RATES = Resource(
    name="service_rates",
    family=PLAIN_COMMENTS,
    path="service_rates",
    item_paths=("service/*/rate",),
    plural="service_rates",
    single="service_rate",
    scope="billable_items",
    key="service_id",
    blank={"rate": "0.00"},
    computed=_business_id,
    order=_by("service_id"),
    visibility=everything,
    write_rules=WriteRules(
        to_columns=_rate,
        required=("rate",),
        keyed_by=("services", "id"),
        example=_without_rate("service_rates", "service_id", "services", "id"),
        updated=None,
        deleted=None,
        delete_by_put=False,
    ),
)
TEAM_MEMBER_RATES = Resource(
    name="team_member_rates",
    family=PLAIN_COMMENTS,
    path="team_member_rates",
    item_paths=("team_member_rate",),
    plural="team_member_rates",
    single="team_member_rate",
    scope="teams",
    any_scope=TEAM_OR_PROJECTS,
    key="identity_id",
    blank={"rate": "0.00"},
    computed=_business_id,
    order=_by("identity_id"),
    visibility=everything,
    write_rules=WriteRules(
        to_columns=_rate,
        required=("rate",),
        keyed_by=("team_members", "identity_id"),
        example=_without_rate("team_member_rates", "identity_id", "team_members", "identity_id"),
        updated=None,
        deleted=None,
        delete_by_put=False,
    ),
)


def _promised(_query: Query, context: FilterContext) -> Predicate | None:
    """The only capture is an empty list (docs/freshbooks-api/resources/invitation_rates.yaml)."""
    return None if context.behaviours.invitation_rates == "filled" else lambda _row: False


INVITATION_RATES = Resource(
    name="invitation_rates",
    family=PLAIN_COMMENTS,
    path="invitation_rates",
    plural="invitation_rates",
    single="invitation_rate",
    scope="teams",
    any_scope=TEAM_OR_PROJECTS,
    blank={"rate": "0.00", "service_id": None},
    computed=_business_id,
    hidden=("id",),
    order=_by("id"),
    visibility=_promised,
    write_rules=WriteRules(
        to_columns=lambda body, row, business: {
            **_rate(body, row, business),
            **({"service_id": body["service_id"]} if "service_id" in body else {}),
        },
        required=("rate", "service_id"),
        updated=None,
        deleted=None,
        is_served=False,
    ),
)
