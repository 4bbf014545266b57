"""Rebilling: expenses made and hours worked for a client, which invoices take up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.resources.documents import Line

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business

MOST_ENTRIES = 4
"""Time entries on one line."""


class Rebilling:
    """The expenses and hours that wait to be billed, by client."""

    def __init__(self, business: Business) -> None:
        self._business = business
        self._expenses: dict[int, list[dict[str, Any]]] = {}
        self._entries: dict[int, list[dict[str, Any]]] = {}
        for expense in business.table("expenses").values():
            if expense.get("billable") and expense["vis_state"] == 0:
                self._expenses.setdefault(expense["clientid"], []).append(expense)
        projects = business.table("projects")
        for entry in business.table("time_entries").values():
            project = projects.get(entry["project_id"] or 0)
            if project and project["client_id"] and project["rate"] and entry["active"]:
                self._entries.setdefault(project["client_id"], []).append(entry)

    def lines(self, client_id: int, moment: int, invoice_id: int) -> list[Line]:
        """Lines for an invoice made at a moment; what they bill is marked as billed."""
        found = []
        expenses = self._expenses.get(client_id)
        if expenses and expenses[0]["updated"] < moment:
            found.append(_expense_line(expenses.pop(0), moment, invoice_id))
        entries = self._entries.get(client_id)
        if entries and entries[0]["_updated"] < moment and invoice_id % 2:
            found.append(self._time_line(entries, moment))
        return found

    def _time_line(self, entries: list[dict[str, Any]], moment: int) -> Line:
        project = self._business.table("projects")[entries[0]["project_id"]]
        billed: list[dict[str, Any]] = []
        while entries and len(billed) < MOST_ENTRIES:
            entry = entries[0]
            if entry["project_id"] != project["id"] or entry["_updated"] >= moment:
                break
            if not entry["is_logged"]:
                break
            entry |= {"billed": True, "_updated": moment}
            billed.append(entries.pop(0))
        project["updated_at"] = max(project["updated_at"], moment)
        hours = sum(entry["duration"] for entry in billed) / 3600
        return Line(
            name=project["title"],
            description="",
            qty=f"{hours:g}",
            unit_cost=int(project["rate"].replace(".", "")),
            modern_project_id=project["id"],
            time_entries=tuple(entry["id"] for entry in billed),
        )


def _expense_line(expense: dict[str, Any], moment: int, invoice_id: int) -> Line:
    expense |= {"invoiceid": invoice_id, "updated": moment}
    return Line(
        name="Expense",
        description=expense["vendor"] or "",
        qty="1",
        unit_cost=expense["_cents"],
        type=1,
        expenseid=expense["id"],
        date=expense["date"],
    )
