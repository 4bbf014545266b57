"""Token pairs: an access token, the refresh token that follows it, and what is known of both."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TypeVar


def seed_of(refresh_token: str) -> str:
    """Hash by which a refresh token is recognised without keeping it."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Spending:
    """A refresh that has begun and whose outcome is not known: it is under way, or was cut off.

    Attributes:
        token: Hash of the refresh token that was sent.
        since: When it began, epoch seconds.
    """

    token: str
    since: float


@dataclass(frozen=True, slots=True)
class Rejection:
    """FreshBooks no longer accepts a refresh token: only a new consent helps.

    Attributes:
        token: Hash of that refresh token.
        since: When it was found out, epoch seconds.
        reason: What FreshBooks said, as a clause.
        reported: Whether `auth_failure_url` has taken the event.
    """

    token: str
    since: float
    reason: str
    reported: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class TokenPair:
    """An access token and the refresh token that follows it, with two notes.

    The notes name the token that they speak of: it may be another one that the user has
    configured, and that must not take the place of this pair before it has proved good.

    Attributes:
        refresh_token: Works once, then every earlier one of this user and app is dead.
        access_token: None until the first refresh.
        expires_at: When the access token ends, epoch seconds.
        generation: How many times the pair was refreshed since its seed.
        seed: Hash of the configured refresh token that the line of pairs began with.
        refreshed_at: When the pair was made, epoch seconds by our clock.
        spending: The refresh whose outcome is unknown, None as a rule.
        rejection: Which token was refused and why, None as a rule.
    """

    refresh_token: str
    access_token: str | None = None
    expires_at: float = 0.0
    generation: int = 0
    seed: str | None = None
    refreshed_at: float | None = None
    spending: Spending | None = None
    rejection: Rejection | None = None

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"TokenPair(generation={self.generation}, expires_at={self.expires_at:.0f})"

    def is_fresh(self, margin: float) -> bool:
        """Whether the access token lives for at least `margin` more seconds."""
        return bool(self.access_token) and self.expires_at > time.time() + margin

    @property
    def own_spending(self) -> Spending | None:
        """The note of a refresh with this very refresh token."""
        return _own(self.spending, self.refresh_token)

    @property
    def own_rejection(self) -> Rejection | None:
        """The note that this very refresh token was refused."""
        return _own(self.rejection, self.refresh_token)


Note = TypeVar("Note", Spending, Rejection)


def _own(note: Note | None, refresh_token: str) -> Note | None:
    return note if note and note.token == seed_of(refresh_token) else None
