"""The entry of every document in the ledger, with its debits and credits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from freshbooks_sandbox.money import cents
from freshbooks_sandbox.resources.balances import DRAFT
from freshbooks_sandbox.resources.bills import BillLine, total_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from freshbooks_sandbox.store import Business, Row

CASH, RECEIVABLE, PAYABLE, SALES_TAX = "1000-1", "1200-1", "2000-1", "2100-1"
CLIENT_CREDIT, SALES, OTHER_INCOME = "2200-1", "4000-1", "4100-1"
GOODS, OPERATING = "5000-1", "6000-1"


class Posting(NamedTuple):
    """One line: the number of a sub-account or the uuid of one, and cents, credits negative."""

    account: str
    cents: int
    kind: str = "total"
    description: str | None = None


class Entry(NamedTuple):
    """The entry of one document, of the kind at this place in KINDS."""

    date: str
    id: int
    kind: int
    row: dict[str, Any]
    lines: int


@dataclass(frozen=True)
class Kind:
    """The booking of documents of one table; `counts` gives the number of lines, cheaply."""

    table: str
    date: str
    is_booked: Callable[[Row], bool]
    postings: Callable[[Row, Business], list[Posting]]
    counts: Callable[[Row, Business], int]
    title: Callable[[Row, Business], str]
    refers: Callable[[Row, Business], dict[str, Any]]


def _living(row: Row) -> bool:
    return bool(row["vis_state"] != 1)


def _category(key: int, business: Business) -> str:
    """The sub-account of an expense category."""
    category = business.table("expense_categories").get(key)
    return GOODS if category is not None and category.get("is_cogs") else OPERATING


def _invoice_tax(row: Row) -> int:
    net = sum(line.amount for line in row["_lines"]) + row["_discount"]
    return int(row["_total"] - net)


def _invoice(row: Row, _business: Business) -> list[Posting]:
    tax = _invoice_tax(row)
    found = [Posting(RECEIVABLE, row["_total"]), Posting(SALES, tax - row["_total"])]
    return [*found, Posting(SALES_TAX, -tax, "tax")] if tax else found


def _payment(row: Row, _business: Business) -> list[Posting]:
    """From the bank or from credit, to what the client owes or, where too high, to his credit."""
    source = CLIENT_CREDIT if row.get("from_credit") else CASH
    target = RECEIVABLE if row["invoiceid"] else CLIENT_CREDIT
    return [Posting(source, row["_cents"]), Posting(target, -row["_cents"])]


def _expense_tax(row: Row) -> int:
    amounts = (row.get("taxAmount1"), row.get("taxAmount2"))
    return sum(cents(amount) for amount in amounts if amount)


def _expense(row: Row, business: Business) -> list[Posting]:
    tax, account = _expense_tax(row), _category(row["categoryid"], business)
    found = [
        Posting(account, row["_cents"] - tax, "expense", row.get("vendor")),
        Posting(CASH, -row["_cents"]),
    ]
    return [*found, Posting(SALES_TAX, tax, "tax")] if tax else found


def _credit_note(row: Row, _business: Business) -> list[Posting]:
    """Given away, or paid in advance; what was overpaid is booked with its payment."""
    source = SALES if row.get("credit_type", "goodwill") == "goodwill" else CASH
    return [Posting(source, row["_total"]), Posting(CLIENT_CREDIT, -row["_total"])]


def _income(row: Row, _business: Business) -> list[Posting]:
    return [Posting(CASH, row["_cents"]), Posting(OTHER_INCOME, -row["_cents"])]


def _bill(row: Row, business: Business) -> list[Posting]:
    lines: list[BillLine] = row["_lines"]
    tax = sum(sum(line.taxes()) for line in lines)
    found = [
        Posting(_category(line.categoryid, business), line.amount, "expense", line.description)
        for line in lines
    ]
    if tax:
        found.append(Posting(SALES_TAX, tax, "tax"))
    return [*found, Posting(PAYABLE, -total_of(row))]


def _bill_payment(row: Row, _business: Business) -> list[Posting]:
    return [Posting(PAYABLE, row["_cents"]), Posting(CASH, -row["_cents"])]


def _adjustment(row: Row, _business: Business) -> list[Posting]:
    text = row.get("description")
    return [Posting(account, amount, "adjustment", text) for account, amount in row["_details"]]


def _two(_row: Row, _business: Business) -> int:
    return 2


def _invoice_number(row: Row, business: Business) -> str:
    invoice = business.table("invoices").get(row["invoiceid"] or 0)
    return f"Payment for invoice {invoice['invoice_number']}" if invoice else "Overpayment"


KINDS = (
    Kind(
        table="invoices",
        date="create_date",
        is_booked=lambda row: _living(row) and row["status"] != DRAFT,
        postings=_invoice,
        counts=lambda row, _: 3 if _invoice_tax(row) else 2,
        title=lambda row, _: f"Invoice {row['invoice_number']}",
        refers=lambda row, _: {"invoiceid": row["id"], "clientid": row["customerid"]},
    ),
    Kind(
        table="payments",
        date="date",
        is_booked=_living,
        postings=_payment,
        counts=_two,
        title=_invoice_number,
        refers=lambda row, _: {
            "paymentid": row["id"],
            "clientid": row["clientid"],
            "invoiceid": row["invoiceid"] or None,
            "creditid": row.get("creditid"),
        },
    ),
    Kind(
        table="expenses",
        date="date",
        is_booked=_living,
        postings=_expense,
        counts=lambda row, _: 3 if _expense_tax(row) else 2,
        title=lambda _row, _: "Expense",
        refers=lambda row, _: {
            "expenseid": row["id"],
            "clientid": row.get("clientid") or None,
            "categoryid": row["categoryid"],
        },
    ),
    Kind(
        table="credit_notes",
        date="create_date",
        is_booked=lambda row: (
            _living(row)
            and row.get("status") != "draft"
            and row.get("credit_type") != "overpayment"
        ),
        postings=_credit_note,
        counts=_two,
        title=lambda row, _: f"Credit {row.get('credit_number', '')}",
        refers=lambda row, _: {"creditid": row["id"], "clientid": row["clientid"]},
    ),
    Kind(
        table="other_incomes",
        date="date",
        is_booked=_living,
        postings=_income,
        counts=_two,
        title=lambda row, _: f"Income {row['id']}",
        refers=lambda row, _: {"incomeid": row["id"]},
    ),
    Kind(
        table="bills",
        date="issue_date",
        is_booked=_living,
        postings=_bill,
        counts=lambda row, business: len(_bill(row, business)),
        title=lambda row, _: f"Bill {row.get('bill_number') or row['id']}",
        refers=lambda _row, _: {},
    ),
    Kind(
        table="bill_payments",
        date="paid_date",
        is_booked=_living,
        postings=_bill_payment,
        counts=_two,
        title=lambda row, _: f"Payment of bill {row['billid']}",
        refers=lambda _row, _: {},
    ),
    Kind(
        table="journal_entries",
        date="_date",
        is_booked=lambda _row: True,
        postings=_adjustment,
        counts=lambda row, _: len(row["_details"]),
        title=lambda row, _: str(row["name"]),
        refers=lambda _row, _: {},
    ),
)


def postings_of(entry: Entry, business: Business) -> list[Posting]:
    """The lines of an entry; their debits and credits are equal."""
    return KINDS[entry.kind].postings(entry.row, business)


def entries(business: Business) -> list[Entry]:
    """All entries, by date descending."""
    return business.cached("entries", lambda: _entries(business))


def _entries(business: Business) -> list[Entry]:
    found = []
    for position, kind in enumerate(KINDS):
        for row in business.table(kind.table).values():
            if kind.is_booked(row):
                key = int(row.get("_entryid") or row["id"]) * len(KINDS) + position
                lines = kind.counts(row, business)
                found.append(Entry(row[kind.date], key, position, row, lines))
    found.sort(key=lambda entry: (entry.date, entry.id), reverse=True)
    return found
