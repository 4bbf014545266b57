"""KeyBook: which rows of one partition a target can have, as the state of one stream keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_freshbooks.records import DELETED_AT
from tap_freshbooks.streams.key_codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.key_codec import Key

KEYS = "keys"
"""Where the state of a partition has them."""

TOO_MANY = {"too_many": True}
"""What is there instead, where they are more than the bound."""


class KeyBook:
    """The keys of one stream in one partition: those of earlier runs, and those seen in this one.

    Args:
        key: The columns of the primary key in which the rows of a partition differ.
        state: Of the partition; the keys are written to it.
        limit: More keys than this are not kept.

    Attributes:
        overflows: Whether the rows that were seen are too many for their keys to be kept.

    Raises:
        KeyFormatError: If the state has something else where the keys belong.
    """

    def __init__(self, key: Sequence[str], state: dict[str, Any], limit: int) -> None:
        self.overflows = False
        self._key = tuple(key)
        self._kept = state
        self._limit = limit
        kept = state.get(KEYS)
        self._was_full = kept == TOO_MANY
        """Whether it is not known which rows the target has, since they were too many."""
        self._known = set() if kept is None or self._was_full else decode(kept, len(self._key))
        self._seen: set[Key] = set()
        self._has_changed = kept is None

    def see(self, record: Mapping[str, Any]) -> bool:
        """Note that a row is there; whether it is new to the target."""
        key = self._key_of(record)
        if not self.overflows:
            self._seen.add(key)
            if len(self._seen) > self._limit:
                self.overflows = True
                self._seen.clear()
        return not self._was_full and key not in self._known

    def note(self, record: Mapping[str, Any]) -> None:
        """Note what a record that is written says of its row."""
        if record.get(DELETED_AT):
            self.forget(record)
        else:
            self.see(record)

    def forget(self, record: Mapping[str, Any]) -> None:
        """Note that the target is told that a row is gone."""
        key = self._key_of(record)
        self._has_changed = self._has_changed or key in self._known
        self._known.discard(key)
        self._seen.discard(key)

    @property
    def vanished(self) -> list[Row]:
        """The keys that were not seen, where a partition was read to its end."""
        gone = () if self.overflows else sorted(self._known - self._seen, key=repr)
        return [dict(zip(self._key, key, strict=True)) for key in gone]

    def keep_seen(self) -> None:
        """The partition was read to its end, and what was not seen has been declared gone."""
        if self.overflows:
            self._kept[KEYS] = TOO_MANY
        elif self._has_changed or self._was_full or self._seen != self._known:
            self._kept[KEYS] = encode(self._seen)

    def keep_all(self) -> None:
        """The partition was read in part, or not to its end: what was known may still be there."""
        if self._was_full:
            return
        every = self._known | self._seen
        if self.overflows or len(every) > self._limit:
            self._kept[KEYS] = TOO_MANY
        elif every and (self._has_changed or len(every) > len(self._known)):
            self._kept[KEYS] = encode(every)

    def _key_of(self, record: Mapping[str, Any]) -> Key:
        return tuple(map(record.get, self._key))
