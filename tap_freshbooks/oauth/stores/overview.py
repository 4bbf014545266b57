"""What a token store knows of a connection, without a request, a lock or a key.

Tokens stay as they are stored; whether one of them was refused is told from the moments of the
notes, since the token that a note speaks of may be encrypted.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from tap_freshbooks.oauth.owner import Owner
from tap_freshbooks.oauth.stores.encryption import AsStored
from tap_freshbooks.oauth.stores.serialization import decode
from tap_freshbooks.timestamps import utc_text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.oauth.tokens import Rejection, TokenPair


class Flag(StrEnum):
    """The condition of a connection."""

    FINE = "fine"
    REFRESH_PENDING = "refresh_pending"
    """A refresh is under way, or was cut off: the next run finds out what became of it."""

    NEEDS_AUTHORIZATION = "needs_authorization"
    """FreshBooks refused the refresh token: only a new consent helps."""

    NOT_CONNECTED = "not_connected"
    """There are no tokens."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What is stored of a connection.

    Attributes:
        client_id: The app, None where the store does not say.
        connection: The name of the connection.
        notes: The pair, with its tokens as they are stored; None if there is none.
        last_success: When a sync has read each stream to its end, epoch seconds.
    """

    client_id: str | None
    connection: str
    notes: TokenPair | None
    last_success: Mapping[str, float]

    @classmethod
    def of(
        cls,
        row: Mapping[str, Any],
        last_success: Mapping[str, float],
        client_id: str | None,
        connection: str,
    ) -> Self:
        """From the stored form of a pair."""
        return cls(client_id, connection, decode(row, AsStored(), ""), last_success)

    @property
    def flag(self) -> Flag:
        """The condition of the connection."""
        if self.notes is None:
            return Flag.NOT_CONNECTED
        if self.rejection:
            return Flag.NEEDS_AUTHORIZATION
        return Flag.REFRESH_PENDING if self.notes.pending else Flag.FINE

    @property
    def rejection(self) -> Rejection | None:
        """The last refusal of a token, unless the connection has worked since."""
        if self.notes is None:
            return None
        worked = max(self.notes.refreshed_at or 0, *self.last_success.values(), 0)
        last = max(self.notes.rejections, key=lambda each: each.since, default=None)
        return last if last and last.since > worked else None

    def as_json(self, *, works: bool = False) -> dict[str, Any]:
        """The keys are a promise to whoever reads them (docs/connection.md).

        Args:
            works: Whether the connection has just worked, so that no note says otherwise.
        """
        notes, rejection = self.notes, None if works else self.rejection
        refreshed_at = notes.refreshed_at if notes else None
        pending = notes.pending if notes else None
        since = rejection.since if rejection else pending.since if pending else None
        owner = (notes.owner if notes else None) or Owner()
        return {
            "client_id": self.client_id,
            "connection": self.connection,
            "flag": Flag.FINE if works else self.flag,
            "flagged_at": _moment(since),
            "reason": rejection.reason if rejection else None,
            **asdict(owner),
            "generation": notes.generation if notes else None,
            "refreshed_at": _moment(refreshed_at),
            "age_seconds": int(time.time() - refreshed_at) if refreshed_at else None,
            "access_token_expires_at": _moment(notes.expires_at if notes else None),
            "held_back": len(notes.held_back) if notes else 0,
            "last_success": {
                stream: _moment(moment) for stream, moment in sorted(self.last_success.items())
            },
        }


def _moment(seconds: float | None) -> str | None:
    return utc_text_at(seconds) if seconds and seconds > 0 else None
