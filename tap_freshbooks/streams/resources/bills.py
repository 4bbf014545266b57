"""Accounts payable: bills, their vendors, their payments."""

from __future__ import annotations

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
    ObjectOrName,
    PlainDate,
    Text,
    UtcTime,
    Word,
)
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources.common_fields import ATTACHMENT, PAYMENT_TYPES, fell_due

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.records import Row

PAYMENT = Object(
    id=Integer(),
    billid=Integer(),
    amount=Money(),
    paid_date=PlainDate(),
    payment_type=Word(*PAYMENT_TYPES),
    note=Text(),
    matched_with_expense=Boolean(),
    vis_state=Integer(),
)

BALANCE = Array(Object(amount=Money()))

VENDOR = Object(
    vendorid=Integer(),
    vendor_name=Text(),
    account_number=Text(),
    primary_contact_first_name=Text(),
    primary_contact_last_name=Text(),
    primary_contact_email=Text(),
    phone=Text(),
    website=Text(),
    street=Text(),
    street2=Text(),
    city=Text(),
    province=Text(),
    postal_code=Text(),
    country=Text(),
    currency_code=Text(),
    language=Text(),
    is_1099=Boolean(),
    note=Text(),
    outstanding_balance=BALANCE,
    overdue_balance=BALANCE,
    tax_defaults=Array(
        Object(
            taxid=Integer(),
            tax_id=Integer(),
            vendorid=Integer(),
            system_taxid=Integer(),
            enabled=Boolean(),
            name=Text(),
            amount=DecimalText(),
            tax_authorityid=Text(),
            created_at=UtcTime(),
            updated_at=UtcTime(),
        )
    ),
    # UTC, although written like the Eastern timestamps of its family
    # (`docs/freshbooks-api/accounting.md §7`).
    created_at=UtcTime(),
    updated_at=UtcTime(),
    vis_state=Integer(),
)

LINE = Object(
    id=Integer(),
    list_index=Integer(),
    categoryid=Integer(),
    category=ObjectOrName(
        "category",
        id=Integer(),
        categoryid=Integer(),
        category=Text(),
        parentid=Integer(),
        is_cogs=Boolean(),
        is_editable=Boolean(),
        created_at=EasternTime(),
        updated_at=EasternTime(),
        vis_state=Integer(),
    ),
    description=Text(),
    quantity=DecimalText(),
    unit_cost=Money(),
    amount=Money(),
    total_amount=Money(),
    tax_name1=Text(),
    tax_percent1=DecimalText(),
    tax_amount1=Money(),
    tax_authorityid1=Text(),
    tax_name2=Text(),
    tax_percent2=DecimalText(),
    tax_amount2=Money(),
    tax_authorityid2=Text(),
)


class Bills(AccountingStream):
    """Bills with their lines and payments. Needs the Accounts Payable feature."""

    name = "bills"
    resource = "bills/bills"
    list_key = "bills"
    oauth_scope = "user:bills:read"
    plan_features = ("accounts_payable.access",)
    webhook_noun = "bill"
    timestamp_field = "updated_at"
    replication = Replication.CLIENT_FILTER
    includes = ("vendor",)
    fields = Object(
        id=Integer(),
        vendorid=Integer(),
        bill_number=Text(),
        status=Word("unpaid", "overdue", "partial", "paid"),
        issue_date=PlainDate(),
        due_date=PlainDate(),
        due_offset_days=Integer(),
        currency_code=Text(),
        language=Text(),
        amount=Money(),
        tax_amount=Money(),
        total_amount=Money(),
        paid=Money(),
        outstanding=Money(),
        overall_category=Text(),
        overall_description=Text(),
        attachment=ATTACHMENT,
        lines=Array(LINE),
        bill_payments=Array(PAYMENT),
        vendor=VENDOR,
        created_at=UtcTime(),
        updated_at=UtcTime(),
        vis_state=Integer(),
    )

    @override
    def changed_without_timestamp(self, record: Row, since: datetime) -> bool:
        return record.get("status") == "overdue" and fell_due(record, since)

    @override
    def as_list_row(self, row: Row) -> Row:
        vendor = row.get("vendor")  # captures have the id in the include only
        known = vendor.get("vendorid") if isinstance(vendor, dict) else None
        return {**row, "vendorid": row.get("vendorid") or known}

    @override
    def to_record(self, row: Row, context: Context, read_at: datetime) -> Row:
        record = super().to_record(self.as_list_row(row), context, read_at)
        for line in record.get("lines") or []:
            if line and line.get("categoryid") is None:
                line["categoryid"] = (line.get("category") or {}).get("categoryid")
        return record


class BillLines(LineItems):
    """Lines of bills."""

    name = "bill_lines"
    source = Bills
    document = "billid"
    number = "line_number"
    line = LINE


class BillVendors(AccountingStream):
    """Vendors of bills."""

    name = "bill_vendors"
    resource = "bill_vendors/bill_vendors"
    list_key = "bill_vendors"
    key = ("vendorid",)
    oauth_scope = "user:bill_vendors:read"
    plan_features = ("accounts_payable.access",)
    webhook_noun = "bill_vendor"
    affected_by = {"bills": "vendorid"}  # noqa: RUF012 - their balances
    timestamp_field = "updated_at"
    replication = Replication.CLIENT_FILTER
    fields = VENDOR


class BillPayments(AccountingStream):
    """Payments of bills. They carry no timestamp."""

    name = "bill_payments"
    resource = "bill_payments/bill_payments"
    list_key = "bill_payments"
    oauth_scope = "user:bill_payments:read"
    plan_features = ("accounts_payable.access",)
    replication = Replication.FULL_TABLE
    timestamp_field = None
    fields = PAYMENT
