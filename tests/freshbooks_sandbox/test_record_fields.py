"""Each record has the keys and kinds of docs/freshbooks-api, written out here once more.

`name:kind`, nested as `lines[].name`; `?` may be null, `+` is there with the include alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freshbooks_sandbox import Sandbox

FIELDS = {
    "invoice_profiles": """
        id:int profileid:int accounting_systemid:str customerid:int ownerid:int
        frequency:str numberRecurring:int occurrences_to_date:int disable:bool
        create_date:str due_offset_days:int currency_code:str language:str amount:money
        discount_value:str discount_total:money auto_bill:bool require_auto_bill:bool
        bill_gateway:str? send_email:bool send_gmail:bool include_unbilled_time:bool
        retainer_id:int? total_accrued_revenue:money? description:str notes:str terms:str?
        po_number:str? payment_details:str address:str organization:str fname:str lname:str
        street:str street2:str city:str province:str code:str country:str vat_name:str?
        vat_number:str? template:str updated:str ext_archive:int? vis_state:int lines:list+
        lines[].lineid:int lines[].profileid:int lines[].type:int lines[].name:str
        lines[].description:str lines[].qty:str lines[].unit_cost:money lines[].amount:money
        lines[].taxName1:str? lines[].taxAmount1:str lines[].taxName2:str?
        lines[].taxAmount2:str lines[].taskno:int lines[].compounded_tax:bool
        late_fee:dict?+ late_fee.enabled:bool late_fee.days:int late_fee.type:str
        late_fee.value:float|str late_fee.repeat:bool
        late_fee.calculation_type:str? late_fee.compounded_taxes:bool
        late_fee.first_tax_name:str? late_fee.first_tax_percent:float|str?
        late_fee.second_tax_name:str? late_fee.second_tax_percent:float|str?
        late_reminders:list+ late_reminders[].id:str|int? late_reminders[].position:int
        late_reminders[].enabled:bool late_reminders[].delay:int late_reminders[].body:str?
        project_format:dict?+ project_format.group_by:str project_format.method:str
        project_format.show_tname:bool project_format.show_pname:bool
        project_format.show_staff:bool project_format.show_date:bool
        project_format.show_notes:bool project_format.show_total_hours:bool
        next_issue_date:str?+
    """,
    "credit_notes": """
        id:int creditid:int accounting_systemid:str clientid:int sentid:int
        credit_number:str credit_type:str status:str display_status:str payment_status:str
        dispute_status:str? last_order_status:str? payment_type:str? create_date:str
        currency_code:str language:str amount:money paid:money description:str notes:str
        terms:str? organization:str current_organization:str fname:str lname:str street:str
        street2:str city:str province:str code:str country:str vat_name:str? vat_number:str?
        template:str ext_archive:int vis_state:int lines:list+ lines[].creditid:int
        lines[].taskno:int lines[].name:str lines[].description:str lines[].qty:str
        lines[].unit_cost:money lines[].amount:money lines[].taxName1:str?
        lines[].taxAmount1:str lines[].taxName2:str? lines[].taxAmount2:str
        lines[].compounded_tax:bool
    """,
    "other_incomes": """
        incomeid:int amount:money category_name:str source:str? sourceid:int? userid:int?
        payment_type:str? note:str? date:str taxes:list taxes[].name:str taxes[].amount:str
        created_at:str updated_at:str vis_state:int
    """,
    "bills": """
        id:int vendorid:int bill_number:str? status:str issue_date:str due_date:str
        due_offset_days:int currency_code:str language:str amount:money tax_amount:money
        total_amount:money paid:money outstanding:money overall_category:str?
        overall_description:str? attachment:dict? lines:list lines[].id:int
        lines[].list_index:int lines[].category:dict lines[].description:str?
        lines[].quantity:str lines[].unit_cost:money lines[].amount:money
        lines[].total_amount:money lines[].tax_name1:str? lines[].tax_percent1:str?
        lines[].tax_amount1:money? lines[].tax_authorityid1:str? lines[].tax_name2:str?
        lines[].tax_percent2:str? lines[].tax_amount2:money? lines[].tax_authorityid2:str?
        bill_payments:list vendor:dict?+ created_at:str updated_at:str vis_state:int
    """,
    "bill_vendors": """
        vendorid:int vendor_name:str account_number:str? primary_contact_first_name:str?
        primary_contact_last_name:str? primary_contact_email:str? phone:str? website:str?
        street:str? street2:str? city:str? province:str? postal_code:str? country:str?
        currency_code:str language:str is_1099:bool note:str? outstanding_balance:list
        outstanding_balance[].amount:money overdue_balance:list
        overdue_balance[].amount:money tax_defaults:list tax_defaults[].taxid:int
        tax_defaults[].vendorid:int tax_defaults[].system_taxid:int
        tax_defaults[].enabled:bool tax_defaults[].name:str tax_defaults[].amount:str
        tax_defaults[].tax_authorityid:str? tax_defaults[].created_at:str
        tax_defaults[].updated_at:str created_at:str updated_at:str vis_state:int
    """,
    "bill_payments": """
        id:int billid:int amount:money paid_date:str payment_type:str note:str?
        matched_with_expense:bool vis_state:int
    """,
    "staffs": """
        id:int userid:int accounting_systemid:str username:str email:str display_name:str?
        fname:str? lname:str? organization:str? level:int role:str? language:str
        currency_code:str? rate:str? note:str? bus_phone:str? home_phone:str? mob_phone:str?
        fax:str? p_street:str? p_street2:str? p_city:str? p_province:str? p_code:str?
        p_country:str? num_logins:int last_login:str? signup_date:str updated:str
        api_token:str? vis_state:int
    """,
    "tasks": """
        id:int taskid:int name:str? tname:str? description:str? tdesc:str? rate:money
        billable:bool tax1:int tax2:int updated:str project_default:bool?
        accounting_systemid:str? vis_state:int
    """,
    "expense_profiles": """
        id:int profileid:int accounting_systemid:str? frequency:str start_date:str
        end_date:str? next_issue_date:str? amount:money notes:str? vendor:str? staffid:int
        author_name:str? categoryid:int clientid:int? taxName1:str? taxAmount1:money?
        taxPercent1:str? taxName2:str? taxAmount2:money? taxPercent2:str? markup_percent:str
        is_cogs:bool from_bulk_import:bool updated:str? vis_state:int
    """,
    "billable_items": """
        id:int name:str description:str? billable:bool unit_cost:money? tax1:int? tax2:int?
        vis_state:int
    """,
    "expense_vendors": """
        vendor:str
    """,
    "expense_summaries": """
        id:str counts:int amounts:list amounts[].amount:str amounts[].code:str
        amounts[].count:int
    """,
    "gateways": """
        id:int gatewayid:int gateway_name:str sgid:int connectionid:str?
    """,
    "journal_entry_accounts": """
        id:int accountid:int account_name:str account_number:str account_type:str
        balance:str currency_code:str created_at:str sub_accounts:list sub_accounts[].id:int
        sub_accounts[].sub_accountid:int sub_accounts[].parentid:int
        sub_accounts[].account_sub_name:str sub_accounts[].account_sub_number:str
        sub_accounts[].account_type:str sub_accounts[].balance:str
        sub_accounts[].currency_code:str sub_accounts[].custom:bool
        sub_accounts[].transaction_posted:bool sub_accounts[].created_at:str
    """,
    "journal_entry_details": """
        id:int detailid:int accounting_systemid:str name:str description:str?
        detail_type:str user_entered_date:str debit:money? credit:money? balance:money
        account:dict account.id:int account.accountid:int account.accounting_systemid:str
        account.account_name:str account.account_number:str account.account_type:str
        sub_account:dict sub_account.id:int sub_account.sub_accountid:int
        sub_account.parentid:int sub_account.accounting_systemid:str
        sub_account.account_sub_name:str sub_account.account_sub_number:str entry:dict
        entry.id:int entry.entryid:int entry.accounting_systemid:str entry.clientid:int?
        entry.invoiceid:int? entry.paymentid:int? entry.expenseid:int? entry.creditid:int?
        entry.incomeid:int? entry.categoryid:int?
    """,
    "systems": """
        id:int systemid:int accountid:str business_uuid:str? business_type:str? name:str
        email:str info_email:str active:bool bus_phone:str mob_phone:str fax:str street:str
        street2:str? city:str province:str code:str country:str ip:str currency_code:str
        timezone:str timezoneid:int date:str duration:int dst:bool billing_status:str
        auto_bill:int test_system:bool modern_system:bool masterlock_billing:bool
        payment_amount:money payment_frequency:int gst_amount:money discountid:str?
        referralid:str referring_url:str? landing_url:str? heard_about_us_via:str?
        salutation:str? num_clients:int? num_staff:int? size_limit:int? split_token:str?
        vat_name:str? vat_number:str? migrated_to_smux_at:str?
    """,
    "invoice_presentation": """
        invoiceid:int? date_format:str theme_font_name:str? theme_layout:str?
        theme_primary_color:str image_logo_src:str? image_banner_src:str?
        image_banner_position_y:int label:str? description_heading:str? item_heading:str?
        quantity_heading:str? rate_heading:str? hours_heading:str? task_heading:str?
        unit_cost_heading:str? time_entry_notes_heading:str?
    """,
    "invoice_share_links": """
        resourceid:str clientid:int? resource_type:str share_link:str share_method:str
    """,
    "ledger_account_types": """
        name:str
    """,
    "ledger_account_sub_types": """
        id:int type:str name:str base_number:str
    """,
    "chart_of_accounts": """
        account_uuid:str account_name:str account_number:str account_type:str
        account_sub_type:str system_account_name:str? auto_created:bool state:str
        balance:str currency_code:str? sub_accounts:list sub_accounts[].account_uuid:str
        sub_accounts[].parent_account_uuid:str sub_accounts[].account_name:str
        sub_accounts[].account_number:str sub_accounts[].account_type:str
        sub_accounts[].account_sub_type:str sub_accounts[].system_account_name:str?
        sub_accounts[].auto_created:bool sub_accounts[].state:str sub_accounts[].balance:str
        sub_accounts[].currency_code:str?
    """,
    "journal_entries": """
        id:str name:str journalEntryNumber:str description:str? userEnteredDate:dict
        userEnteredDate.year:int userEnteredDate.month:int userEnteredDate.day:int
        details:list details[].accountId:str details[].type:str details[].amount:dict
        details[].amount.amount:float details[].amount.code:str
    """,
}
KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}
INCLUDES = {
    "invoice_profiles": "lines,late_fee,late_reminders,project_format,next_issue_date",
    "credit_notes": "lines",
    "bills": "vendor",
}


def expected(resource: str) -> dict[str, str]:
    return dict(entry.split(":") for entry in FIELDS[resource].split())


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a record with its value, containers included."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield f"{path}{name}", below
            yield from leaves(below, f"{path}{name}.")
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, f"{path.removesuffix('.')}[].")


def is_of(kind: str, value: Any) -> bool:
    kind, nullable = kind.rstrip("?+"), "?" in kind
    if value is None:
        return nullable
    if kind == "money":
        return (
            isinstance(value, dict)
            and set(value) == {"amount", "code"}
            and all(isinstance(part, str) for part in value.values())
        )
    names = kind.split("|")
    if isinstance(value, bool):
        return "bool" in names
    return any(isinstance(value, KINDS[name]) for name in names)


# Whole records inside others, or objects that the facts leave open.
OPEN = ("bills.vendor.", "bills.bill_payments[].", "bills.attachment.", "bills.lines[].category.")


@pytest.mark.parametrize("resource", FIELDS)
def test_every_record_has_the_fields_of_the_facts(sandbox: Sandbox, resource: str) -> None:
    fields = expected(resource)
    rows = sandbox.truth(resource, include=INCLUDES.get(resource))
    assert rows
    for row in rows:
        for path, value in leaves(row):
            parent = path.rpartition(".")[0]
            if f"{resource}.{path}".startswith(OPEN) or fields.get(parent, "")[:5] == "money":
                continue
            assert path in fields, path
            assert is_of(fields[path], value), (path, value)


@pytest.mark.parametrize("resource", FIELDS)
def test_no_field_is_missing_and_includes_are_absent_without_asking(
    sandbox: Sandbox, resource: str
) -> None:
    plain = {name: kind for name, kind in expected(resource).items() if "." not in name}
    for row in sandbox.truth(resource):
        assert set(row) == {name for name, kind in plain.items() if "+" not in kind}


@pytest.mark.parametrize(
    ("resource", "column", "values"),
    [
        ("credit_notes", "credit_type", {"goodwill", "overpayment", "prepayment"}),
        ("credit_notes", "payment_status", {"unpaid", "partial", "paid"}),
        ("credit_notes", "display_status", {"draft", "created", "sent", "viewed"}),
        ("bills", "status", {"unpaid", "overdue", "partial", "paid"}),
        ("ledger_account_types", "name", {"asset", "equity", "expense", "income", "liability"}),
        ("journal_entry_details", "detail_type", {"expense", "tax", "adjustment", "total"}),
        ("invoice_profiles", "frequency", {"m", "2w"}),
        ("tasks", "billable", {True, False}),
        ("gateways", "gatewayid", {26, 30, 7}),
    ],
)
def test_words_are_those_of_the_facts(
    sandbox: Sandbox, resource: str, column: str, values: set[Any]
) -> None:
    found = {row[column] for row in sandbox.truth(resource)}
    assert found <= values
    assert len(found) > 1
