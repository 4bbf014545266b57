"""Token pairs: an access token, the refresh token that follows it, and notes on refreshes."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tap_freshbooks.oauth.owner import Owner

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
        owner: The FreshBooks user whose pair it is, None as long as nobody has asked.
        held_back: Pairs that are not of this line: whose they are is to be found out, or they are
            of another user. Their owner says which of the two.
        is_held_back: Whether this pair must not be used before its owner is known; not stored.
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
    owner: Owner | None = None
    held_back: tuple[TokenPair, ...] = ()
    is_held_back: bool = field(default=False, compare=False)

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"TokenPair(generation={self.generation}, expires_at={self.expires_at:.0f})"

    def is_fresh(self, margin: float) -> bool:
        """Whether the access token lives for at least `margin` more seconds."""
        return bool(self.access_token) and self.expires_at > time.time() + margin

    @property
    def is_unused_seed(self) -> bool:
        """Whether it is a refresh token that somebody has configured, and nothing else yet."""
        return self.access_token is None and self.generation == 0

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

    @property
    def unchecked(self) -> TokenPair | None:
        """The pair that is held back until it is known whose it is."""
        return next((each for each in self.held_back if each.owner is None), None)

    def held_back_for(self, seed: str | None) -> TokenPair | None:
        """The pair that is held back and was made of this seed."""
        return next((each for each in self.held_back if seed and each.seed == seed), None)

    def holding_back(self, pair: TokenPair) -> Self:
        """This pair, with one more that is held back; one for each seed, and for each user."""
        others = self.without(pair).held_back
        if owner := pair.owner:  # a new pair has ended the earlier ones of its user
            others = tuple(
                each for each in others if not each.owner or owner.is_other_than(each.owner)
            )
        kept = replace(pair, pending=None, rejections=(), held_back=(), is_held_back=False)
        return replace(self, held_back=(*others, kept)[-MAX_NOTES:])

    def without(self, pair: TokenPair) -> Self:
        """This pair, with none held back of the seed of another one."""
        others = (each for each in self.held_back if each.seed != pair.seed)
        return replace(self, held_back=tuple(others))

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
            owner=self.owner.completed_by(former.owner) if self.owner else former.owner,
            held_back=former.held_back,
            is_held_back=False,
        )
