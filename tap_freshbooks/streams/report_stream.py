"""Reports: one record per report, period and currency, and their rows as tables of their own.

Parameters are bare, and one that a report does not know is ignored in silence: it then covers
today only, with a 200 and zeros (`docs/freshbooks-api/accounting.md §4`). So the period of the
answer is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_freshbooks.errors import FreshBooksError, NotFoundError
from tap_freshbooks.extraction.batch import Batch
from tap_freshbooks.schema.fields import Excluded, Object, PlainDate, Text, UtcTime
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.report_answer import (
    UnexpectedAnswerError,
    check_lists,
    check_period,
    check_totals,
    find_report,
)
from tap_freshbooks.streams.report_periods import (
    advance_period_bookmark,
    first_period_read_again,
    wanted_periods,
)
from tap_freshbooks.streams.report_sums import Sum, sums_of_columns, wrong_totals
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.extraction.pagination import Page
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.bookmarks import BookmarkedStream
    from tap_freshbooks.streams.periods import Period

REPORT = "report"
ROWS = "rows"

NO_CURRENCY = "default"
"""The currency, in keys, of a report that names none and was asked for none. A key is never empty,
and which currencies it covers is not known (`docs/freshbooks-api/accounting.md §4`)."""

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

    business_report: ClassVar[str] = ""
    """Last word of the path below `/accounting/businesses/{business_uuid}/reports/`, if there is
    one: the documentation now shows it, though the other was still answered in July 2026."""

    parts: ClassVar[Object]
    """The fields of the report as a whole, without its lists."""

    lists: ClassVar[tuple[str, ...]] = ()
    """Names of the lists that its rows are made of. A report always has them."""

    totals: ClassVar[tuple[str, ...]] = ()
    """Names of the parts that the rows add up to. A report always has them."""

    columns_of_totals: ClassVar[Mapping[str, str]] = {}
    """Columns of which the sum over all rows is a total of the report, by the totals' names."""

    query_of_period: ClassVar[tuple[str, ...]] = ("start_date", "end_date")
    """Parameters that name the period; `dates[]` and `date` mean its last day."""

    currency_parameter: ClassVar[str] = "currency_code"

    key = ("period_start", "period_end", "report_currency")
    oauth_scope = "user:reports:read"
    paged = False
    replication = Replication.BY_PERIOD
    timestamp_field = None
    marks_deletions = False
    selected_by_default = False

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self._told: set[str] = set()

    def __init_subclass__(cls) -> None:
        """Spell the facts of a report."""
        if "report" in vars(cls):
            cls.resource = f"reports/accounting/{cls.report}"
            cls.list_key = vars(cls).get("list_key", cls.report)
            if cls.business_report:  # where more is demanded (`docs/freshbooks-api/auth.md §8`)
                cls.oauth_scope = "user:reports:read user:account:read"
        if "parts" in vars(cls):
            cls.fields = HEADING | cls.parts | Object(**{name: Excluded() for name in cls.lists})
        super().__init_subclass__()

    @override
    def read_lists(self, reader: PartitionReader) -> Iterator[Batch]:
        wanted = [
            (period, currency, f"{reader.subject}, {period.start} to {period.end}")
            for period in self._periods(reader.plan.partition)
            for currency in self.config.get("report_currencies") or [None]
        ]
        requests = [
            (self._query(period, currency), subject) for period, currency, subject in wanted
        ]
        read_at = None
        delivered = set()
        pages = self._pages(reader, requests)
        for (period, asked, subject), page in zip(wanted, pages, strict=True):
            read_at = read_at or page.date
            try:
                report = self._report_in(page, period)
                rows = list(self.rows(report))
                currency = self._currency(report, asked, subject)
                self._check_sums(report, rows, subject)
            except UnexpectedAnswerError as error:
                raise FreshBooksError(f"{subject}: {error}; please report this") from error
            if (period, currency) in delivered:  # asked for in another currency, in vain
                continue
            delivered.add((period, currency))
            heading = {
                "period_start": period.start.isoformat(),
                "period_end": period.end.isoformat(),
                "report_currency": currency,
                "read_at": utc_text(page.date),
            }
            yield Batch([{REPORT: report, ROWS: rows, **heading}], read_at)

    def _pages(
        self, reader: PartitionReader, requests: Sequence[tuple[Query, str]]
    ) -> Iterator[Page]:
        """The answers, by the path that FreshBooks knows."""
        result = self.records[:-1]
        pages = reader.read_first_pages(requests, records=result)
        try:
            first = next(pages, None)
        except NotFoundError as error:
            path = self._path_below(reader.plan.business)
            if not path:
                raise
            self.logger.debug("%s; asking by business_uuid", error)
            yield from reader.read_first_pages(requests, path=path, records=result)
            return
        if first is not None:
            yield first
            yield from pages

    def _path_below(self, business: Business) -> str:
        """Where the documentation has the report now; empty if that is nowhere."""
        if not self.business_report or not business.business_uuid:
            return ""
        return f"/accounting/businesses/{business.business_uuid}/reports/{self.business_report}"

    @override
    def probe(self, business: Business) -> None:
        try:
            super().probe(business)
        except NotFoundError:
            path = self._path_below(business)
            if not path:
                raise
            self.endpoint.probe(business, path)

    def _report_in(self, page: Page, period: Period) -> Row:
        """The report of an answer, if it has what makes it complete.

        Raises:
            UnexpectedAnswerError: If not.
        """
        *result, key = self.records
        if len(page.rows) != 1:
            raise UnexpectedAnswerError(f"{'.'.join(result)} is a list, not an object")
        report = find_report(page.rows[0], key, is_certain=not self.unconfirmed)
        check_period(report, self._query(period))
        check_lists(report, self.lists)
        check_totals(report, {name: self.parts.fields[name] for name in self.totals})
        return report

    @classmethod
    def rows(cls, report: Row) -> Iterable[Row]:  # noqa: ARG003
        """The rows in a report, flat: they add up to its totals."""
        return ()

    @classmethod
    def sums(cls, report: Row, rows: Sequence[Row]) -> Iterable[Sum]:
        """The totals in a report, and the rows that each of them is the sum of."""
        return sums_of_columns(cls.whole(report), rows, cls.columns_of_totals)

    def _check_sums(self, report: Row, rows: Sequence[Row], subject: str) -> None:
        """Say which totals are not the sum of the rows: each once."""
        for total in wrong_totals(self.sums(report, rows)):
            self._tell_once(
                total,
                f"{subject}: the rows do not add up to {total} of the report, or it has none; "
                "please report this",
            )

    def _currency(self, report: Row, asked: str | None, subject: str) -> str:
        """The currency of a report, for its key.

        Its own word comes first: a report that does not know the parameter is in the currency of
        the business (`docs/freshbooks-api/accounting.md §4`).

        Raises:
            UnexpectedAnswerError: If it is no text.
        """
        named = report.get("currency_code") or asked or NO_CURRENCY
        if not isinstance(named, str):
            raise UnexpectedAnswerError("currency_code is no text")
        if asked and named != asked:
            self._tell_once(
                asked,
                f"{subject}: FreshBooks answered in {named}, though {asked} was asked for; "
                f"it is delivered once, as a report in {named}",
            )
        return named

    def _tell_once(self, what: str, sentence: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self.logger.warning(sentence)

    @classmethod
    def whole(cls, report: Row) -> Row:
        """A report without its rows, under the names of `parts`."""
        return report

    def _periods(self, partition: Context) -> list[Period]:
        start = parse_timestamp(self.config.get("start_date"))
        states = self.consumer_states(partition)
        is_whole = self.replication_method == REPLICATION_FULL_TABLE
        return wanted_periods(self.config, start, states, is_whole=is_whole)

    def _query(self, period: Period, currency: str | None = None) -> Query:
        values = {"start_date": period.start.isoformat()}
        query = {name: values.get(name, period.end.isoformat()) for name in self.query_of_period}
        return {**query, self.currency_parameter: currency} if currency else query

    @override
    def to_record(self, row: Row, context: Context, read_at: datetime) -> Row:
        heading = {name: value for name, value in row.items() if name not in {REPORT, ROWS}}
        record = super().to_record({**self.whole(row[REPORT]), **heading}, context, read_at)
        return {**record, ROWS: row[ROWS]}

    @override
    def output_record(self, record: Row) -> Row:
        return {name: value for name, value in record.items() if name != ROWS}

    @override
    def next_since(self, read_at: datetime) -> datetime | None:
        return read_at

    @override
    def is_repeated(self, record: Row, since: datetime | None) -> bool:
        if since is None or self.replication_method == REPLICATION_FULL_TABLE:
            return True
        first = first_period_read_again(self.config, since.date())
        return bool(record["period_start"] >= first.start.isoformat())

    @override
    def reading_moment(self, record: Row) -> str:
        return str(record["read_at"])

    @override
    def read_range(self, partition: Context, *, reconciles: bool) -> tuple[datetime | None, bool]:
        return None, True

    @override
    def advance_bookmark(
        self, source: BookmarkedStream, context: Context, read_at: datetime, *, full: bool
    ) -> None:
        advance_period_bookmark(self.state_for(source, context), self.config, read_at)
