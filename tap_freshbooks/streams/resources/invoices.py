"""Invoices, recurring invoice profiles, and the style of the next invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

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
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources.common_fields import (
    ADDRESSEE,
    ALLOWED_GATEWAYS,
    ATTACHMENT,
    CONTACTS,
    FREQUENCIES,
    LATE_FEE,
    LATE_REMINDERS,
    LINE,
    OWNER,
    PRESENTATION,
    fell_due,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.records import Row


OVERDUE = {"search[v3_status]": "overdue"}
"""An invoice becomes overdue without a new timestamp (`docs/freshbooks-api/accounting.md §5`)."""


class Invoices(AccountingStream):
    """Invoices with their lines."""

    name = "invoices"
    resource = "invoices/invoices"
    list_key = "invoices"
    oauth_scope = "user:invoices:read"
    webhook_noun = "invoice"
    affected_by = {"payments": "invoiceid"}  # noqa: RUF012
    # Not `system`: the account's own data, the same in every row.
    includes = (
        "lines",
        "presentation",
        "allowed_gateways",
        "contacts",
        "owner",
        "late_fee",
        "late_reminders",
        "direct_links",
        "attachments",
        "payment_schedule",
    )
    newest_first = True
    fields = ADDRESSEE | Object(
        id=Integer(),
        invoiceid=Integer(),
        uuid=Text(),
        accountid=Text(),
        accounting_systemid=Text(),
        invoice_number=Text(),
        series=Text(),
        customerid=Integer(),
        ownerid=Integer(),
        sentid=Integer(),
        estimateid=Integer(),
        parent=Integer(),
        basecampid=Integer(),
        status=Integer(),
        display_status=Word("draft", "created", "sent", "viewed", "outstanding"),
        v3_status=Word(
            "created",
            "draft",
            "sent",
            "viewed",
            "failed",
            "retry",
            "success",
            "autopaid",
            "paid",
            "partial",
            "disputed",
            "resolved",
            "overdue",
            "declined",
            "pending",
            "deposit-partial",
            "deposit-paid",
        ),
        payment_status=Word("unpaid", "partial", "paid", "auto-paid"),
        autobill_status=Word("retry", "failed", "success"),
        dispute_status=Text(),
        last_order_status=Word("pending", "declined", "success"),
        deposit_status=Word("paid", "unpaid", "partial", "none", "converted"),
        create_date=PlainDate(),
        due_date=PlainDate(),
        due_offset_days=Integer(),
        date_paid=PlainDate(),
        fulfillment_date=PlainDate(),
        generation_date=PlainDate(),
        created_at=EasternTime(),
        updated=EasternTime(),
        version=EasternTime(),
        currency_code=Text(),
        language=Text(),
        amount=Money(),
        paid=Money(),
        outstanding=Money(),
        net_paid_amount=Money(),
        discount_value=DecimalText(),
        discount_total=Money(),
        discount_description=Text(),
        discount=Object(amount=Money(), rate=DecimalText(), type=Word("percent", "amount")),
        deposit_amount=Money(),
        deposit_percentage=DecimalText(),
        description=Text(),
        notes=Text(),
        terms=Text(),
        use_default_presentation=Boolean(),
        po_number=Text(),
        payment_details=Text(),
        email=Text(),
        sender_address=Object(
            street=Text(),
            street2=Text(),
            city=Text(),
            province=Text(),
            code=Text(),
            country=Text(),
        ),
        template=Text(),
        return_uri=Text(),
        show_attachments=Boolean(),
        attach_pdf_to_email=Boolean(),
        lock_status=Text(),
        auto_bill=Boolean(),
        gmail=Boolean(),
        ext_archive=Integer(),
        vis_state=Integer(),
        lines=Array(Object(invoiceid=Integer()) | LINE),
        presentation=PRESENTATION,
        owner=OWNER,
        allowed_gateways=ALLOWED_GATEWAYS,
        attachments=Array(ATTACHMENT),
        contacts=CONTACTS,
        late_fee=LATE_FEE,
        late_reminders=LATE_REMINDERS,
        payment_schedule=AnyJson("object", "array"),  # seen by name only
        direct_links=AnyJson(),
    )

    @override
    def list_queries(self, since: datetime | None) -> Iterator[Query]:
        yield from super().list_queries(since)
        if since is not None:
            yield OVERDUE

    @override
    def changed_without_timestamp(self, record: Row, since: datetime) -> bool:
        # Computed when it is read: the timestamp stays (`docs/freshbooks-api/accounting.md §5`).
        return record.get("v3_status") == "overdue" and fell_due(record, since)


class InvoiceLines(LineItems):
    """Lines of invoices."""

    name = "invoice_lines"
    source = Invoices
    document = "invoiceid"
    number = "lineid"
    line = LINE


class InvoiceProfiles(AccountingStream):
    """Recurring invoices, with their lines. A rename of the client moves them."""

    name = "invoice_profiles"
    resource = "invoice_profiles/invoice_profiles"
    list_key = "invoice_profiles"
    oauth_scope = "user:invoices:read"
    webhook_noun = "recurring"
    object_key = "invoice_profile"
    replication = Replication.CLIENT_FILTER
    newest_first = True
    includes = (
        "lines",
        "late_fee",
        "late_reminders",
        "allowed_gateways",
        "contacts",
        "presentation",
        "next_issue_date",
        "project_format",
        "total_accrued_revenue",
    )
    fields = ADDRESSEE | Object(
        id=Integer(),
        profileid=Integer(),
        accounting_systemid=Text(),
        customerid=Integer(),
        ownerid=Integer(),
        frequency=Word(*FREQUENCIES),
        numberRecurring=Integer(),
        occurrences_to_date=Integer(),
        disable=Boolean(),
        create_date=PlainDate(),
        due_offset_days=Integer(),
        currency_code=Text(),
        language=Text(),
        amount=Money(),
        discount_value=DecimalText(),
        discount_total=Money(),
        auto_bill=Boolean(),
        require_auto_bill=Boolean(),
        bill_gateway=Text(),
        send_email=Boolean(),
        send_gmail=Boolean(),
        include_unbilled_time=Boolean(),
        retainer_id=Integer(),
        total_accrued_revenue=Money(),
        description=Text(),
        notes=Text(),
        terms=Text(),
        po_number=Text(),
        payment_details=Text(),
        template=Text(),
        updated=EasternTime(),
        ext_archive=Integer(),
        vis_state=Integer(),
        lines=Array(Object(profileid=Integer()) | LINE),
        presentation=PRESENTATION,
        allowed_gateways=ALLOWED_GATEWAYS,
        contacts=CONTACTS,
        late_fee=LATE_FEE,
        late_reminders=LATE_REMINDERS,
        project_format=Object(
            group_by=Text(),
            method=Text(),
            show_tname=Boolean(),
            show_pname=Boolean(),
            show_staff=Boolean(),
            show_date=Boolean(),
            show_notes=Boolean(),
            show_total_hours=Boolean(),
        ),
        next_issue_date=PlainDate(),
    )


class InvoiceProfileLines(LineItems):
    """Lines of recurring invoices."""

    name = "invoice_profile_lines"
    source = InvoiceProfiles
    document = "profileid"
    number = "lineid"
    line = LINE


class InvoicePresentation(AccountingStream):
    """The style that the next invoice will have: one record per account."""

    name = "invoice_presentation"
    resource = "invoices/presentations"
    list_key = "presentation"
    paged = False
    key = ()
    oauth_scope = "user:invoices:read"
    replication = Replication.FULL_TABLE
    timestamp_field = None
    marks_deletions = False
    fields = Object(id=Integer()) | PRESENTATION
