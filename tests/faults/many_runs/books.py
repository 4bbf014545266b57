"""The books: edits of the sandbox that a sequence names without knowing its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.resources import BY_NAME
from freshbooks_sandbox.server import SandboxError
from tests.streams.test_all import NEW, SINGLE, TEXT, WHOLE_ENTRY

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tests.faults.many_runs.steps import Edit

Row = dict[str, Any]

VALUES: dict[str, tuple[Any, ...]] = {
    "fee": ("100.00", "200.00", "300.00"),
    "rate": ("10.00", "20.00", "30.00"),
    "uri": ("https://a.example/1", "https://a.example/2", "https://a.example/3"),
}
"""Values of fields that hold no words."""

RELATED: dict[str, tuple[str, str]] = {
    "payments": ("invoiceid", "invoices"),
    "invoices": ("customerid", "clients"),
    "estimates": ("customerid", "clients"),
    "expenses": ("categoryid", "expense_categories"),
    "credit_notes": ("clientid", "clients"),
    "bills": ("vendorid", "bill_vendors"),
    "bill_payments": ("billid", "bills"),
    "projects": ("client_id", "clients"),
}
"""The field of a row that names another one, and whose rows these are."""


WITH_LINES = {"invoices", "estimates", "invoice_profiles"}
"""Resources of which the lines can be written."""


def is_edited(resource: str) -> bool:
    """Whether the rows of a resource can be edited, and do not follow from others."""
    return resource in BY_NAME and BY_NAME[resource].write_rules is not None


def can(action: str, resource: str) -> bool:
    """Whether an edit makes sense; `update` always counts as one."""
    if action == "update":
        return True
    if not is_edited(resource) or resource in SINGLE:
        return False
    rules, blank = BY_NAME[resource].write_rules, BY_NAME[resource].blank
    return {
        "restore": bool(rules and rules.deleted),
        "archive": resource == "projects" or "vis_state" in blank,
        # The client that an invoice had before is not found out before a full read.
        "relate": resource in RELATED and resource != "invoices",
        "lines": resource in WITH_LINES,
        # The filter alone tells that one has changed, and then always.
        "silent": resource != "time_entries",
    }.get(action, True)


class Refused(Exception):  # noqa: N818 - no error: the edit is none
    """The books do not allow an edit."""


class Books:
    """Carries out edits.

    Args:
        sandbox: Whose rows are edited.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.edits = 0

    def apply(self, edit: Edit) -> Any:
        """Make an edit; the key of the row, or None if it was not allowed."""
        try:
            key = self._silent(edit) if edit.action == "silent" else self._edit(edit)
        except (Refused, SandboxError):
            return None
        self.edits += 1
        return key

    def order(self, edit: Edit, client_id: str, *, nth: int, when: str) -> bool:
        """Let the sandbox make an edit at a request that is to come; whether it can."""
        try:
            change = self._change(edit)
        except (Refused, SandboxError):
            return False
        path = "*"
        if edit.place < 0.7:  # while this very list is read
            path, nth = f"*/{BY_NAME[edit.resource].path}", nth % 4
        self.sandbox.faults(
            "change",
            **change,
            when=when,
            method="GET",
            path=path,
            client_id=client_id,
            skip=nth,
            times=1,
        )
        self.edits += 1
        return True

    def living(self, resource: str, key: tuple[str, ...]) -> set[tuple[Any, ...]]:
        """Keys of the rows that are not deleted, of all businesses, as far as rows have them."""
        if resource not in BY_NAME:
            return set()
        deleted = self._deleted(resource)
        return {
            tuple(row[name] for name in key)
            for business in (1, 2, 3)
            for row in self.sandbox.truth(resource, business)
            if not _is(row, deleted) and all(name in row for name in key)
        }

    def _edit(self, edit: Edit) -> Any:
        change = self._change(edit)
        name, business = edit.resource, edit.business
        if change["action"] == "create":
            row = self.sandbox.create(name, business, **change["values"])[0]
        elif change["action"] == "delete":
            row = self.sandbox.delete(name, change["which"], business)
        else:
            row = self.sandbox.update(name, change["which"], business, **change["values"])
        return row.get(BY_NAME[name].key, change.get("which"))

    def _change(self, edit: Edit) -> dict[str, Any]:
        """An edit in the words of the sandbox."""
        if not can(edit.action, edit.resource):
            raise Refused
        action = {"create": "create", "delete": "delete"}.get(edit.action, "update")
        change: dict[str, Any] = {"action": action, "resource": edit.resource}
        change["business"] = str(edit.business)
        if action != "create":
            change["which"] = self._which(edit)
        if action != "delete":
            change["values"] = self._values(edit)
        return change

    def _which(self, edit: Edit) -> Any:
        rows = self._table(edit.resource, edit.business)
        deleted = self._deleted(edit.resource)
        keys = [key for key, row in rows.items() if (edit.action == "restore") == _is(row, deleted)]
        return _at(sorted(keys, key=str), edit.place)

    def _values(self, edit: Edit) -> Row:
        name = edit.resource
        if edit.action == "restore":
            return {"vis_state": 0} if self._deleted(name)[0] == "vis_state" else {"active": True}
        whole: Row = dict(WHOLE_ENTRY) if name == "time_entries" else {}
        if edit.action == "create":
            whole |= NEW.get(name, {})
            if name in RELATED:
                whole |= self._related(edit)
            if name == "invoices":
                whole |= {"due_offset_days": 4, "status": 2}  # overdue, some day
        elif edit.action == "archive":
            return {"complete": True, "title": "Done"} if name == "projects" else {"vis_state": 2}
        elif edit.action == "relate":
            return whole | self._related(edit)
        elif edit.action == "lines":
            return whole | {"lines": self._lines(edit)}
        field = TEXT.get(name, "notes")
        return whole | {field: VALUES.get(field, ("one", "two", "three"))[edit.value]}

    def _related(self, edit: Edit) -> Row:
        field, other = RELATED[edit.resource]
        living = [
            key
            for key, row in self._table(other, edit.business).items()
            if not _is(row, self._deleted(other))
        ]
        return {field: _at(sorted(living), (edit.place + edit.value / 3) % 1)}

    def _lines(self, edit: Edit) -> list[Row]:
        return [
            {"name": f"line {number}", "qty": "1", "unit_cost": {"amount": "5", "code": "CAD"}}
            for number in range(1 + edit.value)
        ]

    def _silent(self, edit: Edit) -> Any:
        """Change a text beside all rules, so that no timestamp moves."""
        rows = self._table(edit.resource, edit.business)
        key = _at(sorted(rows, key=str), edit.place)
        field = TEXT.get(edit.resource, "notes")
        if not isinstance(rows[key].get(field), str) or field in VALUES:
            raise Refused
        rows[key][field] = ("one", "two", "three")[edit.value]
        self.sandbox.state.store.businesses[edit.business - 1].changed()
        return key

    def _table(self, resource: str, business: int) -> dict[Any, Row]:
        if resource not in BY_NAME or BY_NAME[resource].rows is not None:
            raise Refused
        return dict(self.sandbox.state.store.businesses[business - 1].table(resource))

    def _deleted(self, resource: str) -> tuple[str, Any]:
        if resource not in BY_NAME:
            raise Refused
        rules = BY_NAME[resource].write_rules
        return (rules.deleted if rules else None) or ("", None)


def _is(row: Row, deleted: tuple[str, Any]) -> bool:
    name, value = deleted
    return bool(name) and row.get(name, not value if isinstance(value, bool) else 0) == value


def _at(keys: list[Any], place: float) -> Any:
    if not keys:
        raise Refused
    return keys[int(place * len(keys))]
