"""Time tracking."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_freshbooks.fields import Boolean, Integer, LocalTime, Object, Text, UtcTime
from tap_freshbooks.streams.families import ProjectStream
from tap_freshbooks.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.streams.base import Query

READ_AT = "read_at"


class TimeEntries(ProjectStream):
    """Time entries of the whole team, running timers and deleted entries included.

    The server filters by a moment of change that it does not show, so the bookmark is the
    moment at which the last complete read began (`projects-and-time.md §6`).
    """

    name = "time_entries"
    service = "timetracking"
    list_key = "time_entries"
    oauth_scope = "user:time_entries:read"
    shows_deletions = True
    # Without `team` only the token owner's entries come.
    query = {"team": "true", "include_unlogged": "true"}  # noqa: RUF012
    fields = Object(
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

    def __init__(self, tap: Tap, connection: Connection) -> None:
        super().__init__(tap, connection)
        self.forced_replication_method = REPLICATION_INCREMENTAL

    @override
    def passes(self, since: datetime | None) -> Iterator[Query]:
        query = self.changed_since(since)
        yield {**query, "include_deleted": "true"} if self.config["include_deleted"] else query

    @override
    def since(self, context: Context) -> datetime | None:
        if self.replication_method != REPLICATION_INCREMENTAL:
            return None
        bookmark = self.get_context_state(context).get(READ_AT) or self.config.get("start_date")
        return datetime.fromisoformat(bookmark) if bookmark else None

    @override
    def read_completed(self, context: Context, read_at: datetime) -> None:
        self.get_context_state(context)[READ_AT] = utc_text(read_at)
