"""The sales tax summary: what was collected for each tax, and what was paid."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import cents, money, share
from freshbooks_sandbox.reports.journal import expense_taxes, is_booked
from freshbooks_sandbox.reports.parameters import CURRENCY, FLAG, PERIOD
from freshbooks_sandbox.reports.report import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.resources.documents import Line
    from freshbooks_sandbox.store import Business, Row

Tax = tuple[str, int, int]
"""Name, cents of tax, cents that were taxed."""


@lru_cache(maxsize=8192)
def _parts(left: int, percent1: str, percent2: str, *, compounded: bool) -> tuple[int, int]:
    first = share(left, percent1)
    return first, share(left + first * compounded, percent2)


def taxes_of(line: Line, discount: str) -> tuple[int, int]:
    """Cents of either tax of a line, on what the discount leaves of it."""
    left = line.amount - share(line.amount, discount)
    return _parts(left, line.percent1, line.percent2, compounded=line.compounded_tax)


def line_taxes(row: Row) -> list[Tax]:
    """The taxes of an invoice or credit note by name, as its lines have them."""
    discount = row.get("discount_value", "0")
    sums: dict[str, list[int]] = {}
    for line in row["_lines"]:
        if line.tax_name1 is None and line.tax_name2 is None:
            continue
        left = line.amount - share(line.amount, discount)
        parts = _parts(left, line.percent1, line.percent2, compounded=line.compounded_tax)
        for name, part in zip((line.tax_name1, line.tax_name2), parts, strict=True):
            if name is not None and part:
                found = sums.setdefault(name, [0, 0])
                found[0] += part
                found[1] += left
    return [(name, tax, base) for name, (tax, base) in sums.items()]


class _Summary:
    """Cents by tax: collected, taxed, paid, taxed."""

    def __init__(self, params: Params, business: Business) -> None:
        self.business, self.code = business, params["currency_code"]
        self.start, self.end = params["start_date"], params["end_date"]
        self.rows: dict[str, list[int]] = {}
        self.invoiced = 0

    def living(self, table: str, day: str, code: str) -> Iterator[Row]:
        """The rows of the period and the currency."""
        for row in self.business.table(table).values():
            if row.get("vis_state", 0) == 1 or row[code] != self.code:
                continue
            if self.start <= row[day] <= self.end:
                yield row

    def book(self, taxes: Iterable[Tax], place: int = 0, sign: int = 1) -> None:
        """Place 0 is collected, 2 is paid."""
        for name, tax, base in taxes:
            row = self.rows.setdefault(name, [0, 0, 0, 0])
            row[place] += sign * tax
            row[place + 1] += sign * base

    def take_invoices(self) -> None:
        """On the accrual basis, by the date of the invoice."""
        for row in self.living("invoices", "create_date", "currency_code"):
            if is_booked(row):
                self.book(line_taxes(row))
                self.invoiced += row["_total"]

    def take_receipts(self) -> None:
        """On the cash basis, the share that each payment brings."""
        invoices = self.business.table("invoices")
        for row in self.living("payments", "date", "_code"):
            invoice = invoices.get(row.get("invoiceid") or 0)
            if invoice is None or not is_booked(invoice) or not invoice["_total"]:
                continue
            amount, total = row["_cents"], invoice["_total"]
            self.invoiced += amount
            taxes = line_taxes(invoice)
            self.book(
                (name, amount * tax // total, amount * base // total) for name, tax, base in taxes
            )

    def take_the_rest(self) -> None:
        """Credit notes lessen what was collected; expenses and bills have taxes that were paid."""
        for row in self.living("credit_notes", "create_date", "currency_code"):
            if row.get("credit_type", "goodwill") == "goodwill":
                self.book(line_taxes(row), sign=-1)
        for row in self.living("other_incomes", "date", "_code"):
            taxes = [(str(tax["name"]), cents(tax["amount"])) for tax in row.get("taxes") or []]
            base = row["_cents"] - sum(part for _, part in taxes)
            self.book((name, part, base) for name, part in taxes)
        for row in self.living("expenses", "date", "_code"):
            taxes = expense_taxes(row)
            base = row["_cents"] - sum(part for _, part in taxes)
            self.book(((name, part, base) for name, part in taxes), place=2)
        for row in self.living("bills", "issue_date", "currency_code"):
            for line in row["_lines"]:
                names = (line.tax_name1, line.tax_name2)
                parts = zip(names, line.taxes(), strict=True)
                self.book(
                    ((name, part, line.amount) for name, part in parts if name and part), place=2
                )

    def tax(self, name: str) -> dict[str, Any]:
        """A row of the report."""
        collected, taxed, paid, taxed_paid = self.rows[name]
        return {
            "tax_name": name,
            "tax_collected": money(collected, self.code),
            "taxable_amount_collected": money(taxed, self.code),
            "tax_paid": money(paid, self.code),
            "taxable_amount_paid": money(taxed_paid, self.code),
            "net_tax": money(collected - paid, self.code),
            "net_taxable_amount": money(taxed - taxed_paid, self.code),
        }


def _tax_summary(params: Params, business: Business) -> Mapping[str, Any]:
    summary = _Summary(params, business)
    if params["cash_based"]:
        summary.take_receipts()
    else:
        summary.take_invoices()
    summary.take_the_rest()
    return {
        "cash_based": params["cash_based"],
        "currency_code": summary.code,
        "start_date": summary.start,
        "end_date": summary.end,
        "total_invoiced": money(summary.invoiced, summary.code),
        "taxes": [summary.tax(name) for name in sorted(summary.rows)],
    }


TAX_SUMMARY = report(
    "tax_summary",
    _tax_summary,
    {**PERIOD, "cash_based": FLAG, "currency_code": CURRENCY},
    path="taxsummary",
)
