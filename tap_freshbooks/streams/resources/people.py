"""Clients of a business, and the people who work in it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.errors import PermissionDeniedError
from tap_freshbooks.extraction.batch import Batch
from tap_freshbooks.extraction.pagination import PAGE_SIZE
from tap_freshbooks.numerals import whole_number
from tap_freshbooks.schema.fields import (
    Array,
    Boolean,
    DecimalText,
    EasternTime,
    Excluded,
    Integer,
    Money,
    Object,
    Text,
    UtcTime,
    Word,
)
from tap_freshbooks.streams.families import AccountingStream, ProjectStream
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources.client_balances import (
    SharedLists,
    affected_clients,
    batches,
    has_changed,
)
from tap_freshbooks.streams.resources.common_fields import (
    CONTACT,
    CONTACTS,
    LATE_FEE,
    LATE_REMINDERS,
)
from tap_freshbooks.streams.resources.invoices import Invoices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan

BALANCE = Array(Object(amount=Money()))


class Clients(AccountingStream):
    """Clients, with their secondary contacts, balances and late fee settings."""

    name = "clients"
    resource = "users/clients"
    list_key = "clients"
    oauth_scope = f"user:clients:read {Invoices.oauth_scope}"
    webhook_noun = "client"
    affected_by = {  # noqa: RUF012 - their balances
        "invoices": "customerid",
        "credit_notes": "clientid",
        "payments": "clientid",
    }
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
    newest_first = True
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
        # UTC, unlike every other timestamp here (`docs/freshbooks-api/accounting.md §7`).
        signup_date=UtcTime(),
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

    @override
    def reader(self, plan: ReadPlan) -> PartitionReader:
        invoices = self.tap.streams.get(Invoices.name)
        if isinstance(invoices, Invoices) and invoices.is_read and not plan.reads_objects:
            self._shared[plan.business] = SharedLists.announced(invoices, plan)
        return super().reader(plan)

    @cached_property
    def _shared(self) -> dict[Business, SharedLists | None]:
        return {}

    @override
    def read_lists(self, reader: PartitionReader) -> Iterator[Batch]:
        since, delivered = reader.plan.since, set()
        for batch in super().read_lists(reader):
            if since:
                delivered |= {row["id"] for row in batch.rows if has_changed(row, since)}
            yield batch
        if since is None:
            return
        try:
            affected = affected_clients(reader, since, self._shared.get(reader.plan.business))
        except PermissionDeniedError as error:
            self.logger.warning(
                "The balances of clients are brought up to date by the next full read only: %s "
                "(scope %s)",
                error,
                Invoices.oauth_scope,
            )
            return
        for clients in batches(sorted(affected - set(map(whole_number, delivered))), PAGE_SIZE):
            for page in reader.read_pages({"search[userids][]": clients}):
                rows = [row for row in page.rows if whole_number(row.get("id")) in affected]
                yield Batch(rows, page.date, are_changes=True)


class ClientContacts(LineItems):
    """Secondary contacts of clients."""

    name = "client_contacts"
    unconfirmed = (
        "no client with contacts was ever published; their fields are those that one can write."
    )
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
    plan_features = ("team_members.access",)
    replication = Replication.CLIENT_FILTER
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
        # Eastern, unlike that of clients (`docs/freshbooks-api/accounting.md §7`).
        signup_date=EasternTime(),
        updated=EasternTime(),
        api_token=Excluded(),  # a credential
        vis_state=Integer(),
    )


class TeamMembers(ProjectStream):
    """Members of the team, invited and removed ones included."""

    name = "team_members"
    path = "/auth/api/v1/businesses/{business_id}/team_members"
    records = ("response",)
    key = ("uuid",)
    oauth_scope = "user:teams:read"
    timestamp_field = "updated_at"
    replication = Replication.CLIENT_FILTER
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
        business_role_name=Word(
            "owner", "business_manager", "business_employee", "contractor", "no_seat_employee"
        ),
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
    paged = False
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
