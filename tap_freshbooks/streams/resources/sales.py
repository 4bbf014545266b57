"""Sales beside invoices: estimates, credit notes, payments, other income."""

from __future__ import annotations

from typing_extensions import override

from tap_freshbooks.records import DELETED_AT, Row
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
    ATTACHMENT,
    CONTACTS,
    LINE,
    OWNER,
    PAYMENT_TYPES,
    PRESENTATION,
)


class Estimates(AccountingStream):
    """Estimates and proposals with their lines."""

    name = "estimates"
    resource = "estimates/estimates"
    list_key = "estimates"
    oauth_scope = "user:estimates:read"
    webhook_noun = "estimate"
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
        display_status=Word("draft", "sent", "viewed", "replied", "accepted", "invoiced"),
        ui_status=Word(
            "created", "draft", "sent", "viewed", "replied", "accepted", "invoiced", "open"
        ),
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


class EstimateLines(LineItems):
    """Lines of estimates."""

    name = "estimate_lines"
    source = Estimates
    document = "estimateid"
    number = "lineid"
    line = LINE


class CreditNotes(AccountingStream):
    """Credit notes with their lines. They carry no timestamp."""

    name = "credit_notes"
    resource = "credit_notes/credit_notes"
    list_key = "credit_notes"
    oauth_scope = "user:credit_notes:read"
    webhook_noun = "credit_note"
    object_key = "credit_note|credit_notes"  # the plural in the official Node SDK
    affected_by = {"payments": "creditid"}  # noqa: RUF012
    replication = Replication.FULL_TABLE
    timestamp_field = None
    includes = ("lines",)
    newest_first = True
    fields = ADDRESSEE | Object(
        id=Integer(),
        creditid=Integer(),
        accounting_systemid=Text(),
        clientid=Integer(),
        sentid=Integer(),
        credit_number=Text(),
        credit_type=Word("goodwill", "overpayment", "prepayment"),
        # A word here, a number on invoices (`docs/freshbooks-api/accounting.md §6`).
        status=Word("created", "draft", "sent", "viewed"),
        display_status=Word("draft", "created", "sent", "viewed"),
        payment_status=Word("unpaid", "partial", "paid"),
        dispute_status=Word("disputed", "resolved"),
        last_order_status=Word("pending", "declined", "success"),
        payment_type=Text(),
        create_date=PlainDate(),
        currency_code=Text(),
        language=Text(),
        amount=Money(),
        paid=Money(),
        description=Text(),
        notes=Text(),
        terms=Text(),
        template=Text(),
        ext_archive=Integer(),
        vis_state=Integer(),
        lines=Array(Object(creditid=Integer()) | LINE),
    )


class CreditNoteLines(LineItems):
    """Lines of credit notes."""

    name = "credit_note_lines"
    source = CreditNotes
    document = "creditid"
    number = "taskno"  # these lines have no lineid
    line = LINE


class Payments(AccountingStream):
    """Payments of invoices. Client and invoice are joined by id, not included once more."""

    name = "payments"
    resource = "payments/payments"
    list_key = "payments"
    oauth_scope = "user:payments:read"
    webhook_noun = "payment"
    includes = ("order",)
    newest_first = True
    fields = Object(
        id=Integer(),
        logid=Integer(),
        accounting_systemid=Text(),
        invoiceid=Integer(),
        creditid=Integer(),
        clientid=Integer(),
        amount=Money(),
        date=PlainDate(),
        type=Word(*PAYMENT_TYPES),
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
        order=AnyJson(),
    )


class OtherIncomes(AccountingStream):
    """Income without an invoice."""

    name = "other_incomes"
    resource = "other_incomes/other_incomes"
    list_key = "other_income|other_incomes"  # singular, unlike the path
    key = ("incomeid",)
    oauth_scope = "user:other_income:read"
    timestamp_field = "updated_at"
    deletions_move_timestamps = False  # `docs/freshbooks-api/accounting.md §5`
    replication = Replication.CLIENT_FILTER
    newest_first = True
    fields = Object(
        incomeid=Integer(),
        amount=Money(),
        category_name=Word("advertising", "in_person_sales", "online_sales", "rentals", "other"),
        source=Text(),
        sourceid=Integer(),
        userid=Integer(),
        payment_type=Text(),
        note=Text(),
        date=PlainDate(),
        taxes=Array(Object(name=Text(), amount=DecimalText())),
        created_at=EasternTime(),
        updated_at=EasternTime(),
        vis_state=Integer(),
    )

    @override
    def changed_without_timestamp(self, record: Row, since: object) -> bool:
        # A deletion does not move the timestamp: the deleted are delivered each time.
        return record[DELETED_AT] is not None
