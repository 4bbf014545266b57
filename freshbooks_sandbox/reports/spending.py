"""Expense details: the expenses of a period in groups, with ids that are texts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import money
from freshbooks_sandbox.reports.parameters import CURRENCY, FLAG, NUMBER, PERIOD, TEXT, a_word
from freshbooks_sandbox.reports.report import company, is_there, ledger_report, report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.store import Business, Row


def _text(value: Any) -> str | None:
    return str(value) if value else None


def vendor_key(name: str, business: Business) -> str:
    """The hash that stands for a vendor here, and that only the map `vendors` resolves."""
    seed = f"{business.uuid}/vendor/{name}".encode()
    return hashlib.md5(seed, usedforsecurity=False).hexdigest()


def _record(row: Row, business: Business) -> dict[str, Any]:
    category = business.table("expense_categories").get(row["categoryid"]) or {}
    vendor = row.get("vendor")
    taxes = {
        f"{name}{number}": row.get(f"{name}{number}")
        for number in "12"
        for name in ("taxName", "taxPercent", "taxAmount")
    }
    return {
        "expenseid": row["id"],
        "date": row["date"],
        "vendor": vendor,
        "vendorid": vendor_key(vendor, business) if vendor else None,
        "categoryid": _text(row["categoryid"]),
        "clientid": _text(row.get("clientid")),
        "authorid": str(row.get("staffid", 1)),
        "account_name": row.get("account_name", ""),
        "notes": row.get("notes", ""),
        "amount": money(row["_cents"], row["_code"]),
        **taxes,
        "is_cogs": bool(category.get("is_cogs", False)),
        "imported_from_csv": bool(row.get("from_bulk_import", False)),
    }


def _path(row: Row, by: str, business: Business) -> list[str]:
    """The group that a row is in, or a group and one below it, by their ids."""
    if by == "clients":
        return [str(row.get("clientid") or "")]
    if by == "vendor":
        return [vendor_key(row["vendor"], business) if row.get("vendor") else ""]
    if by == "author":
        return [str(row.get("staffid", 1))]
    category = business.table("expense_categories").get(row["categoryid"]) or {}
    own, parent = str(row["categoryid"]), category.get("parentid")
    if parent is None:
        return [own]
    # Groups are recursive; those that were captured had none below them
    # (docs/freshbooks-api/accounting.md §13).
    is_nested = business.behaviours.expense_groups == "nested"
    return [str(parent), own] if is_nested else [str(parent)]


@dataclass
class _Group:
    """The rows of a group, and the groups below it."""

    rows: list[Row] = field(default_factory=list)
    children: dict[str, _Group] = field(default_factory=dict)

    def at(self, path: list[str]) -> _Group:
        """The group at the end of a path, made where it is missing."""
        group = self
        for key in path:
            group = group.children.setdefault(key, _Group())
        return group

    def cents(self) -> int:
        """The sum of the group and of those below it."""
        own: int = sum(row["_cents"] for row in self.rows)
        return own + sum(child.cents() for child in self.children.values())

    def record(self, key: str, code: str, business: Business) -> dict[str, Any]:
        """As the report shows it."""
        return {
            "groupid": key or None,
            "total": money(self.cents(), code),
            "expenses": [_record(row, business) for row in self.rows],
            "children": self.records(code, business),
        }

    def records(self, code: str, business: Business) -> list[dict[str, Any]]:
        """The groups below it."""
        below = sorted(self.children.items())
        return [child.record(key, code, business) for key, child in below]


def _is_asked_for(row: Row, params: Params) -> bool:
    client, project = params["client_id"], params["project_id"]
    return (
        row["vis_state"] != 1
        and row["_code"] == params["currency_code"]
        and params["start_date"] <= row["date"] <= params["end_date"]
        and client in (None, row.get("clientid"))
        and project in (None, row.get("projectid"), row.get("modern_projectid"))
    )


def _chosen(params: Params, business: Business) -> list[Row]:
    rows = business.table("expenses").values()
    return sorted((r for r in rows if _is_asked_for(r, params)), key=lambda row: row["date"])


def _expense_details(params: Params, business: Business) -> Mapping[str, Any]:
    rows, everything = _chosen(params, business), _Group()
    for row in rows:
        everything.at(_path(row, params["group_by"], business)).rows.append(row)
    echoed = ("currency_code", "start_date", "end_date", "group_by", "exclude_personal")
    return {
        **company(business),
        **{name: params[name] for name in echoed},
        "data": everything.records(params["currency_code"], business),
        **_maps(rows, business),
    }


def _maps(rows: list[Row], business: Business) -> dict[str, dict[str, str]]:
    """What the ids of the rows stand for (docs/freshbooks-api/accounting.md §13)."""
    clients, categories = business.table("clients"), business.table("expense_categories")
    staff = business.table("staffs")
    vendors = sorted({row["vendor"] for row in rows if row.get("vendor")})
    authors = sorted({row.get("staffid", 1) for row in rows})
    payers = sorted({row["clientid"] for row in rows if row.get("clientid")})
    own = {row["categoryid"] for row in rows if row["categoryid"] in categories}
    kinds = own | {categories[key]["parentid"] for key in own if categories[key].get("parentid")}
    return {
        "vendors": {vendor_key(name, business): name for name in vendors},
        "authors": {str(key): _full_name(staff.get(key, {})) for key in authors},
        "clients": {str(key): clients[key]["organization"] for key in payers},
        "categories": {str(key): categories[key]["category"] for key in sorted(kinds)},
    }


def _full_name(person: Row) -> str:
    return f"{person.get('fname') or ''} {person.get('lname') or ''}".strip()


_PARAMETERS = {
    **PERIOD,
    "currency_code": CURRENCY,
    "group_by": a_word("parent_category"),
    "exclude_personal": FLAG,
    "include_project": FLAG,
    "client_id": NUMBER,
    "project_id": NUMBER,
}
EXPENSE_DETAILS = report("expense_details", _expense_details, _PARAMETERS, guard=is_there)
MODERN_EXPENSE_DETAILS = ledger_report(
    "expense_details", _expense_details, {**_PARAMETERS, "locale": TEXT}
)
