"""Keys of rows, kept in little space: ids are whole numbers, mostly near each other."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, cast

from tap_freshbooks.extraction.set_digest import SetDigest

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


def is_key(value: object) -> bool:
    """Whether a value can tell a row from others: it is there, not empty, and has no parts.

    Nor is it true or false, of which a column of whole numbers would make 1 and 0.
    """
    return value is not None and value != "" and not isinstance(value, dict | list | bool)


class KeySet:
    """A set of keys that only grows."""

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}
        """Which of 64 numbers in a row are in it."""
        self._others: set[Hashable] = set()

    def add(self, key: Hashable) -> bool:
        """Add a key; whether it was not there yet."""
        if type(key) is int:
            place, bit = key >> 6, 1 << (key & 63)
            mask = self._masks.get(place, 0)
            self._masks[place] = mask | bit
            return not mask & bit
        size = len(self._others)
        self._others.add(key)
        return len(self._others) > size

    def __len__(self) -> int:
        """How many keys are in it."""
        return sum(map(int.bit_count, self._masks.values())) + len(self._others)

    @property
    def digest(self) -> str:
        """Another one for each other set."""
        digest = SetDigest()
        for place, mask in self._masks.items():
            digest.add(b"%d:%d" % (place, mask))
        for key in self._others:
            digest.add(repr(key).encode())
        return str(digest)


def compact(keys: list[Hashable]) -> Sequence[Hashable]:
    """The same keys in a quarter of the space, if they are whole numbers."""
    try:
        return array("q", cast("list[int]", keys))
    except (TypeError, OverflowError):
        return keys
