"""Tasks and billable items: services as the accounting side sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import cents, money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freshbooks_sandbox.store import Business, Row

TASK_OF_SERVICE = 30_000
"""The distance of a task's id above that of its service."""


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    service = business.table("services").get(row["id"] - TASK_OF_SERVICE) or {}
    return {
        "accounting_systemid": business.account_id,
        "project_default": bool(service.get("project_default", False)),
        "tname": row["name"],
        "tdesc": row.get("description", ""),
        "rate": money(row["_rate"], business.currency),
    }


def _by_name(rows: Iterable[Row]) -> list[Row]:
    """As captured (docs/freshbooks-api/accounting.md §3)."""
    return sorted(rows, key=lambda row: (row["name"] or "", row["id"]))


def _to_columns(body: Mapping[str, Any], row: Row | None, _business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in ("billable", "tax1", "tax2") if name in body}
    for name, short in (("name", "tname"), ("description", "tdesc")):
        if name in body or short in body:
            columns[name] = body.get(name, body.get(short))
    if "rate" in body or row is None:
        columns["_rate"] = cents(body.get("rate") or 0)
    return columns


def _on_write(row: Row, before: Row | None, business: Business, _now: int) -> None:
    """A new task brings its service; a deleted one leaves it behind.

    See docs/freshbooks-api/resources/tasks.yaml.
    """
    key = row["id"] - TASK_OF_SERVICE
    services = business.table("services")
    if before is None and key not in services:
        service = {"id": key, "name": row["name"], "billable": row.get("billable", True)}
        service |= {"project_default": False, "vis_state": 0}
        business.add("services", service)
        business.notify("services", "create", service, is_caused=True)


def _new_key(business: Business, _now: int) -> int:
    """Above all tasks, and above those of services that have none."""
    service = business.next_id("services") + TASK_OF_SERVICE
    return max(business.next_id("tasks"), service)


def add_task(service: Row, before: Row | None, business: Business, now: int) -> None:
    """The task of a new service; only where there are books.

    See docs/freshbooks-api/resources/services.yaml.
    """
    key = service["id"] + TASK_OF_SERVICE
    if before is None and business.account_id is not None:
        task = {"id": key, "name": service["name"], "billable": service.get("billable", True)}
        business.add("tasks", {**task, "_rate": 0, "updated": now, "vis_state": 0})


TASKS = Resource(
    name="tasks",
    family=ACCOUNTING,
    # The accounting family in spite of the path (docs/freshbooks-api/resources/tasks.yaml).
    path="projects/tasks",
    plural="tasks",
    single="task",
    scope="billable_items",
    alias="taskid",
    blank={"description": "", "billable": True, "tax1": 0, "tax2": 0, "vis_state": 0},
    computed=_computed,
    timestamps={"updated": ("updated", eastern_text)},
    hidden=("_rate",),
    order=_by_name,
    filters={**filters.updated(), "vis_state": filters.number("vis_state")},
    write_rules=WriteRules(
        to_columns=_to_columns, on_write=_on_write, required=("name",), new_key=_new_key
    ),
)


def _items(business: Business) -> list[Row]:
    tasks = business.table("tasks")
    return [
        {
            "id": service["id"],
            "name": service["name"],
            "description": task.get("description") if task else None,
            "billable": service.get("billable", True),
            "unit_cost": money(task["_rate"], business.currency) if task else None,
            "tax1": None,
            "tax2": None,
            "vis_state": service["vis_state"],
        }
        for service in business.table("services").values()
        for task in [tasks.get(service["id"] + TASK_OF_SERVICE)]
    ]


BILLABLE_ITEMS = Resource(
    name="billable_items",
    family=ACCOUNTING,
    path="billable_items/billable_items",
    # The vendor's single read has the word once
    # (docs/freshbooks-api/resources/billable_items.yaml).
    item_paths=("billable_items",),
    plural="billable_items",
    single="billable_item",
    scope="billable_items",
    rows=_items,
    is_list_presumed=True,
    visibility=lambda _query, _context: lambda row: row["vis_state"] != 1,
)
