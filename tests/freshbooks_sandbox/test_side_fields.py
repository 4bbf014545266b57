"""Records and reports have the keys and kinds of docs/freshbooks-api, written out once more."""

from __future__ import annotations

from typing import Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.freshbooks_sandbox.conftest import Caller
from tests.freshbooks_sandbox.reporting import ALL, report
from tests.freshbooks_sandbox.test_record_fields import is_of, leaves

SEGMENT = """
    id:int identity_id:int is_logged:bool started_at:str created_at:str local_started_at:str
    local_timezone:str client_id:int? project_id:int? pending_client:str? pending_project:str?
    pending_task:str? task_id:int? service_id:int? note:str? active:bool billable:bool billed:bool
    internal:bool retainer_id:int? duration:int?
"""
MONEY_ROW = "debit:money credit:money net_movement_debit:money net_movement_credit:money"
IDS = """
    expenseid:int? invoiceid:int? paymentid:int? incomeid:int? creditid:int? billid:int?
    bill_paymentid:int?
"""


def below(prefix: str, fields: str) -> str:
    return " ".join(f"{prefix}{field}" for field in fields.split())


# Where it is, where its rows are in the answer, and what they hold.
LISTS = {
    "/comments/business/{business}/retainers": (
        "retainers",
        """id:int business_id:int system_id:int client_user_id:int invoice_profile_id:int? fee:str
        excess_rate:str? budgeted_time:int? start_date:str next_period_start_date:str? active:bool
        created_at:str updated_at:str""",
    ),
    "/comments/business/{business}/service_rates": (
        "service_rates",
        "rate:str service_id:int business_id:int",
    ),
    "/comments/business/{business}/team_member_rates": (
        "team_member_rates",
        "rate:str identity_id:int business_id:int",
    ),
    "/projects/business/{business}/abilities": ("abilities", "name:str value:bool"),
    "/timetracking/business/{business}/timers": (
        "timers",
        "id:int is_running:bool time_entries:list " + below("time_entries[].", SEGMENT),
    ),
    "/comments/business/{business}/time_entries/search": (
        "time_entries",
        f"{SEGMENT} timer:dict? highlight:str?",
    ),
    "/auth/api/v1/users/business/{business}": (
        "response.business_group.members",
        """id:int group_id:int role:str identity_id:int identity_uuid:str first_name:str?
        last_name:str? language:str email:str company:str? business_id:int
        unacknowledged_change:bool active:bool""",
    ),
    "/events/account/{account}/events/callbacks": (
        "response.result.callbacks",
        "callbackid:int event:str uri:str verified:bool updated_at:str?",
    ),
    "/payments/account/{account}/checkout-links": (
        "checkout_links",
        """id:str item_id:str item_name:str amount:str currency:str note:str? is_active:bool
        send_admin_receipt:bool created_at:str taxes:list taxes[].name:str taxes[].amount:float""",
    ),
    "/auth/api/v1/partners/applications": (
        "response",
        """client_id:str name:str description:str? redirect_uri:str website_url:str?
        settings_url:str? logo_public_id:str?""",
    ),
}
PERIOD = "start_date:str end_date:str"
HEAD = f"company_name:str currency_code:str download_token:str {PERIOD}"
ROW = "description:str entry_type:str data:list data[]:dict total:money children:list"
COST = f"{below('expenses[].', ROW)} {below('expenses[].children[].', ROW)}"
REPORTS = {
    "profitloss_entity": f"""{HEAD} cash_based:bool resolution:str? labels:list dates:list
        dates[].start_date:str dates[].end_date:str income:list {below("income[].", ROW)}
        expenses:list {COST} gross_margin:dict {below("gross_margin.", ROW)} net_profit:dict
        {below("net_profit.", ROW)} total_income:dict {below("total_income.", ROW)}
        total_expenses:dict {below("total_expenses.", ROW)}""",
    "general_ledger": f"""{HEAD} summary_only:bool summary:dict summary.total_credit:money
        summary.total_debit:money data:list data[].accountid:int data[].id:int
        data[].account_name:str data[].account_number:str {below("data[].", MONEY_ROW)}
        data[].sub_accounts:list data[].sub_accounts[].sub_accountid:int
        data[].sub_accounts[].id:int data[].sub_accounts[].sub_account_name:str
        data[].sub_accounts[].sub_account_number:str {below("data[].sub_accounts[].", MONEY_ROW)}
        data[].sub_accounts[].transactions:list {
        below(
            "data[].sub_accounts[].transactions[].",
            f'''
        entity_type:str reference:str? description:str? date:str client_name:str? clientid:int?
        debit:money credit:money {IDS}''',
        )
    }""",
    "cash_flow": f"""{HEAD} activities:list activities[].category:str activities[].total:money
        activities[].details:list activities[].details[].name:str
        activities[].details[].total:money activities[].details[].accounts:list
        activities[].details[].accounts[].name:str activities[].details[].accounts[].total:money
        activities[].details[].accounts[].sub_accounts:list
        {
        below(
            "activities[].details[].accounts[].sub_accounts[].",
            '''name:str categoryid:int?
        sub_accountid:int? total:money''',
        )
    } summary:dict summary.starting_balance:money
        summary.gross_cash_inflow:money summary.gross_cash_outflow:money
        summary.net_cash_change:money summary.ending_balance:money""",
    "balance_sheet": """company_name:str currency_code:str download_token:str dates:list
        assets_total:list assets_total[].date:str assets_total[].balance:money
        liabilities_and_equity_total:list liabilities_and_equity_total[].date:str
        liabilities_and_equity_total[].balance:money data:list data[].account_type:str
        data[].category:str? data[].balances:list data[].balances[].date:str
        data[].balances[].balance:money data[].accounts:list data[].accounts[].account_name:str
        data[].accounts[].account_number:str data[].accounts[].balances:list
        data[].accounts[].balances[].date:str data[].accounts[].balances[].balance:money
        data[].accounts[].sub_accounts:list data[].accounts[].sub_accounts[].sub_account_name:str
        data[].accounts[].sub_accounts[].sub_account_number:str
        data[].accounts[].sub_accounts[].balances:list
        data[].accounts[].sub_accounts[].balances[].date:str
        data[].accounts[].sub_accounts[].balances[].balance:money""",
    "trial_balance": f"""{HEAD} data:list data[].account_name:str data[].account_number:str?
        data[].account_sub_name:str? data[].account_sub_number:str? data[].sub_accountid:int?
        data[].debit:money data[].credit:money""",
    "taxsummary": f"""cash_based:bool currency_code:str download_token:str {PERIOD}
        total_invoiced:money taxes:list taxes[].tax_name:str {
        below(
            "taxes[].",
            '''
        tax_collected:money taxable_amount_collected:money tax_paid:money
        taxable_amount_paid:money net_tax:money net_taxable_amount:money''',
        )
    }""",
    "accounts_aging": """company_name:str currency_code:str download_token:str end_date:str
        totals:dict totals.0-30:money totals.31-60:money totals.61-90:money totals.91+:money
        totals.total:money accounts:list accounts[].userid:int accounts[].organization:str
        accounts[].fname:str accounts[].lname:str accounts[].email:str accounts[].0-30:money
        accounts[].31-60:money accounts[].61-90:money accounts[].91+:money
        accounts[].total:money""",
    "expense_details": f"""{HEAD} group_by:str exclude_personal:bool vendors:dict authors:dict
        clients:dict categories:dict data:list data[].groupid:str? data[].total:money
        data[].children:list data[].expenses:list {
        below(
            "data[].expenses[].",
            '''expenseid:int date:str vendor:str? vendorid:str?
        categoryid:str? clientid:str? authorid:str? account_name:str? notes:str? amount:money
        taxAmount1:money? taxAmount2:money? taxName1:str? taxName2:str? taxPercent1:str?
        taxPercent2:str? is_cogs:bool imported_from_csv:bool''',
        )
    }""",
    "item_sales": """company_name:str currency_code:str download_token:str end_date:str
        clientids:list item_names:list total:money total_qty:str total_discount:money items:list
        items[].name:str items[].total:money
        items[].total_discount:money items[].total_qty:str items[].invoices:list
        items[].invoices[].invoiceid:int items[].invoices[].invoice_number:str
        items[].invoices[].create_date:str items[].invoices[].organization:str
        items[].invoices[].fname:str items[].invoices[].lname:str items[].invoices[].qty:str
        items[].invoices[].unit_cost:money items[].invoices[].discount:money
        items[].invoices[].amount:money items[].invoices[].v3_status:str""",
    "payments_collected": f"""clientids:list currency_codes:list payment_methods:list
        download_token:str {PERIOD} summary_only:bool totals:list totals[]:dict payments:list
        payments[].amount:money payments[].client:str payments[].clientid:int payments[].date:str
        payments[].description:str payments[].from_credit:bool payments[].invoiceid:int?
        payments[].invoice_number:str? payments[].creditid:int? payments[].credit_number:str?
        payments[].method:str""",
    "invoice_details": f"""{HEAD} date_type:str clientids:list statusids:list summary_only:bool
        summary:dict summary.outstanding:money summary.paid:money summary.total:money clients:list
        clients[].userid:int clients[].organization:str? clients[].fname:str? clients[].lname:str?
        clients[].email:str? clients[].summary:dict clients[].summary.outstanding:money
        clients[].summary.paid:money clients[].summary.total:money clients[].invoices:list {
        below(
            "clients[].invoices[].",
            '''invoiceid:int
        invoice_number:str create_date:str due_offset_days:int currency_code:str v3_status:str
        date_paid:str? po_number:str? subtotal:money discount_total:money tax:money total:money
        paid:money outstanding:money tax_summaries:list lines:list
        tax_summaries[].tax_name:str? tax_summaries[].tax_number:str?
        tax_summaries[].tax_rate:str tax_summaries[].tax_total:money lines[].lineid:int
        lines[].taskno:int lines[].name:str lines[].description:str lines[].qty:str
        lines[].rate:money lines[].amount:money lines[].total:money lines[].tax_name1:str?
        lines[].tax_name2:str? lines[].tax_amount1:money lines[].tax_amount2:money''',
        )
    }""",
    "revenue_by_client": f"""clientids:list clients:list clients[].userid:int
        clients[].organization:str clients[].fname:str clients[].lname:str clients[].total:money
        clients[].data:list clients[].data[]:dict currency_code:str download_token:str
        {PERIOD} labels:list sales_type:str total_sales:money total_sales_data:list""",
}
# Maps whose keys are ids, and money inside plain lists.
OPEN = (
    *("vendors.", "authors.", "clients.", "categories.", "timer."),
    *("total_sales_data[].", "totals[].amount", "totals[].code"),
)


def check(found: Any, fields: dict[str, str], *, is_whole: bool) -> None:
    seen = set()
    for path, value in leaves(found):
        parent = path.rpartition(".")[0]
        if path.startswith(OPEN) or path.endswith((".data[].amount", ".data[].code")):
            continue
        if fields.get(parent, "").startswith("money"):
            continue
        assert path in fields, path
        assert is_of(fields[path], value), (path, value)
        seen.add(path)
    missing = {path for path in fields if is_whole and "[" not in path} - seen
    assert not missing


def named(fields: str) -> dict[str, str]:
    return dict(field.rsplit(":", 1) for field in fields.split())


@pytest.mark.parametrize("business", [1, 2])
@pytest.mark.parametrize("path", LISTS)
def test_records_have_the_fields_of_the_facts(caller: Caller, path: str, business: int) -> None:
    caller.at(business)
    where, fields = LISTS[path]
    found = caller.get(path.format(business=caller.business, account=caller.account)).json()
    for name in where.split("."):
        found = found[name]
    assert found
    for row in found:
        check(row, named(fields), is_whole=True)


@pytest.mark.parametrize("business", [1, 2])
@pytest.mark.parametrize("path", REPORTS)
def test_reports_have_the_fields_of_the_facts(caller: Caller, path: str, business: int) -> None:
    caller.at(business)
    for query in (f"{ALL}&sales_type=billed", "sales_type=collected"):
        check(report(caller, path, query), named(REPORTS[path]), is_whole=True)


def test_rows_can_be_changed_while_somebody_reads(writer: Caller) -> None:
    path = f"/comments/business/{writer.business}/retainers"
    before = writer.get(path).json()["retainers"]
    writer.sandbox.faults("change", action="delete", resource="retainers", path=path, times=1)
    assert writer.get(path).json()["retainers"] == before
    assert len(writer.get(path).json()["retainers"]) == len(before) - 1


def test_a_foreign_account_is_not_found_beside_the_accounting_side(caller: Caller) -> None:
    caller.at(5)
    events = caller.get(f"/events/account/{caller.account}/events/callbacks")
    assert (events.status_code, events.json()["errno"]) == (404, 404)
    gateway = caller.get(f"/payments/account/{caller.account}/gateway")
    assert (gateway.status_code, gateway.json()["error_type"]) == (404, "not_found")
    assert caller.get("/payments/account/nobody/gateway").status_code == 404
    report = f"/accounting/account/{caller.account}/reports/accounting/taxsummary"
    assert caller.get(report).status_code == 401


def test_a_presumed_list_may_not_be_there() -> None:
    with Sandbox(invoices=40, rate_limit=0, behaviours={"presumed_lists": "missing"}) as sandbox:
        caller = Caller(sandbox)
        links = caller.get(f"/payments/account/{caller.account}/checkout-links")
        assert links.status_code == 404
        caller.session.close()
