"""The members of a business as the auth service lists them, beside the business itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.families.small import GROUPS
from freshbooks_sandbox.identity import business_record
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.view import View
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

ROLES = {"no_seat_employee": "business_accountant"}
"""The groups' name of a role of team members (docs/freshbooks-api/auth.md §9)."""


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    """A member who is in the team has its names; others are known here alone."""
    common = {"group_id": business.profile["group_id"], "business_id": business.id}
    person = business.table("team_members").get(row.get("_team_member", ""))
    if person is None:
        return common
    role = person.get("business_role_name", "business_employee")
    return common | {
        "role": ROLES.get(role, role),
        "identity_id": person["identity_id"],
        "identity_uuid": row["identity_uuid"],
        "first_name": person.get("first_name"),
        "last_name": person.get("last_name"),
        "email": person["email"],
        "active": row.get("active", True) and person.get("active", True),
    }


def _example(business: Business) -> dict[str, Any]:
    """A person who is not in the team."""
    key = business.next_id("business_group_members")
    return {
        "identity_id": key - 1_000_000,
        "identity_uuid": business.uuid_of("identity", key),
        "email": f"guest.{key}@example.org",
    }


BUSINESS_GROUP_MEMBERS = Resource(
    name="business_group_members",
    family=GROUPS,
    path=None,
    plural="members",
    single="member",
    scope="teams",
    blank={
        "role": "business_employee",
        "identity_id": None,
        "identity_uuid": None,
        "first_name": None,
        "last_name": None,
        "language": "en",
        "email": "",
        "company": None,
        "unacknowledged_change": False,
        "active": True,
    },
    computed=_computed,
    hidden=("_team_member",),
    visibility=everything,
    write_rules=WriteRules(
        example=_example,
        updated=None,
        deleted=("active", False),
        delete_by_put=False,
        is_served=False,
    ),
)


def _group(_query: Query, context: FilterContext, _key: str | None) -> Mapping[str, Any]:
    business = context.business
    rows = business.table("business_group_members").values()
    members = [BUSINESS_GROUP_MEMBERS.record(row, business) for row in rows]
    group = {"id": business.profile["group_id"], "category": "business", "members": members}
    return {"response": {**business_record(business, []), "business_group": group}}


BUSINESS_GROUP = View(
    name="business_group_members",
    paths=(("groups", ""),),
    any_scope=("user:profile:read", "user:teams:read"),
    build=_group,
    is_for_clients=False,
)
