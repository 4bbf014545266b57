"""The traps of the lists beyond the first ones: keys, paging, orders, filters, states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.freshbooks_sandbox.conftest import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

# Path, list key, resource, the name of the id.
LISTS = {
    "invoice_profiles/invoice_profiles": ("invoice_profiles", "invoice_profiles", "id"),
    "credit_notes/credit_notes": ("credit_notes", "credit_notes", "id"),
    "other_incomes/other_incomes": ("other_income", "other_incomes", "incomeid"),
    "bills/bills": ("bills", "bills", "id"),
    "bill_vendors/bill_vendors": ("bill_vendors", "bill_vendors", "vendorid"),
    "bill_payments/bill_payments": ("bill_payments", "bill_payments", "id"),
    "users/staffs": ("staff", "staffs", "id"),
    "projects/tasks": ("tasks", "tasks", "id"),
    "expense_profiles/expense_profiles": ("expense_profiles", "expense_profiles", "id"),
    "billable_items/billable_items": ("billable_items", "billable_items", "id"),
    "expenses/vendors": ("vendors", "expense_vendors", "vendor"),
    "systems/gateways": ("gateways", "gateways", "id"),
    "journal_entries/journal_entry_details": (
        "journal_entry_details",
        "journal_entry_details",
        "id",
    ),
}
WITH_STATES = [
    *("invoice_profiles", "credit_notes", "other_incomes", "bills", "bill_vendors"),
    *("bill_payments", "staffs", "tasks", "expense_profiles"),
]
PATHS = {resource: path for path, (_, resource, _) in LISTS.items()}


def rows_of(caller: Caller, path: str, query: str = "") -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    page = pages = 1
    while page <= pages:
        result = caller.accounting(f"{path}?per_page=100&page={page}&{query}")
        found += result[LISTS[path][0]]
        page, pages = page + 1, result["pages"]
    return found


@pytest.mark.parametrize("path", LISTS)
def test_the_list_keys_and_the_paging_of_fifteen(caller: Caller, path: str) -> None:
    key, _, name = LISTS[path]
    result = caller.accounting(path)
    assert set(result) == {key, "page", "pages", "per_page", "total"}
    assert (result["page"], result["per_page"]) == (1, 15)
    assert len(result[key]) == min(15, result["total"])
    keys = [row[name] for row in rows_of(caller, path)]
    assert len(keys) == len(set(keys)) == result["total"] > 0


def test_each_single_record_is_that_of_the_list(caller: Caller) -> None:
    singles = {"other_income": "other_income", "staff": "staff"}
    for path, (key, _, name) in LISTS.items():
        first = caller.accounting(path)[key][0]
        answer = caller.get(f"/accounting/account/{caller.account}/{path}/{first[name]}")
        if path in ("expenses/vendors", "systems/gateways") or path.startswith("journal"):
            assert answer.status_code == 404
        else:
            single = answer.json()["response"]["result"]
            assert single == {singles.get(key, key.removesuffix("s")): first}
            assert "response" in caller.write("GET", f"{path}/99").json()


@pytest.mark.parametrize("resource", WITH_STATES)
def test_deleted_rows_are_seen_by_their_state_alone(caller: Caller, resource: str) -> None:
    path = PATHS[resource]
    assert {row["vis_state"] for row in caller.sandbox.truth(resource)} == {0, 1, 2}
    assert {row["vis_state"] for row in rows_of(caller, path)} == {0, 2}
    for state in (0, 1, 2):
        rows = rows_of(caller, path, f"search[vis_state]={state}")
        assert {row["vis_state"] for row in rows} == {state}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("bills/bills", "search[vendor_id]=1501"),
        ("bills/bills", "search[status]=paid"),
        ("bills/bills", "search[updated_min]=2099-01-01"),
        ("bill_vendors/bill_vendors", "search[vendor_name]=x"),
        ("bill_vendors/bill_vendors", "search[vendor_name_like]=x"),
        ("bill_vendors/bill_vendors", "search[email]=x"),
        ("bill_vendors/bill_vendors", "search[updated_min]=2099-01-01"),
        ("bill_payments/bill_payments", "search[billid]=1"),
        ("bill_payments/bill_payments", "search[bill_id]=1"),
        ("bill_payments/bill_payments", "search[paid_date_min]=2099-01-01"),
        ("credit_notes/credit_notes", "search[client_id]=1"),
        ("credit_notes/credit_notes", "search[create_date_min]=2099-01-01"),
        ("credit_notes/credit_notes", "search[updated_min]=2099-01-01"),
        ("other_incomes/other_incomes", "search[source]=x"),
        ("other_incomes/other_incomes", "search[date_min]=2099-01-01"),
        ("other_incomes/other_incomes", "search[updated_min]=2099-01-01"),
        ("invoice_profiles/invoice_profiles", "search[updated_min]=2099-01-01"),
        ("users/staffs", "search[updated_min]=2099-01-01"),
        ("billable_items/billable_items", "search[vis_state]=1"),
        ("journal_entry_accounts/journal_entry_accounts", "search[account_type]=asset"),
    ],
)
def test_filters_that_do_nothing(caller: Caller, path: str, query: str) -> None:
    assert caller.accounting(f"{path}?{query}") == caller.accounting(path)


@pytest.mark.parametrize(
    ("path", "query", "column", "values"),
    [
        ("bills/bills", "search[currency_code]=USD", "currency_code", {"USD"}),
        (
            "bills/bills",
            "search[statuses][]=paid&search[statuses][]=overdue",
            "status",
            {"paid", "overdue"},
        ),
        ("bills/bills", "search[ids][]=7501&search[ids][]=7502", "id", {7501, 7502}),
        ("invoice_profiles/invoice_profiles", "search[profileid]=1201", "profileid", {1201}),
        (
            "invoice_profiles/invoice_profiles",
            "search[include_unbilled_time]=true",
            "include_unbilled_time",
            {True},
        ),
        ("other_incomes/other_incomes", "search[incomeid]=4401", "incomeid", {4401}),
        (
            "other_incomes/other_incomes",
            "search[category_name]=rentals",
            "category_name",
            {"rentals"},
        ),
        ("users/staffs", "search[user_levels]=admin", "role", {"admin"}),
        ("users/staffs", "search[userids][]=1&search[userids][]=2", "userid", {1, 2}),
    ],
)
def test_filters_that_narrow(
    caller: Caller, path: str, query: str, column: str, values: set[Any]
) -> None:
    assert {row[column] for row in rows_of(caller, path, query)} == values


def test_references_and_dates_narrow(caller: Caller) -> None:
    bill = caller.sandbox.truth("bills")[0]
    found = rows_of(caller, "bills/bills", f"search[vendorid]={bill['vendorid']}")
    assert bill["id"] in [row["id"] for row in found]
    assert len(found) < caller.accounting("bills/bills")["total"]
    for path, name, column in (
        ("bills/bills", "issue_date", "issue_date"),
        ("credit_notes/credit_notes", "date", "create_date"),
    ):
        days = sorted(row[column] for row in rows_of(caller, path))
        middle = days[len(days) // 2]
        early = rows_of(caller, path, f"search[{name}_max]={middle}")
        late = rows_of(caller, path, f"search[{name}_min]={middle}")
        assert all(row[column] < middle for row in early)
        assert all(row[column] >= middle for row in late)
        assert len(early) + len(late) == len(days)
    profile = rows_of(caller, "invoice_profiles/invoice_profiles")[0]
    query = f"search[clientid]={profile['customerid']}"
    found = rows_of(caller, "invoice_profiles/invoice_profiles", query)
    assert {row["customerid"] for row in found} == {profile["customerid"]}


def test_the_orders(caller: Caller) -> None:
    for path in ("bills/bills", "invoice_profiles/invoice_profiles", "credit_notes/credit_notes"):
        keys = [row["id"] for row in rows_of(caller, path)]
        assert keys == sorted(keys, reverse=True)
    incomes = [row["incomeid"] for row in rows_of(caller, "other_incomes/other_incomes")]
    assert incomes == sorted(incomes, reverse=True)
    names = [row["name"] for row in rows_of(caller, "projects/tasks")]
    assert names == sorted(names)


def test_ids_have_their_aliases_or_none(caller: Caller) -> None:
    for resource, alias in (
        *(("invoice_profiles", "profileid"), ("credit_notes", "creditid"), ("tasks", "taskid")),
        *(("staffs", "userid"), ("expense_profiles", "profileid")),
        ("journal_entry_details", "detailid"),
        ("journal_entry_accounts", "accountid"),
    ):
        assert all(row["id"] == row[alias] for row in caller.sandbox.truth(resource))
    for resource in ("bill_vendors", "other_incomes"):
        assert "id" not in caller.sandbox.truth(resource)[0]


def test_the_ids_of_the_two_businesses_collide(sandbox: Sandbox) -> None:
    for resource in (*WITH_STATES, "gateways", "journal_entry_details", "journal_entry_accounts"):
        name = next(key for _, name, key in LISTS.values() if name == resource or key == "id")
        name = {"bill_vendors": "vendorid", "other_incomes": "incomeid"}.get(resource, name)
        first, second = (
            {row[name] for row in sandbox.truth(resource, business)} for business in (1, 2)
        )
        assert first & second


def test_expense_summaries_are_three_rows_without_paging(caller: Caller) -> None:
    result = caller.accounting("expenses/summaries?page=7&per_page=1")
    assert set(result) == {"summaries"}
    rows = {row["id"]: row for row in result["summaries"]}
    assert list(rows) == ["grand_total", "archived", "active"]
    living = [row for row in caller.sandbox.truth("expenses") if row["vis_state"] != 1]
    assert rows["grand_total"]["counts"] == len(living)
    assert rows["grand_total"]["counts"] == rows["active"]["counts"] + rows["archived"]["counts"]
    total = sum(float(row["amount"]["amount"]) for row in living)
    assert float(rows["grand_total"]["amounts"][0]["amount"]) == pytest.approx(total)
    assert rows["grand_total"]["amounts"][0]["count"] == len(living)


def test_expense_vendors_are_objects_with_one_key(caller: Caller) -> None:
    names = {row["vendor"] for row in rows_of(caller, "expenses/vendors")}
    expenses = [row for row in caller.sandbox.truth("expenses") if row["vis_state"] != 1]
    assert names == {row["vendor"] for row in expenses} - {None, ""}
    assert set(caller.accounting("expenses/vendors")["vendors"][0]) == {"vendor"}


@pytest.fixture(scope="module")
def other_behaviours() -> Iterator[Sandbox]:
    """Unconfirmed facts, answered the other way."""
    behaviours = {
        "bill_vendorid": "shown",
        "presumed_lists": "missing",
        "journal_envelope": "journalEntries",
    }
    with Sandbox(invoices=30, rate_limit=0, behaviours=behaviours) as running:
        yield running


def test_bills_show_their_vendor_by_include_or_reading(
    caller: Caller, other_behaviours: Sandbox
) -> None:
    plain = caller.accounting("bills/bills")["bills"][0]
    assert "vendorid" not in plain
    assert "vendorid" not in caller.accounting(f"bills/bills/{plain['id']}")["bill"]
    included = caller.accounting("bills/bills?include[]=vendor")["bills"][0]
    truth = {row["id"]: row for row in caller.sandbox.truth("bills")}
    assert included["vendor"]["vendorid"] == truth[plain["id"]]["vendorid"]
    assert "vendorid" in Caller(other_behaviours).accounting("bills/bills")["bills"][0]


def test_lists_that_are_presumed_may_be_missing(other_behaviours: Sandbox) -> None:
    caller = Caller(other_behaviours)
    for path in ("expense_profiles/expense_profiles", "billable_items/billable_items"):
        assert caller.get(f"/accounting/account/{caller.account}/{path}").status_code == 404


def test_a_plan_without_accounts_payable(own: Sandbox) -> None:
    caller = Caller(own)
    own.faults("deny", reason="feature", path="*/bill*")
    for path in ("bills/bills", "bill_vendors/bill_vendors", "bill_payments/bill_payments"):
        answer = caller.get(f"/accounting/account/{caller.account}/{path}")
        assert answer.status_code == 401
        assert answer.json()["response"]["errors"][0]["errno"] == 1003
    assert caller.accounting("credit_notes/credit_notes")["total"] > 0


def test_a_customer_sees_his_credits_and_profiles_alone(sandbox: Sandbox) -> None:
    caller = Caller(sandbox, business=4)
    for path in ("credit_notes/credit_notes", "invoice_profiles/invoice_profiles"):
        key = LISTS[path][0]
        column = "clientid" if "credit" in path else "customerid"
        assert {row[column] for row in caller.accounting(path)[key]} <= {1003}
    assert caller.accounting("bills/bills")["bills"] == []
    answer = caller.get(f"/accounting/account/{caller.account}/invoices/presentations")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("bills/bills", "bills"),
        ("bill_vendors/bill_vendors", "bill_vendors"),
        ("bill_payments/bill_payments", "bill_payments"),
        ("credit_notes/credit_notes", "credit_notes"),
        ("invoice_profiles/invoice_profiles", "invoices"),
        ("invoices/presentations", "invoices"),
        ("invoices/invoices/5002/share_link", "invoices"),
        ("other_incomes/other_incomes", "other_income"),
        ("users/staffs", "teams"),
        ("projects/tasks", "billable_items"),
        ("systems/gateways", "online_payments"),
        ("journal_entries/journal_entry_details", "journal_entries"),
        ("journal_entry_accounts/journal_entry_accounts", "journal_entries"),
    ],
)
def test_each_wants_its_scope(sandbox: Sandbox, path: str, scope: str) -> None:
    for scopes, status in (([f"user:{scope}:read"], 200), (["user:uploads:read"], 403)):
        caller = Caller(sandbox, scopes=scopes)
        answer = caller.get(f"/accounting/account/{caller.account}/{path}")
        assert answer.status_code == status, answer.text
