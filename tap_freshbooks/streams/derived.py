"""Streams that are made of another stream's records, at no request of their own.

The source feeds them while it reads its pages, whether it is selected itself or not. The SDK's
child streams would repeat the schema and keep a state per parent record.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_freshbooks.records import DELETED_AT
from tap_freshbooks.streams.base import RecordStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.key_book import KeyBook


class DerivedStream(RecordStream):
    """A stream whose records follow from those of its source."""

    source: ClassVar[type[RecordStream]]
    """The stream that feeds this one."""

    def __init_subclass__(cls) -> None:
        """Take over what a derived stream has from its source."""
        if "source" in vars(cls) and not cls.unconfirmed:
            cls.unconfirmed = cls.source.unconfirmed
        super().__init_subclass__()
        if "source" in vars(cls):
            # The SDK then leaves the reading to the source, and reads it if only we are selected.
            cls.parent_stream_type = cls.source
            cls.replication = cls.source.replication
            cls.hard_deletes = cls.source.hard_deletes
            cls.oauth_scope = cls.source.oauth_scope

    key_book: KeyBook | None = None
    """Notes which rows are there, where rows can vanish and the target shall know."""

    @classmethod
    @override
    def fixed_pace(cls) -> str:
        return f"is made of {cls.source.name}: name that instead"

    @abstractmethod
    def derive(self, record: Row, source: RecordStream) -> Iterable[Row]:
        """Records that follow from one of a source's, which is not to be changed."""

    def feed(self, record: Row, source: RecordStream, partition: Context) -> bool:
        """Deliver what follows from a record of a source; False if this stream fails of it."""
        try:
            self.process_parent(record, source)
        except Exception as error:  # noqa: BLE001 - foreign input may be wrong in any way
            source.fail(partition, error, [self])
            return False
        return True

    def has_new(self, record: Row, source: RecordStream) -> bool:
        """Note what follows from a record that has not changed; whether some of it is new.

        A record that makes this stream fail counts as new: it is fed then, and fails as any other.
        """
        try:
            rows = list(self.derive(record, source))
        except Exception:  # noqa: BLE001 - foreign input may be wrong in any way
            return True
        is_new = False
        for row in rows:
            is_new |= self.key_book is not None and self.key_book.see(row)
        return is_new

    def feed_gone(self, records: Iterable[Row], source: RecordStream, partition: Context) -> bool:
        """Deliver records that say of rows that they are gone; False if this stream fails of it."""
        try:
            for record in records:
                self.write_record(record)
        except Exception as error:  # noqa: BLE001 - foreign input may be wrong in any way
            source.fail(partition, error, [self])
            return False
        return True

    @override
    def write_record(self, record: Row) -> None:
        if self.key_book:
            if DELETED_AT not in record:
                record = {**record, DELETED_AT: None}
            self.key_book.note(record)
        super().write_record(record)

    def process_parent(self, record: Row, source: RecordStream) -> None:
        """Deliver what follows from a record of a source."""
        for derived in self.derive(record, source):
            self.write_record(derived)

    def process_deletion(self, record: Row, source: RecordStream) -> None:
        """Deliver what follows from a record that only says which object was deleted."""

    @override
    def read(self, partition: Context | None) -> Iterable[Row]:
        return ()
