"""Expenses and their categories."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text, eastern_version
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import cents, money
from freshbooks_sandbox.resource import ABSENT, Resource
from freshbooks_sandbox.resources import documents
from freshbooks_sandbox.resources.balances import outstanding_cents
from freshbooks_sandbox.resources.expense_profiles import EXPENSE_PROFILES
from freshbooks_sandbox.resources.invoice_includes import attachment
from freshbooks_sandbox.resources.projects import PROJECTS
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freshbooks_sandbox.store import Business, Row

INTERNAL, OUTSTANDING, INVOICED, RECOUPED = 0, 1, 2, 4
"""There is no 3 (docs/freshbooks-api/resources/expenses.yaml)."""

BLANK: dict[str, Any] = {
    "account_name": "",
    "accountid": None,
    "accounting_systemid": None,
    "background_jobid": None,
    "bank_name": "",
    "bill_matches": [],
    "billable": False,
    "categoryid": None,
    "clientid": 0,
    "compounded_tax": False,
    "converse_projectid": None,
    "date": None,
    "ext_accountid": None,
    "ext_invoiceid": 0,
    "ext_systemid": 0,
    "from_bulk_import": False,
    "has_receipt": False,
    "include_receipt": False,
    "invoiceid": None,
    "is_cogs": False,
    "markup_percent": "0",
    "modern_projectid": None,
    "notes": "",
    "potential_bill_payment": False,
    "profileid": None,
    "projectid": 0,
    "staffid": 1,
    "taxAmount1": None,
    "taxAmount2": None,
    "taxName1": None,
    "taxName2": None,
    "taxPercent1": None,
    "taxPercent2": None,
    "transactionid": None,
    "vendor": None,
    "vis_state": 0,
}
INTEGERS = ("categoryid", "clientid", "projectid", "staffid", "modern_projectid", "accountid")
IGNORED = (
    *("accounting_systemid", "ext_accountid", "ext_invoiceid", "ext_systemid", "bill_matches"),
    *("transactionid", "profileid", "background_jobid", "vis_state"),
)


def _duplicates(business: Business) -> Counter[tuple[str, int]]:
    def build() -> Counter[tuple[str, int]]:
        living = (row for row in business.table("expenses").values() if row["vis_state"] != 1)
        return Counter((row["date"], row["_cents"]) for row in living)

    return business.cached("duplicate expenses", build)


def _status(row: Row, business: Business) -> int:
    if not row.get("clientid"):
        return INTERNAL
    invoice = business.table("invoices").get(row.get("invoiceid") or 0)
    if invoice is None:
        return OUTSTANDING
    return RECOUPED if outstanding_cents(invoice, business) <= 0 else INVOICED


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    return {
        "accounting_systemid": business.account_id,
        "amount": money(row["_cents"], row["_code"]),
        "isduplicate": _duplicates(business)[row["date"], row["_cents"]] > 1,
        "status": _status(row, business),
    }


def _by_date(rows: Iterable[Row]) -> list[Row]:
    """Date descending, ties by id (docs/freshbooks-api/resources/expenses.yaml)."""
    by_id = sorted(rows, key=lambda row: row["id"], reverse=True)
    return sorted(by_id, key=lambda row: row["date"], reverse=True)


def _attachment(row: Row, business: Business) -> dict[str, Any] | None:
    return attachment(row["id"] * 10, business) if row.get("has_receipt") else None


def _category(row: Row, business: Business) -> dict[str, Any] | None:
    category = business.table("expense_categories").get(row["categoryid"])
    return None if category is None else EXPENSE_CATEGORIES.record(category, business)


def _profile(row: Row, business: Business) -> dict[str, Any] | None:
    profile = business.table("expense_profiles").get(row.get("profileid") or 0)
    return None if profile is None else EXPENSE_PROFILES.record(profile, business)


def _project(row: Row, business: Business) -> dict[str, Any] | None:
    project = business.table("projects").get(row.get("modern_projectid") or 0)
    return None if project is None else PROJECTS.record(project, business)


def _account(row: Row, _business: Business) -> Any:
    """The key stays away where there is no account, in spite of the include.

    See docs/freshbooks-api/resources/expenses.yaml.
    """
    if row.get("accountid") is None:
        return ABSENT
    return {"id": row["accountid"], "name": row["account_name"], "bank_name": row["bank_name"]}


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in BLANK if name in body and name not in IGNORED}
    for name in INTEGERS:
        if isinstance(columns.get(name), str):
            # Official bodies send categoryid as a string.
            columns[name] = int(columns[name]) if columns[name].isdecimal() else None
    if columns.get("clientid"):
        columns["clientid"] = documents.check_client(columns, "clientid", business)
    if "categoryid" in columns and columns["categoryid"] not in business.table(
        "expense_categories"
    ):
        value = body["categoryid"]
        raise ApiError(404, "Category not found.", 1012, "categoryid", value, "category")
    if "date" in body:
        columns["date"] = documents.check_date(body["date"], "date", "expense")
    if "amount" in body:
        amount = body["amount"]
        try:
            columns["_cents"] = cents(amount)
        except ValueError:
            raise ApiError(
                422, "amount must be a number.", 1015, "amount", None, "expense"
            ) from None
        if isinstance(amount, dict) and amount.get("code"):
            columns["_code"] = amount["code"]
    if row is None:
        columns.setdefault("_code", business.currency)
    return columns


EXPENSES = Resource(
    name="expenses",
    family=ACCOUNTING,
    path="expenses/expenses",
    plural="expenses",
    single="expense",
    scope="expenses",
    alias="expenseid",
    blank=BLANK,
    computed=_computed,
    timestamps={"updated": ("updated", eastern_text), "version": ("updated", eastern_version)},
    hidden=("_cents", "_code"),
    order=_by_date,
    filters={
        "expenseid": filters.number("id"),
        "expenseids": filters.numbers("id"),
        "clientid": filters.number(lambda row, _: row.get("clientid", 0)),
        "clientids": filters.numbers(lambda row, _: row.get("clientid", 0)),
        "clientid_not": filters.not_number(lambda row, _: row.get("clientid", 0)),
        "staffid": filters.number(lambda row, _: row.get("staffid", 1)),
        "staffids": filters.numbers(lambda row, _: row.get("staffid", 1)),
        "profileid": filters.number("profileid"),
        "profileids": filters.numbers("profileid"),
        "categoryid": filters.number("categoryid"),
        "categoryids": filters.numbers("categoryid"),
        "projectid": filters.number(lambda row, _: row.get("projectid", 0)),
        "projectids": filters.numbers(lambda row, _: row.get("projectid", 0)),
        "vendor": filters.word("vendor"),
        "has_receipt": filters.flag("has_receipt"),
        **filters.amounts("amount", lambda row, _: row["_cents"]),
        **filters.dates("date", "date"),
        **filters.updated(),
        "vis_state": filters.number("vis_state"),
    },
    unknown_sort_ascends=True,
    includes={
        "attachment": _attachment,
        "category": _category,
        "expense_profile": _profile,
        "project": _project,
        "account": _account,
    },
    write_rules=WriteRules(
        to_columns=_to_columns,
        required=("categoryid", "staffid", "date", "amount"),
        forbidden=("status",),
    ),
)


def _alphabetical(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["category"])


def _subcategories(row: Row, business: Business) -> list[dict[str, Any]]:
    children = business.index("expense_categories", "parentid").get(row["id"], [])
    return [EXPENSE_CATEGORIES.record(child, business) for child in children]


def _usage(row: Row, business: Business) -> int:
    return len(business.index("expenses", "categoryid").get(row["id"], []))


def _usage_this_year(row: Row, business: Business) -> int:
    year = str((business.today or date.max).year)
    expenses = business.index("expenses", "categoryid").get(row["id"], [])
    return sum(expense["date"].startswith(year) for expense in expenses)


EXPENSE_CATEGORIES = Resource(
    name="expense_categories",
    family=ACCOUNTING,
    path="expenses/categories",
    plural="categories",
    single="category",
    scope="expenses",
    alias="categoryid",
    blank={
        "category": "",
        "is_cogs": False,
        "is_editable": False,
        "parentid": None,
        "transaction_posted": True,
        "vis_state": 0,
    },
    timestamps={
        "created_at": ("created_at", eastern_text),
        "updated_at": ("updated_at", eastern_text),
    },
    order=_alphabetical,
    filters={"vis_state": filters.number("vis_state")},
    includes={
        "subcategories": _subcategories,
        "expense_usage_all_time": _usage,
        "expense_usage_this_year": _usage_this_year,
    },
    write_rules=WriteRules(
        required=("category",),
        defaults=lambda _business, _now: {"is_editable": True},
        created=("created_at",),
        updated="updated_at",
        is_served=False,
    ),
)
