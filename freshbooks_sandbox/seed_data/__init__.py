"""The data that a sandbox begins with: the user, the businesses, and all of their rows.

The same seed and scale give the same rows; every table draws from a generator of its own, so that
a new table changes no older one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.seed_data.agreements import write_agreements
from freshbooks_sandbox.seed_data.books import write_journal, write_ledger
from freshbooks_sandbox.seed_data.clients import write_clients
from freshbooks_sandbox.seed_data.context import SeedContext
from freshbooks_sandbox.seed_data.credits import write_credits
from freshbooks_sandbox.seed_data.memberships import businesses, identity
from freshbooks_sandbox.seed_data.office import write_office
from freshbooks_sandbox.seed_data.online import write_group, write_online
from freshbooks_sandbox.seed_data.purchases import write_purchases
from freshbooks_sandbox.seed_data.recurring import write_recurring
from freshbooks_sandbox.seed_data.sales import write_sales
from freshbooks_sandbox.seed_data.spend import write_spend
from freshbooks_sandbox.seed_data.work import write_work

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business

__all__ = ["SeedData", "generate"]


@dataclass(frozen=True)
class SeedData:
    """The user and the businesses."""

    identity: dict[str, Any]
    businesses: list[Business]


def generate(seed: int, invoices: int) -> SeedData:
    """All rows; `invoices` is the scale of the first business, the others follow from it."""
    user = identity(seed)
    places = businesses(seed, user)
    for position, business in enumerate(places):
        scale = (invoices, min(max(invoices // 3, 40), 3000), 20, 24, 0)[position]
        context = SeedContext(seed, position, business, user, scale)
        has_books = business.account_id is not None
        if has_books:
            write_clients(context)
            write_spend(context)
            write_ledger(context)
        write_work(context)
        if has_books:
            write_sales(context)  # invoices take up estimates, expenses and time
            write_recurring(context)
            write_credits(context)
            write_purchases(context)
            write_office(context)
            write_journal(context)
            write_online(context)
        write_agreements(context)
        write_group(context)
    return SeedData(user, places)
