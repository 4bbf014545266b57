from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from freshbooks_sandbox.resources import RESOURCES

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox

CENT = Decimal("0.01")
DIGEST = """
import hashlib, msgspec
from freshbooks_sandbox.resources import RESOURCES
from freshbooks_sandbox.seed_data import generate
from datetime import date
data = generate({seed}, 60)
digest = hashlib.sha256(msgspec.json.encode(data.identity))
for business in data.businesses:
    business.at(date(2026, 2, 1))
    for resource in RESOURCES:
        for row in resource.table(business):
            digest.update(msgspec.json.encode(resource.record(row, business, resource.includes)))
print(digest.hexdigest())
"""


def amount(money: dict[str, str]) -> Decimal:
    return Decimal(money["amount"])


def percent(base: Decimal, rate: str) -> Decimal:
    return (base * Decimal(rate) / 100).quantize(CENT, ROUND_HALF_UP)


def digest(seed: int) -> str:
    code = DIGEST.format(seed=seed)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout


def test_the_same_seed_tells_the_same_story_in_another_process() -> None:
    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


@pytest.mark.parametrize("name", [resource.name for resource in RESOURCES])
def test_every_resource_has_rows(sandbox: Sandbox, name: str) -> None:
    assert sandbox.truth(name), (
        f"{name} has no rows: write some below freshbooks_sandbox/seed_data/, and call that in "
        "its `generate`"
    )


@pytest.mark.parametrize("business", [1, 2])
def test_lines_discount_and_taxes_add_up_to_the_amount(sandbox: Sandbox, business: int) -> None:
    for resource in ("invoices", "estimates"):
        for row in sandbox.truth(resource, business, include="lines"):
            total = Decimal()
            for line in row["lines"]:
                gross = (Decimal(line["qty"]) * amount(line["unit_cost"])).quantize(
                    CENT, ROUND_HALF_UP
                )
                assert gross == amount(line["amount"])
                net = gross - percent(gross, row["discount_value"])
                first = percent(net, line["taxAmount1"])
                base = net + first if line["compounded_tax"] else net
                total += net + first + percent(base, line["taxAmount2"])
            assert total == amount(row["amount"])
            lines = sum((amount(line["amount"]) for line in row["lines"]), Decimal())
            assert lines + amount(row["discount_total"]) <= amount(row["amount"])


@pytest.mark.parametrize("business", [1, 2])
def test_payments_add_up(sandbox: Sandbox, business: int) -> None:
    paid: Counter[int] = Counter()
    clients = {}
    for payment in sandbox.truth("payments", business):
        if payment["vis_state"] != 1:
            paid[payment["invoiceid"]] += int(amount(payment["amount"]) * 100)
        clients[payment["invoiceid"]] = payment["clientid"]
    for row in sandbox.truth("invoices", business):
        assert int(amount(row["paid"]) * 100) == paid[row["id"]]
        assert amount(row["outstanding"]) == amount(row["amount"]) - amount(row["paid"])
        assert clients.get(row["id"], row["customerid"]) == row["customerid"]
        assert (row["payment_status"] in ("paid", "auto-paid")) == (amount(row["outstanding"]) == 0)


def test_everything_refers_to_something(sandbox: Sandbox) -> None:
    def keys(resource: str) -> set[Any]:
        return {row["id"] for row in sandbox.truth(resource)}

    clients, projects, invoices = keys("clients"), keys("projects"), keys("invoices")
    assert {row["customerid"] for row in sandbox.truth("invoices")} <= clients
    assert {row["customerid"] for row in sandbox.truth("estimates")} <= clients
    assert {row["client_id"] for row in sandbox.truth("projects")} <= clients | {None}
    by_project = {row["id"]: row["client_id"] for row in sandbox.truth("projects")}
    for entry in sandbox.truth("time_entries"):
        if entry["project_id"] is not None:
            assert entry["project_id"] in projects
            assert entry["client_id"] == by_project[entry["project_id"]]
    expenses = sandbox.truth("expenses")
    assert {row["categoryid"] for row in expenses} <= keys("expense_categories")
    assert {row["clientid"] for row in expenses} <= clients | {0}
    assert {row["invoiceid"] for row in expenses} <= invoices | {None}
    assert {row["estimateid"] for row in sandbox.truth("invoices")} <= keys("estimates") | {0}


def test_invoices_bill_expenses_and_hours(sandbox: Sandbox) -> None:
    expenses = {row["id"]: row for row in sandbox.truth("expenses")}
    entries = {row["id"]: row for row in sandbox.truth("time_entries")}
    billed_expenses, billed_entries = set(), set()
    for row in sandbox.truth("invoices", include="lines"):
        for line in row["lines"]:
            if line["expenseid"]:
                billed_expenses.add(line["expenseid"])
                assert expenses[line["expenseid"]]["invoiceid"] == row["id"]
                assert line["amount"] == expenses[line["expenseid"]]["amount"]
            hours = sum(entries[e["id"]]["duration"] for e in line["modern_time_entries"]) / 3600
            if hours:
                assert float(line["qty"]) == hours
                billed_entries |= {entry["id"] for entry in line["modern_time_entries"]}
    assert billed_expenses
    assert billed_entries == {key for key, entry in entries.items() if entry["billed"]}


def test_the_variety_that_trips_readers(sandbox: Sandbox) -> None:
    invoices = sandbox.truth("invoices")
    assert {row["currency_code"] for row in invoices} == {"CAD", "USD", "EUR"}
    states = {row["v3_status"] for row in invoices}
    assert {"draft", "paid", "partial", "overdue", "disputed"} & states >= {"draft", "paid"}
    assert {row["status"] for row in invoices} >= {0, 1, 2, 3, 4}
    assert {row["terms"] for row in invoices} >= {None, ""}
    clients = sandbox.truth("clients")
    assert {row["vat_number"] for row in clients} >= {None, ""}
    assert {row["note"] is None for row in clients} == {True, False}
    assert {row["home_phone"] for row in clients} >= {None}
    items = sandbox.truth("items")
    assert {row["inventory"] for row in items} == {None, "", "40"}


def test_stamps_lie_in_summer_winter_and_the_repeated_hour(sandbox: Sandbox) -> None:
    eastern = ZoneInfo("America/New_York")
    offsets, repeated = set(), Counter[str]()
    for resource in ("clients", "invoices", "payments", "expenses", "estimates", "items"):
        for row in sandbox.truth(resource):
            local = datetime.fromisoformat(row["updated"]).replace(tzinfo=eastern)
            offsets.add(local.utcoffset())
            if local.utcoffset() != local.replace(fold=1).utcoffset():
                repeated[resource] += 1
    assert len(offsets) == 2
    assert repeated["invoices"] >= 2
    assert repeated["payments"] + repeated["clients"] > 0


def test_signup_is_utc_while_updated_is_eastern(sandbox: Sandbox) -> None:
    gaps = set()
    for row in sandbox.truth("clients"):
        signup = datetime.fromisoformat(row["signup_date"])
        updated = datetime.fromisoformat(row["updated"])
        gaps.add(round((signup - updated).total_seconds() / 3600))
    assert {4, 5} <= gaps


def test_the_scale_is_as_asked_and_a_second_business_is_smaller(sandbox: Sandbox) -> None:
    rows = [business["rows"] for business in sandbox.businesses()]
    assert [row.get("invoices", 0) for row in rows] == [120, 40, 0, 24, 0]
