"""The vendor's own SDK, unmodified: a client that nobody here wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests
from freshbooks.builders.filter import FilterBuilder
from freshbooks.builders.includes import IncludesBuilder
from freshbooks.builders.paginator import PaginateBuilder
from freshbooks.builders.sort import SortBuilder
from freshbooks.client import Client
from freshbooks.errors import FreshBooksError
from freshbooks.models import VisState

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox


@pytest.fixture
def sdk(own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("FRESHBOOKS_API_URL", own.url)
    monkeypatch.setenv("FRESHBOOKS_AUTH_URL", own.url)
    config = own.config()
    client = Client(
        client_id=config["client_id"],
        client_secret=config["client_secret"],
        redirect_uri=config["redirect_uri"],
        refresh_token=config["refresh_token"],
    )
    client.refresh_access_token()
    return client


@pytest.fixture
def account(sdk: Client) -> str:
    name: str = sdk.current_user().business_memberships[0].business.account_id
    return name


@pytest.fixture
def business(sdk: Client) -> int:
    key: int = sdk.current_user().business_memberships[0].business.id
    return key


def test_it_refreshes_and_a_spent_token_is_refused(sdk: Client) -> None:
    first = sdk.refresh_token
    tokens = sdk.refresh_access_token()
    assert tokens.refresh_token != first
    assert tokens.access_token_expires_at > datetime.now(tz=UTC)
    with pytest.raises(FreshBooksError, match="authorization grant is invalid"):
        sdk.refresh_access_token(first)


def test_it_exchanges_a_code(sdk: Client) -> None:
    page = sdk.get_auth_request_url(["user:clients:read"])
    answer = requests.post(page, {"decision": "allow"}, allow_redirects=False, timeout=30)
    code = answer.headers["Location"].partition("code=")[2]
    assert sdk.get_access_token(code).access_token


def test_it_reads_the_identity(sdk: Client) -> None:
    user = sdk.current_user()
    assert user.identity_id
    assert "@" in user.email
    roles = [membership.role for membership in user.business_memberships]
    assert roles == ["owner", "owner", "owner", "client"]


def test_it_pages(sdk: Client, account: str) -> None:
    first = sdk.invoices.list(account)
    assert (first.pages.page, first.pages.per_page, len(first)) == (1, 15, 15)
    second = sdk.invoices.list(account, builders=[PaginateBuilder(2, 15)])
    assert second.pages.page == 2
    assert len(first + second) == 30
    assert {row.id for row in first}.isdisjoint({row.id for row in second})


def test_it_filters_includes_and_sorts(sdk: Client, account: str, business: int) -> None:
    by_client = FilterBuilder().equals("customerid", 1001)
    assert {row.customerid for row in sdk.invoices.list(account, [by_client])} == {1001}
    some = FilterBuilder().in_list("customerid", [1001, 1002])
    assert {row.customerid for row in sdk.invoices.list(account, [some])} <= {1001, 1002}
    later = FilterBuilder().between("updated", min=datetime(2099, 1, 1, tzinfo=UTC))
    assert len(sdk.clients.list(account, [later])) == 0
    name = sdk.clients.get(account, 1001).organization
    like = FilterBuilder().like("organization_like", name[:6])
    assert 1001 in [row.id for row in sdk.clients.list(account, [like])]
    lines = IncludesBuilder().include("lines")
    assert sdk.invoices.list(account, [lines])[0].lines[0].qty
    ascending = SortBuilder().ascending("invoice_date")
    dates = [row.create_date for row in sdk.invoices.list(account, [ascending])]
    assert dates == sorted(dates)
    titles = [
        row.title.casefold()
        for row in sdk.projects.list(business, [SortBuilder().descending("title")])
    ]
    assert titles == sorted(titles, reverse=True)
    since = FilterBuilder().date_time("updated_since", "2099-01-01T00:00:00")
    assert len(sdk.projects.list(business, [since])) == 0
    team = FilterBuilder().boolean("team", value=True)
    everybody = sdk.time_entries.list(business, [team, PaginateBuilder(1, 100)])
    assert len({row.identity_id for row in everybody}) > 1
    logged = IncludesBuilder().include("include_logged_duration")
    assert any(row.logged_duration for row in sdk.projects.list(business, [logged]))


CLIENT = {"fname": "Mira", "lname": "Okafor", "organization": "North Pier"}
INVOICE = {
    "customerid": 1001,
    "create_date": "2026-01-10",
    "lines": [{"name": "Survey", "qty": 2, "unit_cost": {"amount": "10.00", "code": "CAD"}}],
}
PAYMENT = {
    "invoiceid": 5001,
    "amount": {"amount": "1.00"},
    "date": "2026-01-10",
    "type": "Check",
}
EXPENSE = {
    "categoryid": 7002,
    "staffid": 1,
    "date": "2026-01-10",
    "amount": {"amount": "9.50", "code": "CAD"},
}


@pytest.mark.parametrize(
    ("name", "body", "changes"),
    [
        ("clients", CLIENT, {"organization": "South Pier"}),
        ("invoices", INVOICE, {"notes": "Thank you"}),
        ("payments", PAYMENT, {"note": "by post"}),
        ("expenses", EXPENSE, {"vendor": "Print Depot"}),
        ("estimates", INVOICE, {"notes": "Valid for a month"}),
        ("items", {"name": "Audit"}, {"description": "By the hour"}),
    ],
)
def test_accounting_records_live_and_die(
    sdk: Client, account: str, name: str, body: dict[str, Any], changes: dict[str, Any]
) -> None:
    resource = getattr(sdk, name)
    made = resource.create(account, body)
    assert resource.get(account, made.id).data == made.data
    assert resource.list(account).pages.total > 0
    changed = resource.update(account, made.id, changes)
    assert changes.items() <= changed.data.items()
    assert changed.updated >= made.updated
    resource.delete(account, made.id)
    gone = resource.get(account, made.id)
    assert gone.vis_state == VisState.DELETED
    assert made.id not in [row.id for row in resource.list(account)]
    deleted = resource.list(account, [FilterBuilder().equals("vis_state", 1)])
    assert made.id in [row.id for row in deleted]


def test_a_tax_is_gone_after_its_death(sdk: Client, account: str) -> None:
    made = sdk.taxes.create(account, {"name": "VAT", "amount": 20})
    assert sdk.taxes.get(account, made.id).amount == "20"
    sdk.taxes.delete(account, made.id)
    with pytest.raises(FreshBooksError, match="Tax not found") as caught:
        sdk.taxes.get(account, made.id)
    assert (caught.value.status_code, caught.value.error_code) == (404, 1012)


@pytest.mark.parametrize(
    ("name", "body", "changes"),
    [
        ("projects", {"title": "Refit", "client_id": 1001}, {"title": "Refit", "rate": "95.00"}),
        (
            "time_entries",
            {"is_logged": True, "duration": 3600, "started_at": "2026-01-10T09:00:00Z"},
            {"is_logged": True, "duration": 60, "started_at": "2026-01-10T09:00:00Z"},
        ),
    ],
)
def test_project_like_records_live_and_die(
    sdk: Client, business: int, name: str, body: dict[str, Any], changes: dict[str, Any]
) -> None:
    resource = getattr(sdk, name)
    made = resource.create(business, body)
    assert resource.get(business, made.id).data == made.data
    changed = resource.update(business, made.id, changes)
    assert changes.items() <= changed.data.items()
    assert made.created_at == resource.get(business, made.id).created_at
    resource.delete(business, made.id)
    assert resource.get(business, made.id).active is False
    assert made.id not in [row.id for row in resource.list(business)]


def test_services_and_ledger_accounts_can_be_read(sdk: Client, business: int) -> None:
    listed = sdk.services.list(business)
    assert sdk.services.get(business, listed[0].id).name == listed[0].name
    uuid = sdk.current_user().business_memberships[0].business.business_uuid
    accounts = sdk.ledger_accounts.list(uuid)
    assert sdk.ledger_accounts.get(uuid, accounts[0].data["uuid"]).name == accounts[0].name


def test_errors_arrive_with_number_and_details(sdk: Client, account: str, business: int) -> None:
    with pytest.raises(FreshBooksError, match="Client not found") as caught:
        sdk.clients.get(account, 99)
    assert (caught.value.status_code, caught.value.error_code) == (404, 1012)
    with pytest.raises(FreshBooksError, match="title field required") as caught:
        sdk.projects.create(business, {})
    assert (caught.value.status_code, caught.value.error_code) == (422, 2001)


def test_it_survives_a_429_and_a_502(own: Sandbox, sdk: Client, account: str) -> None:
    own.faults("rate_limit", retry_after=0, path="users/clients", times=1)
    own.faults("status", status=502, path="users/clients", times=1)
    assert len(sdk.clients.list(account)) > 0


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("bills", "id"),
        ("bill_payments", "id"),
        ("bill_vendors", "vendorid"),
        ("credit_notes", "id"),
        ("invoice_profiles", "id"),
        ("other_income", "incomeid"),
        ("tasks", "id"),
    ],
)
def test_it_lists_gets_and_deletes_the_rest_of_accounting(
    sdk: Client, account: str, name: str, key: str
) -> None:
    resource = getattr(sdk, name)
    page = resource.list(account, builders=[PaginateBuilder(1, 3)])
    assert len(page) == 3
    first = page[0]
    assert getattr(resource.get(account, getattr(first, key)), key) == getattr(first, key)
    assert resource.delete(account, getattr(first, key)).data["vis_state"] == 1


def test_it_reads_bills_in_utc(sdk: Client, account: str, own: Sandbox) -> None:
    own.clock(now="2026-07-01T14:00:00Z", frozen=True)
    own.create("bills")
    bill = sdk.bills.list(account)[0]
    assert bill.updated_at == datetime(2026, 7, 1, 14, tzinfo=UTC)
    own.create("other_incomes")
    income = sdk.other_income.list(account)[0]
    assert income.updated_at == datetime(2026, 7, 1, 14, tzinfo=UTC)


def test_it_reads_the_system_and_deletes_a_gateway(
    sdk: Client, account: str, business: int, own: Sandbox
) -> None:
    assert sdk.systems.get(account, business).accountid == account
    keys = [row.id for row in sdk.gateways.list(account)]
    sdk.gateways.delete(account, keys[0])
    assert keys[0] not in [row["id"] for row in own.truth("gateways")]
