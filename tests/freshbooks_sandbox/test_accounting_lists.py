from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.freshbooks_sandbox.conftest import Caller

LISTS = {
    "users/clients": "clients",
    "invoices/invoices": "invoices",
    "estimates/estimates": "estimates",
    "payments/payments": "payments",
    "expenses/expenses": "expenses",
    "expenses/categories": "categories",
    "items/items": "items",
    "taxes/taxes": "taxes",
}
NO_MATCH = "search[updated_min]=2099-01-01"


def ids(result: dict[str, Any], key: str = "invoices") -> list[int]:
    return [row["id"] for row in result[key]]


@pytest.mark.parametrize(("path", "key"), LISTS.items())
def test_each_list_has_the_envelope_and_fifteen_rows_by_default(
    caller: Caller, path: str, key: str
) -> None:
    result = caller.accounting(path)
    assert set(result) == {key, "page", "pages", "per_page", "total"}
    assert (result["page"], result["per_page"]) == (1, 15)
    assert len(result[key]) == min(15, result["total"])
    assert result["pages"] == -(-result["total"] // 15)


def test_per_page_is_silently_cut_to_a_hundred(caller: Caller) -> None:
    result = caller.accounting("invoices/invoices?per_page=500")
    assert result["per_page"] == len(result["invoices"]) == 100


def test_page_zero_is_page_one(caller: Caller) -> None:
    result = caller.accounting("invoices/invoices?page=0")
    assert result["page"] == 1
    assert ids(result) == ids(caller.accounting("invoices/invoices?page=1"))


def test_a_page_past_the_end_is_empty_and_keeps_the_numbers(caller: Caller) -> None:
    result = caller.accounting("invoices/invoices?page=99")
    assert result["invoices"] == []
    assert result["page"] == 99
    assert result["total"] > 0
    assert result["pages"] > 0


def test_no_match_has_no_pages(caller: Caller) -> None:
    result = caller.accounting(f"invoices/invoices?{NO_MATCH}")
    assert (result["page"], result["pages"], result["total"]) == (1, 0, 0)


@pytest.mark.parametrize(("name", "errno"), [("page", 1014), ("per_page", 1013)])
@pytest.mark.parametrize("value", ["-1", "abc", "1.5"])
def test_a_page_that_is_no_number_is_an_error(
    caller: Caller, name: str, errno: int, value: str
) -> None:
    path = f"/accounting/account/{caller.account}/invoices/invoices?{name}={value}"
    answer = caller.get(path)
    assert answer.status_code == 422
    error = answer.json()["response"]["errors"][0]
    assert (error["errno"], error["field"], error["value"]) == (errno, name, value)


def test_pages_cover_all_rows_once(caller: Caller) -> None:
    result = caller.accounting("invoices/invoices?per_page=7")
    seen = ids(result)
    for page in range(2, result["pages"] + 1):
        seen += ids(caller.accounting(f"invoices/invoices?per_page=7&page={page}"))
    assert len(seen) == len(set(seen)) == result["total"]
    assert seen == sorted(seen, reverse=True)


def test_the_orders_that_are_not_by_id(caller: Caller) -> None:
    dates = [row["date"] for row in caller.accounting("expenses/expenses?per_page=100")["expenses"]]
    assert dates == sorted(dates, reverse=True)
    found = caller.accounting("expenses/categories?per_page=100")["categories"]
    names = [row["category"] for row in found]
    assert names == sorted(names)


def test_vis_state_shows_exactly_one_state(caller: Caller) -> None:
    usual = caller.accounting("invoices/invoices?per_page=100")["invoices"]
    usual += caller.accounting("invoices/invoices?per_page=100&page=2")["invoices"]
    assert {row["vis_state"] for row in usual} == {0, 2}
    for state in (0, 1, 2):
        found = caller.accounting(f"invoices/invoices?per_page=100&search[vis_state]={state}")
        assert {row["vis_state"] for row in found["invoices"]} == {state}


def test_a_deleted_record_stays_readable_by_id(caller: Caller) -> None:
    deleted = caller.accounting("invoices/invoices?search[vis_state]=1")["invoices"][0]
    found = caller.accounting(f"invoices/invoices/{deleted['id']}")["invoice"]
    assert found == deleted


@pytest.mark.parametrize(
    "query",
    [
        "customerid=1001",
        "search[status]=4",
        "search[payment_status]=paid",
        "search[create_date_min]=2099-01-01",
        "search[nonsense]=1",
        "updated_min=2099-01-01",
    ],
)
def test_unknown_and_bare_filters_are_silently_ignored(caller: Caller, query: str) -> None:
    unfiltered = caller.accounting("invoices/invoices")
    assert caller.accounting(f"invoices/invoices?{query}") == unfiltered


def test_filters_on_clients_and_invoices(caller: Caller) -> None:
    found = caller.accounting("invoices/invoices?search[customerid]=1001&per_page=100")["invoices"]
    assert {row["customerid"] for row in found} == {1001}
    query = "search[customerids][]=1001&search[customerids][]=1002&per_page=100"
    found = caller.accounting(f"invoices/invoices?{query}")["invoices"]
    assert {row["customerid"] for row in found} == {1001, 1002}
    found = caller.accounting("invoices/invoices?search[v3_status]=paid&per_page=100")["invoices"]
    assert {row["v3_status"] for row in found} == {"paid"}
    first = caller.accounting("users/clients?per_page=1")["clients"][0]
    part = first["organization"][1:5].upper()
    found = caller.accounting(f"users/clients?search[organization_like]={part}")["clients"]
    assert first in found
    assert caller.accounting("users/clients?search[organization_like]=%00")["clients"] == []


def test_filters_are_anded(caller: Caller) -> None:
    query = "search[customerid]=1001&search[v3_status]=paid&per_page=100"
    for row in caller.accounting(f"invoices/invoices?{query}")["invoices"]:
        assert (row["customerid"], row["v3_status"]) == (1001, "paid")


@pytest.mark.parametrize("path", ["users/clients", "invoices/invoices", "payments/payments"])
def test_updated_is_compared_by_eastern_days(caller: Caller, path: str) -> None:
    key = LISTS[path]
    rows = [row for row in caller.sandbox.truth(key) if row["vis_state"] != 1]
    days = sorted({row["updated"][:10] for row in rows})
    for day in (days[3], days[-3]):
        expected = {row["id"] for row in rows if row["updated"][:10] >= day}
        found = _all_ids(caller, f"{path}?search[updated_min]={day}", key)
        assert found == expected
        found = _all_ids(caller, f"{path}?search[updated_max]={day}", key)
        assert found == {row["id"] for row in rows} - expected


def _all_ids(caller: Caller, path: str, key: str) -> set[int]:
    found: set[int] = set()
    page = pages = 1
    while page <= pages:
        result = caller.accounting(f"{path}&per_page=100&page={page}")
        found |= {row["id"] for row in result[key]}
        page, pages = page + 1, result["pages"]
    return found


@pytest.mark.parametrize(
    ("query", "errno"),
    [
        ("search[updated_min]=yesterday", 1023),
        ("search[updated_min]=2026-01-01%2010:00:00", 1023),
        ("search[customerid]=abc", 1024),
        ("search[paid]=perhaps", 1032),
        ("search[customerids]=1001", 1034),
        ("search[customerid][]=1001", 1037),
    ],
)
def test_a_known_filter_with_a_bad_value_is_an_error(
    caller: Caller, query: str, errno: int
) -> None:
    answer = caller.get(f"/accounting/account/{caller.account}/invoices/invoices?{query}")
    assert answer.status_code == 422
    assert answer.json()["response"]["errors"][0]["errno"] == errno


def test_sorting_works_where_it_was_seen_to_work(caller: Caller) -> None:
    up = caller.accounting("invoices/invoices?sort=invoice_date_asc&per_page=100")["invoices"]
    assert [row["create_date"] for row in up] == sorted(row["create_date"] for row in up)
    down = caller.accounting("users/clients?sort=organization_name_desc")["clients"]
    names = [row["organization"].casefold() for row in down]
    assert names == sorted(names, reverse=True)


def test_an_unknown_sort_key_is_ignored_but_an_unknown_form_turns_the_order(caller: Caller) -> None:
    usual = ids(caller.accounting("invoices/invoices"))
    for key in ("updated_asc", "due_date_desc", "nonsense_asc"):
        assert ids(caller.accounting(f"invoices/invoices?sort={key}")) == usual
    for form in ("updated:asc", "-updated", "updated"):
        turned = ids(caller.accounting(f"invoices/invoices?sort={form}"))
        assert turned == sorted(turned)
        assert turned[0] == 5001


def test_what_is_not_included_is_absent(caller: Caller) -> None:
    plain = caller.accounting("invoices/invoices?per_page=1")["invoices"][0]
    names = ["lines", "presentation", "allowed_gateways", "contacts", "owner", "late_fee"]
    names += ["late_reminders", "direct_links", "system", "attachments"]
    assert not set(names) & set(plain)
    query = "&".join(f"include[]={name}" for name in names)
    full = caller.accounting(f"invoices/invoices?per_page=1&{query}&include[]=nonsense")
    assert set(full["invoices"][0]) - set(plain) == set(names)
    listed = caller.accounting(f"invoices/invoices?per_page=1&include[]={','.join(names)}")
    assert listed == full
    single = caller.accounting(f"invoices/invoices/{plain['id']}?{query}")["invoice"]
    assert single == full["invoices"][0]


LATE_FEE = {
    *("enabled", "days", "type", "value", "repeat", "calculation_type", "first_tax_name"),
    *("first_tax_percent", "second_tax_name", "second_tax_percent", "created_at", "updated_at"),
}
REMINDER = {"id", "position", "enabled", "delay", "body", "created_at", "updated_at"}


@pytest.mark.parametrize(
    ("path", "fee", "reminder"),
    [
        (
            "invoices/invoices",
            LATE_FEE | {"invoiceid", "compounded_tax"},
            REMINDER | {"invoiceid", "userid", "subject"},
        ),
        ("users/clients", LATE_FEE | {"userid", "compounded_taxes"}, REMINDER | {"userid"}),
    ],
)
def test_late_fees_and_reminders_say_whose_they_are(
    caller: Caller, path: str, fee: set[str], reminder: set[str]
) -> None:
    query = "include[]=late_fee&include[]=late_reminders&per_page=100"
    rows = caller.accounting(f"{path}?{query}")[path.rpartition("/")[2]]
    fees = [row["late_fee"] for row in rows if row["late_fee"]]
    assert {frozenset(found) for found in fees} == {frozenset(fee)}
    reminders = [found for row in rows for found in row["late_reminders"]]
    assert {frozenset(found) for found in reminders} == {frozenset(reminder)}


def test_an_expense_without_an_account_has_no_account_key(caller: Caller) -> None:
    query = "per_page=100&include[]=account&include[]=category&include[]=attachment"
    rows = caller.accounting(f"expenses/expenses?{query}")["expenses"]
    assert {row["accountid"] is None for row in rows} == {True, False}
    for row in rows:
        assert ("account" in row) == (row["accountid"] is not None)
        assert row["category"]["id"] == row["categoryid"]
        assert (row["attachment"] is None) == (not row["has_receipt"])


def test_balances_have_one_entry_per_currency(caller: Caller) -> None:
    query = "per_page=100&include[]=outstanding_balance&include[]=overdue_balance"
    clients = caller.accounting(f"users/clients?{query}")["clients"]
    assert any(client["outstanding_balance"] for client in clients)
    invoices = caller.sandbox.truth("invoices")
    for client in clients:
        owed = sum(
            float(row["outstanding"]["amount"])
            for row in invoices
            if row["customerid"] == client["id"]
            and row["vis_state"] != 1
            and row["v3_status"] != "draft"
        )
        shown = sum(float(entry["amount"]["amount"]) for entry in client["outstanding_balance"])
        assert shown == pytest.approx(owed)


def test_an_invoice_becomes_overdue_without_moving_its_stamp(caller: Caller) -> None:
    late = caller.accounting("invoices/invoices?search[v3_status]=overdue&per_page=100")["invoices"]
    assert late
    today = date.today().isoformat()  # noqa: DTZ011 far from midnight of 2026
    for row in late:
        assert row["due_date"] < today
        assert row["display_status"] != "overdue"
        assert row["status"] in (2, 3)
    assert any(row["updated"][:10] < row["due_date"] for row in late)


def test_ledger_accounts_come_all_at_once_ordered_as_text(caller: Caller) -> None:
    path = f"/accounting/businesses/{caller.uuid}/ledger_accounts/accounts"
    rows = caller.get(f"{path}?page=2&per_page=3").json()["data"]
    numbers = [row["number"] for row in rows]
    assert numbers == sorted(numbers)
    assert numbers.index("6008-10") < numbers.index("6008-2")
    assert rows[0]["updated_at"].endswith("Z")
    assert {"system_account_name" in row for row in rows} == {True, False}
    parent = next(row for row in rows if row["sub_accounts"])
    child = caller.get(f"{path}/{parent['sub_accounts'][0]}").json()["data"]
    assert child["parent_account"] == parent["uuid"]
