"""The parameters that each report honours, and those that it ignores silently.

See docs/freshbooks-api/accounting.md §4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.freshbooks_sandbox.conftest import Caller
from tests.freshbooks_sandbox.reporting import ALL, YEAR, ask, modern, params, report

if TYPE_CHECKING:
    from collections.abc import Iterator

PERIODS = (
    *("profitloss_entity", "general_ledger", "cash_flow", "trial_balance", "taxsummary"),
    *("expense_details", "invoice_details", "payments_collected"),
)
HONOURED = {
    "profitloss_entity": {
        *("start_date", "end_date", "cash_based", "currency_code", "fiscal_year_view"),
        *("resolution", "group_by_account", "group_by_category_id", "report_mode"),
    },
    "taxsummary": {"start_date", "end_date", "cash_based", "currency_code"},
    "payments_collected": {
        *("start_date", "end_date", "currency_codes", "clientids", "payment_methods"),
        "payment_for",
    },
    "balance_sheet": {"dates", "currency_code", "cash_based"},
    "general_ledger": {
        *("start_date", "end_date", "accountid", "subaccountid", "categoryid"),
        "group_by_category_id",
    },
    "cash_flow": {"start_date", "end_date", "currency_code", "group_by_category_id"},
    "accounts_aging": {"end_date", "currency_code", "group_by"},
    "expense_details": {
        *("start_date", "end_date", "currency_code", "group_by", "exclude_personal"),
        *("include_project", "client_id", "project_id"),
    },
    "trial_balance": {"start_date", "end_date", "currency_code", "group_by_category_id"},
    "invoice_details": {
        *("start_date", "end_date", "currency_code", "clientids", "statusids", "date_type"),
    },
    "item_sales": {
        *("start_date", "end_date", "currency_code", "clientids", "item_names", "statusids"),
    },
    "bank_reconciliation_summary": {"currency_code", "date", "bank_accountid"},
}
EVERYTHING = (
    f"{YEAR}&currency_code=USD&summary_only=true&page=2&nonsense=1&fiscal_year_view=true"
    "&cash_based=true&clientids[]=1001&dates[]=2025-06-30"
)


@pytest.mark.parametrize("path", HONOURED)
def test_the_token_shows_what_was_understood(caller: Caller, path: str) -> None:
    assert set(params(report(caller, path, EVERYTHING))) == HONOURED[path]


@pytest.mark.parametrize("path", PERIODS)
def test_search_is_ignored_and_the_report_covers_today(caller: Caller, path: str) -> None:
    plain = report(caller, path)
    assert (
        report(caller, path, "search[start_date]=2023-11-01&search[end_date]=2026-01-31") == plain
    )
    assert (
        plain["start_date"] == plain["end_date"] == caller.sandbox.state.clock.today().isoformat()
    )


def test_a_report_of_today_is_all_zeros(caller: Caller) -> None:
    assert report(caller, "profitloss_entity")["net_profit"]["total"]["amount"] == "0.00"
    assert report(caller, "payments_collected")["payments"] == []
    assert report(caller, "invoice_details")["clients"] == []
    assert [row["account_name"] for row in report(caller, "trial_balance")["data"]] == ["total"]


def test_the_balance_sheet_takes_dates_and_no_period(caller: Caller) -> None:
    found = report(caller, "balance_sheet", f"{YEAR}&dates[]=2024-12-31&dates[]=2025-12-31")
    assert found["dates"] == ["2024-12-31", "2025-12-31"]
    assert [row["date"] for row in found["assets_total"]] == found["dates"]
    today = caller.sandbox.state.clock.today().isoformat()
    assert report(caller, "balance_sheet", YEAR)["dates"] == [today]


def test_the_singular_currency_code_means_nothing_to_payments_collected(caller: Caller) -> None:
    usual = report(caller, "payments_collected", ALL)
    assert report(caller, "payments_collected", f"{ALL}&currency_code=USD") == usual
    assert {row["amount"]["code"] for row in usual["payments"]} == {"CAD"}
    query = f"{ALL}&currency_codes[]=USD&currency_codes[]=EUR"
    foreign = report(caller, "payments_collected", query)
    assert {row["amount"]["code"] for row in foreign["payments"]} == {"USD", "EUR"}
    assert [row["code"] for row in foreign["totals"]] == ["EUR", "USD"]


def test_payments_collected_narrows_by_client_and_method(caller: Caller) -> None:
    every = report(caller, "payments_collected", ALL)["payments"]
    client, method = every[0]["clientid"], every[0]["method"]
    query = f"{ALL}&clientids[]={client}&payment_methods[]={method}"
    found = report(caller, "payments_collected", query)["payments"]
    assert found == [row for row in every if (row["clientid"], row["method"]) == (client, method)]


def test_aging_ignores_a_start_and_clients(caller: Caller) -> None:
    usual = report(caller, "accounts_aging", "end_date=2025-12-31")
    query = "start_date=2025-12-01&end_date=2025-12-31&clientids[]=1001"
    assert report(caller, "accounts_aging", query) == usual
    assert "start_date" not in usual


def test_revenue_by_client_wants_a_sales_type(caller: Caller) -> None:
    answer = ask(caller, "revenue_by_client", ALL)
    assert answer.status_code == 422
    (error,) = answer.json()["response"]["errors"]
    assert (error["errno"], error["field"], error["object"], error["value"]) == (
        *(1004, "sales_type", "report"),
        "",
    )
    assert ask(caller, "revenue_by_client", f"{ALL}&sales_type=x").status_code == 422
    found = report(caller, "revenue_by_client", f"{ALL}&sales_type=collected&clientids[]=1001")
    assert {row["userid"] for row in found["clients"]} == {1001}


@pytest.mark.parametrize(
    ("query", "errno"),
    [
        ("start_date=yesterday", 1033),
        ("start_date=2025-01-01&end_date=2024-12-31", 1007),
        ("cash_based=maybe", 1031),
    ],
)
def test_a_value_that_makes_no_sense_is_a_422(caller: Caller, query: str, errno: int) -> None:
    answer = ask(caller, "profitloss_entity", query)
    assert answer.status_code == 422
    assert answer.json()["response"]["errors"][0]["errno"] == errno


def test_an_unknown_resolution_is_dropped_and_months_make_columns(caller: Caller) -> None:
    query = "start_date=2025-01-15&end_date=2025-06-10"
    monthly = report(caller, "profitloss_entity", f"{query}&resolution=m")
    assert [column["start_date"] for column in monthly["dates"]] == [
        "2025-01-15",
        *(f"2025-{month:02d}-01" for month in range(2, 7)),
    ]
    assert monthly["dates"][-1]["end_date"] == "2025-06-10"
    assert len(monthly["net_profit"]["data"]) == 6
    quarters = report(caller, "profitloss_entity", f"{query}&resolution=3m")
    assert [column["end_date"] for column in quarters["dates"]] == ["2025-03-31", "2025-06-10"]
    odd = report(caller, "profitloss_entity", f"{query}&resolution=fortnight")
    assert (odd["resolution"], odd["labels"], len(odd["dates"])) == (None, [], 1)


def test_the_general_ledger_narrows_by_account_and_category(caller: Caller) -> None:
    every = report(caller, "general_ledger", YEAR)
    cash = every["data"][0]
    sub = cash["sub_accounts"][0]
    by_account = report(caller, "general_ledger", f"{YEAR}&accountid={cash['accountid']}")
    assert by_account["data"] == [cash]
    by_sub = report(caller, "general_ledger", f"{YEAR}&subaccountid={sub['sub_accountid']}")
    assert by_sub["data"][0]["sub_accounts"] == [sub]
    # No currency_code here (docs/freshbooks-api/accounting.md §4).
    assert report(caller, "general_ledger", f"{YEAR}&currency_code=USD")["currency_code"] == "CAD"
    category = caller.sandbox.truth("expenses")[0]["categoryid"]
    found = report(caller, "general_ledger", f"{ALL}&categoryid={category}")
    kinds = {
        row["entity_type"]
        for account in found["data"]
        for sub in account["sub_accounts"]
        for row in sub["transactions"]
    }
    assert kinds <= {"expense", "bill"}


def test_the_newer_paths_have_uuids_and_the_old_envelope(caller: Caller) -> None:
    (key,) = modern(caller, "general_ledger", YEAR)
    found = modern(caller, "general_ledger", f"{YEAR}&locale=en")["general_ledger"]
    assert key == "general_ledger"
    assert found["locale"] == "en"
    old = report(caller, "general_ledger", YEAR)
    assert found["summary"] == old["summary"]
    uuids = {row["uuid"] for row in caller.sandbox.truth("ledger_accounts")}
    assert {row["accountid"] for row in found["data"]} <= uuids
    assert "id" not in found["data"][0]
    assert "clientid" not in found["data"][0]["sub_accounts"][0]["transactions"][0]
    dollars = modern(caller, "general_ledger", f"{YEAR}&currency_code=USD")["general_ledger"]
    assert dollars["currency_code"] == "USD"
    assert list(modern(caller, "profit_and_loss", YEAR)) == ["profit_and_loss"]
    assert list(modern(caller, "trial_balance", YEAR)) == ["trial_balance"]
    assert list(modern(caller, "cash_flow", YEAR)) == ["cash_flow"]
    details = modern(caller, "expense_details", YEAR)["expense_details"]
    assert {"clients", "vendors", "authors"} <= set(details)


def test_payables_aging_is_refused_to_a_plan_without_it(caller: Caller) -> None:
    answer = ask(caller, "accounts_payable_aging")
    assert answer.status_code == 403
    assert answer.json()["response"]["errors"][0]["errno"] == 1003


def test_a_plan_without_the_feature_can_be_ordered() -> None:
    with Generous() as caller:
        caller.sandbox.faults("deny", reason="feature", path="accounts_payable_aging", times=1)
        assert ask(caller, "accounts_payable_aging").status_code == 403
        found = report(caller, "accounts_payable_aging", "end_date=2026-01-31")
        assert found["totals"]["total"]["amount"] != "0.00"
        every = report(caller, "payments_collected", ALL)
        assert len(every["totals"]) > 1


class Generous:
    """A sandbox that grants the payables and knows no business currency."""

    def __enter__(self) -> Caller:
        behaviours = {"payables_aging": "granted", "payments_collected": "all"}
        self.sandbox = Sandbox(invoices=40, rate_limit=0, behaviours=behaviours).start()
        self.caller = Caller(self.sandbox)
        return self.caller

    def __exit__(self, *_: object) -> None:
        self.caller.session.close()
        self.sandbox.stop()


def test_reports_need_their_scope_and_are_not_for_customers(own: Sandbox) -> None:
    caller = Caller(own, scopes=["user:invoices:read"])
    assert ask(caller, "taxsummary").status_code == 403
    customer = Caller(own, business=4)
    assert ask(customer, "taxsummary").status_code == 403
    assert customer.request("POST", ask(customer, "taxsummary").request.path_url).status_code == 405


def test_a_statement_wants_a_client(caller: Caller) -> None:
    assert ask(caller, "account_statement", ALL).status_code == 422
    assert ask(caller, "account_statement", f"{ALL}&clientid=9").status_code == 404


@pytest.fixture
def edited(own: Sandbox) -> Iterator[tuple[Caller, Any]]:
    caller = Caller(own)
    own.clock(now="2026-02-10T15:00:00Z", frozen=True)
    yield caller, own
    caller.session.close()


def test_an_edit_reaches_the_next_report(edited: tuple[Caller, Any]) -> None:
    caller, sandbox = edited
    assert report(caller, "payments_collected")["payments"] == []
    unpaid = next(
        row
        for row in sandbox.truth("invoices")
        if row["v3_status"] == "overdue" and row["currency_code"] == "CAD"
    )
    values = {"invoiceid": unpaid["id"], "amount": "12.50", "date": "2026-02-10", "type": "Cash"}
    sandbox.create("payments", **values)
    (row,) = report(caller, "payments_collected")["payments"]
    assert (row["amount"]["amount"], row["invoiceid"]) == ("12.50", unpaid["id"])
    assert report(caller, "cash_flow")["summary"]["net_cash_change"]["amount"] == "12.50"
