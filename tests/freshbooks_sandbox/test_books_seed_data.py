"""The books of the seed data agree with each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tests.freshbooks_sandbox.conftest import Caller

CENT = Decimal("0.01")


def amount(money: dict[str, str]) -> Decimal:
    return Decimal(money["amount"])


def living(sandbox: Sandbox, resource: str, business: int = 1) -> list[dict[str, Any]]:
    return [row for row in sandbox.truth(resource, business) if row["vis_state"] != 1]


@pytest.mark.parametrize("business", [1, 2, 4])
def test_every_entry_has_equal_debits_and_credits(sandbox: Sandbox, business: int) -> None:
    sums: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for row in sandbox.truth("journal_entry_details", business):
        assert (row["debit"] is None) != (row["credit"] is None)
        debit = amount(row["debit"]) if row["debit"] else Decimal()
        credit = amount(row["credit"]) if row["credit"] else Decimal()
        assert amount(row["balance"]) == debit - credit
        sums[row["entry"]["id"], row["balance"]["code"]] += debit - credit
    assert len(sums) > 20
    assert set(sums.values()) == {0}
    assert len({entry for entry, _ in sums}) == len(sums)


def test_the_details_belong_to_the_documents(sandbox: Sandbox) -> None:
    debits: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for row in sandbox.truth("journal_entry_details"):
        entry, debit = row["entry"], row["debit"]
        names = [name for name in ("paymentid", "expenseid", "incomeid") if entry[name]]
        if not names and entry["invoiceid"]:
            names = ["invoiceid"]
        if not names and entry["creditid"]:
            names = ["creditid"]
        for name in names:
            debits[name][entry[name]] += int(amount(debit) * 100) if debit else 0
    cents = {
        "invoiceid": {
            row["id"]: row["amount"]
            for row in living(sandbox, "invoices")
            if row["v3_status"] != "draft"
        },
        "paymentid": {row["id"]: row["amount"] for row in living(sandbox, "payments")},
        "expenseid": {row["id"]: row["amount"] for row in living(sandbox, "expenses")},
        "incomeid": {row["incomeid"]: row["amount"] for row in living(sandbox, "other_incomes")},
        "creditid": {
            row["id"]: row["amount"]
            for row in living(sandbox, "credit_notes")
            if row["status"] != "draft" and row["credit_type"] != "overpayment"
        },
    }
    for name, documents in cents.items():
        assert debits[name] == {key: int(amount(money) * 100) for key, money in documents.items()}


def test_bills_and_their_payments_are_booked(sandbox: Sandbox) -> None:
    booked: Counter[str] = Counter()
    for row in sandbox.truth("journal_entry_details"):
        if row["account"]["account_number"] == "2000" and row["detail_type"] == "total":
            side = "debit" if row["debit"] else "credit"
            booked[side] += int(amount(row[side]) * 100)
    bills = sum(amount(row["total_amount"]) for row in living(sandbox, "bills"))
    payments = sum(amount(row["amount"]) for row in living(sandbox, "bill_payments"))
    assert (booked["credit"], booked["debit"]) == (bills * 100, payments * 100)


def test_details_stand_on_accounts_that_exist(sandbox: Sandbox) -> None:
    accounts = {row["id"]: row for row in sandbox.truth("journal_entry_accounts")}
    subs = {sub["id"]: sub for row in accounts.values() for sub in row["sub_accounts"]}
    for row in sandbox.truth("journal_entry_details"):
        account, sub = row["account"], row["sub_account"]
        assert accounts[account["accountid"]]["account_name"] == account["account_name"]
        assert subs[sub["sub_accountid"]]["parentid"] == sub["parentid"] == account["id"]
        assert row["name"] != sub["account_sub_name"]
    ledger = sandbox.truth("ledger_accounts")
    assert {row["jea_id"] for row in ledger} - {None} == set(accounts)
    assert {row["jesa_id"] for row in ledger} - {None} == set(subs)
    uuids = {row["uuid"] for row in ledger}
    custom = [sub for sub in subs.values() if sub["custom"]]
    assert custom
    assert {sub["account_sub_name"] for sub in custom} <= uuids


def test_the_chart_sums_up_the_details(sandbox: Sandbox) -> None:
    sums: Counter[str] = Counter()
    for row in sandbox.truth("journal_entry_details"):
        if row["balance"]["code"] == "CAD":
            sums[row["account"]["account_number"]] += int(amount(row["balance"]) * 100)
    for row in sandbox.truth("chart_of_accounts"):
        sign = 1 if row["account_type"] in ("asset", "expense") else -1
        assert Decimal(row["balance"]) * 100 * sign == sums[row["account_number"]]
        below = sum(Decimal(sub["balance"]) for sub in row["sub_accounts"])
        assert below == Decimal(row["balance"])
        assert row["balance"][-4] == "."


@pytest.mark.parametrize("business", [1, 2])
def test_bills_add_up(sandbox: Sandbox, business: int) -> None:
    paid: Counter[int] = Counter()
    for payment in living(sandbox, "bill_payments", business):
        paid[payment["billid"]] += int(amount(payment["amount"]) * 100)
    states = set()
    owed: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in sandbox.truth("bills", business):
        gross = taxes = Decimal()
        for position, line in enumerate(row["lines"], 1):
            assert line["list_index"] == position
            price = Decimal(line["quantity"]) * amount(line["unit_cost"])
            assert amount(line["amount"]) == price.quantize(CENT, ROUND_HALF_UP)
            tax = sum(amount(line[f"tax_amount{n}"]) for n in (1, 2) if line[f"tax_amount{n}"])
            assert amount(line["total_amount"]) == amount(line["amount"]) + tax
            gross, taxes = gross + amount(line["amount"]), taxes + tax
        assert (amount(row["amount"]), amount(row["tax_amount"])) == (gross, taxes)
        assert amount(row["total_amount"]) == gross + taxes
        assert int(amount(row["paid"]) * 100) == paid[row["id"]]
        assert amount(row["outstanding"]) == amount(row["total_amount"]) - amount(row["paid"])
        assert (row["status"] == "paid") == (amount(row["outstanding"]) == 0)
        embedded = sum(amount(payment["amount"]) for payment in row["bill_payments"])
        assert embedded == amount(row["paid"])
        states.add(row["status"])
        if row["vis_state"] != 1:
            cents = int(amount(row["outstanding"]) * 100)
            owed[row["vendorid"]][row["currency_code"]] += cents
    assert states >= {"paid", "overdue"}
    for vendor in sandbox.truth("bill_vendors", business):
        shown = {
            entry["amount"]["code"]: int(amount(entry["amount"]) * 100)
            for entry in vendor["outstanding_balance"]
        }
        assert shown == +owed[vendor["vendorid"]]
    assert owed.keys() <= {vendor["vendorid"] for vendor in sandbox.truth("bill_vendors", business)}


def test_credits_are_used_by_payments(sandbox: Sandbox) -> None:
    used: Counter[int] = Counter()
    for payment in living(sandbox, "payments"):
        if payment["from_credit"]:
            used[payment["creditid"]] += int(amount(payment["amount"]) * 100)
    left: Counter[int] = Counter()
    for note in sandbox.truth("credit_notes", include="lines"):
        assert int(amount(note["paid"]) * 100) == used[note["id"]]
        assert amount(note["paid"]) <= amount(note["amount"])
        assert sum(amount(line["amount"]) for line in note["lines"]) == amount(note["amount"])
        if note["vis_state"] != 1:
            rest = amount(note["amount"]) - amount(note["paid"])
            left[note["clientid"]] += int(rest * 100)
    assert used
    for client in sandbox.truth("clients", include="credit_balance"):
        shown = sum(int(amount(entry["amount"]) * 100) for entry in client["credit_balance"])
        assert shown == left[client["id"]]


def test_an_overpayment_is_a_payment_of_its_own_with_a_credit(sandbox: Sandbox) -> None:
    payments = {row["id"]: row for row in sandbox.truth("payments")}
    notes = {row["id"]: row for row in sandbox.truth("credit_notes")}
    excess = [payments[row["overpaymentid"]] for row in payments.values() if row["overpaymentid"]]
    assert excess
    for row in excess:
        assert row["invoiceid"] == 0
        assert notes[row["creditid"]]["amount"] == row["amount"]
        assert notes[row["creditid"]]["credit_type"] == "overpayment"


def test_recurring_invoices_name_their_profiles(sandbox: Sandbox) -> None:
    profiles = {row["id"]: row for row in sandbox.truth("invoice_profiles")}
    made: Counter[int] = Counter()
    for row in sandbox.truth("invoices", include="invoice_profile"):
        if row["parent"]:
            profile = profiles[row["parent"]]
            assert row["invoice_profile"]["id"] == profile["id"]
            assert profile["customerid"] == row["customerid"]
            assert profile["currency_code"] == row["currency_code"]
            made[row["parent"]] += 1
    assert made
    assert {row["id"]: row["occurrences_to_date"] for row in profiles.values()} == {
        key: made[key] for key in profiles
    }


def test_recurring_expenses_name_their_profiles(sandbox: Sandbox) -> None:
    profiles = {row["id"]: row for row in sandbox.truth("expense_profiles")}
    expenses = [
        row
        for row in sandbox.truth("expenses", include="expense_profile")
        if row["profileid"] is not None
    ]
    assert expenses
    for row in expenses:
        assert row["expense_profile"] == profiles[row["profileid"]]
        assert row["categoryid"] == profiles[row["profileid"]]["categoryid"]


def test_staff_are_the_team(sandbox: Sandbox) -> None:
    team = {row["email"]: row for row in sandbox.truth("team_members")}
    staff = sandbox.truth("staffs")
    for row in staff:
        assert row["fname"] == team[row["email"]]["first_name"]
    assert [row["id"] for row in staff if row["level"] == 3] == [1]
    secrets = [row["api_token"] for row in staff if row["api_token"] is not None]
    assert secrets
    assert all(len(secret) == 32 and int(secret, 16) for secret in secrets)
    owners = {row["ownerid"] for row in sandbox.truth("invoices")}
    assert owners <= {row["id"] for row in staff}


def test_services_have_their_tasks(sandbox: Sandbox) -> None:
    tasks = {row["taskid"]: row for row in sandbox.truth("tasks")}
    services = sandbox.truth("services", include="include_task_id")
    assert {service["task_id"] for service in services} == set(tasks)
    for service in services:
        assert tasks[service["task_id"]]["name"] == service["name"]
        assert tasks[service["task_id"]]["billable"] == service["billable"]
    # Deleting a task leaves its service behind.
    assert {
        service["vis_state"] for service in services if tasks[service["task_id"]]["vis_state"] == 1
    } == {0}
    items = {row["id"]: row for row in sandbox.truth("billable_items")}
    for service in services:
        assert items[service["id"]]["unit_cost"] == tasks[service["task_id"]]["rate"]


@pytest.mark.parametrize(
    ("resource", "column", "zone"),
    [
        ("invoice_profiles", "updated", "America/New_York"),
        ("other_incomes", "updated_at", "America/New_York"),
        ("bills", "updated_at", "UTC"),
    ],
)
def test_stamps_lie_in_summer_and_winter(
    sandbox: Sandbox, resource: str, column: str, zone: str
) -> None:
    eastern = ZoneInfo("America/New_York")
    offsets = set()
    for row in sandbox.truth(resource):
        local = datetime.fromisoformat(row[column]).replace(tzinfo=ZoneInfo(zone))
        offsets.add(local.astimezone(eastern).utcoffset())
    assert len(offsets) == 2


def test_the_hour_that_november_repeats_is_among_the_stamps(sandbox: Sandbox) -> None:
    eastern = ZoneInfo("America/New_York")
    found = Counter[str]()
    for resource, column in (("other_incomes", "created_at"), ("invoice_profiles", "updated")):
        for row in sandbox.truth(resource):
            local = datetime.fromisoformat(row[column]).replace(tzinfo=eastern)
            if local.utcoffset() != local.replace(fold=1).utcoffset():
                found[resource] += 1
    assert found["other_incomes"] >= 2
    assert found["invoice_profiles"] >= 2


def test_days_of_details_can_be_read_by_window(caller: Caller) -> None:
    path = "journal_entries/journal_entry_details"
    result = caller.accounting(f"{path}?per_page=100")
    dates = [row["user_entered_date"] for row in result["journal_entry_details"]]
    assert dates == sorted(dates, reverse=True)
    window = "search[start_date]=2025-03-01&search[end_date]=2025-03-31"
    found = caller.accounting(f"{path}?{window}&per_page=100")
    expected = [
        row["id"]
        for row in caller.sandbox.truth("journal_entry_details")
        if "2025-03-01" <= row["user_entered_date"] <= "2025-03-31"
    ]
    assert [row["id"] for row in found["journal_entry_details"]] == expected[:100]
    assert found["total"] == len(expected)
    key = result["journal_entry_details"][0]["sub_account"]["sub_accountid"]
    found = caller.accounting(f"{path}?search[sub_accountid]={key}&per_page=100")
    keys = {row["sub_account"]["id"] for row in found["journal_entry_details"]}
    assert keys == {key}
    assert found["total"] < result["total"]
