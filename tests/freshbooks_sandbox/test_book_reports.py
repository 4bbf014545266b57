"""The reports that follow from the journal agree with it, with each other, and with the lists."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.freshbooks_sandbox.reporting import (
    ALL,
    YEAR,
    amount,
    booked,
    living,
    modern,
    net,
    of_year,
    report,
    total,
)

if TYPE_CHECKING:
    from tests.freshbooks_sandbox.conftest import Caller

CENT = Decimal("0.01")


def adjusted(caller: Caller, kind: str) -> Decimal:
    """The amounts that the accountant booked by hand on accounts of a type, debits positive."""
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
    check_groups(found)


def check_groups(found: Any) -> None:
    """Every group is the sum of its accounts; equity has none, and is a row itself."""
    *groups, equity = found["data"]
    assert (equity["account_type"], equity["category"]) == ("equity", None)
    assert "accounts" not in equity
    for place in range(len(found["dates"])):
        for group in groups:
            for sums, parts in [(group, group["accounts"])] + [
                (account, account["sub_accounts"]) for account in group["accounts"]
            ]:
                balances = (amount(part["balances"][place]["balance"]) for part in parts)
                assert sum(balances) == amount(sums["balances"][place]["balance"])
        liabilities = [row for row in found["data"] if row["account_type"] != "asset"]
        owed = sum(amount(row["balances"][place]["balance"]) for row in liabilities)
        assert owed == amount(found["liabilities_and_equity_total"][place]["balance"])


def test_a_business_without_books_has_empty_reports(caller: Caller) -> None:
    caller.at(3)
    found = modern(caller, "trial_balance", ALL)["trial_balance"]
    assert [row["account_name"] for row in found["data"]] == ["total"]


def test_the_books_outlive_an_account_that_is_removed(writer: Caller) -> None:
    before = report(writer, "trial_balance", ALL)["data"][-1]
    writer.sandbox.delete("ledger_accounts", "oldest")
    writer.sandbox.create("credit_notes")
    after = report(writer, "trial_balance", ALL)["data"][-1]
    assert after["debit"] == after["credit"]
    assert before["account_name"] == after["account_name"] == "total"
    found = report(writer, "balance_sheet", "dates[]=2026-01-31")
    assert found["assets_total"] == found["liabilities_and_equity_total"]
