"""Things that stand on the lines of documents: items, tasks, billable items, taxes."""

from __future__ import annotations

from tap_freshbooks.schema.fields import (
    Boolean,
    DecimalText,
    EasternTime,
    Integer,
    Money,
    Object,
    Text,
)
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.replication import Replication


class Items(AccountingStream):
    """Items that can be put on invoices.

    Its update filter is unproven: a server that ignores it sends every item, which is right too.
    """

    name = "items"
    resource = "items/items"
    list_key = "items"
    oauth_scope = "user:billable_items:read"
    webhook_noun = "item"
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


class Tasks(AccountingStream):
    """Tasks, in the accounting family in spite of their path.

    Their update filter is as unproven as that of items.
    """

    name = "tasks"
    resource = "projects/tasks"
    list_key = "tasks"
    oauth_scope = "user:billable_items:read"
    fields = Object(
        id=Integer(),
        taskid=Integer(),
        accounting_systemid=Text(),
        name=Text(),
        tname=Text(),
        description=Text(),
        tdesc=Text(),
        rate=Money(),
        billable=Boolean(),
        project_default=Boolean(),
        tax1=Integer(),
        tax2=Integer(),
        updated=EasternTime(),
        vis_state=Integer(),
    )


class BillableItems(HardDeleteStream, AccountingStream):
    """Billable items, the accounting side of services."""

    name = "billable_items"
    resource = "billable_items/billable_items"
    unconfirmed = (
        "no answer was ever published, neither of this list nor of one billable item; that there "
        "is a list is presumed."
    )
    list_key = "billable_items"
    oauth_scope = "user:billable_items:read"
    plan_features = ("billable_items_v2.access",)
    replication = Replication.FULL_TABLE
    timestamp_field = None
    fields = Object(
        id=Integer(),
        name=Text(),
        description=Text(),
        billable=Boolean(),
        unit_cost=Money(),
        tax1=Integer(),
        tax2=Integer(),
        vis_state=Integer(),
    )


class Taxes(HardDeleteStream, AccountingStream):
    """Taxes. They have no vis_state: a deleted one is gone without a trace."""

    name = "taxes"
    resource = "taxes/taxes"
    list_key = "taxes"
    oauth_scope = "user:taxes:read"
    webhook_noun = "tax"
    replication = Replication.CLIENT_FILTER
    marks_deletions = False
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
