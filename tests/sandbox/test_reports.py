"""The figures of the reports follow from the story: they can be added up from its lists."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import pytest

from .reporting import (
    ALL,
    END,
    START,
    YEAR,
    amount,
    booked,
    living,
    modern,
    params,
    report,
    total,
)

if TYPE_CHECKING:
    from .conftest import Caller

CENT = Decimal("0.01")


def of_year(rows: Any, day: str, code: str | None = None, money: str = "amount") -> Any:
    return [
        row
        for row in rows
        if START <= row[day] <= END and (code is None or row[money]["code"] == code)
    ]


def net(row: Any) -> Decimal:
    """Lines less discount, before tax."""
    return sum((amount(line["amount"]) for line in row["lines"]), amount(row["discount_total"]))


def adjusted(caller: Caller, kind: str) -> Decimal:
    """What the accountant booked by hand on accounts of a type, debits positive."""
    found = report(caller, "general_ledger", YEAR)["data"]
    types = {row["number"]: row["type"] for row in caller.sandbox.truth("ledger_accounts")}
    return sum(
        (
            amount(row["debit"]) - amount(row["credit"])
            for account in found
            if types[account["account_number"]] == kind
            for sub in account["sub_accounts"]
            for row in sub["transactions"]
            if row["entity_type"] == "adjustment"
        ),
        Decimal(),
    )


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
        for key in ("v3_status", "date_paid", "discount_total", "lines", "invoice_number"):
            assert row[key] == invoice[key]
        parts = amount(row["subtotal"]) + amount(row["discount_total"]) + amount(row["tax"])
        assert parts == amount(row["total"])
        assert total(row["tax_summaries"], "tax_amount") == amount(row["tax"])
    for key in ("total", "paid", "outstanding"):
        assert amount(found["summary"][key]) == total(rows, key)


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


def test_profit_and_loss_is_invoices_less_costs_month_by_month(caller: Caller) -> None:
    found = report(caller, "profitloss_entity", f"{YEAR}&resolution=m")
    sales = next(row for row in found["income"] if row["description"] == "Sales")
    invoices = of_year(booked(caller, include="lines"), "create_date", "CAD")
    gifts = [
        row
        for row in of_year(living(caller, "credit_notes"), "create_date", "CAD")
        if row["credit_type"] == "goodwill" and row["status"] != "draft"
    ]
    expected = sum((net(row) for row in invoices), Decimal()) - total(gifts, "amount")
    by_hand = ledger_adjustments(caller, "4000")
    assert amount(sales["total"]) == expected - by_hand
    assert sum((amount(cell) for cell in sales["data"]), Decimal()) == amount(sales["total"])
    assert len(found["labels"]) == len(sales["data"]) == 12
    income, costs = found["total_income"], found["total_expenses"]
    for place, profit in enumerate(found["net_profit"]["data"]):
        assert amount(profit) == amount(income["data"][place]) - amount(costs["data"][place])
    spent = sum(
        (
            amount(row["amount"]) - (amount(row["taxAmount1"]) if row["taxAmount1"] else 0)
            for row in of_year(living(caller, "expenses"), "date", "CAD")
        ),
        Decimal(),
    )
    billed = total(of_year(living(caller, "bills"), "issue_date", "CAD"), "amount")
    assert amount(costs["total"]) == spent + billed + adjusted(caller, "expense")
    assert total(found["expenses"], "total") == amount(costs["total"])
    for row in found["expenses"]:
        if row["children"]:
            assert total(row["children"], "total") == amount(row["total"])
    assert found["gross_margin"]["total"]["code"] == "%"


def ledger_adjustments(caller: Caller, number: str) -> Decimal:
    found = report(caller, "general_ledger", YEAR)["data"]
    account = next(row for row in found if row["account_number"] == number)
    rows = [row for sub in account["sub_accounts"] for row in sub["transactions"]]
    by_hand = [row for row in rows if row["entity_type"] == "adjustment"]
    return total(by_hand, "debit") - total(by_hand, "credit")


def test_on_the_cash_basis_sales_are_what_was_paid_of_them(caller: Caller) -> None:
    found = report(caller, "profitloss_entity", f"{YEAR}&cash_based=true")
    assert found["cash_based"] is True
    invoices = {row["id"]: row for row in booked(caller, include="lines")}
    expected = Decimal()
    for row in of_year(living(caller, "payments"), "date", "CAD"):
        invoice = invoices.get(row["invoiceid"])
        if invoice is not None:
            share = amount(row["amount"]) * net(invoice) / amount(invoice["amount"])
            expected += share.quantize(CENT)
    gifts = [
        row
        for row in of_year(living(caller, "credit_notes"), "create_date", "CAD")
        if row["credit_type"] == "goodwill" and row["status"] != "draft"
    ]
    expected -= total(gifts, "amount") + ledger_adjustments(caller, "4000")
    sales = next(row for row in found["income"] if row["description"] == "Sales")
    assert abs(amount(sales["total"]) - expected) < Decimal("0.60")


@pytest.mark.parametrize("business", [1, 2])
def test_the_ledger_balances_and_agrees_with_the_journal(caller: Caller, business: int) -> None:
    caller.at(business)
    found = report(caller, "general_ledger", ALL)
    assert found["summary"]["total_debit"] == found["summary"]["total_credit"]
    code = found["currency_code"]
    lines: Counter[int] = Counter()
    for row in caller.sandbox.truth("journal_entry_details", business):
        if row["balance"]["code"] == code and row["user_entered_date"] >= "2023-11-01":
            lines[row["sub_account"]["sub_accountid"]] += int(amount(row["balance"]) * 100)
    for account in found["data"]:
        for sub in account["sub_accounts"]:
            movement = amount(sub["net_movement_debit"]) - amount(sub["net_movement_credit"])
            assert int(movement * 100) == lines[sub["sub_accountid"]]
            assert total(sub["transactions"], "debit") == amount(sub["debit"])
            assert total(sub["transactions"], "credit") == amount(sub["credit"])
        for key in ("debit", "credit"):
            assert total(account["sub_accounts"], key) == amount(account[key])


def test_names_of_own_sub_accounts_come_as_uuids(caller: Caller) -> None:
    found = report(caller, "trial_balance", ALL)["data"]
    own = {
        row["uuid"]
        for row in caller.sandbox.truth("ledger_accounts")
        if row["parent_account"] and "system_account_name" not in row
    }
    assert own & {row["account_sub_name"] for row in found}


def test_the_trial_balance_ends_with_its_total(caller: Caller) -> None:
    *rows, last = report(caller, "trial_balance", YEAR)["data"]
    assert last["account_name"] == "total"
    assert {last[key] for key in ("account_number", "account_sub_name", "sub_accountid")} == {None}
    assert last["account_sub_number"] is None
    assert last["debit"] == last["credit"]
    for key in ("debit", "credit"):
        assert total(rows, key) == amount(last[key])
    assert all(row["sub_accountid"] for row in rows)
    ledger = report(caller, "general_ledger", YEAR)["data"]
    movements = {
        sub["sub_accountid"]: (sub["net_movement_debit"], sub["net_movement_credit"])
        for account in ledger
        for sub in account["sub_accounts"]
    }
    assert {row["sub_accountid"]: (row["debit"], row["credit"]) for row in rows} == movements


def test_cash_flow_ties_to_the_cash_account(caller: Caller) -> None:
    found = report(caller, "cash_flow", YEAR)
    cash = next(
        row
        for row in report(caller, "general_ledger", YEAR)["data"]
        if row["account_number"] == "1000"
    )
    summary = found["summary"]
    movement = amount(cash["net_movement_debit"]) - amount(cash["net_movement_credit"])
    assert amount(summary["net_cash_change"]) == movement
    flows = amount(summary["gross_cash_inflow"]) + amount(summary["gross_cash_outflow"])
    assert flows == amount(summary["net_cash_change"])
    assert amount(summary["gross_cash_outflow"]) < 0
    ending = amount(summary["starting_balance"]) + amount(summary["net_cash_change"])
    assert ending == amount(summary["ending_balance"])
    (operating,) = found["activities"]
    assert amount(operating["total"]) == total(operating["details"], "total") == movement
    for detail in operating["details"]:
        assert total(detail["accounts"], "total") == amount(detail["total"])


@pytest.mark.parametrize("basis", ["", "&cash_based=true"])
def test_the_balance_sheet_balances(caller: Caller, basis: str) -> None:
    query = f"dates[]=2024-12-31&dates[]=2026-01-31{basis}"
    found = report(caller, "balance_sheet", query)
    assert found["assets_total"] == found["liabilities_and_equity_total"]
    for place in range(2):
        assets = [row for row in found["data"] if row["account_type"] == "asset"]
        sums = sum((amount(row["balances"][place]["balance"]) for row in assets), Decimal())
        assert sums == amount(found["assets_total"][place]["balance"])
        cash = found["data"][0]["accounts"][0]["balances"][place]
        day = found["dates"][place]
        flow = report(caller, "cash_flow", f"start_date=2020-01-01&end_date={day}")
        assert cash["balance"] == flow["summary"]["ending_balance"]
    assert [row["category"] for row in found["data"] if row["account_type"] == "equity"] == [None]


def test_expense_details_ties_to_the_expenses_record_for_record(caller: Caller) -> None:
    found = report(caller, "expense_details", YEAR)
    rows = {row["expenseid"]: row for group in found["data"] for row in group["expenses"]}
    expenses = {r["id"]: r for r in of_year(living(caller, "expenses"), "date", "CAD")}
    assert set(rows) == set(expenses)
    for key, row in rows.items():
        expense = expenses[key]
        for name in ("date", "vendor", "amount", "taxAmount1", "account_name", "notes"):
            assert row[name] == expense[name]
        assert row["categoryid"] == str(expense["categoryid"])
        assert row["clientid"] == (str(expense["clientid"]) if expense["clientid"] else None)
    vendors = report(caller, "expense_details", f"{YEAR}&group_by=vendor")["data"]
    assert all(len({row["vendor"] for row in group["expenses"]}) == 1 for group in vendors)
    of_client = next(row["clientid"] for row in expenses.values() if row["clientid"])
    found = report(caller, "expense_details", f"{YEAR}&client_id={of_client}")["data"]
    assert {row["clientid"] for group in found for row in group["expenses"]} == {str(of_client)}


def test_a_statement_runs_from_opening_to_closing(caller: Caller) -> None:
    found = report(caller, "account_statement", f"{YEAR}&clientid=1001")
    moved = total(found["entries"], "amount")
    assert amount(found["closing_balance"]) == amount(found["opening_balance"]) + moved
    assert params(found)["clientid"] == 1001


def test_a_business_without_books_has_empty_reports(caller: Caller) -> None:
    caller.at(3)
    found = modern(caller, "trial_balance", ALL)["trial_balance"]
    assert [row["account_name"] for row in found["data"]] == ["total"]
