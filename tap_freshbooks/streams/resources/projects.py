"""Projects, and what is billed for them: services, rates, retainers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.batch import Batch
from tap_freshbooks.numerals import whole_number
from tap_freshbooks.schema.fields import (
    Array,
    Boolean,
    DecimalText,
    Integer,
    Object,
    PlainDate,
    Text,
    UtcTime,
    Word,
)
from tap_freshbooks.streams.families import ProjectStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.replication import Replication

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.records import Row

# Archived projects are hidden unless asked for, deleted ones as well; whether one flag shows the
# other's rows is unknown (`docs/freshbooks-api/projects-and-time.md §5`): ask for each.
ALIVE: tuple[Query, ...] = ({}, {"complete": "true"})
DELETED: tuple[Query, ...] = ({"active": "false"}, {"active": "false", "complete": "true"})

SERVICE = Object(
    id=Integer(),
    business_id=Integer(),
    name=Text(),
    billable=Boolean(),
    project_default=Boolean(),
    vis_state=Integer(),
)


class Projects(ProjectStream):
    """Projects: active, archived and deleted ones."""

    name = "projects"
    service = "projects"
    list_key = "projects"
    oauth_scope = "user:projects:read"
    webhook_noun = "project"
    object_path = "/projects/business/{business_id}/project/{object_id}"
    affected_by = {"time_entries": "project_id"}  # noqa: RUF012 - their logged time
    affected_without_timestamp = True
    timestamp_field = "updated_at"
    replication = Replication.SERVER_FILTER
    marks_deletions = True
    query = {"include_logged_duration": "true"}  # noqa: RUF012
    fields = Object(
        id=Integer(),
        title=Text(),
        description=Text(),
        due_date=PlainDate(),
        client_id=Integer(),
        internal=Boolean(),
        # Seconds; "50.00" in a test of the official SDK is perhaps something else.
        budget=DecimalText(),
        fixed_price=DecimalText(),
        rate=DecimalText(),
        billing_method=Word("business_rate", "project_rate", "service_rate", "team_member_rate"),
        project_type=Word("fixed_price", "hourly_rate"),
        project_manager_id=Integer(),
        active=Boolean(),
        complete=Boolean(),
        sample=Boolean(),
        created_at=UtcTime(),
        updated_at=UtcTime(),
        logged_duration=Integer(),
        services=Array(SERVICE),
        billed_amount=DecimalText(),
        billed_status=Word("unbilled", "partially_billed", "billed"),
        retainer_id=Integer(),
        expense_markup=DecimalText(),
        service_estimate_type=Text(),
        group_id=Integer(),
        group=Object(
            id=Integer(),
            members=Array(
                Object(
                    id=Integer(),
                    identity_id=Integer(),
                    role=Text(),
                    first_name=Text(),
                    last_name=Text(),
                    email=Text(),
                    company=Text(),
                    active=Boolean(),
                )
            ),
            pending_invitations=Array(
                Object(id=Integer(), group_id=Integer(), capacity=Text(), to_email=Text())
            ),
        ),
    )

    @override
    def list_queries(self, since: datetime | None) -> Iterator[Query]:
        changed = self.filter_query(since)
        yield from ({**changed, **state} for state in ALIVE)

    @override
    def deleted_queries(self, since: datetime | None) -> Iterator[Query]:
        changed = self.filter_query(since)
        if self.config["include_deleted"]:
            yield from ({**changed, **state} for state in DELETED)

    @override
    def kinds_of(self, rows: Iterable[Row]) -> set[str]:
        return {f"active {row.get('active') is not False}" for row in rows if row.get("complete")}

    @override
    def is_shown(self, query: Query, kinds: set[str]) -> bool:
        # A flag that shows the rows of the other: the list of both has no others.
        return "complete" in query and f"active {'active' not in query}" in kinds

    @override
    def as_list_row(self, row: Row) -> Row:
        # One project has its group where the list has the group's id
        # (`docs/freshbooks-api/resources/projects.yaml`).
        group = row.get("group")
        if not isinstance(group, dict) or row.get("group_id") is not None:
            return row
        kept = {name: value for name, value in row.items() if name != "group"}
        return {**kept, "group_id": group.get("id")}

    @override
    def change_queries(self, since: datetime) -> list[Query]:
        return [{**self.changed_since(since), **state} for state in ALIVE + DELETED]


class Services(HardDeleteStream, ProjectStream):
    """Billable work types. No list is known that has the deleted ones."""

    name = "services"
    service = "comments"  # a historic name
    list_key = "services"
    oauth_scope = "user:billable_items:read"
    webhook_noun = "service"
    object_path = "/comments/business/{business_id}/service/{object_id}"
    marks_deletions = True
    query = {"include_task_id": "true"}  # noqa: RUF012
    fields = SERVICE | Object(task_id=Integer())

    @override
    def is_deleted(self, record: dict[str, object]) -> bool:
        return record.get("vis_state") == 1


class ServiceRates(HardDeleteStream, ProjectStream):
    """Rates of services."""

    name = "service_rates"
    service = "comments"
    list_key = "service_rates"
    paged = False
    key = ("service_id",)
    oauth_scope = "user:billable_items:read"
    fields = Object(rate=DecimalText(), service_id=Integer(), business_id=Integer())


TEAMS_OR_PROJECTS = "user:teams:read or user:projects:read"
"""Either may be the scope of rates (`docs/freshbooks-api/resources/team_member_rates.yaml`)."""


class TeamMemberRates(HardDeleteStream, ProjectStream):
    """Rates of team members."""

    name = "team_member_rates"
    service = "comments"
    list_key = "team_member_rates"
    paged = False
    key = ("identity_id",)
    oauth_scope = TEAMS_OR_PROJECTS
    fields = Object(rate=DecimalText(), identity_id=Integer(), business_id=Integer())


class InvitationRates(HardDeleteStream, ProjectStream):
    """Rates of people who are invited."""

    name = "invitation_rates"
    service = "comments"
    list_key = "invitation_rates"
    paged = False
    key = ("service_id",)
    oauth_scope = TEAMS_OR_PROJECTS
    unconfirmed = "only an empty list was ever published: its fields are a guess."
    fields = Object(rate=DecimalText(), service_id=Integer(), business_id=Integer())


class Abilities(HardDeleteStream, ProjectStream):
    """What the user behind the connection may do in a business."""

    name = "abilities"
    service = "projects"
    list_key = "abilities"
    paged = False
    key = ("name",)
    oauth_scope = "user:projects:read"
    selected_by_default = False
    fields = Object(name=Text(), value=Boolean())


class Retainers(HardDeleteStream, ProjectStream):
    """Retainers of clients. Whether the list has the deleted ones is not known."""

    name = "retainers"
    service = "comments"
    list_key = "retainers"
    paged = False
    oauth_scope = "user:retainers:read"
    plan_features = ("retainers_feature.access",)
    timestamp_field = "updated_at"
    replication = Replication.CLIENT_FILTER
    marks_deletions = True
    fields = Object(
        id=Integer(),
        business_id=Integer(),
        system_id=Integer(),
        client_user_id=Integer(),
        invoice_profile_id=Integer(),
        fee=DecimalText(),
        excess_rate=DecimalText(),
        budgeted_time=Integer(),
        start_date=PlainDate(),
        next_period_start_date=PlainDate(),
        active=Boolean(),
        created_at=UtcTime(),
        updated_at=UtcTime(),
    )


class ProjectThreads(HardDeleteStream, ProjectStream):
    """Discussions of projects. A request per project."""

    name = "project_threads"
    path = "/comments/business/{business_id}/project/{project_id}/threads"
    records = ("threads|data|",)
    key = ("project_id", "id")
    oauth_scope = "user:projects:read"
    unconfirmed = (
        "no answer was ever published: where the rows stand in it and their fields are a guess."
    )
    fields = Object(project_id=Integer(), id=Integer(), message=Text())

    @override
    def probe(self, business: Business) -> None:
        path = Projects.path.format(business_id=business.business_id)
        self.connection.client.get(path, {"per_page": 1}, subject=f"{self.name} of {business}")

    @override
    def read_lists(self, reader: PartitionReader) -> Iterator[Batch]:
        business_id = reader.plan.business.business_id
        projects = Projects.path.format(business_id=business_id)
        seen: set[int | None] = set()
        for query in ALIVE:
            for page in reader.read_pages(query, projects, Projects.records):
                for project in page.rows:
                    project_id = whole_number(project.get("id"))
                    if project_id in seen:  # the one list shows archived projects, too
                        continue
                    seen.add(project_id)
                    if project_id is None:
                        raise FreshBooksError(
                            f"{reader.subject}: a project has no number as its id"
                        )
                    path = self.path.format(business_id=business_id, project_id=project_id)
                    for threads in reader.read_pages({}, path):
                        rows = [{**row, "project_id": project_id} for row in threads.rows]
                        yield Batch(rows, page.date)
