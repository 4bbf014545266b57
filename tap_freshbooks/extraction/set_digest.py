"""SetDigest: tells in 16 bytes whether two readings brought the same, in whatever order."""

from __future__ import annotations

from base64 import b64encode
from hashlib import blake2b

SIZE = 16
"""Bytes."""


class SetDigest:
    """The digest of a multiset of items; only the same items, each as often, give the same one.

    Adding is what makes it free of order: the digests of the items are summed up.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._count = 0

    def add(self, item: bytes) -> int:
        """Add an item; returns what `remove` takes."""
        added = int.from_bytes(blake2b(item, digest_size=SIZE).digest(), "big")
        self._sum += added
        self._count += 1
        return added

    def remove(self, added: int) -> None:
        """Remove an item that was added."""
        self._sum -= added
        self._count -= 1

    def __add__(self, other: SetDigest) -> SetDigest:
        """The digest of the items of both."""
        both = SetDigest()
        both._sum, both._count = self._sum + other._sum, self._count + other._count
        return both

    def __str__(self) -> str:
        """The digest, as a state has it: base64."""
        parts = self._sum.to_bytes(2 * SIZE, "big") + self._count.to_bytes(8, "big")
        return b64encode(blake2b(parts, digest_size=SIZE).digest()).decode()
