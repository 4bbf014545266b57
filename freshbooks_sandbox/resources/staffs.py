"""Staff: the team as the accounting side knows it, with a secret that no client should keep."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row

OWNER, OWNER_LEVEL = 1, 3
BLANK = {
    "accounting_systemid": None,
    "username": "",
    "email": "",
    "display_name": None,
    "fname": None,
    "lname": None,
    "organization": "",
    "level": 1,
    "role": "staff",
    "language": "en",
    "currency_code": None,
    "rate": None,
    "note": None,
    "bus_phone": "",
    "home_phone": None,
    "mob_phone": "",
    "fax": "",
    **{f"p_{part}": "" for part in ("street", "street2", "city", "province", "code", "country")},
    "num_logins": 0,
    "api_token": None,
    "vis_state": 0,
}


def api_token(seed: str) -> str:
    """32 hex digits, as the Classic API had them."""
    return hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    return {"userid": row["id"], "accounting_systemid": business.account_id}


def _names(row: Row, _business: Business) -> str:
    return " ".join(str(row.get(name) or "") for name in ("fname", "lname", "username", "email"))


def _phones(row: Row, _business: Business) -> str:
    names = ("bus_phone", "home_phone", "mob_phone", "fax")
    return " ".join(row.get(name) or "" for name in names)


def _projects(_row: Row, business: Business) -> list[int]:
    """All staff are in the group of every living project here."""
    return [row["id"] for row in business.table("projects").values() if row["active"]]


def _protect(row: Row, changed: Mapping[str, Any]) -> None:
    if row["id"] == OWNER and changed.get("vis_state") == 1:
        raise ApiError(403, "Permission Denied.", 1003)


STAFFS = Resource(
    name="staffs",
    family=ACCOUNTING,
    path="users/staffs",
    # Singular in the list as well, seen live (docs/freshbooks-api/accounting.md §2).
    plural="staff",
    single="staff",
    other_keys=lambda behaviours: (behaviours.staff_key, "staff"),
    scope="teams",
    blank=BLANK,
    computed=_computed,
    # Both Eastern, unlike the signup_date of clients (docs/freshbooks-api/accounting.md §7).
    timestamps={
        "signup_date": ("_signup", eastern_text),
        "updated": ("updated", eastern_text),
        "last_login": ("_login", eastern_text),
    },
    hidden=("_signup", "_login"),
    filters={
        "userid": filters.number("id"),
        "userids": filters.numbers("id"),
        "user_levels": filters.word(lambda row, _: row.get("role", "staff")),
        "user_like": filters.like(_names),
        "note_like": filters.like("note"),
        "phone_like": filters.like(_phones),
        "email_like": filters.like("email"),
        "vis_state": filters.number("vis_state"),
    },
    includes={"projectids": _projects},
    write_rules=WriteRules(
        required=("email",),
        ignored=("accounting_systemid", "level", "role", "num_logins", "api_token", "vis_state"),
        created=("_signup",),
        protect=_protect,
    ),
)
