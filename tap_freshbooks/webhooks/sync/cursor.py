"""InboxCursor: how far a stream has read the webhook inbox, as the Singer state keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

STATE_KEY = "inbox"
"""Key of a partition's state with its cursor."""


@dataclass(frozen=True, slots=True)
class InboxCursor:
    """The position of one stream with one business.

    Attributes:
        inbox: Id of the inbox.
        position: Of the last event that is done.
        listed_at: When the last read of its lists began.
        denied: Whether the token was not permitted to read them.
    """

    inbox: str
    position: int
    listed_at: datetime
    denied: bool = False

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> InboxCursor | None:
        """The cursor in the state of a partition; None if there is none, or none that is valid."""
        kept = state.get(STATE_KEY)
        if not isinstance(kept, dict):
            return None
        listed_at = parse_timestamp(kept.get("listed_at"))
        position = kept.get("position")
        if listed_at is None or not isinstance(position, int):
            return None
        return cls(str(kept.get("id")), position, listed_at, kept.get("denied") is True)

    def write(self, state: dict[str, Any]) -> None:
        """Put it into the state of a partition."""
        state[STATE_KEY] = {
            "id": self.inbox,
            "position": self.position,
            "listed_at": utc_text(self.listed_at),
            **({"denied": True} if self.denied else {}),
        }
