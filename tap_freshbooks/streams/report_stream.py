"""Reports: one record per report, period and currency, and their rows as tables of their own.

Parameters are bare, and one that a report does not know is ignored in silence: it then covers
today only, with a 200 and zeros (`docs/freshbooks-api/accounting.md §4`). So the period of the
answer is checked.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.batch import Batch
from tap_freshbooks.schema.fields import (
    Array,
    Boolean,
    Excluded,
    Integer,
    Money,
    Object,
    PlainDate,
    Text,
    UtcTime,
)
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.periods import Period, periods
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.base import RecordStream

READ_UNTIL = "read_until"
RAW = "raw"

HEADING = Object(
    period_start=PlainDate(),
    period_end=PlainDate(),
    report_currency=Text(),
    read_at=UtcTime(),
)
"""Fields of each report and of each of its rows. A row that a later reading no longer has keeps
an older `read_at` than its report."""


class Report(AccountingStream):
    """A report of an account. Off by default: each period costs a request."""

    report: ClassVar[str]
    """Last word of the report's path."""

    parts: ClassVar[Object]
    """The fields of the report as a whole."""

    query_of_period: ClassVar[tuple[str, ...]] = ("start_date", "end_date")
    """Parameters that name the period; `dates[]` and `date` mean its last day."""

    currency_parameter: ClassVar[str] = "currency_code"

    key = ("period_start", "period_end", "report_currency")
    oauth_scope = "user:reports:read"
    replication = Replication.BY_PERIOD
    timestamp_field = None
    marks_deletions = False
    selected_by_default = False

    def __init_subclass__(cls) -> None:
        """Spell the facts of a report."""
        cls.resource = f"reports/accounting/{cls.report}"
        cls.list_key = vars(cls).get("list_key", cls.report)
        cls.fields = HEADING | cls.parts
        super().__init_subclass__()

    @override
    def read_lists(self, reader: PartitionReader) -> Iterator[Batch]:
        currencies = self.config.get("report_currencies") or [None]
        wanted = [
            (period, currency)
            for period in self._periods(reader.plan.partition)
            for currency in currencies
        ]
        requests = [
            (
                self._query(period, currency),
                f"{reader.subject}, {period.start} to {period.end}",
            )
            for period, currency in wanted
        ]
        read_at = None
        pages = reader.read_first_pages(requests)
        for (period, currency), (query, subject), page in zip(wanted, requests, pages, strict=True):
            [report] = page.rows
            read_at = read_at or page.date
            self._check(report, query, subject)
            heading = {
                "period_start": period.start.isoformat(),
                "period_end": period.end.isoformat(),
                "report_currency": currency or report.get("currency_code") or "",
                "read_at": utc_text(page.date),
            }
            yield Batch([{RAW: report, **heading}], read_at)

    def _periods(self, partition: Context) -> list[Period]:
        """Those not yet read when they were closed, and the last `report_lookback` of the rest."""
        interval = self.config["report_interval"]
        today = datetime.now(UTC).date()
        start = parse_timestamp(self.config.get("start_date"))
        # Without a start there is no telling where the books begin: this year and the last.
        first = start.date() if start else date(today.year - 1, 1, 1)
        wanted = periods(first, today, interval)
        states = self.consumer_states(partition)
        marks = [state[READ_UNTIL] for state in states if isinstance(state.get(READ_UNTIL), str)]
        lookback = self.config["report_lookback"]
        again = {period.start for period in wanted[-lookback:]} if lookback else set()
        full_table = self.replication_method == REPLICATION_FULL_TABLE
        if full_table or len(marks) < len(states) or not marks:
            return wanted
        return [
            period
            for period in wanted
            if period.end.isoformat() > min(marks) or period.start in again
        ]

    def _query(self, period: Period, currency: str | None) -> Query:
        values = {"start_date": period.start.isoformat()}
        query = {name: values.get(name, period.end.isoformat()) for name in self.query_of_period}
        return {**query, self.currency_parameter: currency} if currency else query

    @staticmethod
    def _check(answer: Row, query: Query, subject: str) -> None:
        for name in ("start_date", "end_date"):
            if name in query and answer.get(name, query[name]) != query[name]:
                raise FreshBooksError(
                    f"{subject}: FreshBooks answered for another period ({name} "
                    f"{answer[name]}); please report this"
                )

    @override
    def to_record(self, row: Row, context: Context, read_at: datetime) -> Row:
        heading = {name: value for name, value in row.items() if name != RAW}
        whole = {"report": {**row[RAW], "download_token": None}}  # the token is a credential
        parts = {**whole, **row[RAW]}
        parts = {name: parts[name] for name in self.parts.fields if name in parts}
        record = super().to_record({**parts, **heading}, context, read_at)
        return {**record, RAW: row[RAW]}

    @override
    def output_record(self, record: Row) -> Row:
        return {name: value for name, value in record.items() if name != RAW}

    @override
    def read_range(self, partition: Context, *, reconciles: bool) -> tuple[datetime | None, bool]:
        return None, True

    @override
    def advance_bookmark(
        self, source: RecordStream, context: Context, read_at: datetime, *, full: bool
    ) -> None:
        _advance_bookmark(self.state_for(source, context), self, read_at)


def _advance_bookmark(state: dict[str, Any], stream: RecordStream, read_at: datetime) -> None:
    """Note that all periods that were closed at a moment are read."""
    interval = stream.config["report_interval"]
    closed = Period.containing(read_at.date(), interval).previous(interval)
    state[READ_UNTIL] = closed.end.isoformat()


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
        self, source: RecordStream, context: Context, read_at: datetime, *, full: bool
    ) -> None:
        _advance_bookmark(self.state_for(source, context), self, read_at)

    def rows(self, report: Row) -> Iterable[Row]:
        """The rows in an answer, flat."""
        raise NotImplementedError(f"{type(self).__name__} has to say where its rows are")

    @override
    def derive(self, record: Row, source: RecordStream) -> Iterable[Row]:
        scope = self.source.identifier_kind.value
        heading = {name: record[name] for name in HEADING.fields}
        for number, row in enumerate(self.rows(record[RAW]), start=1):
            converted = self.convert(row)
            if converted:
                yield {scope: record[scope], **heading, **converted, "row_number": number}


COMPANY = Object(
    company_name=Text(),
    currency_code=Text(),
    cash_based=Boolean(),
    download_token=Excluded(),  # a credential for the export
)

DATED = Array(Object(date=PlainDate(), balance=Money()))


def parts_of(outer: Row, name: str) -> Iterable[Row]:
    """The objects in a list of an answer."""
    return (part for part in outer.get(name) or [] if isinstance(part, dict))
