"""Time tracking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.schema.fields import Array, Boolean, Integer, LocalTime, Object, Text, UtcTime
from tap_freshbooks.streams.families import ProjectStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.replication import Replication

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_freshbooks.extraction.list_endpoint import Query


ENTRY = Object(
    id=Integer(),
    identity_id=Integer(),
    is_logged=Boolean(),
    started_at=UtcTime(),
    created_at=UtcTime(),
    local_started_at=LocalTime(),
    local_timezone=Text(),
    client_id=Integer(),
    project_id=Integer(),
    pending_client=Text(),
    pending_project=Text(),
    pending_task=Text(),
    task_id=Integer(),
    service_id=Integer(),
    note=Text(),
    active=Boolean(),
    billable=Boolean(),
    billed=Boolean(),
    internal=Boolean(),
    retainer_id=Integer(),
    duration=Integer(),
    timer=Object(id=Integer(), is_running=Boolean()),
)


class TimeEntries(ProjectStream):
    """Time entries of the whole team, running timers and deleted entries included.

    The server filters by a moment of change that it does not show
    (`docs/freshbooks-api/projects-and-time.md §6`).
    """

    name = "time_entries"
    service = "timetracking"
    list_key = "time_entries"
    oauth_scope = "user:time_entries:read"
    webhook_noun = "time_entry"
    replication = Replication.SERVER_FILTER
    marks_deletions = True
    # Without `team` only the token owner's entries come.
    query = {"team": "true", "include_unlogged": "true"}  # noqa: RUF012
    fields = ENTRY

    @override
    def list_queries(self, since: datetime | None) -> Iterator[Query]:
        query = self.filter_query(since)
        yield {**query, "include_deleted": "true"} if self.config["include_deleted"] else query

    @override
    def change_queries(self, since: datetime) -> list[Query] | None:
        # With the deleted ones in it, no row ever leaves the list: its total tells all.
        return [] if self.config["include_deleted"] else None


class TimeEntryDetails(HardDeleteStream, ProjectStream):
    """The time entry search of the web application; `time_entries` is the better source."""

    name = "time_entry_details"
    path = "/comments/business/{business_id}/time_entries/search"
    records = ("time_entries",)
    oauth_scope = "user:time_entries:read"
    selected_by_default = False
    fields = ENTRY | Object(highlight=Text())


class Timers(HardDeleteStream, ProjectStream):
    """Running timers of the user behind the connection, with their segments."""

    name = "timers"
    service = "timetracking"
    list_key = "timers"
    paged = False
    oauth_scope = "user:time_entries:read"
    selected_by_default = False
    fields = Object(id=Integer(), is_running=Boolean(), time_entries=Array(ENTRY))
