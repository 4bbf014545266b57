"""Time entries, which show no update timestamp but have one.

See docs/freshbooks-api/resources/time_entries.yaml.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import SECOND, utc_z
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import TIME_TRACKING
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources.logged_time import logged_totals
from freshbooks_sandbox.resources.projects import integer, newest_created_first
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "identity_id": None,
    "is_logged": True,
    "client_id": None,
    "project_id": None,
    "pending_client": None,
    "pending_project": None,
    "pending_task": None,
    "task_id": None,
    "service_id": None,
    "note": None,
    "active": True,
    "billable": True,
    "billed": False,
    "internal": False,
    "retainer_id": None,
    "duration": None,
    "timer": None,
}
REFERENCES = ("client_id", "project_id", "task_id", "service_id", "retainer_id", "duration")
FIXED = ("identity_id", "active", "timer")


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    started = datetime.fromtimestamp(row["started_at"] // SECOND, ZoneInfo(business.timezone))
    return {
        "local_started_at": started.replace(tzinfo=None).isoformat(),
        "local_timezone": business.timezone,
    }


def _visibility(query: Query, context: FilterContext) -> Predicate | None:
    """Own, logged and living ones, unless asked otherwise.

    See docs/freshbooks-api/projects-and-time.md §6.
    """
    behaviours = context.behaviours
    with_deleted = behaviours.deleted_time == "listed" and query.is_on("include_deleted")
    with_running = behaviours.running_timers == "shown" or query.is_on("include_unlogged")
    with_others = (
        behaviours.others_time == "shown" or query.is_on("team") or "identity_id" in query.filters
    )
    if with_deleted and with_running and with_others:
        return None
    return lambda row: (
        (with_others or row["identity_id"] == context.identity_id)
        and (with_running or row["is_logged"])
        and (with_deleted or row["active"])
    )


def _moment(body: Mapping[str, Any]) -> int:
    value = body.get("started_at")
    if value is None:
        raise ApiError(422, "none is not an allowed value", 2001, "started_at")
    try:
        when = datetime.fromisoformat(str(value))
    except ValueError:
        raise ApiError(422, "invalid datetime format", 2001, "started_at", value) from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()) * SECOND


def _to_columns(body: Mapping[str, Any], row: Row | None, _business: Business) -> dict[str, Any]:
    """A PUT replaces the whole entry: what it leaves out is cleared.

    See docs/freshbooks-api/resources/time_entries.yaml.
    """
    columns = {name: body.get(name, blank) for name, blank in BLANK.items() if name not in FIXED}
    if row is not None and "billed" not in body:
        columns["billed"] = False
    for name in REFERENCES:
        columns[name] = integer(columns[name], name)
    columns["started_at"] = _moment(body)
    if columns["is_logged"] and columns["duration"] is None:
        raise ApiError(422, "Logged entries must have a duration", 2001, "__root__")
    return columns


def is_running(entry: Row) -> bool:
    """A segment that has not ended: unlogged and without a duration."""
    return not entry["is_logged"] and entry.get("duration") is None


def _on_write(row: Row, before: Row | None, business: Business, _now: int) -> None:
    """An entry that begins unlogged starts a timer; a logged one has none.

    See docs/freshbooks-api/resources/timers.yaml.
    """
    if row["is_logged"]:
        row["timer"] = None
    elif before is None:
        key = business.next_id("timers")
        business.add("timers", {"id": key, "identity_id": row["identity_id"]})
        row["timer"] = {"id": key, "is_running": is_running(row)}


def _defaults(business: Business, _now: int) -> dict[str, Any]:
    """A client writes his own time; he who edits by hand writes the owner's."""
    return {"identity_id": business.profile["identity_id"], "active": True, "billed": False}


TIME_ENTRIES = Resource(
    name="time_entries",
    family=TIME_TRACKING,
    path="time_entries",
    plural="time_entries",
    single="time_entry",
    scope="time_entries",
    blank=BLANK,
    computed=_computed,
    timestamps={"started_at": ("started_at", utc_z), "created_at": ("created_at", utc_z)},
    hidden=("_updated",),
    order=newest_created_first,
    visibility=_visibility,
    meta=logged_totals,
    filters={
        "billable": filters.bare_flag(lambda row, _: row.get("billable", True)),
        "billed": filters.bare_flag("billed"),
        "client_id": filters.bare_number("client_id"),
        "identity_id": filters.bare_number("identity_id"),
        "started_from": filters.since("started_at"),
        "started_to": filters.until("started_at"),
        "updated_since": filters.since("_updated"),
    },
    sorts={"started_at": lambda row, _: row["started_at"]},
    unknown_sort_ascends=True,
    write_rules=WriteRules(
        to_columns=_to_columns,
        on_write=_on_write,
        defaults=_defaults,
        required=("is_logged", "started_at"),
        created=("created_at",),
        updated="_updated",
        deleted=("active", False),
        http_delete="soft",
    ),
)
