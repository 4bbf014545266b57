"""What a business sells: invoices, estimates, payments, items, taxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.fields import (
    Anything,
    Array,
    Boolean,
    DecimalText,
    EasternTime,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
)
from tap_freshbooks.streams.base import Replication, Row
from tap_freshbooks.streams.derived import Lines
from tap_freshbooks.streams.documents import (
    ADDRESSEE,
    ALLOWED_GATEWAYS,
    ATTACHMENT,
    CONTACTS,
    LATE_FEE,
    LATE_REMINDERS,
    LINE,
    OWNER,
    PRESENTATION,
    fell_due,
)
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.vanishing import Vanishing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_freshbooks.streams.lists import Query


class Invoices(AccountingStream):
    """Invoices with their lines."""

    name = "invoices"
    resource = "invoices/invoices"
    list_key = "invoices"
    oauth_scope = "user:invoices:read"
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
    )
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
        display_status=Text(),
        v3_status=Text(),
        payment_status=Text(),
        autobill_status=Text(),
        dispute_status=Text(),
        last_order_status=Text(),
        deposit_status=Text(),
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
        discount=Object(amount=Money(), rate=DecimalText(), type=Text()),
        deposit_amount=Money(),
        deposit_percentage=DecimalText(),
        description=Text(),
        notes=Text(),
        terms=Text(),
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
        direct_links=Anything(),
    )

    @override
    def passes(self, since: datetime | None) -> Iterator[Query]:
        yield from super().passes(since)
        if since is not None:
            yield {"search[v3_status]": "overdue"}

    @override
    def moved_silently(self, record: Row, since: datetime) -> bool:
        # Computed when it is read: the stamp stays (`accounting.md §5`).
        return record.get("v3_status") == "overdue" and fell_due(record, since)


class InvoiceLines(Lines):
    """Lines of invoices."""

    name = "invoice_lines"
    source = Invoices
    document = "invoiceid"
    number = "lineid"
    line = LINE


class Estimates(AccountingStream):
    """Estimates and proposals with their lines."""

    name = "estimates"
    resource = "estimates/estimates"
    list_key = "estimates"
    oauth_scope = "user:estimates:read"
    includes = ("lines", "presentation", "owner", "contacts", "attachments", "sections")
    fields = ADDRESSEE | Object(
        id=Integer(),
        estimateid=Integer(),
        uuid=Text(),
        accounting_systemid=Text(),
        estimate_number=Text(),
        customerid=Integer(),
        ownerid=Integer(),
        sentid=Integer(),
        status=Integer(),
        display_status=Text(),
        ui_status=Text(),
        reply_status=Text(),
        accepted=Boolean(),
        invoiced=Boolean(),
        modern_projectid=Integer(),
        create_date=PlainDate(),
        created_at=EasternTime(),
        updated=EasternTime(),
        version=EasternTime(),
        currency_code=Text(),
        language=Text(),
        amount=Money(),
        discount_value=DecimalText(),
        discount_total=Money(),
        description=Text(),
        notes=Text(),
        terms=Text(),
        po_number=Text(),
        template=Text(),
        rich_proposal=Boolean(),
        require_client_signature=Boolean(),
        ext_archive=Integer(),
        vis_state=Integer(),
        lines=Array(Object(estimateid=Integer()) | LINE),
        presentation=PRESENTATION,
        owner=OWNER,
        contacts=CONTACTS,
        attachments=Array(ATTACHMENT),
        sections=Array(Object(type=Text(), group_name=Text(), title=Text(), body=Text())),
    )


class EstimateLines(Lines):
    """Lines of estimates."""

    name = "estimate_lines"
    source = Estimates
    document = "estimateid"
    number = "lineid"
    line = LINE


class Payments(AccountingStream):
    """Payments of invoices. Client and invoice are joined by id, not included once more."""

    name = "payments"
    resource = "payments/payments"
    list_key = "payments"
    oauth_scope = "user:payments:read"
    includes = ("order",)
    fields = Object(
        id=Integer(),
        logid=Integer(),
        accounting_systemid=Text(),
        invoiceid=Integer(),
        creditid=Integer(),
        clientid=Integer(),
        amount=Money(),
        date=PlainDate(),
        type=Text(),
        note=Text(),
        gateway=Text(),
        orderid=Integer(),
        overpaymentid=Integer(),
        transactionid=Text(),  # may be text for some gateways
        transaction_uuid=Text(),
        from_credit=Boolean(),
        bulk_paymentid=Integer(),
        send_client_notification=Boolean(),
        updated=EasternTime(),
        vis_state=Integer(),
        order=Anything(),
    )


class Items(AccountingStream):
    """Items that can be put on invoices.

    Its update filter is unproven: a server that ignores it sends every item, which is right too.
    """

    name = "items"
    resource = "items/items"
    list_key = "items"
    oauth_scope = "user:billable_items:read"
    fields = Object(
        id=Integer(),
        itemid=Integer(),
        accounting_systemid=Text(),
        name=Text(),
        description=Text(),
        qty=DecimalText(),
        sku=Text(),
        inventory=DecimalText(),
        unit_cost=Money(),
        tax1=Integer(),
        tax2=Integer(),
        updated=EasternTime(),
        vis_state=Integer(),
    )


class Taxes(Vanishing, AccountingStream):
    """Taxes. They have no vis_state: a deleted one is gone without a trace."""

    name = "taxes"
    resource = "taxes/taxes"
    list_key = "taxes"
    oauth_scope = "user:taxes:read"
    replication = Replication.COMPARED
    shows_deletions = False
    fields = Object(
        id=Integer(),
        taxid=Integer(),
        accounting_systemid=Text(),
        name=Text(),
        amount=DecimalText(),  # a percent
        number=Text(),
        compound=Boolean(),
        updated=EasternTime(),
    )
