"""A sandbox that many tests share, and that therefore none of them may change."""

from __future__ import annotations

from typing import Any, NoReturn

from freshbooks_sandbox import Sandbox


class SharedSandbox(Sandbox):
    """What would reach another test is refused: rows, the clock, everybody's tokens and faults."""

    def _edit(self, *_: Any, **__: Any) -> NoReturn:
        raise _shared("change its rows")

    def clock(self, **_: Any) -> NoReturn:
        """Refuse: the clock would stand still, or be wrong, in whatever test comes next."""
        raise _shared("set its clock")

    def expire_tokens(self, client_id: str | None = None) -> None:
        """Let the access tokens of the test's own application die."""
        if client_id is None:
            raise _shared("expire everybody's tokens")
        super().expire_tokens(client_id)

    def faults(self, fault: str, **settings: Any) -> dict[str, Any]:
        """Put a fault in force for the test's own application."""
        if not settings.get("client_id"):
            raise _shared("put a fault in force for everybody")
        return super().faults(fault, **settings)


def _shared(change: str) -> AssertionError:
    return AssertionError(f"Many tests share this sandbox: to {change}, take one of your own")
