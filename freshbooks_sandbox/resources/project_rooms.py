"""Around a project: its discussions, its group, and the caller's abilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.families.base import JSON_API, PLAIN_PROJECTS, Family, keyed_list
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.resources.projects import PROJECTS, group_of
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.store import Business


def _envelope(rows: bytes, behaviours: Behaviours) -> bytes | None:
    """`threads` with `meta`, in the form of the family, or a guess without."""
    key = behaviours.threads_envelope
    return None if key == "threads" else keyed_list(key, rows)


# Only the request is known; `threads` and `meta` fit the family
# (docs/freshbooks-api/resources/project_threads.yaml).
PROJECT_THREADS = Resource(
    name="project_threads",
    family=Family("comments", content_type=JSON_API),
    path="project/*/threads",
    parent=("projects", "project_id"),
    plural="threads",
    single="thread",
    envelope=_envelope,
    scope="projects",
    blank={"message": ""},
    hidden=("project_id",),
    visibility=everything,
    write_rules=WriteRules(
        required=("message",),
        example=lambda business: {
            "project_id": next(iter(business.table("projects"))),
            "message": "Edited by hand",
        },
        updated=None,
        deleted=None,
        delete_by_put=False,
    ),
)

PROJECT_GROUPS = Resource(
    name="project_groups",
    family=PROJECTS.family,
    # No list is known; a group comes inside the single project
    # (docs/freshbooks-api/resources/project_groups.yaml).
    path=None,
    plural="groups",
    single="group",
    scope="projects",
    rows=lambda business: [
        group_of(project, business) for project in business.table("projects").values()
    ],
)

NAMES = (
    *("can_view_projects", "can_create_projects", "can_create_services", "can_view_services"),
    *("can_view_time_entries", "can_create_time_entries", "can_mark_time_entries_billed"),
    *("can_view_team_time_entries", "can_view_time_tracking_settings"),
)


def _abilities(business: Business) -> list[dict[str, Any]]:
    """A customer may look at projects, the owner may do everything."""
    return [
        {"name": name, "value": business.role != "client" or name == "can_view_projects"}
        for name in NAMES
    ]


ABILITIES = Resource(
    name="abilities",
    family=PLAIN_PROJECTS,
    path="abilities",
    plural="abilities",
    single="ability",
    scope="projects",
    key="name",
    rows=_abilities,
    order=list,
    visibility=everything,
)
