"""Clients of a business."""

from __future__ import annotations

from tap_freshbooks.fields import (
    Array,
    Boolean,
    EasternTime,
    Integer,
    Money,
    Object,
    Text,
    UtcTime,
)
from tap_freshbooks.streams.documents import CONTACTS, LATE_FEE, LATE_REMINDERS
from tap_freshbooks.streams.families import AccountingStream

BALANCE = Array(Object(amount=Money()))


class Clients(AccountingStream):
    """Clients, with their secondary contacts, balances and late fee settings."""

    name = "clients"
    resource = "users/clients"
    list_key = "clients"
    oauth_scope = "user:clients:read"
    includes = (
        "outstanding_balance",
        "credit_balance",
        "draft_balance",
        "overdue_balance",
        "grand_total_balance",
        "last_activity",
        "late_reminders",
        "late_fee",
        "contacts",
    )
    fields = Object(
        id=Integer(),
        userid=Integer(),
        uuid=Text(),
        accounting_systemid=Text(),
        username=Text(),
        email=Text(),
        fname=Text(),
        lname=Text(),
        organization=Text(),
        role=Text(),
        level=Integer(),
        language=Text(),
        number_format=Text(),
        currency_code=Text(),
        note=Text(),
        bus_phone=Text(),
        home_phone=Text(),
        mob_phone=Text(),
        fax=Text(),
        p_street=Text(),
        p_street2=Text(),
        p_city=Text(),
        p_province=Text(),
        p_code=Text(),
        p_country=Text(),
        s_street=Text(),
        s_street2=Text(),
        s_city=Text(),
        s_province=Text(),
        s_code=Text(),
        s_country=Text(),
        vat_name=Text(),
        vat_number=Text(),
        company_industry=Text(),
        company_size=Text(),
        direct_link_token=Text(),
        statement_token=Text(),
        subdomain=Text(),
        has_retainer=Boolean(),
        retainer_id=Integer(),
        exceeds_client_limit=Integer(),
        allow_email_include_pdf=Boolean(),
        allow_late_fees=Boolean(),
        allow_late_notifications=Boolean(),
        pref_email=Boolean(),
        pref_gmail=Boolean(),
        notified=Boolean(),
        num_logins=Integer(),
        last_login=EasternTime(),
        last_activity=Text(),
        signup_date=UtcTime(),  # UTC, unlike every other stamp here (`accounting.md §7`)
        updated=EasternTime(),
        vis_state=Integer(),
        outstanding_balance=BALANCE,
        credit_balance=BALANCE,
        draft_balance=BALANCE,
        overdue_balance=BALANCE,
        grand_total_balance=BALANCE,
        late_fee=LATE_FEE,
        late_reminders=LATE_REMINDERS,
        contacts=CONTACTS,
    )
