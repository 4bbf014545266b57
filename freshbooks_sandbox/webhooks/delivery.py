"""A message on its way to a receiver, and its outcome."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from freshbooks_sandbox.webhooks.events import VERIFY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row
    from freshbooks_sandbox.webhooks.signature import Forgery

Status = Literal["waiting", "delivered", "given_up", "lost", "dropped", "nowhere"]


@dataclass(frozen=True)
class Attempt:
    """One POST: the moment it began, the status of the answer or what went wrong, how long."""

    at: str
    status: int | None
    error: str | None
    seconds: float


@dataclass(eq=False)
class Delivery:
    """One message for one callback.

    `delay` is waited before the first attempt (seconds, scaled); `forgery` says how its signature
    is wrong; `is_tried` is set after the first attempt, or when there will be none.
    """

    id: int
    business: Business
    callback: Row
    fields: Mapping[str, str]
    delay: float = 0.0
    forgery: Forgery | None = None
    status: Status = "waiting"
    attempts: list[Attempt] = field(default_factory=list)
    is_tried: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """The event."""
        return self.fields["name"]

    def is_wanted(self) -> bool:
        """Whether its callback still exists and is verified, or waits to be."""
        key = self.callback["callbackid"]
        is_there = self.business.table("callbacks").get(key) is self.callback
        return is_there and (self.callback["verified"] or self.name == VERIFY)

    def as_dict(self) -> dict[str, Any]:
        """The form of `/_sandbox/deliveries`; `verifier` of a verification included."""
        return {
            "id": self.id,
            "callbackid": self.callback["callbackid"],
            "uri": self.callback["uri"],
            "status": self.status,
            "fields": dict(self.fields),
            "forgery": self.forgery,
            "attempts": [asdict(attempt) for attempt in self.attempts],
        }
