"""The state of one running sandbox, in one object that its endpoints share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.behaviours import Behaviours
from freshbooks_sandbox.clock import Clock
from freshbooks_sandbox.faults import Faults
from freshbooks_sandbox.filters import FilterContext
from freshbooks_sandbox.limits import RateLimit
from freshbooks_sandbox.oauth import OAuth
from freshbooks_sandbox.seed_data import generate
from freshbooks_sandbox.stats import Stats
from freshbooks_sandbox.store import Business, Store
from freshbooks_sandbox.webhooks.dispatcher import Dispatcher
from freshbooks_sandbox.webhooks.sender import Sender

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options with which a sandbox is started."""

    seed: int = 1
    invoices: int = 120
    token_lifetime: int = 43_200
    rate_limit: int = 600
    behaviours: Behaviours = field(default_factory=Behaviours)


class State:
    """Clock, data, tokens, faults, counts and messages of one sandbox."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.behaviours = options.behaviours
        self.clock = Clock()
        self.stats = Stats()
        self.faults = Faults()
        self.rate_limit = RateLimit(options.rate_limit)
        data = generate(options.seed, options.invoices)
        self.identity: dict[str, Any] = data.identity
        self.store = Store(data.businesses)
        self.oauth = OAuth(
            clock=self.clock,
            behaviours=options.behaviours,
            stats=self.stats,
            token_lifetime=options.token_lifetime,
            identity_id=self.identity["id"],
        )
        self.sender = Sender(self.clock, self.faults)
        dispatcher = Dispatcher(self.sender, self.behaviours, self.identity["id"])
        for business in self.store.businesses:
            business.behaviours = options.behaviours
            business.listener = dispatcher.on_write
        self.connections: dict[tuple[str, int], asyncio.Transport] = {}

    def filter_context(
        self, business: Business, resource: str, client_id: str, *, is_alpha: bool
    ) -> FilterContext:
        """The context of a read at this moment, by one application."""
        business.at(self.clock.today())
        return FilterContext(
            business, self.identity["id"], self.behaviours, resource, client_id, is_alpha
        )
