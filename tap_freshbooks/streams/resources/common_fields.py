"""Parts that clients, invoices, estimates and their like have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from datetime import datetime

    from tap_freshbooks.records import Row

PAYMENT_TYPES = (
    *("Check", "Credit", "Cash", "Bank Transfer", "Credit Card", "Debit", "PayPal", "2Checkout"),
    *("VISA", "MASTERCARD", "DISCOVER", "AMEX", "DINERS", "JCB", "ACH", "Other"),
)

FREQUENCIES = ("m", "2w", "w", "4w", "2m", "3m", "6m", "y", "2y")

LINE = Object(
    lineid=Integer(),
    taskno=Integer(),
    type=Integer(),
    name=Text(),
    description=Text(),
    qty=DecimalText(),
    unit_cost=Money(),
    amount=Money(),
    taxName1=Text(),
    # A percent, in spite of its name (`docs/freshbooks-api/accounting.md §6`).
    taxAmount1=DecimalText(),
    taxNumber1=Text(),
    taxName2=Text(),
    taxAmount2=DecimalText(),
    taxNumber2=Text(),
    compounded_tax=Boolean(),
    expenseid=Integer(),
    date=PlainDate(),
    updated=EasternTime(),
    retainer_id=Integer(),
    retainer_period_id=Integer(),
    basecampid=Integer(),
    modern_project_id=Integer(),
    modern_time_entries=AnyJson("array"),
)

ADDRESSEE = Object(
    organization=Text(),
    current_organization=Text(),
    fname=Text(),
    lname=Text(),
    address=Text(),
    street=Text(),
    street2=Text(),
    city=Text(),
    province=Text(),
    code=Text(),
    country=Text(),
    vat_name=Text(),
    vat_number=Text(),
)

LATE_FEE = Object(
    invoiceid=Integer(),
    enabled=Boolean(),
    days=Integer(),
    type=Word("percent", "flat-fee"),
    value=DecimalText(),
    repeat=Boolean(),
    calculation_type=Text(),
    compounded_tax=Boolean(),
    compounded_taxes=Boolean(),
    first_tax_name=Text(),
    first_tax_percent=DecimalText(),
    second_tax_name=Text(),
    second_tax_percent=DecimalText(),
    userid=Integer(),
    created_at=EasternTime(),
    updated_at=EasternTime(),
)

LATE_REMINDERS = Array(
    Object(
        id=Text(),
        position=Integer(),
        enabled=Boolean(),
        delay=Integer(),
        subject=Text(),
        body=Text(),
        invoiceid=Integer(),
        userid=Integer(),
        created_at=EasternTime(),
        updated_at=EasternTime(),
    )
)

CONTACT = Object(
    contactid=Integer(),
    userid=Integer(),
    invoiceid=Integer(),
    estimateid=Integer(),
    fname=Text(),
    lname=Text(),
    email=Text(),
    phone1=Text(),
    phone2=Text(),
    face=Text(),
)

CONTACTS = Array(CONTACT)

PRESENTATION = Object(
    invoiceid=Integer(),
    profileid=Integer(),
    estimateid=Integer(),
    date_format=Text(),
    theme_font_name=Word("modern", "classic"),
    theme_layout=Word("simple", "modern", "classic"),
    theme_primary_color=Text(),
    image_logo_src=Text(),
    image_banner_src=Text(),
    image_banner_position_y=Integer(),
    label=Text(),
    description_heading=Text(),
    item_heading=Text(),
    quantity_heading=Text(),
    rate_heading=Text(),
    hours_heading=Text(),
    task_heading=Text(),
    unit_cost_heading=Text(),
    time_entry_notes_heading=Text(),
)

OWNER = Object(
    userid=Integer(),
    email=Text(),
    fname=Text(),
    lname=Text(),
    organization=Text(),
)

ALLOWED_GATEWAYS = Array(
    Object(
        id=Integer(),
        allowedid=Integer(),
        gatewayid=Integer(),
        gateway_name=Text(),
        connectionid=Text(),
    )
)

ATTACHMENT = Object(
    id=Integer(),
    attachmentid=Integer(),
    expenseid=Integer(),
    jwt=Text(),
    media_type=Text(),
)


def fell_due(record: Row, since: datetime) -> bool:
    """Whether a document may have become overdue since a moment, by its due date."""
    due_date = record.get("due_date")
    # Two days of margin: the day ends at another time in every zone.
    earliest = (since - timedelta(days=2)).date().isoformat()
    return isinstance(due_date, str) and due_date >= earliest
