"""The search over time entries, which serves the Time Entry Details report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.families.base import JSON_API, Family
from freshbooks_sandbox.lists import select_page
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources.time_entries import TIME_ENTRIES
from freshbooks_sandbox.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

ABILITIES = [{"name": name, "value": True} for name in ("can_edit", "can_delete", "can_bill")]


def _note(row: Row, _business: Business) -> str:
    return str(row["note"] or "")


def _client(row: Row, business: Business) -> str:
    client = business.table("clients").get(row["client_id"] or 0)
    return f"{client['organization']} {client['fname']} {client['lname']}" if client else ""


def _person(row: Row, business: Business) -> str:
    people = business.index("team_members", "identity_id").get(row["identity_id"], [])
    return f"{people[0]['first_name']} {people[0]['last_name']}" if people else ""


def _project(row: Row, business: Business) -> str:
    project = business.table("projects").get(row["project_id"] or 0)
    return str(project["title"]) if project else ""


TEXTS = (_note, _client, _person, _project)


def _newest_start_first(rows: Iterable[Row]) -> list[Row]:
    by_id = sorted(rows, key=lambda row: row["id"], reverse=True)
    return sorted(by_id, key=lambda row: row["started_at"], reverse=True)


TIME_ENTRY_DETAILS = Resource(
    name="time_entry_details",
    family=Family("comments", per_page=30, content_type=JSON_API),
    path=None,
    plural="time_entries",
    single="time_entry",
    scope="time_entries",
    rows=lambda business: business.table("time_entries").values(),
    blank={**TIME_ENTRIES.blank, "highlight": None},
    computed=TIME_ENTRIES.computed,
    timestamps=TIME_ENTRIES.timestamps,
    hidden=TIME_ENTRIES.hidden,
    order=_newest_start_first,
    # Those of others are there without team=true
    # (docs/freshbooks-api/resources/time_entry_details.yaml).
    visibility=lambda _query, _context: lambda row: row["active"] and row["is_logged"],
    filters={
        "q": filters.like(*TEXTS),
        "project_id": filters.bare_number("project_id"),
    },
    sorts={"started_at": lambda row, _: row["started_at"]},
)


def _highlight(row: Row, business: Business, wanted: str | None) -> str | None:
    """The first text that holds what was looked for, marked up in it."""
    if not wanted:
        return None
    for read in TEXTS:
        text = read(row, business)
        place = text.casefold().find(wanted.casefold())
        if place >= 0:
            end = place + len(wanted)
            return f"{text[:place]}<em>{text[place:end]}</em>{text[end:]}"
    return None


def _search(query: Query, context: FilterContext, _key: str | None) -> Mapping[str, Any]:
    business = context.business
    page, rows, _ = select_page(TIME_ENTRY_DETAILS, query, context)
    wanted = query.value("q")
    records = [
        {**TIME_ENTRY_DETAILS.record(row, business), "highlight": _highlight(row, business, wanted)}
        for row in rows
    ]
    return {
        # The sums stay 0 although the rows have durations
        # (docs/freshbooks-api/resources/time_entry_details.yaml).
        "meta": {**page.fields(), "total_logged": 0, "total_unbilled": 0},
        "time_entries": records,
        "aggregations": None,
        "download_token": None,
        "abilities": [{"time_entry_id": row["id"], "abilities": ABILITIES} for row in rows],
    }


TIME_ENTRY_SEARCH = View(
    name="time_entry_details",
    paths=(("comments", "time_entries/search"), ("timetracking", "time_entries/search")),
    any_scope=("user:time_entries:read",),
    build=_search,
)
