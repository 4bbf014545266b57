"""The base of every stream: businesses as partitions, passes, pages, conversion.

A stream class says where its resource is and which fields it has; a family class says how
its kind of endpoint filters, pages and shows deletions. This module does the reading.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from typing_extensions import override

from tap_freshbooks.errors import FreshBooksError, PermissionDenied
from tap_freshbooks.fields import Field, Integer, Object, Text, UtcTime
from tap_freshbooks.identity import Scope
from tap_freshbooks.pagination import PageMetadata, PageMetadataPaginator
from tap_freshbooks.times import utc_text

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.identity import Business

DELETED_AT = "_sdc_deleted_at"

SCOPE_FIELDS: dict[Scope, Field] = {
    Scope.ACCOUNT: Text(),
    Scope.BUSINESS: Integer(),
    Scope.LEDGER: Text(),
}

Query = dict[str, Any]
Row = dict[str, Any]


class RecordStream(Stream, ABC):
    """A stream whose schema and conversion come from its declared fields."""

    name: str

    fields: ClassVar[Object]
    """What a record has."""

    key: ClassVar[tuple[str, ...]] = ("id",)
    """Primary key, within one business if there is a scope."""

    oauth_scope: ClassVar[str]
    """What the token must be allowed."""

    def __init__(self, tap: Tap, connection: Connection) -> None:
        super().__init__(tap, schema=self.record_schema())
        self.connection = connection
        self.primary_keys = self.record_keys()
        self.problems = LoggedProblems(self.logger)
        self.convert = self.fields.converter("", self.problems)

    @classmethod
    def record_keys(cls) -> tuple[str, ...]:
        """Names of the primary key's fields."""
        return cls.key

    @classmethod
    def record_properties(cls) -> dict[str, Any]:
        """JSON schema of each field."""
        properties: dict[str, Any] = cls.fields.schema()["properties"]
        return properties

    @classmethod
    def record_schema(cls) -> dict[str, Any]:
        """JSON schema of a record; only the keys are never null."""
        properties = cls.record_properties()
        for name in cls.record_keys():
            kinds = [kind for kind in properties[name]["type"] if kind != "null"]
            properties[name] = {**properties[name], "type": kinds}
        return {"type": "object", "properties": properties}


class FreshBooksStream(RecordStream):
    """A resource that each business has a list of."""

    path: ClassVar[str]
    """Path of the list; `{…}` stands for the identifier of the scope."""

    scope: ClassVar[Scope]
    """Which identifier of a business the path wants."""

    records: ClassVar[tuple[str, ...]]
    """Keys to the list in an answer, from outside in."""

    stamp: ClassVar[str | None] = None
    """The field with the moment of the last change."""

    server_filter: ClassVar[bool] = False
    """Whether the server can list what changed since a moment."""

    query: ClassVar[Query] = {}
    """Parameters of every request."""

    shows_deletions: ClassVar[bool] = False
    """Whether deleted rows can be told by a look at them."""

    def __init__(self, tap: Tap, connection: Connection) -> None:
        super().__init__(tap, connection)
        if self.server_filter:
            self.replication_key = self.stamp

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

    # What a family says

    @abstractmethod
    def passes(self, since: datetime | None) -> Iterable[Query]:
        """Queries that together see every row, or every row changed since a moment."""

    def is_deleted(self, record: Row) -> bool:
        """Whether a record of a stream that shows deletions stands for a deleted row."""
        raise NotImplementedError(f"{type(self).__name__} shows no deletions: {sorted(record)}")

    def since(self, context: Context) -> datetime | None:
        """The moment from which on changes are wanted; None for all rows."""
        return self.get_starting_timestamp(context) if self.replication_key else None

    def read_completed(self, context: Context, read_at: datetime) -> None:
        """Called when every row of a business was emitted.

        Args:
            context: The partition.
            read_at: When the read began, by the server's clock.
        """

    # Bookmarks

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the SDK would use this machine's clock, and one signpost for all partitions.

        A bookmark must not pass the moment at which the read of its partition began, by the
        server's clock: `get_records` sets it as soon as it is known.
        """

    @override
    def _increment_stream_state(
        self, latest_record: Row, *, context: Context | None = None
    ) -> None:
        """Let a record move the bookmark, if it has a stamp."""
        if self.replication_key and latest_record.get(self.replication_key):
            super()._increment_stream_state(latest_record, context=context)

    # Reading

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        if context is None:  # no business has the identifier that this stream needs
            return
        business = self._business(context)
        read_at = None
        seen = set()  # passes may overlap, and rows move between pages while they are read
        try:
            for rows, read_at in self._pages(business, self.since(context)):
                self._write_replication_key_signpost(context, utc_text(read_at))
                for row in rows:
                    record = self._record(row, context, read_at)
                    key = tuple(record.get(name) for name in self.key)
                    if record and key not in seen:
                        seen.add(key)
                        yield record
        except PermissionDenied as error:
            if read_at is not None:
                raise  # rows are out already: this read must not count as complete
            self.logger.warning("Skipped %s. Its scope is %s", error, self.oauth_scope)
            return
        if read_at is not None:
            self.read_completed(context, read_at)
        self.problems.report()

    def _record(self, row: Row, context: Context, read_at: datetime) -> Row:
        """Convert a row; empty if it is not wanted."""
        identifier = context[self.scope.value]
        record: Row = {self.scope.value: identifier, **self.convert(row)}
        record[self.scope.value] = identifier  # also where the row has a field of this name
        if self.shows_deletions:
            deleted = self.is_deleted(record)
            if deleted and not self.config["include_deleted"]:
                return {}
            stamp = record.get(self.stamp) if self.stamp else None
            record[DELETED_AT] = (stamp or utc_text(read_at)) if deleted else None
        return record

    def _pages(
        self, business: Business, since: datetime | None
    ) -> Iterator[tuple[list[Row], datetime]]:
        """All pages of all passes, each with the moment at which the read began."""
        read_at = None
        path = self.path.format(**{self.scope.value: business.identifier(self.scope)})
        subject = f"{self.name} of {business}"
        for query in self.passes(since):
            paginator = PageMetadataPaginator()
            while not paginator.finished:
                answer = self.connection.client.get(
                    path, {**self.query, **query, **paginator.query()}, subject=subject
                )
                read_at = read_at or answer.date
                rows, metadata = self._unwrap(answer.body, subject)
                paginator.advance(metadata, len(rows))
                yield rows, read_at

    def _unwrap(self, body: Any, subject: str) -> tuple[list[Row], PageMetadata]:
        """Find the list of an answer, and what it says about pages."""
        holder, rows = body, body
        for name in self.records:
            holder, rows = rows, rows.get(name) if isinstance(rows, dict) else None
        if not isinstance(rows, list):
            # Not an empty list: with a wrong key every account would look empty.
            raise FreshBooksError(
                f"{subject}: the answer has no list at {'.'.join(self.records)}; please report this"
            )
        return rows, PageMetadata.read(holder)

    def _business(self, context: Context) -> Business:
        return next(
            business
            for business in self.connection.businesses
            if business.identifier(self.scope) == context[self.scope.value]
        )


class LoggedProblems:
    """Tells the log what a conversion could not keep: each field once, never a value."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._unknown: set[str] = set()
        self._unfit: set[str] = set()
        self._reported: set[str] = set()

    def unknown(self, path: str) -> None:
        """A field that is not declared was dropped."""
        self._unknown.add(path)

    def unfit(self, path: str, value: object) -> None:
        """A value of an unexpected kind became null."""
        if path not in self._unfit:
            self._unfit.add(path)
            self._logger.warning(
                "The field %s held a %s that does not fit; it is delivered as null",
                path,
                type(value).__name__,
            )

    def report(self) -> None:
        """Name the fields that were dropped since the last report."""
        if fresh := sorted(self._unknown - self._reported):
            self._logger.warning(
                "Fields unknown to this version were dropped: %s; please report them",
                ", ".join(fresh),
            )
            self._reported.update(fresh)
