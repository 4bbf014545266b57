"""The entries of the books as the reports read them: by date, in one currency, on either basis.

The accrual basis is the journal itself. On the cash basis an invoice counts by what was paid of
it, on the date of the payment, and a bill likewise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import cents
from freshbooks_sandbox.reports.chart import Account, account
from freshbooks_sandbox.resources import postings
from freshbooks_sandbox.resources.balances import is_draft

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business, Row

Leg = tuple[Account, int, int | None]
"""An account, cents (debits positive), and the expense category behind them."""
WORDS = {
    "invoices": "invoice",
    "payments": "payment",
    "expenses": "expense",
    "credit_notes": "credit_note",
    "other_incomes": "other_income",
    "bills": "bill",
    "bill_payments": "bill_payment",
    "journal_entries": "adjustment",
}
OWN_IDS = {"bills": "billid", "bill_payments": "bill_paymentid"}
REFERENCES = {
    "invoices": "invoice_number",
    "bills": "bill_number",
    "credit_notes": "credit_number",
    "journal_entries": "journalEntryNumber",
}


@dataclass(slots=True)
class Entry:
    """The effect of one document on the books; its debits and credits are equal."""

    source: postings.Kind
    date: str
    row: Row
    legs: list[Leg]
    heads: dict[bool, bytes] = field(default_factory=dict)
    """The part of its transactions that does not depend on the leg, encoded, as ledgers keep it."""

    @property
    def kind(self) -> str:
        """`invoice`, `payment` and so on."""
        return WORDS[self.source.table]

    def title(self, business: Business) -> str:
        """Its name."""
        return self.source.title(self.row, business)

    @property
    def reference(self) -> str | None:
        """The number of the document, where it has one."""
        name = REFERENCES.get(self.source.table)
        return self.row.get(name) if name else None

    def ids(self, business: Business) -> dict[str, Any]:
        """The document and what it refers to."""
        found = self.source.refers(self.row, business)
        own = OWN_IDS.get(self.source.table)
        return {**found, own: self.row["id"]} if own else found


def entries(business: Business, code: str, *, cash_based: bool = False) -> list[Entry]:
    """All entries in a currency, by date."""

    def build() -> list[Entry]:
        found = []
        for entry in reversed(postings.entries(business)):
            if (entry.row.get("_code") or entry.row["currency_code"]) == code:
                made = _entry(entry, business, cash_based=cash_based)
                if made.legs:
                    found.append(made)
        return found

    return business.cached(("report entries", code, cash_based), build)


def _entry(entry: postings.Entry, business: Business, *, cash_based: bool) -> Entry:
    source = postings.KINDS[entry.kind]
    legs = _legs(entry, business)
    if cash_based and source.table in _ON_CASH:
        legs = _ON_CASH[source.table](entry.row, legs, business)
    return Entry(source, entry.date, entry.row, legs)


def _legs(entry: postings.Entry, business: Business) -> list[Leg]:
    row, found = entry.row, postings.postings_of(entry, business)
    if "_lines" not in row:
        key = row.get("categoryid")
        return [
            (account(part.account, business), part.cents, key if part.kind == "expense" else None)
            for part in found
            if part.cents
        ]
    # The lines of a bill come first, in their order.
    keys = [getattr(line, "categoryid", None) for line in row["_lines"]]
    return [
        (
            account(part.account, business),
            part.cents,
            keys[place] if part.kind == "expense" else None,
        )
        for place, part in enumerate(found)
        if part.cents
    ]


def _nothing(_row: Row, _legs: list[Leg], _business: Business) -> list[Leg]:
    return []


def _receipt(row: Row, legs: list[Leg], business: Business) -> list[Leg]:
    """The net amount and the tax in a payment."""
    invoice = business.table("invoices").get(row["invoiceid"] or 0)
    if invoice is None or not is_booked(invoice) or not invoice["_total"]:
        return legs
    amount = row["_cents"]
    net = amount * net_of(invoice) // invoice["_total"]
    sales = account(postings.SALES, business), -net, None
    tax = account(postings.SALES_TAX, business), net - amount, None
    return [legs[0], *(leg for leg in (sales, tax) if leg[1])]


def _paid_bill(row: Row, legs: list[Leg], business: Business) -> list[Leg]:
    """The part of the costs and of the tax that a payment settles."""
    bill = business.table("bills").get(row["billid"])
    if bill is None or bill["vis_state"] == 1:
        return legs
    costs, total = bill_legs(bill, business)
    if not costs or not total:
        return legs
    amount = row["_cents"]
    shares = [(place, amount * part // total, key) for place, part, key in costs]
    rest = amount - sum(part for _, part, _ in shares)
    place, part, key = shares[0]
    return [(place, part + rest, key), *shares[1:], legs[-1]]


_ON_CASH = {
    "invoices": _nothing,
    "bills": _nothing,
    "payments": _receipt,
    "bill_payments": _paid_bill,
}


def bill_legs(bill: Row, business: Business) -> tuple[list[Leg], int]:
    """The debits of a bill, and the total that they make."""
    place = next(n for n, kind in enumerate(postings.KINDS) if kind.table == "bills")
    entry = postings.Entry(bill["issue_date"], bill["id"], place, bill, 0)
    debits = [leg for leg in _legs(entry, business) if leg[1] > 0]
    return debits, sum(leg[1] for leg in debits)


def net_of(row: Row) -> int:
    """Cents of an invoice or credit note before tax, after the discount."""
    gross: int = sum(line.amount for line in row["_lines"])
    return gross + int(row.get("_discount", 0))


def is_booked(invoice: Row | None) -> bool:
    """A draft or deleted invoice is not in the books."""
    return invoice is not None and invoice["vis_state"] != 1 and not is_draft(invoice)


def expense_taxes(row: Row) -> list[tuple[str, int]]:
    """Name and cents of the taxes within an expense."""
    found = []
    for number in "12":
        amount = row.get(f"taxAmount{number}")
        if amount:
            found.append((str(row.get(f"taxName{number}") or ""), cents(amount)))
    return found
