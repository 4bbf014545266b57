"""Invoice details, item sales, payments collected, revenue by client and accounts aging."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_freshbooks.schema.fields import (
    AnyJson,
    Array,
    Boolean,
    DecimalText,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
    Word,
)
from tap_freshbooks.streams.report_answer import ECHO, beside, parts_of
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.report_sums import Sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_freshbooks.records import Row

CLIENT = Object(userid=Integer(), organization=Text(), fname=Text(), lname=Text(), email=Text())
CLIENT_NAMES = {name: name for name in CLIENT.fields}
SUMMARY = Object(outstanding=Money(), paid=Money(), total=Money())


class InvoiceDetails(Report):
    """Invoices issued."""

    name = "report_invoice_details"
    report = "invoice_details"
    lists = ("clients",)
    totals = ("summary",)
    columns_of_totals: ClassVar = {f"summary.{name}": name for name in SUMMARY.fields}
    parts = ECHO | Object(
        date_type=Word("issue", "paid"),
        clientids=Array(Integer()),
        statusids=Array(Text()),
        summary_only=Boolean(),
        summary=SUMMARY,
    )

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        for client in parts_of(report, "clients"):
            outer = beside(client, "client", ("invoices",), **CLIENT_NAMES)
            invoices = list(parts_of(client, "invoices"))
            for invoice in invoices:
                yield {**outer, **invoice}
            if not invoices:
                summary = client.get("summary")
                yield {**(summary if isinstance(summary, dict) else {}), **outer}


# Only the names of these were captured, so each type is one that takes all likely kinds of values
# (`docs/freshbooks-api/accounting.md §13`).
TAX = Object(tax_name=Text(), tax_number=Text(), tax_rate=Text(), tax_total=Money())
LINE = Object(
    lineid=Integer(),
    taskno=Text(),
    name=Text(),
    description=Text(),
    qty=DecimalText(),
    rate=Money(),
    amount=Money(),
    total=Money(),
    tax_name1=Text(),
    tax_name2=Text(),
    tax_amount1=Money(),
    tax_amount2=Money(),
)


class InvoiceDetailsRows(ReportRows):
    """One row per invoice, beside its client and the client's sums; they add up to the summary.

    One per client, where it has no invoices.
    """

    source = InvoiceDetails
    row = CLIENT | Object(
        client_summary=SUMMARY,
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
        tax_summaries=Array(TAX),
        lines=Array(LINE),
    )


class ItemSales(Report):
    """Sales by item."""

    name = "report_item_sales"
    report = "item_sales"
    lists = ("items",)
    columns_of_totals: ClassVar = {"total": "amount", "total_discount": "discount"}
    parts = ECHO | Object(
        clientids=Array(Integer()),
        item_names=Array(Text()),
        total=Money(),
        total_qty=DecimalText(),
        total_discount=Money(),
    )

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        for item in parts_of(report, "items"):
            outer = beside(item, "item", ("invoices",), **ITEM_NAMES)
            invoices = list(parts_of(item, "invoices"))
            for invoice in invoices:
                yield {**outer, **invoice}
            if not invoices:
                amounts = {"qty": "total_qty", "discount": "total_discount", "amount": "total"}
                yield {**outer, **{name: item.get(total) for name, total in amounts.items()}}


ITEM = Object(name=Text(), total=Money(), total_discount=Money(), total_qty=DecimalText())
ITEM_NAMES = {name: name for name in ITEM.fields}


class ItemSalesRows(ReportRows):
    """One row per item and invoice, beside the item's totals; `amount` adds up to the `total`.

    So do `discount` and `qty`. One row per item, where it has no invoices.
    """

    source = ItemSales
    row = ITEM | Object(
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


class PaymentsCollected(Report):
    """Payments that came in."""

    name = "report_payments_collected"
    report = "payments_collected"
    currency_parameter = "currency_codes[]"  # the singular form is ignored here
    lists = ("payments",)
    totals = ("totals",)
    parts = ECHO | Object(
        clientids=Array(Integer()),
        currency_codes=Array(Text()),
        payment_methods=Array(Text()),
        summary_only=Boolean(),
        totals=Array(Money()),
    )

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterable[Row]:
        return parts_of(report, "payments")

    @classmethod
    @override
    def sums(cls, report: Row, rows: Sequence[Row]) -> Iterator[Sum]:
        for total in parts_of(report, "totals"):
            code = total.get("code")
            amounts = [row.get("amount") for row in rows]
            yield Sum(
                "totals",
                total,
                [each for each in amounts if isinstance(each, dict) and each.get("code") == code],
            )


class PaymentsCollectedRows(ReportRows):
    """One row per payment, without its id; they add up to the totals by currency."""

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


class RevenueByClient(Report):
    """Revenue by client, as collected."""

    name = "report_revenue_by_client"
    report = "revenue_by_client"
    query = {"sales_type": "collected"}  # noqa: RUF012 - required, else 422
    lists = ("clients",)
    totals = ("total_sales",)
    parts = ECHO | Object(
        clientids=Array(Integer()),
        labels=Array(Text()),
        sales_type=Text(),
        summary_only=Boolean(),
        total_sales=Money(),
        total_sales_data=Array(Money()),
    )

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        return ({"client": client} for client in parts_of(report, "clients"))


class RevenueByClientRows(ReportRows):
    """One row per client, kept whole."""

    unconfirmed = "no filled list of clients was ever published."
    source = RevenueByClient
    row = Object(client=AnyJson())


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
    lists = ("accounts",)
    totals = ("totals",)
    columns_of_totals: ClassVar = {f"totals.{name}": name for name in AGES.values()}
    parts = ECHO | Object(totals=AGED)

    @classmethod
    @override
    def whole(cls, report: Row) -> Row:
        return {**report, "totals": _aged(report["totals"])}

    @classmethod
    @override
    def rows(cls, report: Row) -> Iterator[Row]:
        return (_aged(account) for account in parts_of(report, "accounts"))


def _aged(amounts: Row) -> Row:
    return {AGES.get(name, name): value for name, value in amounts.items()}


class AccountsAgingRows(ReportRows):
    """One row per client; they add up to the totals."""

    source = AccountsAging
    row = CLIENT | AGED
