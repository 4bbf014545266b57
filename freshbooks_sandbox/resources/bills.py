"""Bills: what vendors want, in lines, with the payments that were made on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text, utc_text
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import cents, money, share
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents
from freshbooks_sandbox.resources.bill_payments import BILL_PAYMENTS, payments_of
from freshbooks_sandbox.resources.bill_vendors import BILL_VENDORS
from freshbooks_sandbox.resources.invoice_includes import attachment
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.store import Business, Row


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line of a bill; `unit_cost` in cents, the percents as they are written."""

    description: str | None
    quantity: str
    unit_cost: int
    categoryid: int
    tax_name1: str | None = None
    percent1: str | None = None
    tax_name2: str | None = None
    percent2: str | None = None

    @property
    def amount(self) -> int:
        """Cents before tax."""
        return documents.times(self.quantity, self.unit_cost)

    def taxes(self) -> tuple[int, int]:
        """Cents of either tax."""
        return share(self.amount, self.percent1 or "0"), share(self.amount, self.percent2 or "0")


def amount_of(bill: Row) -> int:
    """Cents before tax."""
    return sum(line.amount for line in bill["_lines"])


def tax_of(bill: Row) -> int:
    """Cents of tax."""
    return sum(sum(line.taxes()) for line in bill["_lines"])


def total_of(bill: Row) -> int:
    """Cents with tax."""
    return amount_of(bill) + tax_of(bill)


def _status(row: Row, business: Business) -> str:
    """Overdue by the day on which it is read, as invoices are."""
    paid = sum(payment["_cents"] for payment in payments_of(row, business))
    if paid >= total_of(row):
        return "paid"
    if business.today is not None and row["due_date"] < business.today.isoformat():
        return "overdue"
    return "partial" if paid else "unpaid"


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    code = row["currency_code"]
    amount, tax = amount_of(row), tax_of(row)
    payments = payments_of(row, business)
    paid = sum(payment["_cents"] for payment in payments)
    lines = [_line(row, position, business) for position in range(1, len(row["_lines"]) + 1)]
    first = row["_lines"][0] if lines else None
    return {
        "status": _status(row, business),
        "amount": money(amount, code),
        "tax_amount": money(tax, code),
        "total_amount": money(amount + tax, code),
        "paid": money(paid, code),
        "outstanding": money(amount + tax - paid, code),
        "overall_category": _category(first.categoryid, business)["category"] if first else None,
        "overall_description": first.description if first else None,
        "attachment": _attachment(row, business),
        "lines": lines,
        # Always there, no include needed (docs/freshbooks-api/resources/bills.yaml).
        "bill_payments": [BILL_PAYMENTS.record(payment, business) for payment in payments],
    }


def _line(row: Row, position: int, business: Business) -> dict[str, Any]:
    line: BillLine = row["_lines"][position - 1]
    code = row["currency_code"]
    first, second = line.taxes()
    category = _category(line.categoryid, business)
    is_text = business.behaviours.bill_category == "text"
    return {
        "id": row["id"] * 100 + position,
        "list_index": position,
        # An object in the captures, a text in one fixture (docs/freshbooks-api/accounting.md §10).
        "category": category["category"] if is_text else category,
        "description": line.description,
        "quantity": line.quantity,
        "unit_cost": money(line.unit_cost, code),
        "amount": money(line.amount, code),
        "total_amount": money(line.amount + first + second, code),
        "tax_name1": line.tax_name1,
        "tax_percent1": line.percent1,
        "tax_amount1": money(first, code) if line.percent1 else None,
        "tax_authorityid1": None,
        "tax_name2": line.tax_name2,
        "tax_percent2": line.percent2,
        "tax_amount2": money(second, code) if line.percent2 else None,
        "tax_authorityid2": None,
    }


def _category(key: int, business: Business) -> dict[str, Any]:
    """The object of the captures; it has no transaction_posted.

    See docs/freshbooks-api/resources/expense_categories.yaml.
    """
    row = business.table("expense_categories")[key]
    return {
        "id": key,
        "categoryid": key,
        "category": row["category"],
        "is_cogs": row.get("is_cogs", False),
        "is_editable": row.get("is_editable", False),
        "parentid": row.get("parentid"),
        "created_at": eastern_text(row["created_at"]),
        "updated_at": eastern_text(row["updated_at"]),
        "vis_state": row["vis_state"],
    }


def _attachment(row: Row, business: Business) -> dict[str, Any] | None:
    if row["id"] % 7:
        return None
    file = attachment(row["id"] * 10, business)
    return {name: file[name] for name in ("id", "jwt", "media_type")}


def _vendor(row: Row, business: Business) -> dict[str, Any]:
    return BILL_VENDORS.record(business.table("bill_vendors")[row["vendorid"]], business)


def _reshape(record: dict[str, Any], _row: Row, context: FilterContext) -> None:
    """The vendor is in the documentation, but in none of the captured answers.

    See docs/freshbooks-api/resources/bills.yaml.
    """
    if context.behaviours.bill_vendorid == "absent":
        del record["vendorid"]


def _read_line(body: Mapping[str, Any], business: Business) -> BillLine:
    category = body.get("categoryid") or body.get("category")
    if isinstance(category, dict):
        category = category.get("categoryid")
    key = int(str(category)) if str(category).isdecimal() else -1
    if key not in business.table("expense_categories"):
        raise ApiError(404, "Category not found.", 1012, "categoryid", category, "category")
    percents = [body.get(name) for name in ("tax_percent1", "tax_percent2")]
    first, second = (None if percent in (None, "") else str(percent) for percent in percents)
    return BillLine(
        description=body.get("description"),
        quantity=str(body.get("quantity") or "1"),
        unit_cost=cents(body.get("unit_cost") or 0),
        categoryid=key,
        tax_name1=body.get("tax_name1"),
        percent1=first,
        tax_name2=body.get("tax_name2"),
        percent2=second,
    )


def _vendor_of(body: Mapping[str, Any], business: Business) -> Row:
    value = body["vendorid"]
    vendors = business.table("bill_vendors")
    vendor = vendors.get(int(value) if str(value).isdecimal() else -1)
    if vendor is None:
        raise ApiError(404, "Vendor not found.", 1012, "vendorid", value, "bill_vendor")
    return vendor


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    names = ("bill_number", "language", "currency_code")
    columns = {name: body[name] for name in names if name in body}
    stored: dict[str, Any] = row or {}
    if "vendorid" in body:
        vendor = _vendor_of(body, business)
        columns["vendorid"] = vendor["id"]
        if row is None:
            columns.setdefault("currency_code", vendor.get("currency_code", business.currency))
    if "issue_date" in body:
        columns["issue_date"] = documents.check_date(body["issue_date"], "issue_date", "bill")
    if isinstance(body.get("lines"), list):
        columns["_lines"] = [_read_line(line, business) for line in body["lines"]]
    elif row is None:
        columns["_lines"] = []
    offset = int(body.get("due_offset_days", stored.get("due_offset_days", 0)))
    issued = str(columns.get("issue_date", stored.get("issue_date")))
    # Read-only: it follows from the other two (docs/freshbooks-api/resources/bills.yaml).
    columns |= {"due_offset_days": offset, "due_date": documents.due_date(issued, offset)}
    return columns


def _example(business: Business) -> dict[str, Any]:
    category = next(iter(business.table("expense_categories")))
    line = {"categoryid": category, "description": "Edited by hand", "unit_cost": "100.00"}
    return {"lines": [line]}


BILLS = Resource(
    name="bills",
    family=ACCOUNTING,
    path="bills/bills",
    plural="bills",
    single="bill",
    scope="bills",
    blank={"bill_number": None, "language": "en", "vis_state": 0},
    computed=_computed,
    # UTC, though they look like the Eastern ones (docs/freshbooks-api/accounting.md §7).
    timestamps={"created_at": ("created_at", utc_text), "updated_at": ("updated_at", utc_text)},
    hidden=("_lines",),
    reshape=_reshape,
    words="status",
    filters={
        "vendorid": filters.number("vendorid"),
        "statuses": filters.words(_status),
        "currency_code": filters.word("currency_code"),
        "ids": filters.numbers("id"),
        "vis_state": filters.number("vis_state"),
        **filters.dates("issue_date", "issue_date"),
    },
    includes={"vendor": _vendor},
    write_rules=WriteRules(
        to_columns=_to_columns,
        example=_example,
        required=("vendorid", "issue_date"),
        created=("created_at",),
        updated="updated_at",
    ),
)
