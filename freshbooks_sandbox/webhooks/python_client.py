"""What tests hold in their hands: `Sandbox.webhooks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Webhooks:
    """The handles of `/_sandbox/webhooks` and `/_sandbox/deliveries` (docs/sandbox.md)."""

    def __init__(self, order: Callable[..., Any]) -> None:
        self._order = order

    def settings(self, **changes: float) -> dict[str, Any]:
        """Change `timeout`, `retries`, `first_retry`, `growth`, `scale` or `disable_after`."""
        found: dict[str, Any] = self._order("POST", "webhooks", changes)
        return found

    def deliveries(
        self,
        *,
        business: str | int | None = None,
        callback: int | None = None,
        status: str | None = None,
        name: str | None = None,
    ) -> list[dict[str, Any]]:
        """Every message, oldest first, with its attempts; all or those of one kind."""
        asked = {"business": business, "callback": callback, "status": status, "name": name}
        found: list[dict[str, Any]] = self._order("GET", "deliveries", **asked)["deliveries"]
        return found

    def deliveries_clear(self) -> None:
        """Forget the messages that are no longer on their way."""
        self._order("DELETE", "deliveries")

    def settle(self, timeout: float = 30.0) -> list[dict[str, Any]]:
        """Wait until every message is delivered, given up or dropped; then all of them.

        Raises:
            SandboxError: When that takes more than `timeout` seconds.
        """
        order = {"timeout": timeout}
        found: list[dict[str, Any]] = self._order("POST", "deliveries/settle", order)["deliveries"]
        return found

    def disable(self, callback: int, business: str | int = 1) -> None:
        """Take the verification away, as after a long failure; nothing is sent."""
        self._switch(callback, business, verified=False)

    def verify(self, callback: int, business: str | int = 1) -> None:
        """Give the verification without an answer of the receiver."""
        self._switch(callback, business, verified=True)

    def _switch(self, callback: int, business: str | int, *, verified: bool) -> None:
        order = {"callback": callback, "business": str(business), "verified": verified}
        self._order("POST", "webhooks/switch", order)
