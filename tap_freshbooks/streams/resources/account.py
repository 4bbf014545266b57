"""The account itself: its system, its payment gateways, its webhooks."""

from __future__ import annotations

from typing import ClassVar

from tap_freshbooks.schema.fields import (
    AnyJson,
    Array,
    Boolean,
    DecimalText,
    EasternTime,
    Excluded,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
    UtcTime,
)
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.replication import Replication


class SingleAnswer(AccountingStream):
    """An answer per account that has no pages, no filter and no deletions."""

    replication = Replication.FULL_TABLE
    timestamp_field: ClassVar[str | None] = None
    paged: ClassVar[bool] = False
    marks_deletions = False


class Systems(SingleAnswer):
    """The accounting system: name, address, currency, plan. One record per account."""

    name = "systems"
    path = "/accounting/account/{account_id}/systems/systems/{business_id}"
    records = ("response", "result", "system")
    oauth_scope = "user:account:read"
    fields = Object(
        id=Integer(),
        systemid=Integer(),
        accountid=Text(),
        business_uuid=Text(),
        business_type=Text(),
        name=Text(),
        email=Text(),
        info_email=Text(),
        active=Boolean(),
        bus_phone=Text(),
        mob_phone=Text(),
        fax=Text(),
        street=Text(),
        street2=Text(),
        city=Text(),
        province=Text(),
        code=Text(),
        country=Text(),
        ip=Text(),
        currency_code=Text(),
        timezone=Text(),
        timezoneid=Integer(),
        date=EasternTime(),
        duration=Integer(),
        dst=Boolean(),
        billing_status=Text(),
        auto_bill=Integer(),
        test_system=Boolean(),
        modern_system=Boolean(),
        masterlock_billing=Boolean(),
        payment_amount=Money(),
        payment_frequency=Integer(),
        gst_amount=Money(),
        discountid=Text(),
        referralid=Text(),
        referring_url=Text(),
        landing_url=Text(),
        heard_about_us_via=Text(),
        salutation=Text(),
        num_clients=Integer(),
        num_staff=Integer(),
        size_limit=Integer(),
        split_token=Text(),
        vat_name=Text(),
        vat_number=Text(),
        migrated_to_smux_at=Text(),
    )


class Gateways(HardDeleteStream, SingleAnswer):
    """Payment gateways that are connected. A removed one is gone."""

    name = "gateways"
    resource = "systems/gateways"
    unconfirmed = "no row was ever published: its fields are a guess."
    list_key = "gateways"
    paged = True
    oauth_scope = "user:online_payments:read"
    fields = Object(
        id=Integer(),
        gatewayid=Integer(),
        gateway_name=Text(),
        sgid=Integer(),
        connectionid=Text(),
    )


class Callbacks(HardDeleteStream, SingleAnswer):
    """Webhooks that are registered. A deleted one is gone."""

    name = "callbacks"
    path = "/events/account/{account_id}/events/callbacks"
    records = ("response", "result", "callbacks")
    paged = True
    key = ("callbackid",)
    oauth_scope = "the read scope of each event's object"
    timestamp_field = "updated_at"
    replication = Replication.CLIENT_FILTER
    fields = Object(
        callbackid=Integer(),
        event=Text(),
        uri=Text(),
        verified=Boolean(),
        updated_at=EasternTime(),  # UTC with a `T`, Eastern in older API versions
        verifier=Excluded(),  # the secret that deliveries are signed with
    )


class PaymentGateways(SingleAnswer):
    """State of the payment providers. One record per account."""

    name = "payment_gateways"
    path = "/payments/account/{account_id}/gateway"
    records = ("gateway_connections",)
    key = ()
    oauth_scope = "user:online_payments:read"
    selected_by_default = False
    fields = Object(
        fbpay=Object(
            id=Text(),
            account_id=Text(),
            state=Text(),
            email=Text(),
            country=Text(),
            currencies=Array(Text()),
            action_reasons=Array(Text()),
            tos_accepted=Boolean(),
            manage_account_url=Text(),
            visa_debit_accepted=Boolean(),
            bank_transfer_enabled=Boolean(),
            bank_info=AnyJson(),
            pricing=AnyJson(),
        ),
        stripe=Object(
            id=Text(),
            gateway_user_id=Text(),
            user_state=Text(),
            email=Text(),
            country=Text(),
            currencies=Array(Text()),
            publishable_key=Excluded(),  # a credential
            bank_transfer_enabled=Boolean(),
            max_ach_fee=Integer(),
        ),
        stripe_unified=Object(
            id=Text(),
            stripe_account_id=Text(),
            country=Text(),
            publishable_key=Excluded(),  # a credential
            stripe_email=Text(),
            account_status=Text(),
            available_onboarding_strategies=Array(Text()),
            onboarding_completion_percent=Integer(),
            has_currently_due_requirements=Boolean(),
            has_pending_verifications=Boolean(),
            stripe_requirements_current_deadline=Text(),
            stripe_charges_enabled=Boolean(),
            stripe_payouts_enabled=Boolean(),
            stripe_payouts_schedule_interval=Text(),
            stripe_payouts_schedule_delay_days=Integer(),
            stripe_tos_accepted_date=UtcTime(),
            charges_first_enabled_at=UtcTime(),
            payouts_first_enabled_at=UtcTime(),
            stripe_account_updated_at=UtcTime(),
            configuration=AnyJson(),
            capabilities=Array(Object(capability=Text(), is_active=Boolean())),
        ),
        paypal=AnyJson(),
    )


class PaymentOptions(SingleAnswer):
    """How invoices may be paid online, by default. One record per account."""

    name = "payment_options"
    path = "/payments/account/{account_id}/payment_options"
    records = ("payment_options",)
    key = ("entity_type",)
    query = {"entity_type": "invoice"}  # noqa: RUF012
    oauth_scope = "user:online_payments:read"
    selected_by_default = False
    fields = Object(
        gateway_name=Text(),
        has_credit_card=Boolean(),
        has_ach_transfer=Boolean(),
        has_bacs_debit=Boolean(),
        has_sepa_debit=Boolean(),
        has_acss_debit=Boolean(),
        stripe_acss_payment_options=AnyJson(),
        has_paypal_smart_checkout=Boolean(),
        allow_partial_payments=Boolean(),
        entity_type=Text(),
        entity_id=Text(),
        gateway_info=AnyJson(),
    )


class CheckoutLinks(HardDeleteStream, SingleAnswer):
    """Links to pay without an invoice."""

    name = "checkout_links"
    path = "/payments/account/{account_id}/checkout-links"
    records = ("checkout_links|checkout-links|",)
    oauth_scope = "user:online_payments:read"
    plan_features = ("payment_links.access",)
    unconfirmed = (
        "no answer was ever published; that there is a list is presumed, and so is where the rows "
        "stand in it."
    )
    fields = Object(
        id=Text(),
        item_id=Text(),
        item_name=Text(),
        amount=DecimalText(),
        currency=Text(),
        note=Text(),
        is_active=Boolean(),
        send_admin_receipt=Boolean(),
        created_at=PlainDate(),
        taxes=Array(Object(name=Text(), amount=DecimalText())),
    )
