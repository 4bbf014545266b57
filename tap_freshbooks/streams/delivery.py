"""Delivery: what one reading of a partition delivers, unless it is what was delivered last.

The state of each stream keeps a digest of what the next run will deliver once more if nothing
changes: all rows of a list without a filter, and of others those that changed shortly before the
bookmark. Such records are held back until the partition is read to its end. If their digest is
the one of the state, the target has them, and nothing is written; else all of them are. Deleted
rows have a digest of their own, as their lists are not read each time.

A digest never says more than the target has: it leaves the state, and a STATE is written without
it, before the first record is written that it does not cover.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.extraction.set_digest import SetDigest
from tap_freshbooks.singer.held_records import HeldRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

DELIVERED = "delivered_digest"
"""Where the state of a partition has the digest."""

DELETED = "deleted_digest"
"""Where it has that of the deleted rows, where they are in lists of their own."""

MAX_HELD = 16 * 1024 * 1024
"""Bytes, compressed, of the records of one partition that are held back."""

OF_LIVING, OF_DELETED = b"+", b"-"
"""How a record that is held back begins: whose it is."""

MAX_RECENT = 20_000
"""Rows that may be delivered twice in one reading, as they changed meanwhile."""


class Consumer(Protocol):
    """A stream that gets records of the partition."""

    @property
    def name(self) -> str:
        """Of the stream."""

    share: Share | None
    """What it gets of the partition that is read; None if that is of no account."""

    def write_held(self, lines: Iterable[bytes], rows: int) -> None:
        """Write records that were held back.

        Args:
            lines: The records, by `encode_record`.
            rows: How many rows they count for.
        """


def forget(state: dict[str, Any]) -> None:
    """Let the state of a partition say nothing of what was delivered."""
    for name in (DELIVERED, DELETED):
        state.pop(name, None)


class _Part:
    """Records that have one digest: those of living rows, or of deleted ones.

    Args:
        state: Of the partition, for the stream.
        name: Of the digest in it.
    """

    def __init__(self, state: dict[str, Any], name: str) -> None:
        self.rows = 0
        """Rows that are held back."""
        self.again = SetDigest()
        """What the next run will deliver, too."""
        self.rest = SetDigest()
        self._stream_state = state
        self._name = name

    @property
    def is_known(self) -> bool:
        """Whether the target has all of it, by the state."""
        return self._stream_state.get(self._name) == str(self.again + self.rest)

    def keep(self) -> None:
        """Let the state say what the next run will deliver again."""
        self._stream_state[self._name] = str(self.again)

    def forget(self) -> bool:
        """Let the state say nothing; whether it did."""
        return self._stream_state.pop(self._name, None) is not None


class Share:
    """What one stream gets of a delivery.

    Args:
        delivery: Of which.
        consumer: The stream.
        state: Of the partition, for the stream.
    """

    def __init__(self, delivery: Delivery, consumer: Consumer, state: dict[str, Any]) -> None:
        self.delivery = delivery
        self.consumer = consumer
        self.living = _Part(state, DELIVERED)
        self.deleted = _Part(state, DELETED)
        self._held = HeldRecords()
        """The records in their order, which a row has that is deleted or restored meanwhile."""
        self._recent: dict[Hashable, list[tuple[SetDigest, int]]] = {}
        """What was added for rows that may come again, changed."""

    def take(self, line: bytes) -> bool:
        """Note a record, by `encode_record`; whether it is held back, and not to be written."""
        delivery = self.delivery
        part = self.deleted if delivery.is_deleted else self.living
        digest = part.again if delivery.repeats else part.rest
        moment = delivery.moment
        added = digest.add(line.replace(moment, b"") if moment else line)
        if delivery.row is not None:
            self._recent.setdefault(delivery.row, []).append((digest, added))
        if not delivery.holds:
            return False
        mark = OF_DELETED if delivery.is_deleted else OF_LIVING
        delivery.note_held(self._held.add(mark + line))
        return True

    def count(self, rows: int) -> None:
        """Rows are held back whose records were taken."""
        part = self.deleted if self.delivery.is_deleted else self.living
        part.rows += rows

    def forget_row(self, row: Hashable) -> None:
        """A row comes once more: what was delivered of it is not what the target has at the end."""
        for digest, added in self._recent.pop(row, ()):
            digest.remove(added)

    def write(self) -> None:
        """Write what is held back."""
        lines = (line[1:] for line in self._held.take())
        self.consumer.write_held(lines, self.living.rows + self.deleted.rows)
        self.drop()

    def write_deleted(self) -> None:
        """Write the deleted rows that are held back, and drop the living ones."""
        lines = (line[1:] for line in self._held.take() if line.startswith(OF_DELETED))
        self.consumer.write_held(lines, self.deleted.rows)
        self.drop()

    def drop(self) -> None:
        """Hold nothing any more."""
        self._held = HeldRecords()
        self.living.rows = self.deleted.rows = 0

    def forget(self) -> bool:
        """Let the state say nothing of the partition; whether it did."""
        return any([self.living.forget(), self.deleted.forget()])


class Delivery:
    """What one partition delivers to the streams that are fed by it.

    Args:
        consumers: These streams, and what the state of each says of the partition.
        write_state: Writes a STATE.
        is_whole: Whether the stream of a name lacks nothing of the partition, so far.
        holds: Whether the records may be those that were delivered last.
        is_exact: Whether what is delivered will be all that the target has of these rows; if not,
            no digest is kept.

    Attributes:
        holds: Whether records are held back.
        is_begun: Whether records may be out (of those that were held back, if any were).
        is_written: Whether nothing is held back (any more).
        is_exact: As above.
        has_deleted: Whether it has the deleted rows, too, where they are in lists of their own.
        repeats: Whether the next run will deliver the row at hand again, if nothing changes.
        is_deleted: Whether it is a deleted one that is in such a list, perhaps.
        moment: What the records of the row at hand have of the moment of the reading, and of
            nothing else.
        row: Identifies the row at hand, if it may be delivered a second time.
    """

    def __init__(
        self,
        consumers: Sequence[tuple[Consumer, dict[str, Any]]] = (),
        write_state: Callable[[], None] = lambda: None,
        is_whole: Callable[[str], bool] = lambda _: True,
        *,
        holds: bool = True,
        is_exact: bool = True,
    ) -> None:
        are_known = all(isinstance(state.get(DELIVERED), str) for _, state in consumers)
        self.holds = holds and bool(consumers) and are_known
        self.is_begun = self.is_written = not self.holds
        self.is_exact = is_exact
        self.has_deleted = False
        self.repeats = True
        self.is_deleted = False
        self.moment = b""
        self.row: Hashable = None
        self._write_state = write_state
        self._is_whole = is_whole
        self._shares = [Share(self, consumer, state) for consumer, state in consumers]
        self._rows: set[Hashable] = set()
        self._size = 0
        self._is_over = False
        if not self.holds:
            self._tell(share.forget() for share in self._shares)

    @property
    def takes(self) -> bool:
        """Whether the records of the row at hand are of account."""
        return self.holds or (self.repeats and self.is_exact and not self._is_over)

    def announce(
        self, *, repeats: bool, is_deleted: bool = False, moment: str = "", row: Hashable = None
    ) -> None:
        """The records that come next are those of one row; see the attributes."""
        self.repeats, self.is_deleted = repeats, is_deleted
        self.moment, self.row = moment.encode(), row
        self.has_deleted = self.has_deleted or is_deleted
        if row is None or not self.takes:
            return
        if row in self._rows:
            for share in self._shares:
                share.forget_row(row)
        elif len(self._rows) < MAX_RECENT:
            self._rows.add(row)
        else:
            self.is_exact = False

    def begin(self) -> None:
        """Let the streams ask it before they write a record."""
        for share in self._shares:
            share.consumer.share = share

    def end(self) -> None:
        """They need not any more."""
        for share in self._shares:
            share.consumer.share = None

    def note_held(self, size: int) -> None:
        """So many bytes more are held back."""
        self._size += size
        if self._size > MAX_HELD:
            self.release()

    def settle(self) -> None:
        """All rows are there: write them, unless all of them are those that were delivered last.

        What comes now are no rows of the list, and of no account.
        """
        self._is_over = True
        if not self.holds:
            return
        self.holds = False
        whole = [share for share in self._shares if self._is_whole(share.consumer.name)]
        for share in self._shares:
            if share not in whole:
                self._write([share])
        if not self.is_exact or not all(share.living.is_known for share in whole):
            self._write(whole)
        elif self.has_deleted and not all(share.deleted.is_known for share in whole):
            self._tell(share.deleted.forget() for share in whole)
            self.is_begun = True
            for share in whole:
                share.write_deleted()
        for share in whole:
            share.drop()
        self.is_written = True

    def release(self) -> None:
        """Write what is held back, and hold nothing any more."""
        if self.holds:
            self.holds = False
            self._write(self._shares)
            self.is_written = True

    def _write(self, shares: Sequence[Share]) -> None:
        self._tell(share.forget() for share in shares)
        self.is_begun = True
        for share in shares:
            share.write()

    def _tell(self, have_changed: Iterable[bool]) -> None:
        """Write a STATE if the state says less than before."""
        if any(list(have_changed)):
            self._write_state()

    def refuse(self) -> None:
        """The partition may not be read: what the target has of it, others may say now."""
        self.is_exact = False
        self._tell(share.forget() for share in self._shares)

    def keep(self) -> None:
        """The partition was read to its end: say what the next run will deliver again."""
        for share in self._shares:
            if self.is_exact and self._is_whole(share.consumer.name):
                share.living.keep()
                if self.has_deleted:
                    share.deleted.keep()
