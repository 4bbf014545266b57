"""The rows of a list inside each document, as a stream of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_freshbooks.records import DELETED_AT, EXTRA, Row
from tap_freshbooks.schema.fields import EasternTime, Field, Integer, Object
from tap_freshbooks.schema.unknown_fields import part_of_extra
from tap_freshbooks.streams.derived import DerivedStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Tap

    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.list_stream import ListStream


class LineItems(DerivedStream):
    """The rows of a list inside each document, as a table of their own.

    A line carries the id of its document and the document's update timestamp: a line that was
    removed from a document keeps an older one.
    """

    source: ClassVar[type[ListStream]]

    list_field: ClassVar[str] = "lines"
    """The document's field with the list."""

    document: ClassVar[str]
    """Name of the field with the document's id."""

    line: ClassVar[Object]
    """The fields of a line."""

    number: ClassVar[str]
    """The line's own key within its document."""

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self._documents = 0
        self._has_lines = False

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
    def derive(self, record: Row, source: RecordStream) -> Iterable[Row]:
        self._documents += 1
        self._has_lines |= record.get(self.list_field) is not None
        return self.lines_of(record)

    @override
    def finish(self) -> None:
        super().finish()
        # An include that is not known is ignored in silence
        # (`docs/freshbooks-api/accounting.md §4`).
        if self._documents and not self._has_lines:
            self.logger.warning(
                "None of the %d rows of %s has the field %s, of which this stream is made: what "
                "there may be in it, FreshBooks has not sent; please report this",
                self._documents,
                self.source.name,
                self.list_field,
            )

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
                if EXTRA in record:
                    place = f"{cls.list_field}[{number - 1}]"
                    shared[EXTRA] = part_of_extra(record[EXTRA], place)
                yield {**line, cls.number: line.get(cls.number) or number, **shared}
