"""The story that the sandbox tells: who the user is, which businesses he sees, what happened there.

The same seed and scale give the same rows; every table draws from a generator of its own, so that
a new table changes no older one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.seed_data.agreements import write_agreements
from freshbooks_sandbox.seed_data.books import write_journal, write_ledger
from freshbooks_sandbox.seed_data.cast import Cast
from freshbooks_sandbox.seed_data.clients import write_clients
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

__all__ = ["Story", "tell"]


@dataclass(frozen=True)
class Story:
    """The user and his businesses."""

    identity: dict[str, Any]
    businesses: list[Business]


def tell(seed: int, invoices: int) -> Story:
    """The whole story; `invoices` is the scale of the first business, to which others are fixed."""
    user = identity(seed)
    places = businesses(seed, user)
    for position, business in enumerate(places):
        scale = (invoices, min(max(invoices // 3, 40), 3000), 20, 24, 0)[position]
        cast = Cast(seed, position, business, user, scale)
        has_books = business.account_id is not None
        if has_books:
            write_clients(cast)
            write_spend(cast)
            write_ledger(cast)
        write_work(cast)
        if has_books:
            write_sales(cast)  # invoices take up estimates, expenses and time
            write_recurring(cast)
            write_credits(cast)
            write_purchases(cast)
            write_office(cast)
            write_journal(cast)
            write_online(cast)
        write_agreements(cast)
        write_group(cast)
    return Story(user, places)
