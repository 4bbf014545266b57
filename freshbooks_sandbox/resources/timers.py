"""Timers: unlogged time entries of one person that belong together, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import SECOND
from freshbooks_sandbox.families.base import PLAIN_TIME_TRACKING
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources.time_entries import TIME_ENTRIES, is_running
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row


def _segments(timer: Row, business: Business) -> list[Row]:
    """Its entries, the oldest first."""

    def build() -> dict[int, list[Row]]:
        found: dict[int, list[Row]] = {}
        for entry in business.table("time_entries").values():
            if entry.get("timer") is not None and entry["active"]:
                found.setdefault(entry["timer"]["id"], []).append(entry)
        return found

    segments = business.cached("segments", build).get(timer["id"], [])
    return sorted(segments, key=lambda entry: (entry["started_at"], entry["id"]))


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    segments = _segments(row, business)
    records = [TIME_ENTRIES.record(segment, business) for segment in segments]
    for record in records:
        del record["timer"]
    return {"is_running": any(map(is_running, segments)), "time_entries": records}


def _visibility(_query: Query, context: FilterContext) -> Predicate | None:
    """Those of the token's identity only (docs/freshbooks-api/resources/timers.yaml)."""
    return lambda row: (
        row["identity_id"] == context.identity_id and bool(_segments(row, context.business))
    )


def _to_columns(body: Mapping[str, Any], _row: Row | None, _business: Business) -> dict[str, Any]:
    columns = {"is_running": bool(body["is_running"])} if "is_running" in body else {}
    if isinstance(body.get("time_entries"), list):
        columns["_log"] = body["time_entries"]
    return columns


def _on_write(row: Row, before: Row | None, business: Business, now: int) -> None:
    """Log the segments as one entry, start another one, or pause."""
    segments = _segments(row, business)
    if "_log" in row:
        _log(row, segments, business, now)
    elif row.get("is_running", before is None) and not any(map(is_running, segments)):
        _start(row, business, now)
    elif row.get("is_running") is False:
        for segment in filter(is_running, segments):
            segment |= {"duration": (now - segment["started_at"]) // SECOND, "_updated": now}
            business.notify("time_entries", "update", segment, is_caused=True)
    business.changed()
    still = any(map(is_running, _segments(row, business)))
    for segment in _segments(row, business):
        segment["timer"] = {"id": row["id"], "is_running": still}


def _start(row: Row, business: Business, now: int) -> None:
    key = business.next_id("time_entries")
    moment = now - now % SECOND
    entry = {
        **dict.fromkeys(("client_id", "project_id", "service_id", "note", "duration")),
        "id": key,
        "identity_id": row["identity_id"],
        "started_at": moment,
        "created_at": now,
        "_updated": now,
        "is_logged": False,
        "active": True,
        "billed": False,
        "timer": {"id": row["id"], "is_running": True},
    }
    business.add("time_entries", entry)
    business.notify("time_entries", "create", entry, is_caused=True)


def _log(row: Row, segments: list[Row], business: Business, now: int) -> None:
    """Logging merges them (docs/freshbooks-api/projects-and-time.md §6.4)."""
    first, *rest = segments
    spent = sum(
        (now - segment["started_at"]) // SECOND if is_running(segment) else segment["duration"]
        for segment in segments
    )
    sent = row.pop("_log")
    changes = sent[0] if sent and isinstance(sent[0], dict) else {}
    wanted = ("note", "client_id", "project_id", "service_id", "billable", "duration")
    first |= {"is_logged": True, "duration": spent, "timer": None, "_updated": now}
    first |= {name: changes[name] for name in wanted if changes.get(name) is not None}
    business.notify("time_entries", "update", first, is_caused=True)
    for segment in rest:
        segment |= {"active": False, "timer": None, "_updated": now}
        business.notify("time_entries", "delete", segment, is_caused=True)
    del business.table("timers")[row["id"]]


def _discard(row: Row, business: Business, now: int) -> None:
    for segment in _segments(row, business):
        segment |= {"active": False, "timer": None, "_updated": now}
        business.notify("time_entries", "delete", segment, is_caused=True)


TIMERS = Resource(
    name="timers",
    family=PLAIN_TIME_TRACKING,
    path="timers",
    also=(("comments", "timers"),),
    plural="timers",
    single="timer",
    scope="time_entries",
    computed=_computed,
    hidden=("identity_id",),
    identity_key="identity_id",
    order=lambda rows: sorted(rows, key=lambda row: row["id"]),
    visibility=_visibility,
    write_rules=WriteRules(
        to_columns=_to_columns,
        on_write=_on_write,
        on_hard_delete=_discard,
        defaults=lambda business, _now: {"identity_id": business.profile["identity_id"]},
        updated=None,
        deleted=None,
        delete_by_put=False,
        http_delete="hard",
    ),
)
