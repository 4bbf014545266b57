"""Each report, and the table of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.schema.fields import (
    AnyJson,
    Array,
    Boolean,
    DecimalText,
    Excluded,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
)
from tap_freshbooks.streams.report_stream import COMPANY, DATED, RAW, Report, ReportRows, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.records import Row


TOTAL = Object(
    description=Text(),
    entry_type=Text(),
    total=Money(),
    data=Excluded(),  # the same per column; a report has one
    children=Excluded(),
)


class ProfitLoss(Report):
    """Profit and loss, accrual basis."""

    name = "report_profit_loss"
    report = "profitloss_entity"
    list_key = "profitloss|profit_and_loss"
    parts = COMPANY | Object(
        total_income=TOTAL,
        total_expenses=TOTAL,
        gross_margin=TOTAL,  # a percent, with the code %
        net_profit=TOTAL,
    )


class ProfitLossRows(ReportRows):
    """Lines of profit and loss: each with its depth and the line above it."""

    source = ProfitLoss
    row = Object(
        section=Text(),
        depth=Integer(),
        parent=Text(),
        description=Text(),
        entry_type=Text(),
        total=Money(),
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        for section in ("income", "expenses"):
            yield from _nested(parts_of(report, section), section, 0, None)


def _nested(lines: Iterable[Row], section: str, depth: int, parent: Any) -> Iterator[Row]:
    for line in lines:
        yield {
            "section": section,
            "depth": depth,
            "parent": parent,
            "description": line.get("description"),
            "entry_type": line.get("entry_type"),
            "total": line.get("total"),
        }
        yield from _nested(parts_of(line, "children"), section, depth + 1, line.get("description"))


class BalanceSheet(Report):
    """Balance sheet as of the last day of the period."""

    name = "report_balance_sheet"
    report = "balance_sheet"
    query_of_period = ("dates[]",)  # start_date and end_date are ignored here
    parts = COMPANY | Object(assets_total=DATED, liabilities_and_equity_total=DATED)


class BalanceSheetRows(ReportRows):
    """Accounts and sub-accounts of the balance sheet."""

    source = BalanceSheet
    row = Object(
        account_type=Text(),
        category=Text(),
        account_name=Text(),
        account_number=Text(),
        sub_account_name=Text(),
        sub_account_number=Text(),
        balance=Money(),
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        for group in parts_of(report, "data"):
            kind = {"account_type": group.get("account_type"), "category": group.get("category")}
            for account in parts_of(group, "accounts"):
                names = {**kind, **_only(account, "account_name", "account_number")}
                yield {**names, "balance": _balance(account)}
                for sub in parts_of(account, "sub_accounts"):
                    sub_names = _only(sub, "sub_account_name", "sub_account_number")
                    yield {**names, **sub_names, "balance": _balance(sub)}


def _only(row: Row, *names: str) -> Row:
    return {name: row.get(name) for name in names}


def _balance(row: Row) -> Any:
    return next((each.get("balance") for each in parts_of(row, "balances")), None)


class TrialBalance(Report):
    """Trial balance."""

    name = "report_trial_balance"
    report = "trial_balance"
    parts = COMPANY


class TrialBalanceRows(ReportRows):
    """Accounts of the trial balance, without its closing row of totals."""

    source = TrialBalance
    row = Object(
        account_name=Text(),
        account_number=Text(),
        account_sub_name=Text(),
        account_sub_number=Text(),
        sub_accountid=Integer(),
        debit=Money(),
        credit=Money(),
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        return (row for row in parts_of(report, "data") if row.get("sub_accountid") is not None)


class TaxSummary(Report):
    """Taxes collected and paid."""

    name = "report_tax_summary"
    report = "taxsummary"
    parts = COMPANY | Object(total_invoiced=Money())


class TaxSummaryRows(ReportRows):
    """One row per tax."""

    source = TaxSummary
    row = Object(
        tax_name=Text(),
        tax_collected=Money(),
        taxable_amount_collected=Money(),
        tax_paid=Money(),
        taxable_amount_paid=Money(),
        net_tax=Money(),
        net_taxable_amount=Money(),
    )

    @override
    def rows(self, report: Row) -> Iterable[Row]:
        return parts_of(report, "taxes")


AGES = {
    "0-30": "days_0_30",
    "31-60": "days_31_60",
    "61-90": "days_61_90",
    "91+": "days_91_and_more",
    "total": "total",
}
"""Names that begin with a digit are none for a column."""

AGED = Object(**{name: Money() for name in AGES.values()})


class AccountsAging(Report):
    """What clients owe, by age, as of the last day of the period."""

    name = "report_accounts_aging"
    report = "accounts_aging"
    query_of_period = ("end_date",)  # start_date is ignored here
    parts = COMPANY | Object(totals=AGED)

    @override
    def to_record(self, row: Row, context: Context, read_at: datetime) -> Row:
        totals = {AGES.get(name, name): value for name, value in row[RAW]["totals"].items()}
        raw = {**row[RAW], "totals": totals}
        return super().to_record({**row, RAW: raw}, context, read_at)


class AccountsAgingRows(ReportRows):
    """One row per client."""

    source = AccountsAging
    row = (
        Object(userid=Integer(), organization=Text(), fname=Text(), lname=Text(), email=Text())
        | AGED
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        for account in parts_of(report, "accounts"):
            yield {AGES.get(name, name): value for name, value in account.items()}


class PaymentsCollected(Report):
    """Payments that came in."""

    name = "report_payments_collected"
    report = "payments_collected"
    currency_parameter = "currency_codes[]"  # the singular form is ignored here
    parts = COMPANY | Object(totals=Array(Money()))


class PaymentsCollectedRows(ReportRows):
    """One row per payment; the report does not name their ids."""

    source = PaymentsCollected
    row = Object(
        amount=Money(),
        client=Text(),
        clientid=Integer(),
        date=PlainDate(),
        description=Text(),
        from_credit=Boolean(),
        invoiceid=Integer(),
        invoice_number=Text(),
        creditid=Integer(),
        credit_number=Text(),
        method=Text(),
    )

    @override
    def rows(self, report: Row) -> Iterable[Row]:
        return parts_of(report, "payments")


class RevenueByClient(Report):
    """Revenue by client, as collected."""

    name = "report_revenue_by_client"
    report = "revenue_by_client"
    query = {"sales_type": "collected"}  # noqa: RUF012 - required, else 422
    parts = COMPANY | Object(total_sales=Money(), total_sales_data=Array(Money()))


class RevenueByClientRows(ReportRows):
    """One row per client, kept whole."""

    unconfirmed = "no filled list of clients was ever published."
    source = RevenueByClient
    row = Object(client=AnyJson())

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        return ({"client": client} for client in parts_of(report, "clients"))


class InvoiceDetails(Report):
    """Invoices issued."""

    name = "report_invoice_details"
    report = "invoice_details"
    parts = COMPANY | Object(
        date_type=Text(), summary=Object(outstanding=Money(), paid=Money(), total=Money())
    )


class InvoiceDetailsRows(ReportRows):
    """One row per invoice."""

    source = InvoiceDetails
    row = Object(
        invoiceid=Integer(),
        invoice_number=Text(),
        create_date=PlainDate(),
        due_offset_days=Integer(),
        currency_code=Text(),
        v3_status=Text(),
        date_paid=PlainDate(),
        po_number=Text(),
        subtotal=Money(),
        discount_total=Money(),
        tax=Money(),
        total=Money(),
        paid=Money(),
        outstanding=Money(),
        tax_summaries=AnyJson("array"),
        lines=AnyJson("array"),
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        for client in parts_of(report, "clients"):
            yield from parts_of(client, "invoices")


class ExpenseDetails(Report):
    """Expenses."""

    name = "report_expense_details"
    report = "expense_details"
    parts = COMPANY | Object(group_by=Text())


class ExpenseDetailsRows(ReportRows):
    """One row per expense."""

    source = ExpenseDetails
    row = Object(
        expenseid=Integer(),
        date=PlainDate(),
        vendor=Text(),
        vendorid=Text(),
        categoryid=Integer(),  # ids are text in this report
        clientid=Integer(),
        authorid=Integer(),
        account_name=Text(),
        notes=Text(),
        amount=Money(),
        taxAmount1=Money(),
        taxAmount2=Money(),
        is_cogs=Boolean(),
        imported_from_csv=Boolean(),
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        for group in parts_of(report, "data"):
            yield from parts_of(group, "expenses")


class ItemSales(Report):
    """Sales by item."""

    name = "report_item_sales"
    report = "item_sales"
    parts = COMPANY


class ItemSalesRows(ReportRows):
    """One row per item and invoice, beside the item's totals."""

    source = ItemSales
    row = Object(
        name=Text(),
        total=Money(),
        total_discount=Money(),
        total_qty=DecimalText(),
        invoiceid=Integer(),
        invoice_number=Text(),
        create_date=PlainDate(),
        organization=Text(),
        fname=Text(),
        lname=Text(),
        qty=DecimalText(),
        unit_cost=Money(),
        discount=Money(),
        amount=Money(),
        v3_status=Text(),
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        for item in parts_of(report, "items"):
            totals = _only(item, "name", "total", "total_discount", "total_qty")
            for invoice in parts_of(item, "invoices"):
                yield {**totals, **invoice}


class GeneralLedger(Report):
    """General ledger, in the currency of the business."""

    name = "report_general_ledger"
    report = "general_ledger"
    parts = COMPANY | Object(summary=Object(total_credit=Money(), total_debit=Money()))


class GeneralLedgerRows(ReportRows):
    """One row per transaction, with its account and sub-account."""

    source = GeneralLedger
    row = Object(
        accountid=Text(),
        account_name=Text(),
        account_number=Text(),
        sub_accountid=Text(),
        sub_account_name=Text(),
        sub_account_number=Text(),
        entity_type=Text(),
        reference=Text(),
        description=Text(),
        date=PlainDate(),
        client_name=Text(),
        clientid=Integer(),
        debit=Money(),
        credit=Money(),
        expenseid=Text(),
        invoiceid=Text(),
        paymentid=Text(),
        incomeid=Text(),
        creditid=Text(),
        billid=Text(),
        bill_paymentid=Text(),
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        for account in parts_of(report, "data"):
            outer = _only(account, "accountid", "account_name", "account_number")
            for sub in parts_of(account, "sub_accounts"):
                inner = _only(sub, "sub_accountid", "sub_account_name", "sub_account_number")
                for transaction in parts_of(sub, "transactions"):
                    yield {**transaction, **outer, **inner}


class CashFlow(Report):
    """Cash flow."""

    name = "report_cash_flow"
    report = "cash_flow"
    parts = COMPANY | Object(
        summary=Object(
            starting_balance=Money(),
            gross_cash_inflow=Money(),
            gross_cash_outflow=Money(),
            net_cash_change=Money(),
            ending_balance=Money(),
        )
    )


class CashFlowRows(ReportRows):
    """One row per activity, detail, account and sub-account."""

    source = CashFlow
    row = Object(
        category=Text(),
        detail=Text(),
        account=Text(),
        sub_account=Text(),
        categoryid=Integer(),
        sub_accountid=Text(),
        total=Money(),
    )

    @override
    def rows(self, report: Row) -> Iterator[Row]:
        for activity in parts_of(report, "activities"):
            for detail in parts_of(activity, "details"):
                for account in parts_of(detail, "accounts"):
                    for sub in parts_of(account, "sub_accounts"):
                        yield {
                            **_only(sub, "categoryid", "sub_accountid", "total"),
                            "category": activity.get("category"),
                            "detail": detail.get("name"),
                            "account": account.get("name"),
                            "sub_account": sub.get("name"),
                        }


NO_ANSWER = "no answer was ever published."


class AccountsPayableAging(Report):
    """What is owed to vendors, by age; delivered as it is."""

    name = "report_accounts_payable_aging"
    report = "accounts_payable_aging"
    unconfirmed = NO_ANSWER
    query_of_period = ("end_date",)
    parts = Object(report=AnyJson())


class BankReconciliationSummary(Report):
    """Bank reconciliation; delivered as it is."""

    name = "report_bank_reconciliation_summary"
    report = "bank_reconciliation_summary"
    unconfirmed = NO_ANSWER
    query_of_period = ("date",)
    parts = Object(report=AnyJson())
