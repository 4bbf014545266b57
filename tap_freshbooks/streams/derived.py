"""Streams that are made of another stream's records, at no request of their own.

The source feeds them while it reads its pages, whether it is selected itself or not. The SDK's
child streams would repeat the schema and keep a state per parent record.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_freshbooks.schema.fields import EasternTime, Field, Integer, Object
from tap_freshbooks.streams.base import DELETED_AT, RecordStream, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.streams.list_stream import ListStream


class DerivedStream(RecordStream):
    """A stream whose records follow from those of its source."""

    source: ClassVar[type[ListStream]]
    """The stream that feeds this one."""

    def __init_subclass__(cls) -> None:
        """Take over what a derived stream has from its source."""
        super().__init_subclass__()
        if "source" in vars(cls):
            # The SDK then leaves the reading to the source, and reads it if only we are selected.
            cls.parent_stream_type = cls.source
            cls.replication = cls.source.replication
            cls.oauth_scope = cls.source.oauth_scope

    @abstractmethod
    def derive(self, record: Row, source: ListStream) -> Iterable[Row]:
        """Records that follow from one of a source's, which is not to be changed."""

    def announce(self) -> None:
        """Write the schema, before the source feeds the first record."""
        self._write_schema_message()

    def feed(self, record: Row, source: ListStream) -> None:
        """Deliver what follows from a record of a source."""
        for derived in self.derive(record, source):
            self._write_record_message(derived)

    def feed_gone(self, record: Row, source: ListStream) -> None:
        """Deliver what follows from a record that only says which object was deleted."""

    def conclude(self) -> None:
        """Called when a source has fed its last record."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        return ()


class LineItems(DerivedStream):
    """The rows of a list inside each document, as a table of their own.

    A line carries the id of its document and the document's update stamp: a line that was removed
    from a document keeps an older one.
    """

    list_field: ClassVar[str] = "lines"
    """The document's field with the list."""

    document: ClassVar[str]
    """Name of the field with the document's id."""

    line: ClassVar[Object]
    """What a line has by itself."""

    number: ClassVar[str]
    """The line's own key within its document."""

    def __init_subclass__(cls) -> None:
        """Put the line's fields beside those of its document."""
        super().__init_subclass__()
        if "line" not in vars(cls):
            return
        source = cls.source
        document: dict[str, Field] = {cls.document: source.fields.fields[source.key[0]]}
        if source.timestamp_field:
            document["document_updated"] = source.fields.fields[source.timestamp_field]
        # Where a line has no number of its own, its place in the document is one.
        document[cls.number] = Integer()
        cls.fields = Object(**document) | cls.line
        cls.key = (cls.document, cls.number)

    @classmethod
    @override
    def record_keys(cls) -> tuple[str, ...]:
        return (cls.source.identifier_kind.value, *cls.key)

    @classmethod
    @override
    def record_properties(cls) -> dict[str, Any]:
        scope = cls.source.identifier_kind.value
        properties = {scope: cls.source.record_properties()[scope], **super().record_properties()}
        if cls.source.marks_deletions:
            properties[DELETED_AT] = EasternTime().schema()
        return properties

    @override
    def derive(self, record: Row, source: ListStream) -> Iterable[Row]:
        return self.lines_of(record)

    @classmethod
    def lines_of(cls, record: Row) -> Iterable[Row]:
        """The lines of a document, as this table has them."""
        source = cls.source
        shared = {
            source.identifier_kind.value: record[source.identifier_kind.value],
            cls.document: record[source.key[0]],
        }
        if source.timestamp_field:
            shared["document_updated"] = record.get(source.timestamp_field)
        if source.marks_deletions:
            shared[DELETED_AT] = record[DELETED_AT]
        for number, line in enumerate(record.get(cls.list_field) or [], start=1):
            if line:
                yield {**line, cls.number: line.get(cls.number) or number, **shared}
