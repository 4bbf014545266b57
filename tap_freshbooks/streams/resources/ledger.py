"""The general ledger: accounts, entries, and the lists of the older accounting service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.schema.fields import (
    Array,
    Boolean,
    DecimalText,
    EasternTime,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
    UtcTime,
    Word,
)
from tap_freshbooks.streams.constant_list import ConstantList
from tap_freshbooks.streams.families import AccountingStream, LedgerStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.replication import Replication

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.extraction.list_endpoint import Query


ACCOUNT_TYPES = ("asset", "liability", "equity", "income", "expense")

BEGINNING = "2000-01-01"
"""Before the first day of any FreshBooks account."""


class LedgerAccounts(HardDeleteStream, LedgerStream):
    """The chart of accounts; parents and their sub-accounts are rows of the same list."""

    name = "ledger_accounts"
    resource = "ledger_accounts/accounts"
    # The first was demanded, the second is documented (`docs/freshbooks-api/auth.md §8`).
    oauth_scope = "user:account:read user:journal_entries:read"
    timestamp_field = "updated_at"
    replication = Replication.CLIENT_FILTER
    fields = Object(
        uuid=Text(),
        name=Text(),
        number=Text(),
        description=Text(),
        type=Word(*ACCOUNT_TYPES),
        sub_type=Text(),
        system_account_name=Text(),
        parent_account=Text(),
        sub_accounts=Array(Text()),
        auto_created=Boolean(),
        state=Text(),
        updated_at=UtcTime(),
        category_id=Integer(),
        jea_id=Integer(),
        jesa_id=Integer(),
    )


class LedgerAccountTypes(ConstantList):
    """The types of ledger accounts.

    Not selected by default: target-duckdb cannot load a table of nothing but keys twice.
    """

    name = "ledger_account_types"
    path = "/accounting/ledger_accounts/types"
    key = ("name",)
    selected_by_default = False
    fields = Object(name=Word(*ACCOUNT_TYPES))


class LedgerAccountSubTypes(ConstantList):
    """The sub-types of ledger accounts, with the numbers that they begin at."""

    name = "ledger_account_sub_types"
    path = "/accounting/ledger_accounts/sub_types"
    fields = Object(id=Integer(), type=Text(), name=Text(), base_number=Text())


CHART_ACCOUNT = Object(
    account_uuid=Text(),
    parent_account_uuid=Text(),
    account_name=Text(),
    account_number=Text(),
    account_type=Text(),
    account_sub_type=Text(),
    system_account_name=Text(),
    auto_created=Boolean(),
    state=Text(),
    balance=DecimalText(),
    currency_code=Text(),
)


class ChartOfAccounts(HardDeleteStream, LedgerStream):
    """The chart of accounts as a report, with balances."""

    name = "chart_of_accounts"
    resource = "reports/chart_of_accounts"
    records = ("response", "result", "journal_entry_accounts")
    key = ("account_uuid",)
    oauth_scope = "user:reports:read user:account:read"
    selected_by_default = False
    fields = CHART_ACCOUNT | Object(sub_accounts=Array(CHART_ACCOUNT))

    @override
    def list_queries(self, since: datetime | None) -> Iterator[Query]:
        # Like every report it covers today only, unless a period is named.
        period = {"start_date": BEGINNING, "end_date": datetime.now(UTC).date().isoformat()}
        yield {"use_ledger_entries": "true", **period}


class ChartOfSubAccounts(LineItems):
    """Sub-accounts of the chart of accounts, with balances."""

    name = "chart_of_sub_accounts"
    source = ChartOfAccounts
    list_field = "sub_accounts"
    document = "account_uuid"
    number = "sub_account_number"
    line = CHART_ACCOUNT
    selected_by_default = False


JOURNAL_DETAIL = Object(
    accountId=Text(),
    type=Word("TYPE_CREDIT", "TYPE_DEBIT"),
    amount=Money(),  # a float here, unlike everywhere else; read exactly all the same
)


class JournalEntries(HardDeleteStream, LedgerStream):
    """Manual journal entries of the new service, with their lines."""

    name = "journal_entries"
    resource = "journal_entries"
    records = ("manualJournalEntries|data|journalEntries|",)
    unconfirmed = (
        "no answer was ever published: where the rows stand in it, and the key id, are a guess."
    )
    key = ("id",)
    oauth_scope = "user:journal_entries:read"
    plan_features = ("manual_journal_entries_feature.access", "advanced_accounting.access")
    headers = {"x-api-version": "2023-09-25"}  # noqa: RUF012
    page_parameters = ("page_number", "page_size")
    page_metadata_known = False
    fields = Object(
        id=Text(),
        name=Text(),
        journalEntryNumber=Text(),
        description=Text(),
        reverseDepth=Integer(),
        userEnteredDate=Object(year=Integer(), month=Integer(), day=Integer()),
        details=Array(JOURNAL_DETAIL),
    )


class JournalEntryLines(LineItems):
    """Debits and credits of manual journal entries."""

    name = "journal_entry_lines"
    source = JournalEntries
    list_field = "details"
    document = "journal_entry_id"
    number = "line_number"
    line = JOURNAL_DETAIL


SUB_ACCOUNT = Object(
    id=Integer(),
    sub_accountid=Integer(),
    parentid=Integer(),
    account_sub_name=Text(),
    account_sub_number=Text(),
    account_type=Text(),
    balance=DecimalText(),
    currency_code=Text(),
    custom=Boolean(),
    transaction_posted=Boolean(),
    created_at=EasternTime(),
)


class JournalEntryAccounts(HardDeleteStream, AccountingStream):
    """The chart of accounts of the older service. Its balances are stale: do not rely on them."""

    name = "journal_entry_accounts"
    resource = "journal_entry_accounts/journal_entry_accounts"
    list_key = "journal_entry_accounts"
    paged = False  # all rows at once, whatever is asked for
    oauth_scope = "user:journal_entries:read"
    replication = Replication.FULL_TABLE
    timestamp_field = None
    marks_deletions = False
    fields = Object(
        id=Integer(),
        accountid=Integer(),
        account_name=Text(),
        account_number=Text(),
        account_type=Word(*ACCOUNT_TYPES),
        balance=DecimalText(),
        currency_code=Text(),
        created_at=EasternTime(),
        sub_accounts=Array(SUB_ACCOUNT),
    )


class JournalEntrySubAccounts(LineItems):
    """Sub-accounts of the chart of accounts of the older service."""

    name = "journal_entry_sub_accounts"
    source = JournalEntryAccounts
    list_field = "sub_accounts"
    document = "accountid"
    number = "sub_account_position"
    line = SUB_ACCOUNT


class JournalEntryDetails(HardDeleteStream, AccountingStream):
    """The lines of the general ledger."""

    name = "journal_entry_details"
    resource = "journal_entries/journal_entry_details"
    list_key = "journal_entry_details"
    oauth_scope = "user:journal_entries:read"
    replication = Replication.FULL_TABLE
    timestamp_field = None
    marks_deletions = False
    fields = Object(
        id=Integer(),
        detailid=Integer(),
        accounting_systemid=Text(),
        name=Text(),
        description=Text(),
        detail_type=Word("expense", "tax", "adjustment", "total"),
        user_entered_date=PlainDate(),
        debit=Money(),
        credit=Money(),
        balance=Money(),
        account=Object(
            id=Integer(),
            accountid=Integer(),
            accounting_systemid=Text(),
            account_name=Text(),
            account_number=Text(),
            account_type=Text(),
        ),
        sub_account=Object(
            id=Integer(),
            sub_accountid=Integer(),
            parentid=Integer(),
            accounting_systemid=Text(),
            account_sub_name=Text(),
            account_sub_number=Text(),
        ),
        entry=Object(
            id=Integer(),
            entryid=Integer(),
            accounting_systemid=Text(),
            clientid=Integer(),
            invoiceid=Integer(),
            paymentid=Integer(),
            expenseid=Integer(),
            creditid=Integer(),
            incomeid=Integer(),
            categoryid=Integer(),
            billid=Integer(),
            bill_paymentid=Integer(),
        ),
    )
