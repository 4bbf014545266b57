"""Projects and services: the work that a business does."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import utc_naive
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import COMMENTS
from freshbooks_sandbox.families.base import PROJECTS as FAMILY
from freshbooks_sandbox.resource import Resource, newest_first
from freshbooks_sandbox.resources.tasks import TASK_OF_SERVICE, add_task
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "title": "",
    "description": None,
    "due_date": None,
    "client_id": None,
    "internal": False,
    "budget": None,
    "fixed_price": None,
    "rate": None,
    "billing_method": None,
    "project_type": "hourly_rate",
    "project_manager_id": None,
    "active": True,
    "complete": False,
    "sample": False,
    "logged_duration": None,
    "billed_amount": "0.00",
    "billed_status": "unbilled",
    "retainer_id": None,
    "expense_markup": "0",
    "service_estimate_type": "total_hours",
}
COMPUTED = ("billed_amount", "billed_status", "sample", "logged_duration")
ABILITIES = [
    {"name": f"can_{verb}_{thing}", "value": True}
    for verb in ("view", "create", "edit", "delete")
    for thing in ("project", "time_entries", "expenses", "invoices", "discussions")
]


def _entries(row: Row, business: Business) -> list[Row]:
    entries = business.index("time_entries", "project_id").get(row["id"], [])
    return [entry for entry in entries if entry["active"] and entry["duration"] is not None]


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    billable = [entry for entry in _entries(row, business) if entry.get("billable", True)]
    billed = [entry for entry in billable if entry["billed"]]
    status = "unbilled"
    if billed:
        status = "billed" if len(billed) == len(billable) else "partially_billed"
    hours = sum(entry["duration"] for entry in billed) / 3600
    services = business.table("services")
    return {
        "billed_status": status,
        "billed_amount": f"{hours * float(row.get('rate') or 0):.2f}",
        "services": [
            {
                "business_id": business.id,
                "id": key,
                "name": services[key]["name"],
                "billable": services[key].get("billable", True),
                "vis_state": services[key]["vis_state"],
            }
            for key in row["_services"]
        ],
        "group_id": _group_id(row),
    }


def _group_id(row: Row) -> int:
    return int(row["id"]) + 500_000


def group_of(row: Row, business: Business) -> dict[str, Any]:
    """The team of a project: all who have a login, and every fourth time one who is invited."""
    group_id = _group_id(row)
    team = business.table("team_members").values()
    members = [
        {
            "id": group_id * 10 + position,
            "identity_id": member["identity_id"],
            "role": member.get("business_role_name", "business_employee"),
            "first_name": member.get("first_name"),
            "last_name": member.get("last_name"),
            "email": member["email"],
            "company": business.name,
            "active": member.get("active", True),
        }
        for position, member in enumerate(team)
        if member.get("identity_id") is not None
    ]
    invitations = [
        {
            "id": group_id * 10 + position,
            "group_id": group_id,
            "capacity": member.get("business_role_name", "business_employee"),
            "to_email": member["email"],
        }
        for position, member in enumerate(team)
        if member.get("identity_id") is None and row["id"] % 4 == 0
    ]
    return {"id": group_id, "members": members, "pending_invitations": invitations}


def _logged_duration(row: Row, business: Business) -> int:
    return sum(entry["duration"] for entry in _entries(row, business))


def _single_form(record: dict[str, Any], row: Row, business: Business) -> dict[str, Any]:
    """A single answer has `group` where lists have `group_id`.

    See docs/freshbooks-api/resources/projects.yaml.
    """
    if record.pop("group_id", None) is not None:
        record["group"] = group_of(row, business)
    return record


def _visibility(query: Query, context: FilterContext) -> Predicate | None:
    """Deleted ones only with `active=false`, archived ones only with `complete=true`."""
    asks_for_deleted = "active" in query.filters and context.behaviours.deleted_projects == "listed"
    hides_archived = (
        "complete" not in query.filters and context.behaviours.archived_projects == "hidden"
    )
    return lambda row: (
        (asks_for_deleted or row["active"]) and not (hides_archived and row["complete"])
    )


def _active(name: str, values: list[str], context: FilterContext) -> Predicate:
    wanted = filters.bare_flag("active").build(name, values, context)
    return wanted if context.behaviours.deleted_projects == "listed" else lambda _row: True


def newest_created_first(rows: Iterable[Row]) -> list[Row]:
    """By created_at descending, equal ones by id ascending.

    See docs/freshbooks-api/resources/time_entries.yaml.
    """
    by_id = sorted(rows, key=lambda row: row["id"])
    return sorted(by_id, key=lambda row: row["created_at"], reverse=True)


def integer(value: Any, name: str) -> int | None:
    """An id, which may come quoted (docs/freshbooks-api/projects-and-time.md §6.10).

    Raises:
        ApiError: 422/2001.
    """
    if value in (None, ""):
        return None
    if isinstance(value, int) or str(value).isdecimal():
        return int(value)
    raise ApiError(422, "value is not a valid integer", 2001, name, value)


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    if row is not None and not body.get("title"):
        # Seen live: no validation message, just a failure
        # (docs/freshbooks-api/resources/projects.yaml).
        raise ApiError(500, "An internal error has occurred.")
    columns = {name: body[name] for name in BLANK if name in body and name not in COMPUTED}
    if columns.get("due_date"):
        columns["due_date"] = _plain_date(columns["due_date"])
    for name in ("client_id", "budget", "project_manager_id"):
        if name in columns:
            columns[name] = integer(columns[name], name)
    if columns.get("client_id") is not None and business.account_id is not None:
        _check_client(columns["client_id"], business)
    for name in ("rate", "fixed_price", "expense_markup"):
        if columns.get(name) is not None:
            columns[name] = str(columns[name])
    return columns


def _plain_date(value: Any) -> str:
    """A plain date, also where a time was sent with it.

    See docs/freshbooks-api/projects-and-time.md §4.
    """
    try:
        return datetime.fromisoformat(str(value)).date().isoformat()
    except ValueError:
        raise ApiError(422, "invalid date format", 2001, "due_date", value) from None


def _check_client(key: int, business: Business) -> None:
    if key not in business.table("clients"):
        raise ApiError(422, "Client does not exist", 2001, "client_id", key)


PROJECTS = Resource(
    name="projects",
    family=FAMILY,
    path="projects",
    item_paths=("project",),
    plural="projects",
    single="project",
    words="project_type",
    scope="projects",
    blank=BLANK,
    computed=_computed,
    timestamps={"created_at": ("created_at", utc_naive), "updated_at": ("updated_at", utc_naive)},
    hidden=("_services",),
    order=newest_first,
    visibility=_visibility,
    meta=lambda query, _rows, _business: {"sort": [query.sort] if query.sort else []},
    client_key="client_id",
    filters={
        "active": filters.Filter(_active),
        "complete": filters.bare_flag("complete"),
        "updated_since": filters.since("updated_at"),
        "client_id": filters.bare_number("client_id"),
    },
    sorts={
        "created_at": lambda row, _: row["created_at"],
        "due_date": lambda row, _: row.get("due_date") or "",
        "title": lambda row, _: row["title"].casefold(),
    },
    unknown_sort_ascends=True,
    includes={"include_logged_duration": _logged_duration, "skip_group": lambda _row, _: None},
    single_form=_single_form,
    siblings={"abilities": ABILITIES},
    write_rules=WriteRules(
        to_columns=_to_columns,
        defaults=lambda _business, _now: {
            "_services": (),
            "client_id": None,
            "complete": False,
            "active": True,
        },
        required=("title",),
        created=("created_at",),
        updated="updated_at",
        deleted=("active", False),
        http_delete="soft",
    ),
)


def _task_id(row: Row, _business: Business) -> int:
    """The accounting task behind the service."""
    return int(row["id"]) + TASK_OF_SERVICE


SERVICES = Resource(
    name="services",
    family=COMMENTS,
    path="services",
    item_paths=("service",),
    plural="services",
    single="service",
    scope="billable_items",
    blank={"name": "", "billable": True, "project_default": False, "vis_state": 0},
    computed=lambda _row, business: {"business_id": business.id},
    # Deleted ones cannot be listed in any known way (docs/freshbooks-api/resources/services.yaml).
    visibility=lambda _query, _context: lambda row: row["vis_state"] != 1,
    order=lambda rows: sorted(rows, key=lambda row: row["id"]),
    includes={"include_task_id": _task_id},
    write_rules=WriteRules(
        on_write=add_task, required=("name",), updated=None, delete_by_put=False
    ),
)
