"""A webhook inbox that hears of most edits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tap_freshbooks.webhooks.tables import RECEIVERS
from tests.webhooks.fake_receiver import NOUN_BY_STREAM, FakeReceiver

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.faults.many_runs.steps import Edit

EVENTS = {"create": "create", "delete": "delete"}


class Events:
    """Delivers events of edits, and loses some.

    Args:
        sandbox: Whose accounts have callbacks.
        folder: Where the inbox is.

    Attributes:
        told: Streams and ids of which an event came since the last run.
    """

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._receiver = FakeReceiver(sandbox, folder)
        self.settings = {"webhook_inbox": self._receiver.location}
        self.told: set[tuple[str, str, Any]] = set()

    def deliver(self, edit: Edit, key: Any) -> None:
        """Let the event of an edit come, or not."""
        noun = NOUN_BY_STREAM.get(edit.resource)
        is_lost = edit.action == "silent" or int(edit.place * 1000) % 5 == 1
        if noun is None or is_lost or edit.business > len(self._receiver.accounts):
            return
        name = f"{noun}.{EVENTS.get(edit.action, 'update')}"
        self._receiver.deliver(name, key, business=edit.business - 1)
        account, number = self._receiver.accounts[edit.business - 1]
        self.told |= {(edit.resource, account, key), (edit.resource, number, key)}

    def go_on(self) -> None:
        """Let the receiver have run all the time, and its callbacks be checked just now."""
        with self._receiver.inbox.writing() as connection:
            connection.execute(RECEIVERS.update().values(seen_at=time.time()))
        for path in self._receiver.paths.values():
            self._receiver.store.update(path, verified=True, checked_at=time.time())
