"""Clients of a business, and the people who work in it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.errors import PermissionDenied
from tap_freshbooks.fields import (
    Array,
    Boolean,
    DecimalText,
    EasternTime,
    Integer,
    Money,
    Object,
    Text,
    UtcTime,
    Withheld,
)
from tap_freshbooks.pagination import PAGE_SIZE
from tap_freshbooks.streams.base import Replication, Row, parse_moment
from tap_freshbooks.streams.derived import Lines
from tap_freshbooks.streams.documents import (
    CONTACT,
    CONTACTS,
    LATE_FEE,
    LATE_REMINDERS,
    fell_due,
)
from tap_freshbooks.streams.families import AccountingStream, ProjectStream
from tap_freshbooks.streams.invoices import Invoices
from tap_freshbooks.streams.lists import OVERLAP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.streams.lists import Page

BALANCE = Array(Object(amount=Money()))


class Clients(AccountingStream):
    """Clients, with their secondary contacts, balances and late fee settings."""

    name = "clients"
    resource = "users/clients"
    list_key = "clients"
    oauth_scope = f"user:clients:read {Invoices.oauth_scope}"
    webhook_noun = "client"
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

    def __init__(self, tap: Tap, connection: Connection) -> None:
        super().__init__(tap, connection)
        self._affected: set[int] = set()

    @override
    def pages(self, context: Context, since: datetime | None) -> Iterator[Page]:
        # A client's balances move with his invoices, but his stamp does not.
        self._affected = set()  # ids of one business mean nothing in another
        yield from super().pages(context, since)
        if since is None:
            return
        subject = f"{self.name} of {self.business(context['account_id'])}"
        try:
            self._affected = self._with_moved_balances(context, since, subject)
        except PermissionDenied as error:
            self.logger.warning(
                "The balances of clients are brought up to date by the next full read only: %s "
                "(scope %s)",
                error,
                Invoices.oauth_scope,
            )
        for clients in _batches(sorted(self._affected), PAGE_SIZE):
            path = self.path.format(account_id=context["account_id"])
            yield from self.walk(path, {"search[userids][]": clients}, subject)

    def _with_moved_balances(self, context: Context, since: datetime, subject: str) -> set[int]:
        """Ids of the clients whose invoices have changed, or fallen due, since a moment."""
        affected = set()
        invoices = Invoices.path.format(account_id=context["account_id"])
        changed = {"search[updated_min]": self.filter_day(since), "include[]": []}
        for query in (changed, {"search[v3_status]": "overdue", "include[]": []}):
            for rows, _ in self.walk(invoices, query, subject, records=Invoices.records):
                affected |= {row["customerid"] for row in rows if _concerns(row, since)}
        return affected

    @override
    def moved_silently(self, record: Row, since: datetime) -> bool:
        return record["id"] in self._affected


def _batches(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    rest = iter(ids)
    while batch := list(islice(rest, size)):
        yield batch


def _concerns(invoice: Row, since: datetime) -> bool:
    """Whether an invoice has changed, or fallen due, since a moment."""
    stamp = parse_moment(EasternTime.convert(invoice.get("updated")))
    return stamp is None or stamp >= since - OVERLAP or fell_due(invoice, since)


class ClientContacts(Lines):
    """Secondary contacts of clients."""

    name = "client_contacts"
    source = Clients
    list_field = "contacts"
    document = "clientid"
    number = "contact_number"
    line = CONTACT


class Staffs(AccountingStream):
    """Staff of the accounting system; FreshBooks prefers team members."""

    name = "staffs"
    resource = "users/staffs"
    list_key = "staff|staffs"  # singular, seen live; the official SDK expects the plural
    oauth_scope = "user:teams:read"
    replication = Replication.COMPARED
    fields = Object(
        id=Integer(),
        userid=Integer(),
        accounting_systemid=Text(),
        username=Text(),
        email=Text(),
        display_name=Text(),
        fname=Text(),
        lname=Text(),
        organization=Text(),
        level=Integer(),
        role=Text(),
        language=Text(),
        currency_code=Text(),
        rate=DecimalText(),
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
        num_logins=Integer(),
        logins=Integer(),
        last_login=EasternTime(),
        signup_date=EasternTime(),  # Eastern, unlike that of clients (`accounting.md §7`)
        updated=EasternTime(),
        api_token=Withheld(),  # a credential
        vis_state=Integer(),
    )


class TeamMembers(ProjectStream):
    """Members of the team, invited and removed ones included."""

    name = "team_members"
    path = "/auth/api/v1/businesses/{business_id}/team_members"
    records = ("response",)
    key = ("uuid",)
    oauth_scope = "user:teams:read"
    stamp = "updated_at"
    replication = Replication.COMPARED
    fields = Object(
        uuid=Text(),
        first_name=Text(),
        middle_name=Text(),
        last_name=Text(),
        email=Text(),
        job_title=Text(),
        street_1=Text(),
        street_2=Text(),
        city=Text(),
        province=Text(),
        country=Text(),
        country_code=Text(),
        postal_code=Text(),
        phone_number=Text(),
        business_id=Integer(),
        business_role_name=Text(),
        active=Boolean(),  # false when removed, and while an invitation is open
        identity_id=Integer(),
        invited=Boolean(),
        invitation_date_accepted=UtcTime(),
        created_at=UtcTime(),
        updated_at=UtcTime(),
    )


class BusinessGroupMembers(ProjectStream):
    """Everybody in the group of a business, with their roles."""

    name = "business_group_members"
    path = "/auth/api/v1/users/business/{business_id}"
    records = ("response", "business_group", "members")
    oauth_scope = "user:profile:read"
    fields = Object(
        id=Integer(),
        group_id=Integer(),
        role=Text(),
        identity_id=Integer(),
        identity_uuid=Text(),
        first_name=Text(),
        last_name=Text(),
        language=Text(),
        email=Text(),
        company=Text(),
        business_id=Integer(),
        unacknowledged_change=Boolean(),
        active=Boolean(),
    )
