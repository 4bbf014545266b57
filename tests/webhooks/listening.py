"""An inbox in which everything is as it should be: callbacks verified, a receiver running."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import Event, Inbox

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

NOUN_OF = {stream.name: stream.webhook_noun for stream in STREAMS if stream.webhook_noun}


class Listening:
    """An inbox as receivers fill it, without receivers.

    Args:
        sandbox: Whose accounts have callbacks.
        folder: Where the inbox is.
    """

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.place = str(folder / "inbox.db")
        self.inbox = Inbox(self.place)
        self.book = CallbackStore(self.inbox)
        self.accounts = [
            (str(business["account_id"]), str(business["id"]))
            for business in sandbox.businesses()
            if business["account_id"]
        ]
        self.paths: dict[tuple[int, str], str] = {}
        for number, (account, _) in enumerate(self.accounts):
            for noun in NOUN_OF.values():
                callback = self.book.add(account, str(noun), "http://127.0.0.1")
                self.paths[number, str(noun)] = callback.path
                # As if somebody had just looked; the sandbox does not know them.
                self.book.update(callback.path, verified=True, checked_at=time.time())
        self.book.present("receiver")

    def settings(self, config: dict[str, Any]) -> dict[str, Any]:
        """Settings of a tap that listens."""
        return {**config, "webhook_inbox": self.place}

    def tell(self, name: str, *ids: int | str, business: int = 0) -> None:
        """Append events of one kind."""
        account, number = self.accounts[business]
        self.inbox.append([Event(account, name, str(each), number) for each in ids])
