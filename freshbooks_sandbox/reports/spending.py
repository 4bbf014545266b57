"""Expense details: the expenses of a period in groups, with ids that are texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import money
from freshbooks_sandbox.reports.parameters import CURRENCY, FLAG, NUMBER, PERIOD, TEXT, a_word
from freshbooks_sandbox.reports.report import company, ledger_report, report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.store import Business, Row


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _record(row: Row, business: Business) -> dict[str, Any]:
    category = business.table("expense_categories").get(row["categoryid"]) or {}
    return {
        "expenseid": row["id"],
        "date": row["date"],
        "vendor": row.get("vendor"),
        "vendorid": row.get("vendor"),
        "categoryid": _text(row["categoryid"]),
        "clientid": _text(row.get("clientid")),
        "authorid": str(row.get("staffid", 1)),
        "account_name": row.get("account_name", ""),
        "notes": row.get("notes", ""),
        "amount": money(row["_cents"], row["_code"]),
        "taxAmount1": row.get("taxAmount1"),
        "taxAmount2": row.get("taxAmount2"),
        "is_cogs": bool(category.get("is_cogs", False)),
        "imported_from_csv": bool(row.get("from_bulk_import", False)),
    }


def _group(row: Row, by: str, business: Business) -> str:
    if by == "clients":
        return str(row.get("clientid") or "")
    if by == "vendor":
        return row.get("vendor") or ""
    if by == "author":
        return str(row.get("staffid", 1))
    category = business.table("expense_categories").get(row["categoryid"]) or {}
    return str(category.get("parentid") or row["categoryid"])


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
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in _chosen(params, business):
        name = _group(row, params["group_by"], business)
        groups.setdefault(name, []).append(_record(row, business))
    return {
        **company(business),
        **{name: params[name] for name in ("currency_code", "start_date", "end_date", "group_by")},
        "data": [{"expenses": groups[name]} for name in sorted(groups)],
    }


def _modern_details(params: Params, business: Business) -> Mapping[str, Any]:
    """With maps, keyed by id, beside the data."""
    rows = _chosen(params, business)
    clients = business.table("clients")
    owner = business.profile["owner"]
    keys = sorted({row["clientid"] for row in rows if row.get("clientid")})
    return {
        **_expense_details(params, business),
        "clients": {str(key): {"organization": clients[key]["organization"]} for key in keys},
        "vendors": {row["vendor"]: {"name": row["vendor"]} for row in rows if row.get("vendor")},
        "authors": {"1": {"fname": owner["first_name"], "lname": owner["last_name"]}},
    }


_PARAMETERS = {
    **PERIOD,
    "currency_code": CURRENCY,
    "group_by": a_word("parent_category"),
    "exclude_personal": FLAG,
    "include_project": FLAG,
    "client_id": NUMBER,
    "project_id": NUMBER,
}
EXPENSE_DETAILS = report("expense_details", _expense_details, _PARAMETERS)
MODERN_EXPENSE_DETAILS = ledger_report(
    "expense_details", _modern_details, {**_PARAMETERS, "locale": TEXT}
)
