"""From a path below the prefix of a family to a resource or view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freshbooks_sandbox.errors import UNKNOWN_ROUTE, ApiError
from freshbooks_sandbox.families import base
from freshbooks_sandbox.families.small import EVENTS, GROUPS, MEMBERS, PAYMENTS
from freshbooks_sandbox.reports import REPORTS
from freshbooks_sandbox.resources import RESOURCES, VIEWS

if TYPE_CHECKING:
    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.view import View

Place = tuple[str, str]

PREFIXES = {
    "/accounting/account/": base.ACCOUNTING,
    "/accounting/businesses/": base.LEDGER,
    "/accounting/ledger_accounts/": base.LEDGER_TYPES,
    "/projects/business/": base.PROJECTS,
    "/timetracking/business/": base.TIME_TRACKING,
    "/comments/business/": base.COMMENTS,
    "/auth/api/v1/businesses/": MEMBERS,
    "/auth/api/v1/users/business/": GROUPS,
    "/events/account/": EVENTS,
    "/payments/account/": PAYMENTS,
}

LISTS: dict[Place, Resource] = {
    place: resource
    for resource in RESOURCES
    if resource.path is not None
    for place in ((resource.family.name, resource.path), *resource.also)
}
ITEMS: dict[Place, Resource] = {
    (resource.family.name, path): resource
    for resource in RESOURCES
    for path in (resource.path, *resource.item_paths)
    if path is not None
}
SINGLE_VIEWS: dict[Place, View] = {
    place: view for view in (*VIEWS, *REPORTS) for place in view.paths
}


@dataclass(frozen=True)
class Route:
    """The resource or view, the key of one record, or the record that the list belongs to."""

    found: Resource | View
    key: str | None = None
    parent: str | None = None


def find(family: str, rest: str) -> Route:
    """Take the path apart.

    Raises:
        ApiError: 404 for a path that nothing lives at.
    """
    place = (family, rest)
    if place in LISTS:
        return Route(LISTS[place])
    if place in SINGLE_VIEWS:
        return Route(SINGLE_VIEWS[place])
    path, _, key = rest.rpartition("/")
    if (family, path) in ITEMS:
        return Route(ITEMS[family, path], key)
    parts = rest.split("/")
    for position in range(1, len(parts)):
        pattern = (family, "/".join([*parts[:position], "*", *parts[position + 1 :]]))
        if pattern in LISTS:
            return Route(LISTS[pattern], parent=parts[position])
        if pattern in ITEMS:
            return Route(ITEMS[pattern], parts[position])
        if pattern in SINGLE_VIEWS:
            return Route(SINGLE_VIEWS[pattern], parts[position])
    if place in ITEMS:
        return Route(ITEMS[place])
    raise ApiError(404, body={"message": UNKNOWN_ROUTE})
