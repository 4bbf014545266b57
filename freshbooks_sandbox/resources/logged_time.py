"""The totals that stand in `meta` of time entries: all of it, and by person, client and day."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from freshbooks_sandbox.clock import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

MOST_ROWS = 1000
"""Above it the break-downs stay empty: they would be longer than the rows, on every page."""

Total = dict[str, Any]


def logged_totals(_query: Query, rows: Sequence[Row], business: Business) -> Mapping[str, Any]:
    """Sums in seconds over the filtered set, not over the page.

    See docs/freshbooks-api/resources/time_entries.yaml.
    """
    logged = [row for row in rows if row["duration"] is not None]
    unbilled = [row for row in logged if row.get("billable", True) and not row["billed"]]
    listed = logged if len(logged) <= MOST_ROWS else []
    return {
        "total_logged": _seconds(logged),
        "total_unbilled": _seconds(unbilled),
        "total_logged_per_team_member": _members(listed, ZoneInfo(business.timezone)),
        "total_logged_per_client": [
            {**client, "total_logged_per_team_member": [total for total, _ in _per_person(own)]}
            for client, own in _per_client(listed)
        ],
    }


def _members(rows: Sequence[Row], zone: ZoneInfo) -> list[Total]:
    def day(row: Row) -> str:
        return datetime.fromtimestamp(row["started_at"] // SECOND, zone).date().isoformat()

    return [
        {
            **member,
            "total_logged_per_client": [
                {
                    **client,
                    "total_logged_per_project": [
                        total for total, _ in _per("project_id", _project_id, theirs)
                    ],
                }
                for client, theirs in _per_client(own)
            ],
            "total_logged_per_day": [
                {**date, "total_logged_per_client": [total for total, _ in _per_client(theirs)]}
                for date, theirs in _per("date", day, own)
            ],
        }
        for member, own in _per_person(rows)
    ]


def _per_person(rows: Iterable[Row]) -> list[tuple[Total, list[Row]]]:
    return _per("identity_id", lambda row: row["identity_id"], rows)


def _per_client(rows: Iterable[Row]) -> list[tuple[Total, list[Row]]]:
    return _per("client_id", lambda row: row.get("client_id"), rows)


def _project_id(row: Row) -> int | None:
    return row.get("project_id")


def _per(
    name: str, key: Callable[[Row], Any], rows: Iterable[Row]
) -> list[tuple[Total, list[Row]]]:
    """A total for each value that a key has, with the rows behind it."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [({name: value, "total_logged": _seconds(own)}, own) for value, own in groups.items()]


def _seconds(rows: Iterable[Row]) -> int:
    return sum(row["duration"] for row in rows)
