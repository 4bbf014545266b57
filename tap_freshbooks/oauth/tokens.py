"""Token pairs: an access token, the refresh token that follows it, and notes on refreshes."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace
from typing import Self

MAX_NOTES = 20
"""How many notes of a kind are kept, the latest."""

LEGACY_ALL = "admin:all:legacy"
"""The scope of apps that are older than scopes (`docs/freshbooks-api/auth.md §4`)."""


def hash_of(text: str) -> str:
    """Hash by which a token or client id is recognised without keeping it."""
    return hashlib.sha256(text.encode()).hexdigest()


def usable_access_token(value: object) -> str | None:
    """An access token that can stand in the head of a request, without a line end behind it."""
    token = value.strip() if isinstance(value, str) else ""
    return token if token and token.isascii() and token.isprintable() else None


@dataclass(frozen=True, slots=True)
class PendingRefresh:
    """The note of a refresh whose outcome is not known: it is under way, or was cut off.

    Attributes:
        token: Hash of the refresh token that was sent.
        since: When it began, epoch seconds.
    """

    token: str
    since: float


@dataclass(frozen=True, slots=True)
class Rejection:
    """The note that FreshBooks no longer accepts a refresh token: only a new consent helps.

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
    """An access token and the refresh token that follows it, with the notes of its store.

    The notes name the token that they speak of: it may be another one that the user has
    configured, and that must not take the place of this pair before it has proved good.

    Attributes:
        refresh_token: Works once, then every earlier one of this user and app is dead.
        access_token: None until the first refresh.
        expires_at: When the access token ends, epoch seconds.
        generation: How many times the pair was refreshed since its seed.
        client: Hash of the client id that the pair was made for.
        seed: Hash of the configured refresh token that the line of pairs began with.
        superseded_seeds: Hashes of earlier seeds in this store: they never win over this pair.
        refreshed_at: When the pair was made, epoch seconds by our clock.
        created_at: The same by the token answer's own word; not stored, and not believed.
        pending: The refresh whose outcome is unknown, None as a rule.
        rejections: Which tokens were refused and why, the latest last.
    """

    refresh_token: str
    access_token: str | None = None
    expires_at: float = 0.0
    generation: int = 0
    client: str | None = None
    seed: str | None = None
    superseded_seeds: tuple[str, ...] = ()
    refreshed_at: float | None = None
    created_at: float | None = field(default=None, compare=False)
    pending: PendingRefresh | None = None
    rejections: tuple[Rejection, ...] = ()

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"TokenPair(generation={self.generation}, expires_at={self.expires_at:.0f})"

    def is_fresh(self, margin: float) -> bool:
        """Whether the access token lives for at least `margin` more seconds."""
        return bool(self.access_token) and self.expires_at > time.time() + margin

    @property
    def pending_refresh(self) -> PendingRefresh | None:
        """The note of a refresh with this very refresh token."""
        found = self.pending
        return found if found and found.token == hash_of(self.refresh_token) else None

    @property
    def own_rejection(self) -> Rejection | None:
        """The note that this very refresh token was refused."""
        own = hash_of(self.refresh_token)
        return next((each for each in self.rejections if each.token == own), None)

    def with_rejection(self, rejection: Rejection) -> Self:
        """The pair with one more note, which replaces an earlier one about the same token."""
        others = [each for each in self.rejections if each.token != rejection.token]
        return replace(self, pending=None, rejections=(*others, rejection)[-MAX_NOTES:])

    def replacing(self, former: TokenPair | None) -> Self:
        """The pair with the notes that are kept of the one that it replaces in a store."""
        if former is None:
            return self
        earlier = (*former.superseded_seeds, former.seed)
        seeds = [seed for seed in earlier if seed and seed != self.seed]
        rejections = [each for each in former.rejections if each != former.own_rejection]
        return replace(
            self,
            superseded_seeds=tuple(dict.fromkeys(seeds))[-MAX_NOTES:],
            rejections=tuple(rejections),
        )
