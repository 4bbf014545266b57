"""`Sandbox.webhooks`: the Python side of `/_sandbox/webhooks` and `/_sandbox/deliveries`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Webhooks:
    """Control of what the sandbox sends to receivers (docs/sandbox.md)."""

    def __init__(self, request: Callable[..., Any]) -> None:
        self._request = request

    def settings(self, **changes: float) -> dict[str, Any]:
        """Change `timeout`, `retries`, `first_retry`, `growth`, `scale` or `disable_after`."""
        found: dict[str, Any] = self._request("POST", "webhooks", changes)
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
        found: list[dict[str, Any]] = self._request("GET", "deliveries", **asked)["deliveries"]
        return found

    def deliveries_clear(self) -> None:
        """Forget the messages that are no longer on their way."""
        self._request("DELETE", "deliveries")

    def settle(self, timeout: float = 30.0) -> list[dict[str, Any]]:
        """Wait until every message is delivered, given up or dropped; then all of them.

        Raises:
            SandboxError: When that takes more than `timeout` seconds.
        """
        body = {"timeout": timeout}
        found: list[dict[str, Any]] = self._request("POST", "deliveries/settle", body)["deliveries"]
        return found

    def disable(self, callback: int, business: str | int = 1) -> None:
        """Take the verification away, as after a long failure; nothing is sent."""
        self._switch(callback, business, verified=False)

    def verify(self, callback: int, business: str | int = 1) -> None:
        """Give the verification without an answer of the receiver."""
        self._switch(callback, business, verified=True)

    def _switch(self, callback: int, business: str | int, *, verified: bool) -> None:
        body = {"callback": callback, "business": str(business), "verified": verified}
        self._request("POST", "webhooks/switch", body)
