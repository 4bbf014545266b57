"""The user of the token, and the businesses that it reaches: both from users/me."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.businesses import memberships
from tap_freshbooks.schema.fields import (
    AnyJson,
    Array,
    Boolean,
    Excluded,
    Integer,
    Object,
    ObjectOrName,
    Text,
    UtcTime,
)
from tap_freshbooks.streams.base import RecordStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.records import Row


class OfIdentity(RecordStream):
    """What users/me says, which a sync asks for in any case."""

    oauth_scope = "user:profile:read"

    @classmethod
    @override
    def fixed_pace(cls) -> str:
        return "comes with users/me, which is asked for in any case"


class Identity(OfIdentity):
    """The FreshBooks user behind the connection: one record."""

    name = "identity"
    oauth_scope = "user:profile:read"
    fields = Object(
        id=Integer(),
        identity_id=Integer(),
        identity_uuid=Text(),
        profile=Object(
            setup_complete=Boolean(),
            first_name=Text(),
            last_name=Text(),
            phone_number=Text(),
            address=AnyJson(),
            profession=AnyJson(),
            professions=Array(
                Object(
                    id=Integer(),
                    business_id=Integer(),
                    title=Text(),
                    company=Text(),
                    designation=Text(),
                )
            ),
            has_password=Boolean(),
            is_email_confirmed=Boolean(),
            time_format=Integer(),
            timezone=Text(),
        ),
        first_name=Text(),
        last_name=Text(),
        email=Text(),
        language=Text(),
        timezone=Text(),
        confirmed_at=UtcTime(),
        created_at=UtcTime(),
        unconfirmed_email=Text(),
        setup_complete=Boolean(),
        phone_numbers=Array(Object(title=Text(), phone_number=Text())),
        addresses=AnyJson("array"),
        profession=AnyJson(),
        links=Object(me=Text(), roles=Text()),
        permissions=AnyJson(),  # a map of account ids to features
        groups=Array(
            Object(
                id=Integer(),
                group_id=Integer(),
                role=Text(),
                identity_id=Integer(),
                identity_uuid=Text(),
                business_id=Integer(),
                active=Boolean(),
            )
        ),
        subscription_statuses=AnyJson(),
        business_statuses=AnyJson(),
        integrations=AnyJson(),
        business_memberships=Excluded(),  # the stream businesses has them, without their tokens
        identity_origin=Text(),
        otp_delivery_method=Text(),
        otp_required_for_login=Boolean(),
        roles=Array(
            Object(
                id=Integer(),
                role=Text(),
                systemid=Integer(),
                userid=Integer(),
                created_at=UtcTime(),
                links=Object(destroy=Text()),
                accountid=Text(),
            )
        ),
    )

    @override
    def read(self, partition: Context | None) -> Iterable[Row]:
        yield self.convert(self.connection.me)


class Businesses(OfIdentity):
    """The memberships of the user; links the three identifiers of a business."""

    name = "businesses"
    oauth_scope = "user:profile:read"
    key = ("business_id",)
    fields = Object(
        business_id=Integer(),
        account_id=Text(),
        business_uuid=Text(),
        membership_id=Integer(),
        role=Text(),
        unacknowledged_change=Boolean(),
        fasttrack_token=Excluded(),  # a credential
        name=Text(),
        active=Boolean(),
        status=Text(),
        timezone=Text(),
        date_format=Text(),
        number_format=Text(),
        first_day_of_week=Integer(),
        advanced_accounting_enabled=Boolean(),
        billing_country_code=Text(),
        business_type=Text(),
        industry=Text(),
        address=ObjectOrName(
            "street",
            id=Integer(),
            street=Text(),
            street2=Text(),
            city=Text(),
            province=Text(),
            country=Text(),
            postal_code=Text(),
        ),
        phone_number=ObjectOrName("phone_number", id=Integer(), phone_number=Text()),
        business_clients=Array(
            Object(
                id=Integer(),
                business_id=Integer(),
                account_id=Text(),
                userid=Integer(),
                client_business=Object(business_id=Integer()),
                account_business=Object(account_business_id=Integer(), account_id=Text()),
            )
        ),
    )

    @override
    def read(self, partition: Context | None) -> Iterable[Row]:
        return self.rows()

    def rows(self) -> Iterable[Row]:
        """Several memberships of one business are one record, the last one's."""
        return {
            str(membership["business"]["id"]): self.convert(_flat(membership))
            for membership in memberships(self.connection.me)
        }.values()


def _flat(membership: dict[str, Any]) -> Row:
    """One level, with the business's id and the membership's under names that tell them apart."""
    outer = {name: value for name, value in membership.items() if name not in {"id", "business"}}
    business = dict(membership["business"])
    business_id = business.pop("id")
    return {**business, **outer, "business_id": business_id, "membership_id": membership.get("id")}
