"""Reading a list of each business: passes, pages, what changed, what was deleted, what vanished.

A stream class says where its resource is and which fields it has; a family class says how its
kind of endpoint filters, pages and shows deletions. This module does the reading.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_freshbooks.errors import FreshBooksError, PermissionDenied, WrongIdentifier
from tap_freshbooks.fields import Field, Integer, Text, UtcTime
from tap_freshbooks.identity import Scope
from tap_freshbooks.pagination import PageMetadata, PageMetadataPaginator
from tap_freshbooks.streams.base import DELETED_AT, RecordStream, Replication, Row, parse_moment
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.identity import Business

SCOPE_FIELDS: dict[Scope, Field] = {
    Scope.ACCOUNT: Text(),
    Scope.BUSINESS: Integer(),
    Scope.LEDGER: Text(),
}

OVERLAP = timedelta(days=1)
"""How far before the bookmark a change still counts: covers zones, clocks and late commits."""

BELIEVED = timedelta(days=3)
"""A row that changed longer than this before the bookmark shows that a filter was ignored."""

Query = dict[str, Any]
Page = tuple[list[Row], "datetime"]


class FreshBooksStream(RecordStream):
    """A resource that each business has a list of."""

    path: ClassVar[str]
    """Path of the list; `{…}` stands for the identifier of the scope."""

    scope: ClassVar[Scope]
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

    shows_deletions: ClassVar[bool] = False
    """Whether deleted rows can be told by a look at them."""

    def __init__(self, tap: Tap, connection: Connection) -> None:
        super().__init__(tap, connection)
        self.complete = True
        """Whether every business could be read, so far."""
        self._filter_believed = True

    @classmethod
    @override
    def record_keys(cls) -> tuple[str, ...]:
        return (cls.scope.value, *cls.key)

    @classmethod
    @override
    def record_properties(cls) -> dict[str, Any]:
        properties = {
            cls.scope.value: SCOPE_FIELDS[cls.scope].schema(),
            **super().record_properties(),
        }
        if cls.shows_deletions:
            properties[DELETED_AT] = UtcTime().schema()
        return properties

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        return [
            {self.scope.value: business.identifier(self.scope)}
            for business in self.connection.businesses_with(self.scope)
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

    def moved_silently(self, record: Row, since: datetime) -> bool:  # noqa: ARG002
        """Whether a record may have changed since a moment although its stamp did not move."""
        return False

    # Reading

    @override
    def generate_child_contexts(self, record: Row, context: Context | None) -> Iterable[Context]:
        """None: derived streams are fed by the pages of this one, not synced one by one."""
        return ()

    @property
    def consumers(self) -> list[RecordStream]:
        """The selected streams that live on this one's pages, itself included."""
        streams = [self, *self.child_streams]
        return [
            stream for stream in streams if isinstance(stream, RecordStream) and stream.selected
        ]

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        if context is None:  # no business has the identifier that this stream needs
            return
        partitions = self.partitions
        if context == partitions[0]:
            self.begin()
        yield from self._partition(context)
        if context == partitions[-1]:
            self.finish()

    def begin(self) -> None:
        """Called before the first partition is read."""
        for derived in self._derived():
            derived.announce()

    def finish(self) -> None:
        """Called when the last partition was read."""
        self.problems.report()

    def _partition(self, context: Context) -> Iterator[Row]:
        since, full = self.since(context)
        derived = self._derived()
        read_at = None
        seen = set()  # passes may overlap, and rows move between pages while they are read
        try:
            for rows, read_at in self.pages(context, since):
                for row in rows:
                    record = self.record(row, context, read_at)
                    key = self._key(record) if record else None
                    if key is None or key in seen or not self._is_news(record, since):
                        continue
                    seen.add(key)
                    for stream in derived:
                        stream.feed(record)
                    yield self.emitted(record)
        except (PermissionDenied, WrongIdentifier) as error:
            if read_at is not None:
                raise  # rows are out already: this read must not count as complete
            self.complete = False
            self.connection.skipped.append(f"{error} (scope {self.oauth_scope})")
            self.logger.warning("Skipped %s (its scope is %s)", error, self.oauth_scope)
            return
        if read_at is not None:
            for consumer in self.consumers:
                consumer.remember(context, read_at, full=full)

    def since(self, context: Context) -> tuple[datetime | None, bool]:
        """From when on changes are wanted, None for all; and whether that is a full read."""
        if self.replication is Replication.WHOLE:
            return None, True
        start = parse_moment(self.config.get("start_date"))
        bookmarks = [consumer.bookmark(context) for consumer in self.consumers]
        known = [bookmark for bookmark in bookmarks if bookmark is not None]
        if len(known) < len(bookmarks) or not known:
            return start, True
        since = min(known)
        return max(since, start) if start else since, False

    def _key(self, record: Row) -> tuple[Any, ...]:
        key = tuple(record.get(name) for name in self.key)
        if None in key:
            raise FreshBooksError(
                f"{self.name}: FreshBooks sent a row without {' or '.join(self.key)}, "
                "which cannot be told from others; please report this"
            )
        return key

    def _is_news(self, record: Row, since: datetime | None) -> bool:
        """Whether a record changed since a moment, as far as can be told."""
        stamp = parse_moment(record.get(self.stamp)) if since and self.stamp else None
        if since is None or stamp is None or stamp >= since - OVERLAP:
            return True
        return self.moved_silently(record, since)

    def record(self, row: Row, context: Context, read_at: datetime) -> Row:
        """Convert a row; empty if it is not wanted."""
        identifier = context[self.scope.value]
        record: Row = {self.scope.value: identifier, **(self.convert(row) or {})}
        record[self.scope.value] = identifier  # also where the row has a field of this name
        if self.shows_deletions:
            deleted = self.is_deleted(record)
            if deleted and not self.config["include_deleted"]:
                return {}
            stamp = record.get(self.stamp) if self.stamp else None
            record[DELETED_AT] = (stamp or utc_text(read_at)) if deleted else None
        return record

    def pages(self, context: Context, since: datetime | None) -> Iterator[Page]:
        """All pages of all passes, each with the moment at which the read began."""
        identifier = context[self.scope.value]
        business = self.business(identifier)
        path = self.path.format(**{scope.value: business.identifier(scope) for scope in Scope})
        read_at = None
        for query in self.passes(since):
            for rows, date in self.walk(path, query, f"{self.name} of {business}"):
                read_at = read_at or date
                if since and query and self.replication is Replication.FILTERED:
                    self._check_filter(rows, query, since)
                yield rows, read_at

    def probe(self, business: Business) -> None:
        """Ask for one row, to see whether the token may read this stream.

        Raises:
            FreshBooksError: If it may not, or something else is wrong.
        """
        path = self.path.format(**{scope.value: business.identifier(scope) for scope in Scope})
        _, per_page = self.page_parameters
        self.connection.client.get(
            path,
            {**self.query, per_page: 1},
            headers=self.headers,
            subject=f"{self.name} of {business}",
        )

    def walk(
        self, path: str, query: Query, subject: str, records: tuple[str, ...] | None = None
    ) -> Iterator[Page]:
        """All pages of one list, each with the moment of its answer."""
        paginator = PageMetadataPaginator(*self.page_parameters)
        previous = None
        while not paginator.finished:
            answer = self.connection.client.get(
                path,
                {**self.query, **query, **paginator.query()},
                headers=self.headers,
                subject=subject,
            )
            rows, metadata = self._unwrap(answer.body, records or self.records, subject)
            paginator.advance(metadata, len(rows))
            if metadata.page is None and not self.page_metadata_known:
                paginator.finished = not rows or rows == previous
                previous = rows
            yield rows, answer.date

    @staticmethod
    def _unwrap(
        body: Any, records: tuple[str, ...], subject: str
    ) -> tuple[list[Row], PageMetadata]:
        """Find the list of an answer, or its one object, and what it says about pages."""
        holder, found = body, body
        for names in records:
            if not isinstance(found, dict):
                found = None
                break
            holder = found
            found = next((holder[name] for name in names.split("|") if name in holder), None)
        if isinstance(found, dict):
            return [found], PageMetadata(None, 1, None)
        if not isinstance(found, list):
            # Not an empty list: with a wrong key every account would look empty.
            raise FreshBooksError(
                f"{subject}: the answer has no list at {'.'.join(records)}; please report this"
            )
        if not all(isinstance(row, dict) for row in found):
            raise FreshBooksError(f"{subject}: the answer has rows that are no objects")
        return found, PageMetadata.read(holder if isinstance(holder, dict) else {})

    def _check_filter(self, rows: list[Row], query: Query, since: datetime) -> None:
        """Unknown filters are answered with the whole list and a 200 (`accounting.md §4`).

        Then the list is complete all the same, and `_is_news` leaves out what is old; but the
        user should know why it takes so long.
        """
        if (
            not self._filter_believed
            or not self.stamp
            or not any("updated" in key for key in query)
        ):
            return
        oldest = since - BELIEVED
        convert = self.fields.fields[self.stamp].converter(self.stamp, self.problems)
        for row in rows:
            stamp = parse_moment(convert(row.get(self.stamp)))
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
            if business.identifier(self.scope) == identifier
        )

    def _derived(self) -> list[DerivedStream]:
        return [stream for stream in self.consumers if isinstance(stream, DerivedStream)]
