"""Everything that one running sandbox knows, in one object handed to its endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.behaviours import Readings
from freshbooks_sandbox.clock import Clock
from freshbooks_sandbox.faults import Faults
from freshbooks_sandbox.filters import Scene
from freshbooks_sandbox.limits import RateLimit
from freshbooks_sandbox.oauth import OAuth
from freshbooks_sandbox.seed_data import tell
from freshbooks_sandbox.stats import Stats
from freshbooks_sandbox.store import Business, Store
from freshbooks_sandbox.webhooks.dispatcher import Switchboard
from freshbooks_sandbox.webhooks.sender import Courier

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a sandbox is started."""

    seed: int = 1
    invoices: int = 120
    token_lifetime: int = 43_200
    rate_limit: int = 600
    readings: Readings = field(default_factory=Readings)


class State:
    """Clock, data, tokens, faults, counts and messages of one sandbox."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.readings = options.readings
        self.clock = Clock()
        self.stats = Stats()
        self.faults = Faults()
        self.rate_limit = RateLimit(options.rate_limit)
        story = tell(options.seed, options.invoices)
        self.identity: dict[str, Any] = story.identity
        self.store = Store(story.businesses)
        self.oauth = OAuth(
            clock=self.clock,
            readings=options.readings,
            stats=self.stats,
            token_lifetime=options.token_lifetime,
            identity_id=self.identity["id"],
        )
        self.courier = Courier(self.clock, self.faults)
        switchboard = Switchboard(self.courier, self.readings, self.identity["id"])
        for business in self.store.businesses:
            business.listener = switchboard.hear
        self.connections: dict[tuple[str, int], asyncio.Transport] = {}

    def scene(self, business: Business, resource: str, client_id: str) -> Scene:
        """Where a list is read, at this moment, by which application."""
        business.at(self.clock.today())
        return Scene(business, self.identity["id"], self.readings, resource, client_id)
