"""Reading a list of each business: passes, pages, what changed, what was deleted, what vanished.

A stream class says where its resource is and which fields it has; a family class says how its
kind of endpoint filters, pages and shows deletions; `reading.py` reads. This module makes records
of what was read, and sets the bookmarks.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from typing_extensions import override

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.errors import NotFoundError, PermissionDeniedError
from tap_freshbooks.extraction.partition_reader import Batch, FetchedObject, PartitionReader, unwrap
from tap_freshbooks.extraction.prefetch import InlineFuture
from tap_freshbooks.schema.fields import Field, Integer, Text, UtcTime
from tap_freshbooks.streams.base import DELETED_AT, RecordStream, Replication, Row, parse_timestamp
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.errors import FreshBooksError
    from tap_freshbooks.webhooks.sync.planner import ReadPlan

SCOPE_FIELDS: dict[IdentifierKind, Field] = {
    IdentifierKind.ACCOUNT: Text(),
    IdentifierKind.BUSINESS: Integer(),
    IdentifierKind.LEDGER: Text(),
}

LOOKBACK = timedelta(days=1)
"""How far before the bookmark a change still counts: covers zones, clocks and late commits."""

FILTER_TRUST_WINDOW = timedelta(days=3)
"""A row that changed longer than this before the bookmark shows that a filter was ignored."""

Query = dict[str, Any]


class ListStream(RecordStream):
    """A resource that each business has a list of."""

    path: ClassVar[str]
    """Path of the list; `{…}` stands for the identifier of the scope."""

    identifier_kind: ClassVar[IdentifierKind]
    """Which identifier of a business the path wants."""

    records: ClassVar[tuple[str, ...]]
    """Keys to the list in an answer, from outside in; `a|b` means either. May end at one object."""

    query: ClassVar[Query] = {}
    """Parameters of every request."""

    headers: ClassVar[dict[str, str]] = {}
    """Headers of every request."""

    page_parameters: ClassVar[tuple[str, str]] = ("page", "per_page")
    """How the page and its size are spelled."""

    page_metadata_known: ClassVar[bool] = True
    """False if nobody knows what an answer says about pages: then pages are read until one is
    empty or the same again."""

    marks_deletions: ClassVar[bool] = False
    """Whether deleted rows can be told by a look at them."""

    hard_deletes: ClassVar[bool] = False
    """Whether deleted rows disappear without a trace."""

    affected_by: ClassVar[dict[str, str]] = {}
    """Streams whose changes move rows of this one, and their fields with the ids of these.

    Whether FreshBooks sends events for what a change causes elsewhere is not known.
    """

    affected_without_timestamp: ClassVar[bool] = False
    """Whether the filter does not show what others move, so that only the whole list shows what an
    event that was lost would have told."""

    object_path: ClassVar[str] = ""
    """Path of one object, where it is not `{object_id}` below the list."""

    object_key: ClassVar[str] = ""
    """Key to the one object of an answer, where it is not the noun of its events."""

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self.complete = True
        """Whether every business could be read, so far."""
        self._filter_believed = True

    @classmethod
    @override
    def record_keys(cls) -> tuple[str, ...]:
        return (cls.identifier_kind.value, *cls.key)

    @classmethod
    @override
    def record_properties(cls) -> dict[str, Any]:
        properties = {
            cls.identifier_kind.value: SCOPE_FIELDS[cls.identifier_kind].schema(),
            **super().record_properties(),
        }
        if cls.marks_deletions or (cls.hard_deletes and cls.webhook_noun):
            properties[DELETED_AT] = UtcTime().schema()
        return properties

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        return [
            {self.identifier_kind.value: business.identifier(self.identifier_kind)}
            for business in self.connection.businesses_with(self.identifier_kind)
        ]

    # What a family or a resource says

    @abstractmethod
    def passes(self, since: datetime | None) -> Iterable[Query]:
        """Queries that together see every row, or at least every row changed since a moment."""

    def is_deleted(self, record: Row) -> bool:
        """Whether a record of a stream that shows deletions stands for a deleted row."""
        raise NotImplementedError(f"{type(self).__name__} shows no deletions: {sorted(record)}")

    def emitted(self, record: Row) -> Row:
        """What is delivered of a record, once the derived streams have had it."""
        return record

    def changed_without_timestamp(self, record: Row, since: datetime) -> bool:  # noqa: ARG002
        """Whether a record may have changed since a moment although its stamp did not move."""
        return False

    def changes(self, since: datetime) -> Sequence[Query] | None:  # noqa: ARG002
        """Queries that show, with their stamps, the rows that came, changed or went since a moment.

        Empty if the stream's lists show them themselves. None if nothing does: then a list of
        several pages is read twice (`completeness.py`).
        """
        return None

    def listed(self, row: Row) -> Row:
        """How a list would show an object that was asked for by its id."""
        return row

    def changes_order(self, row: Row) -> bool:  # noqa: ARG002
        """Whether rows may have changed places when this one changed."""
        return True

    # Reading

    @override
    def generate_child_contexts(self, record: Row, context: Context | None) -> Iterable[Context]:
        """None: derived streams are fed by the pages of this one, not synced one by one."""
        return ()

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        if context is None:  # no business has the identifier that this stream needs
            for derived in self._derived():
                derived.announce()
                derived.conclude()
            return
        partitions = self.partitions
        if context == partitions[0]:
            self.begin()
        plan = self.plan(context)
        if not (plan and plan.is_idle):
            yield from self._partition(context, plan)
        if context == partitions[-1]:
            self.finish()

    def begin(self) -> None:
        """Called before the first partition is read."""
        for derived in self._derived():
            derived.announce()

    def finish(self) -> None:
        """Called when the last partition was read."""
        for derived in self._derived():
            derived.conclude()
        self.problems.report()

    @override
    def readings(self) -> Iterator[PartitionReader]:
        for context in self.partitions:
            plan = self.plan(context)
            if not (plan and plan.is_idle):
                yield PartitionReader(self, context)

    def plan(self, context: Context) -> ReadPlan | None:
        """What events tell of a business; None if they are not listened to."""
        news = self.connection.news
        return news.plan(self, context) if news and self.webhook_noun else None

    def take(self, context: Context) -> tuple[PartitionReader, Iterator[Batch]]:
        """The reading of a partition, which was perhaps begun before, and what it brings."""
        reading = PartitionReader(self, context)
        ahead = self.connection.ahead
        return ahead.take(reading.turn) if ahead else (reading, reading.begin(InlineFuture, 1))

    def _partition(self, context: Context, plan: ReadPlan | None) -> Iterator[Row]:
        since, full = self.since(context)
        derived = self._derived()
        read_at = None
        reading, batches = self.take(context)
        missed = plan.missed_rows() if plan else None
        try:
            for batch in batches:
                read_at = batch.read_at
                news_since = None if batch.are_news else since
                for row in batch.rows:
                    record = self.record(row, context, read_at)
                    if not record or not self._is_news(record, news_since):
                        continue
                    if missed:
                        missed.see(record, read_at)
                    for stream in derived:
                        stream.feed(record, self)
                    yield self.emitted(record)
                for object_id in batch.gone:
                    yield from self._gone(object_id, context, read_at)
        except (PermissionDeniedError, NotFoundError) as error:
            if read_at is not None and not reading.by_id:
                raise  # rows are out already: this read must not count as complete
            self._skip(error, plan)
            return
        self._conclude(reading, read_at, full=full)
        if plan and reading.settled and read_at is not None:
            plan.done(reading.looked_at, read_at, missed)

    def _skip(self, error: FreshBooksError, plan: ReadPlan | None) -> None:
        """Leave a business out that may not be read."""
        self.complete = False
        self.connection.skipped.append(f"{error} (scope {self.oauth_scope})")
        self.logger.warning("Skipped %s (its scope is %s)", error, self.oauth_scope)
        if plan:
            plan.denied()

    def _conclude(self, reading: PartitionReader, read_at: datetime | None, *, full: bool) -> None:
        """Move the bookmarks of a business, if all that was wanted of its lists was delivered."""
        if not reading.settled:
            self.complete = self.settled = False
            self.logger.warning(
                "%s kept moving while it was read, so a row may be missing: the bookmark stays "
                "where it was, and the next run reads the same again",
                reading.subject,
            )
        elif read_at is not None and not reading.by_id:
            for consumer in self.consumers:
                consumer.remember(self, reading.context, read_at, full=full)

    def since(self, context: Context) -> tuple[datetime | None, bool]:
        """From when on changes are wanted, None for all; and whether that is a full read."""
        if self.replication is Replication.FULL_TABLE:
            return None, True
        start = parse_timestamp(self.config.get("start_date"))
        is_whole = self.affected_without_timestamp or self.replication is Replication.CLIENT_FILTER
        if is_whole and (plan := self.plan(context)) and not plan.by_id:
            return start, True
        bookmarks = [consumer.bookmark(self, context) for consumer in self.consumers]
        known = [bookmark for bookmark in bookmarks if bookmark is not None]
        if len(known) < len(bookmarks) or not known:
            return start, True
        since = min(known)
        return max(since, start) if start else since, False

    def _is_news(self, record: Row, since: datetime | None) -> bool:
        """Whether a record changed since a moment, as far as can be told."""
        stamp = (
            parse_timestamp(record.get(self.timestamp_field))
            if since and self.timestamp_field
            else None
        )
        if since is None or stamp is None or stamp >= since - LOOKBACK:
            return True
        return self.changed_without_timestamp(record, since)

    def record(self, row: Row, context: Context, read_at: datetime) -> Row:
        """Convert a row; empty if it is not wanted."""
        identifier = context[self.identifier_kind.value]
        record: Row = {self.identifier_kind.value: identifier, **(self.convert(row) or {})}
        record[self.identifier_kind.value] = (
            identifier  # also where the row has a field of this name
        )
        if self.marks_deletions:
            deleted = self.is_deleted(record)
            if deleted and not self.config["include_deleted"]:
                return {}
            stamp = record.get(self.timestamp_field) if self.timestamp_field else None
            record[DELETED_AT] = (stamp or utc_text(read_at)) if deleted else None
        return record

    def _gone(self, object_id: str, context: Context, read_at: datetime) -> Iterator[Row]:
        """A record that says no more of an object than that it was deleted."""
        key = self.key[0]
        value = self.fields.fields[key].converter(key, self.problems)(object_id)
        if value is not None:
            record = {
                self.identifier_kind.value: context[self.identifier_kind.value],
                key: value,
                DELETED_AT: utc_text(read_at),
            }
            for stream in self._derived():
                stream.feed_gone(record, self)
            yield record

    def pages(self, reading: PartitionReader) -> Iterator[Batch]:
        """What is read of a business. Runs in a thread of its own."""
        if reading.plan and reading.by_id:
            yield from reading.looks(reading.plan)
        else:
            yield from self.list_pages(reading)

    def list_pages(self, reading: PartitionReader) -> Iterator[Batch]:
        """What the lists of a business have. Runs in a thread of its own."""
        query: Query = {}

        def passes() -> Iterator[Query]:
            nonlocal query
            for query in self.passes(reading.since):  # noqa: UP028 - the rows below are of this one
                yield query

        for batch in reading.complete(passes()):
            if reading.since and self.replication is Replication.SERVER_FILTER:
                self._check_filter(batch.rows, query, reading.since)
            yield batch

    def look(self, business: Business, object_id: str) -> FetchedObject:
        """Ask for one object, with all that the list would show of it."""
        subject = f"{self.name} {object_id} of {business}"
        template = self.object_path or f"{self.path}/{{object_id}}"
        path = self._path(template, business, object_id=quote(object_id, safe=""))
        tally = self.connection.tallies.of(self.name)
        try:
            answer = self.connection.client.get(
                path, self.query, headers=self.headers, subject=subject, tally=tally
            )
        except NotFoundError:
            return FetchedObject(None, datetime.now(UTC))
        key = self.object_key or str(self.webhook_noun)
        rows, _ = unwrap(answer.body, (*self.records[:-1], key), subject)
        tally.count(total=1)
        return FetchedObject(self.listed(rows[0]) if rows else None, answer.date)

    def path_of(self, business: Business) -> str:
        """Path of the list of a business."""
        return self._path(self.path, business)

    @staticmethod
    def _path(template: str, business: Business, **more: str) -> str:
        return template.format(
            **{scope.value: business.identifier(scope) for scope in IdentifierKind}, **more
        )

    def probe(self, business: Business) -> None:
        """Ask for one row, to see whether the token may read this stream.

        Raises:
            FreshBooksError: If it may not, or something else is wrong.
        """
        _, per_page = self.page_parameters
        self.connection.client.get(
            self.path_of(business),
            {**self.query, per_page: 1},
            headers=self.headers,
            subject=f"{self.name} of {business}",
        )

    def _check_filter(self, rows: list[Row], query: Query, since: datetime) -> None:
        """Unknown filters are answered with the whole list and a 200.

        See `docs/freshbooks-api/accounting.md §4`.

        Then the list is complete all the same, and `_is_news` leaves out what is old; but the
        user should know why it takes so long.
        """
        if (
            not self._filter_believed
            or not self.timestamp_field
            or not any("updated" in key for key in query)
        ):
            return
        oldest = since - FILTER_TRUST_WINDOW
        convert = self.fields.fields[self.timestamp_field].converter(
            self.timestamp_field, self.problems
        )
        for row in rows:
            stamp = parse_timestamp(convert(row.get(self.timestamp_field)))
            if stamp and stamp < oldest:
                self._filter_believed = False
                self.logger.warning(
                    "FreshBooks ignores the filter by change on %s: the whole list is read each "
                    "time, and what changed is picked out of it",
                    self.name,
                )
                return

    def business(self, identifier: Any) -> Business:
        """The business that has this identifier of the stream's scope."""
        return next(
            business
            for business in self.connection.businesses
            if business.identifier(self.identifier_kind) == identifier
        )

    def _derived(self) -> list[DerivedStream]:
        return [stream for stream in self.consumers if isinstance(stream, DerivedStream)]
