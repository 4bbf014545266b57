"""The figures of the reports follow from the seed data: they can be added up from its lists."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.freshbooks_sandbox.conftest import Caller
from tests.freshbooks_sandbox.reporting import (
    ALL,
    YEAR,
    amount,
    booked,
    living,
    of_year,
    params,
    report,
    total,
)

CENT = Decimal("0.01")


def test_payments_collected_has_the_payments_of_the_period(caller: Caller) -> None:
    found = report(caller, "payments_collected", YEAR)
    payments = of_year(living(caller, "payments"), "date", "CAD")
    assert Counter(
        (r["date"], r["amount"]["amount"], r["clientid"]) for r in found["payments"]
    ) == (Counter((r["date"], r["amount"]["amount"], r["clientid"]) for r in payments))
    assert found["totals"] == [{"amount": str(total(payments, "amount")), "code": "CAD"}]
    numbers = {row["id"]: row["invoice_number"] for row in caller.sandbox.truth("invoices")}
    for row in found["payments"]:
        assert row["invoice_number"] == (numbers[row["invoiceid"]] if row["invoiceid"] else None)
    assert set(found["payments"][0]) == {
        *("amount", "client", "clientid", "date", "description", "from_credit", "invoiceid"),
        *("invoice_number", "creditid", "credit_number", "method"),
    }


@pytest.mark.parametrize("code", ["CAD", "USD"])
def test_invoice_details_has_the_invoices(caller: Caller, code: str) -> None:
    found = report(caller, "invoice_details", f"{YEAR}&currency_code={code}")
    rows = [row for client in found["clients"] for row in client["invoices"]]
    invoices = of_year(living(caller, "invoices", include="lines"), "create_date", code)
    by_id = {row["id"]: row for row in invoices}
    assert {row["invoiceid"] for row in rows} == set(by_id)
    for row in rows:
        invoice = by_id[row["invoiceid"]]
        for key, name in (("total", "amount"), ("paid", "paid"), ("outstanding", "outstanding")):
            assert row[key] == invoice[name]
        for key in ("v3_status", "date_paid", "discount_total", "invoice_number"):
            assert row[key] == invoice[key]
        parts = amount(row["subtotal"]) + amount(row["discount_total"]) + amount(row["tax"])
        assert parts == amount(row["total"])
        assert total(row["tax_summaries"], "tax_total") == amount(row["tax"])
        check_lines(row, invoice)
    for key in ("total", "paid", "outstanding"):
        assert amount(found["summary"][key]) == total(rows, key)
        for client in found["clients"]:
            assert amount(client["summary"][key]) == total(client["invoices"], key)


def check_lines(row: Any, invoice: Any) -> None:
    """The lines are those of the invoice in other words, and add up to its total."""
    for line, original in zip(row["lines"], invoice["lines"], strict=True):
        for key, name in (("rate", "unit_cost"), ("amount", "amount"), ("tax_name1", "taxName1")):
            assert line[key] == original[name]
        taxes = amount(line["tax_amount1"]) + amount(line["tax_amount2"])
        assert amount(line["total"]) == amount(line["amount"]) + taxes
    assert total(row["lines"], "total") + amount(row["discount_total"]) == amount(row["total"])


def test_invoice_details_name_the_client(caller: Caller) -> None:
    found = report(caller, "invoice_details", YEAR)["clients"]
    clients = {row["id"]: row for row in caller.sandbox.truth("clients")}
    customers = {row["id"]: row["customerid"] for row in caller.sandbox.truth("invoices")}
    for client in found:
        known = clients[client["userid"]]
        for name in ("organization", "fname", "lname", "email"):
            assert client[name] == known[name]
        assert {customers[row["invoiceid"]] for row in client["invoices"]} == {client["userid"]}


def test_invoice_details_by_status_client_and_payment(caller: Caller) -> None:
    def ids(query: str) -> set[int]:
        found = report(caller, "invoice_details", f"{ALL}&{query}")
        return {row["invoiceid"] for client in found["clients"] for row in client["invoices"]}

    invoices = [r for r in living(caller, "invoices") if r["currency_code"] == "CAD"]
    paid = {row["id"] for row in invoices if row["v3_status"] == "paid"}
    drafts = {row["id"] for row in invoices if row["v3_status"] == "draft"}
    assert ids("statusids=paid,draft") == paid | drafts
    theirs = {row["id"] for row in invoices if row["customerid"] in (1001, 1004)}
    assert ids("clientids=1001,1004") == theirs
    assert ids("date_type=paid") == {row["id"] for row in invoices if row["date_paid"]}


def test_item_sales_adds_up_the_lines(caller: Caller) -> None:
    found = report(caller, "item_sales", YEAR)
    invoices = of_year(booked(caller, include="lines"), "create_date", "CAD")
    sold: Counter[str] = Counter()
    for row in invoices:
        for line in row["lines"]:
            sold[line["name"]] += int(amount(line["amount"]) * 100)
    assert {item["name"]: int(amount(item["total"]) * 100) for item in found["items"]} == sold
    discounts = sum((amount(item["total_discount"]) for item in found["items"]), Decimal())
    assert discounts == sum((amount(row["discount_total"]) for row in invoices), Decimal())
    for key in ("total", "total_discount"):
        assert amount(found[key]) == total(found["items"], key)
    quantities = (Decimal(item["total_qty"]) for item in found["items"])
    assert Decimal(found["total_qty"]) == sum(quantities)
    name = found["items"][0]["name"].replace(" ", "%20")
    if "," not in name:
        narrowed = report(caller, "item_sales", f"{YEAR}&item_names={name}")
        assert narrowed["items"] == [found["items"][0]]


def test_revenue_by_client_in_months(caller: Caller) -> None:
    found = report(caller, "revenue_by_client", f"{YEAR}&sales_type=collected")
    assert found["labels"] == [f"2025-{month:02d}-01" for month in range(1, 13)]
    payments = of_year(living(caller, "payments"), "date", "CAD")
    assert amount(found["total_sales"]) == total(payments, "amount")
    for place, label in enumerate(found["labels"]):
        month = [row for row in payments if row["date"][:7] == label[:7]]
        assert amount(found["total_sales_data"][place]) == total(month, "amount")
    billed = report(caller, "revenue_by_client", f"{YEAR}&sales_type=billed")
    invoices = of_year(booked(caller), "create_date", "CAD")
    assert amount(billed["total_sales"]) == total(invoices, "amount")


@pytest.mark.parametrize("code", ["CAD", "USD"])
def test_aging_ties_to_what_open_invoices_owe(caller: Caller, code: str) -> None:
    found = report(caller, "accounts_aging", f"end_date=2026-01-31&currency_code={code}")
    invoices = [row for row in booked(caller) if row["currency_code"] == code]
    owed: dict[int, Counter[str]] = {}
    for row in invoices:
        age = (date(2026, 1, 31) - date.fromisoformat(row["create_date"])).days
        bucket = "0-30" if age <= 30 else "31-60" if age <= 60 else "61-90" if age <= 90 else "91+"
        cents = int(amount(row["outstanding"]) * 100)
        if cents:
            owed.setdefault(row["customerid"], Counter())[bucket] += cents
    names = ("0-30", "31-60", "61-90", "91+")
    for row in found["accounts"]:
        sums = owed.pop(row["userid"])
        assert [int(amount(row[name]) * 100) for name in names] == [sums[name] for name in names]
    assert not owed
    assert amount(found["totals"]["total"]) == total(invoices, "outstanding")
    late = report(caller, "accounts_aging", "end_date=2026-01-31&group_by=overdue")
    assert amount(late["totals"]["total"]) < amount(found["totals"]["total"]) or code != "CAD"


def test_an_aging_of_the_past_leaves_out_what_came_later(caller: Caller) -> None:
    end = "2025-03-31"
    invoices = {row["id"]: row for row in booked(caller) if row["currency_code"] == "CAD"}
    early = [row for row in invoices.values() if row["create_date"] <= end]
    paid = [
        row
        for row in living(caller, "payments")
        if row["date"] <= end and row["invoiceid"] in {invoice["id"] for invoice in early}
    ]
    found = report(caller, "accounts_aging", f"end_date={end}")
    expected = total(early, "amount") - total(paid, "amount")
    assert amount(found["totals"]["total"]) == expected


def line_taxes(invoice: Any) -> Counter[str]:
    """Cents by tax."""
    found = Counter[str]()
    for line in invoice["lines"]:
        gross, rate = amount(line["amount"]), Decimal(invoice["discount_value"])
        left = gross - percent(gross, rate)
        first = percent(left, line["taxAmount1"])
        base = left + first if line["compounded_tax"] else left
        found[line["taxName1"] or ""] += int(first * 100)
        found[line["taxName2"] or ""] += int(percent(base, line["taxAmount2"]) * 100)
    return found


def percent(base: Decimal, rate: Decimal | str) -> Decimal:
    return (base * Decimal(rate) / 100).quantize(CENT, ROUND_HALF_UP)


def taxes_paid(caller: Caller) -> Counter[str]:
    found = Counter[str]()
    for row in of_year(living(caller, "expenses"), "date", "CAD"):
        if row["taxAmount1"]:
            found[row["taxName1"]] += int(amount(row["taxAmount1"]) * 100)
    for row in of_year(living(caller, "bills"), "issue_date", "CAD"):
        for line in row["lines"]:
            if line["tax_amount1"]:
                found[line["tax_name1"]] += int(amount(line["tax_amount1"]) * 100)
    return found


def test_the_tax_summary_has_the_taxes_of_invoices_and_spending(caller: Caller) -> None:
    found = report(caller, "taxsummary", YEAR)
    collected, paid = Counter[str](), taxes_paid(caller)
    invoices = of_year(booked(caller, include="lines"), "create_date", "CAD")
    for row in invoices:
        collected += line_taxes(row)
    for row in of_year(living(caller, "other_incomes"), "date", "CAD"):
        for tax in row["taxes"]:
            collected[tax["name"]] += int(Decimal(tax["amount"]) * 100)
    rows = {row["tax_name"]: row for row in found["taxes"]}
    for name in rows:
        assert int(amount(rows[name]["tax_collected"]) * 100) == collected[name]
        assert int(amount(rows[name]["tax_paid"]) * 100) == paid[name]
        net_tax = amount(rows[name]["tax_collected"]) - amount(rows[name]["tax_paid"])
        assert amount(rows[name]["net_tax"]) == net_tax
    assert set(rows) == {name for name, cents in (collected + paid).items() if cents}
    assert amount(found["total_invoiced"]) == total(invoices, "amount")
    on_cash = report(caller, "taxsummary", f"{YEAR}&cash_based=true")
    assert on_cash["total_invoiced"] != found["total_invoiced"]


def test_expense_details_ties_to_the_expenses_record_for_record(caller: Caller) -> None:
    found = report(caller, "expense_details", YEAR)
    rows = {row["expenseid"]: row for group in found["data"] for row in group["expenses"]}
    expenses = {r["id"]: r for r in of_year(living(caller, "expenses"), "date", "CAD")}
    assert set(rows) == set(expenses)
    for key, row in rows.items():
        expense = expenses[key]
        for name in (*("date", "vendor", "amount", "taxAmount1", "account_name", "notes"), *TAXES):
            assert row[name] == expense[name]
        assert row["categoryid"] == str(expense["categoryid"])
        assert row["clientid"] == (str(expense["clientid"]) if expense["clientid"] else None)
    of_client = next(row["clientid"] for row in expenses.values() if row["clientid"])
    found = report(caller, "expense_details", f"{YEAR}&client_id={of_client}")["data"]
    assert {row["clientid"] for group in found for row in group["expenses"]} == {str(of_client)}


TAXES = ("taxName1", "taxPercent1", "taxName2", "taxPercent2")
GROUPS = {
    "parent_category": "categories",
    "clients": "clients",
    "vendor": "vendors",
    "author": "authors",
}


@pytest.mark.parametrize("by", GROUPS)
def test_groups_of_expenses_have_their_sums_and_maps_for_their_ids(caller: Caller, by: str) -> None:
    found = report(caller, "expense_details", f"{YEAR}&group_by={by}")
    expenses = of_year(living(caller, "expenses"), "date", "CAD")
    assert total(found["data"], "total") == total(expenses, "amount")
    for group in found["data"]:
        assert amount(group["total"]) == total(group["expenses"], "amount")
        assert group["children"] == []
        assert group["groupid"] is None or group["groupid"] in found[GROUPS[by]]
        for row in group["expenses"]:
            assert row["categoryid"] in found["categories"]
            assert row["authorid"] in found["authors"]
            assert row["clientid"] is None or row["clientid"] in found["clients"]
            assert found["vendors"].get(row["vendorid"]) == row["vendor"]
    hashes = found["vendors"]
    assert all(len(key) == 32 and int(key, 16) for key in hashes)
    assert found["exclude_personal"] is False


def test_groups_of_expenses_may_have_groups_below_them() -> None:
    behaviours = {"expense_groups": "nested"}
    with Sandbox(rate_limit=0, behaviours=behaviours) as sandbox:
        caller = Caller(sandbox)
        found = report(caller, "expense_details", YEAR)["data"]
        caller.session.close()
        expenses = of_year(living(caller, "expenses"), "date", "CAD")
    assert any(group["children"] for group in found)
    for group in found:
        parts = total(group["expenses"], "amount") + total(group["children"], "total")
        assert parts == amount(group["total"])
    assert total(found, "total") == total(expenses, "amount")
    rows = [row for group in found for row in every_row(group)]
    assert {row["expenseid"] for row in rows} == {row["id"] for row in expenses}


def every_row(group: Any) -> list[Any]:
    return [*group["expenses"], *(row for child in group["children"] for row in every_row(child))]


def test_a_statement_runs_from_opening_to_closing(caller: Caller) -> None:
    found = report(caller, "account_statement", f"{YEAR}&clientid=1001")
    moved = total(found["entries"], "amount")
    assert amount(found["closing_balance"]) == amount(found["opening_balance"]) + moved
    assert params(found)["clientid"] == 1001
