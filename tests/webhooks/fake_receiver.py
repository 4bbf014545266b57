"""An inbox with verified callbacks and a receiver that seems to run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.webhooks.callbacks.presence import ReceiverPresence
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import Event, Inbox

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

NOUN_BY_STREAM = {stream.name: stream.webhook_noun for stream in STREAMS if stream.webhook_noun}


class FakeReceiver:
    """Stores events in an inbox, without any delivery.

    Args:
        sandbox: Whose accounts have callbacks.
        folder: Where the inbox is.
    """

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.location = str(folder / "inbox.db")
        self.inbox = Inbox(self.location)
        self.store = CallbackStore(self.inbox)
        self.accounts = [
            (str(business["account_id"]), str(business["id"]))
            for business in sandbox.businesses()
            if business["account_id"]
        ]
        self.paths: dict[tuple[int, str], str] = {}
        for number, (account, _) in enumerate(self.accounts):
            for noun in NOUN_BY_STREAM.values():
                callback = self.store.add(account, str(noun), "http://127.0.0.1")
                self.paths[number, str(noun)] = callback.path
                # As if they had just been checked; the sandbox does not know them.
                self.store.update(callback.path, verified=True, checked_at=time.time())
        ReceiverPresence(self.inbox).heartbeat("receiver")

    def settings(self, config: dict[str, Any]) -> dict[str, Any]:
        """Settings of a tap that reads the inbox."""
        return {**config, "webhook_inbox": self.location}

    def deliver(self, name: str, *ids: int | str, business: int = 0) -> None:
        """Store events of one kind."""
        account, number = self.accounts[business]
        self.inbox.append([Event(account, name, str(each), number) for each in ids])
