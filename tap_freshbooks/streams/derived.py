"""Streams that are made of another stream's records, at no request of their own.

The source feeds them while it reads its pages, whether it is selected itself or not. The SDK's
child streams would repeat the schema and keep a state per parent record.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_freshbooks.streams.base import RecordStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.records import Row


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
            cls.oauth_scope = cls.source.oauth_scope

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

    def process_parent(self, record: Row, source: RecordStream) -> None:
        """Deliver what follows from a record of a source."""
        for derived in self.derive(record, source):
            self.write_record(derived)

    def process_deletion(self, record: Row, source: RecordStream) -> None:
        """Deliver what follows from a record that only says which object was deleted."""

    @override
    def read(self, partition: Context | None) -> Iterable[Row]:
        return ()
