"""Spending: expenses, their categories, vendors and recurring profiles."""

from __future__ import annotations

from tap_freshbooks.schema.fields import (
    AnyJson,
    Array,
    Boolean,
    DecimalText,
    EasternTime,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
    Word,
)
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources.common_fields import ATTACHMENT, FREQUENCIES

CATEGORY = Object(
    id=Integer(),
    categoryid=Integer(),
    category=Text(),
    parentid=Integer(),
    is_cogs=Boolean(),
    is_editable=Boolean(),
    transaction_posted=Boolean(),
    created_at=EasternTime(),
    updated_at=EasternTime(),
    vis_state=Integer(),
)


class Expenses(AccountingStream):
    """Expenses, with their category, receipt and bank account."""

    name = "expenses"
    resource = "expenses/expenses"
    list_key = "expenses"
    oauth_scope = "user:expenses:read"
    webhook_noun = "expense"
    includes = ("attachment", "account", "category", "expense_profile", "project")
    fields = Object(
        id=Integer(),
        expenseid=Integer(),
        accounting_systemid=Text(),
        categoryid=Integer(),
        clientid=Integer(),
        projectid=Integer(),
        modern_projectid=Integer(),
        converse_projectid=Integer(),
        staffid=Integer(),
        invoiceid=Integer(),
        ext_invoiceid=Integer(),
        ext_systemid=Integer(),
        ext_accountid=Text(),
        profileid=Integer(),
        transactionid=Integer(),
        accountid=Integer(),
        account_name=Text(),
        bank_name=Text(),
        background_jobid=Integer(),
        amount=Money(),
        taxName1=Text(),
        taxPercent1=DecimalText(),
        # Money here, a percent on invoice lines (`docs/freshbooks-api/accounting.md §6`).
        taxAmount1=Money(),
        taxName2=Text(),
        taxPercent2=DecimalText(),
        taxAmount2=Money(),
        compounded_tax=Boolean(),
        vendor=Text(),
        notes=Text(),
        date=PlainDate(),
        status=Integer(),
        markup_percent=DecimalText(),
        has_receipt=Boolean(),
        include_receipt=Boolean(),
        is_cogs=Boolean(),
        isduplicate=Boolean(),
        from_bulk_import=Boolean(),
        billable=Boolean(),
        bill_matches=AnyJson("array"),
        potential_bill_payment=Boolean(),
        updated=EasternTime(),
        version=EasternTime(),
        vis_state=Integer(),
        attachment=ATTACHMENT,
        account=AnyJson(),
        category=CATEGORY,
        expense_profile=AnyJson(),
        project=AnyJson(),
    )


class ExpenseCategories(AccountingStream):
    """Expense categories, the vendor's and the user's own."""

    name = "expense_categories"
    resource = "expenses/categories"
    list_key = "categories"
    oauth_scope = "user:expenses:read"
    webhook_noun = "category"
    timestamp_field = "updated_at"
    replication = Replication.CLIENT_FILTER
    fields = CATEGORY


class ExpenseProfiles(AccountingStream):
    """Recurring expenses."""

    name = "expense_profiles"
    resource = "expense_profiles/expense_profiles"
    unconfirmed = (
        "no answer was ever published; that there is a list is presumed, and its fields are those "
        "that one can write."
    )
    list_key = "expense_profiles"
    key = ("profileid",)
    oauth_scope = "user:expenses:read"
    replication = Replication.CLIENT_FILTER
    fields = Object(
        id=Integer(),
        profileid=Integer(),
        accounting_systemid=Text(),
        frequency=Word(*FREQUENCIES),
        start_date=PlainDate(),
        end_date=PlainDate(),
        next_issue_date=PlainDate(),
        amount=Money(),
        notes=Text(),
        vendor=Text(),
        staffid=Integer(),
        author_name=Text(),
        categoryid=Integer(),
        clientid=Integer(),
        taxName1=Text(),
        taxAmount1=Money(),
        taxPercent1=DecimalText(),
        taxName2=Text(),
        taxAmount2=Money(),
        taxPercent2=DecimalText(),
        markup_percent=DecimalText(),
        is_cogs=Boolean(),
        from_bulk_import=Boolean(),
        updated=EasternTime(),
        vis_state=Integer(),
    )


class ExpenseVendors(HardDeleteStream, AccountingStream):
    """The distinct vendor names of expenses; not the vendors of bills.

    Not selected by default: target-duckdb cannot load a table of nothing but keys twice.
    """

    name = "expense_vendors"
    resource = "expenses/vendors"
    list_key = "vendors"
    key = ("vendor",)
    oauth_scope = "user:expenses:read"
    selected_by_default = False
    replication = Replication.FULL_TABLE
    timestamp_field = None
    marks_deletions = False
    fields = Object(vendor=Text())


class ExpenseSummaries(AccountingStream):
    """Counts and sums of expenses: active, archived, all."""

    name = "expense_summaries"
    resource = "expenses/summaries"
    list_key = "summaries"
    paged = False
    oauth_scope = "user:expenses:read"
    replication = Replication.FULL_TABLE
    timestamp_field = None
    marks_deletions = False
    fields = Object(
        id=Word("grand_total", "archived", "active"),
        counts=Integer(),
        amounts=Array(Object(amount=DecimalText(), code=Text(), count=Integer())),
    )
