"""From a change to the messages that it causes, and the verification of callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freshbooks_sandbox.webhooks.events import NOUN_OF, VERIFY, covers
from freshbooks_sandbox.webhooks.verifiers import verifier_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.store import Business, Change, Row
    from freshbooks_sandbox.webhooks.sender import Sender

OWNER = 1
"""The accounting user id of the owner, who does everything here.

See docs/freshbooks-api/webhooks.md §4.
"""


class Dispatcher:
    """Learns of every write and gives the messages about it to the sender."""

    def __init__(self, sender: Sender, behaviours: Behaviours, identity_id: int) -> None:
        self._sender = sender
        self._behaviours = behaviours
        self._identity_id = identity_id

    def on_write(self, business: Business, change: Change) -> None:
        """Send the messages that a change in a business causes."""
        if change.resource == "callbacks":
            self._verify(business, change.row, change.verb)
            return
        noun = NOUN_OF.get(change.resource)
        is_silent = change.is_caused and self._behaviours.caused_events == "silent"
        if noun is None or is_silent:
            return
        event = f"{noun}.{change.verb}"
        for callback in business.table("callbacks").values():
            if callback["verified"] and covers(callback["event"], event):
                fields = self._fields(business, event, change.row["id"])
                self._sender.send(business, callback, fields)

    def _verify(self, business: Business, callback: Row, verb: str) -> None:
        """Send the verification to a new callback, a moved one, or once more."""
        if verb not in ("register", "move", "resend"):
            return
        if verb == "move":
            if self._behaviours.changed_uri == "verified":
                return
            callback["verified"] = False
        if verb == "resend" and self._behaviours.resent_verifier == "new":
            callback["_serial"] = callback.get("_serial", 0) + 1
            callback["_verifier"] = verifier_of(
                callback["callbackid"], business, callback["_serial"]
            )
        self._sender.send(business, callback, self._verification(business, callback))

    def _fields(self, business: Business, event: str, key: int | str) -> Mapping[str, str]:
        """The six fields, in the order of the docs or that of the recorded event."""
        order = ("name", "object_id", "account_id", "business_id", "identity_id", "user_id")
        if self._behaviours.message_fields == "recorded":
            order = ("name", "object_id", "user_id", "identity_id", "business_id", "account_id")
        values = {
            "name": event,
            "object_id": str(key),
            "account_id": str(business.account_id),
            "business_id": str(business.id),
            "identity_id": str(self._identity_id),
            "user_id": str(OWNER),
        }
        return {name: values[name] for name in order}

    def _verification(self, business: Business, callback: Row) -> Mapping[str, str]:
        """Its fields (docs/freshbooks-api/webhooks.md §3)."""
        order: tuple[str, ...] = ("name", "object_id", "account_id", "user_id", "verifier")
        if self._behaviours.message_fields == "recorded":
            order = ("user_id", "name", "verifier", "object_id", "account_id", "system")
        values = {
            "name": VERIFY,
            "object_id": str(callback["callbackid"]),
            "account_id": str(business.account_id),
            "user_id": str(OWNER),
            "verifier": callback["_verifier"],
            "system": f"https://{business.account_id}.freshbooks.com",
        }
        return {name: values[name] for name in order}
