"""The rows of reports, as tables of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_freshbooks.schema.fields import Integer, Object
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.report_periods import advance_period_bookmark
from tap_freshbooks.streams.report_stream import HEADING, ROWS, Report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.bookmarks import BookmarkedStream


class ReportRows(DerivedStream):
    """The rows of a report."""

    source: ClassVar[type[Report]]
    row: ClassVar[Object]
    """The fields of a row."""

    selected_by_default = False

    def __init_subclass__(cls) -> None:
        """Put a row's fields beside the heading of its report."""
        cls.name = f"{cls.source.name}_rows"
        cls.fields = HEADING | Object(row_number=Integer()) | cls.row
        cls.key = (cls.source.identifier_kind.value, *cls.source.key, "row_number")
        super().__init_subclass__()

    @classmethod
    @override
    def record_properties(cls) -> dict[str, Any]:
        scope = cls.source.identifier_kind.value
        return {scope: cls.source.record_properties()[scope], **super().record_properties()}

    @override
    def advance_bookmark(
        self, source: BookmarkedStream, context: Context, read_at: datetime, *, full: bool
    ) -> None:
        advance_period_bookmark(self.state_for(source, context), self.config, read_at)

    @override
    def derive(self, record: Row, source: RecordStream) -> Iterable[Row]:
        scope = self.source.identifier_kind.value
        heading = {name: record[name] for name in HEADING.fields}
        for number, row in enumerate(record[ROWS], start=1):
            converted = self.convert(row)
            if converted:
                yield {scope: record[scope], **heading, **converted, "row_number": number}
