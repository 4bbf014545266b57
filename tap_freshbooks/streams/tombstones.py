"""Tombstones: rows that have vanished are sent once more, as keys and `_sdc_deleted_at`.

For tables that several connections share: a row that this connection has never sent is not
touched. The state keeps the keys of all rows that were sent and are not gone, partition by
partition, in little space (`key_codec.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from typing_extensions import override

from tap_freshbooks.records import DELETED_AT
from tap_freshbooks.streams.bookmarks import BOOKMARK
from tap_freshbooks.streams.deletion_marks import TOMBSTONES
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.key_book import KEYS, KeyBook
from tap_freshbooks.streams.key_codec import KeyFormatError
from tap_freshbooks.streams.vanished_rows import VanishedRows
from tap_freshbooks.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tap_freshbooks.extraction.batch import Batch
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.bookmarks import BookmarkedStream
    from tap_freshbooks.streams.list_stream import ListStream


class Tombstones(VanishedRows):
    """Declares a row gone when the list that it was in was read to its end, and lacks it.

    Records and tables have no version. What a target cannot have yet is delivered whatever its
    timestamp is, so that it has all rows of which the state has the keys.
    """

    mode = TOMBSTONES

    def __init__(self, stream: ListStream) -> None:
        super().__init__(stream)
        self._limit = int(stream.config["max_state_keys"])
        self._plan: ReadPlan | None = None
        """Of the partition that is being read."""
        self._books: dict[str, KeyBook] = {}
        """Of this partition, those that are not closed, by the names of their streams."""
        self._derived: list[DerivedStream] = []

    @override
    def begin(self) -> None:
        super().begin()
        self.stream.run.before_state.append(self._keep_all)

    @override
    def open(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        self.close()
        self._plan = plan
        for consumer in self.stream.consumers:
            self._books[consumer.name] = self._book(cast("RecordStream", consumer))
            if isinstance(consumer, DerivedStream):
                consumer.key_book = self._books[consumer.name]
                self._derived.append(consumer)
        return super().open(plan)

    @override
    def is_new(self, record: Row, *, is_changed: bool) -> bool:
        own = self._books.get(self.stream.name)
        is_new = own is not None and own.see(record)
        if not is_changed:  # else what is derived of it notes its own keys when it is written
            for derived in self._derived:
                is_new |= derived.has_new(record, self.stream)
        return is_new

    @override
    def deleted(self, records: Iterable[Row]) -> Iterable[Row]:
        own = self._books.get(self.stream.name)
        for record in records:
            if own:
                own.forget(record)
            yield record

    @override
    def conclude(
        self, plan: ReadPlan, reader: PartitionReader, read_at: datetime | None
    ) -> Iterable[Row]:
        if plan.reads_objects or not reader.is_complete or read_at is None:
            return
        if reader.hides_rows and any(book.vanished for book in self._books.values()):
            self._tell_hidden(plan)
            return
        for consumer in self.stream.whole_consumers(plan.partition):
            book = self._books[consumer.name]
            gone = self._gone(cast("RecordStream", consumer), book, read_at)
            if isinstance(consumer, DerivedStream):
                if not consumer.feed_gone(gone, self.stream, plan.partition):
                    continue
            else:
                yield from gone
            book.keep_seen()
            del self._books[consumer.name]
            if book.overflows:
                self._tell_too_many(consumer)

    @override
    def close(self) -> None:
        self._keep_all()
        self._books.clear()
        for derived in self._derived:
            derived.key_book = None
        self._derived.clear()

    def _keep_all(self) -> None:
        """Keep what may have been sent of a partition that is not read to its end."""
        delivery = self.stream.delivery
        if not delivery.is_begun:
            return  # nothing was sent yet
        for book in list(self._books.values()):
            book.keep_all()
        if self._plan and self._books and not delivery.is_written:
            # Which rows are out, nobody knows: they count as sent, and all are sent once more.
            for state in self.stream.consumer_states(self._plan.partition):
                state.pop(BOOKMARK, None)

    def _book(self, consumer: RecordStream) -> KeyBook:
        assert self._plan  # noqa: S101 - a partition is open
        partition = self._plan.partition
        key = [name for name in consumer.record_keys() if name not in partition]
        state = consumer.state_for(self.stream, partition)
        try:
            return KeyBook(key, state, self._limit)
        except KeyFormatError:
            consumer.logger.warning(
                "%s of %s: the state has under `%s` something else than keys, so rows that "
                "FreshBooks has dropped since the last run stay in the target; all others are sent "
                "once more",
                consumer.name,
                self._plan.business,
                KEYS,
            )
            del state[KEYS]
            return KeyBook(key, state, self._limit)

    def _gone(self, consumer: RecordStream, book: KeyBook, read_at: datetime) -> Iterator[Row]:
        """The tombstones of the rows that have vanished."""
        assert self._plan  # noqa: S101 - a partition is open
        keys = consumer.record_keys()
        scope = {name: value for name, value in self._plan.partition.items() if name in keys}
        vanished = book.vanished
        if vanished:
            consumer.logger.info(
                "%s of %s: %d rows are gone", consumer.name, self._plan.business, len(vanished)
            )
        for key in vanished:
            yield consumer.tombstone({**scope, **key, DELETED_AT: utc_text(read_at)})

    def _tell_too_many(self, consumer: BookmarkedStream) -> None:
        assert self._plan  # noqa: S101 - a partition is open
        consumer.logger.warning(
            "%s of %s has more than %d rows (the setting max_state_keys), too many to keep their "
            "keys in the state: none is declared gone. This stream needs a schema of its own: a "
            "connection that loads it there with hard_deletes: activate_version",
            consumer.name,
            self._plan.business,
            self._limit,
        )
