"""Team members: an auth-family path with an envelope of its own."""

from __future__ import annotations

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import utc_z
from freshbooks_sandbox.families.small import MEMBERS
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.write_rules import WriteRules

BLANK = {
    "first_name": None,
    "middle_name": None,
    "last_name": None,
    "email": "",
    "job_title": None,
    "street_1": None,
    "street_2": None,
    "city": None,
    "province": None,
    "country": None,
    "postal_code": None,
    "phone_number": None,
    "business_role_name": "business_employee",
    "active": True,
    "identity_id": None,
}

TEAM_MEMBERS = Resource(
    name="team_members",
    family=MEMBERS,
    path="team_members",
    plural="response",
    single="response",
    words="business_role_name",
    scope="teams",
    key="uuid",
    blank=BLANK,
    computed=lambda _row, business: {"business_id": business.id},
    timestamps={
        "invitation_date_accepted": ("_accepted", utc_z),
        "created_at": ("created_at", utc_z),
        "updated_at": ("updated_at", utc_z),
    },
    hidden=("_accepted",),
    order=lambda rows: sorted(rows, key=lambda row: (row["created_at"], row["uuid"])),
    # Both active and removed ones, unless `active` narrows the list
    # (docs/freshbooks-api/resources/team_members.yaml).
    visibility=everything,
    filters={"active": filters.bare_flag("active")},
    write_rules=WriteRules(
        required=("email",),
        created=("created_at",),
        updated="updated_at",
        deleted=("active", False),
        delete_by_put=False,
        is_served=False,
    ),
)
