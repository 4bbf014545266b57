"""ListResource: the facts of a resource that each business has a list of.

A stream class says where its resource is and which fields it has; a family class says how its
kind of endpoint filters, pages and shows deletions. `list_stream.py` reads and delivers.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.records import DELETED_AT
from tap_freshbooks.schema.fields import Field, Integer, Text, UtcTime
from tap_freshbooks.streams.base import RecordStream
from tap_freshbooks.streams.replication import Replication

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.records import Row

LOOKBACK = timedelta(days=1)
"""How far before the bookmark a change still counts: covers zones, clocks and late commits."""

IDENTIFIER_FIELDS: dict[IdentifierKind, Field] = {
    IdentifierKind.ACCOUNT: Text(),
    IdentifierKind.BUSINESS: Integer(),
    IdentifierKind.LEDGER: Text(),
}


class ListResource(RecordStream):
    """A resource that each business has a list of: where it is and what is known about it."""

    path: ClassVar[str]
    """Path of the list; `{…}` stands for the identifier of a business."""

    identifier_kind: ClassVar[IdentifierKind]
    """The kind of identifier in the path."""

    records: ClassVar[tuple[str, ...]]
    """Keys to the list in an answer, from outside in; `a|b` means either, `a|` that the list may
    also stand there without a key. May end at one object."""

    query: ClassVar[Query] = {}
    """Parameters of every request."""

    headers: ClassVar[dict[str, str]] = {}
    """Headers of every request."""

    page_parameters: ClassVar[tuple[str, str]] = ("page", "per_page")
    """How the page and its size are spelled."""

    paged: ClassVar[bool] = True
    """Whether the list has pages, by the facts. A sync reads as many as the answers say; where they
    say nothing, a list with pages is read until one is empty or the same again."""

    page_metadata_known: ClassVar[bool] = True
    """False if nobody knows what an answer says about pages."""

    marks_deletions: ClassVar[bool] = False
    """Whether deleted rows say that they are deleted."""

    affected_by: ClassVar[dict[str, str]] = {}
    """Streams whose changes change rows of this one too, and their fields with the ids of these.

    Whether FreshBooks sends events for what a change causes elsewhere is not known.
    """

    affected_without_timestamp: ClassVar[bool] = False
    """Whether rows that others change keep their timestamps: then only the whole list shows what a
    lost event was about."""

    object_path: ClassVar[str] = ""
    """Path of one object, where it is not `{object_id}` below the list."""

    object_key: ClassVar[str] = ""
    """Key to the one object of an answer, where it is not the noun of its events."""

    @classmethod
    @override
    def record_keys(cls) -> tuple[str, ...]:
        return (cls.identifier_kind.value, *cls.key)

    @classmethod
    @override
    def record_properties(cls) -> dict[str, Any]:
        name = cls.identifier_kind.value
        identifier = {name: IDENTIFIER_FIELDS[cls.identifier_kind].schema()}
        # First, and as it is also where rows have a field of this name.
        properties = identifier | super().record_properties() | identifier
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
    def list_queries(self, since: datetime | None) -> Iterable[Query]:
        """Queries that together see every row, or at least every row changed since a moment.

        Without deleted ones, where these are in lists of their own.
        """

    def deleted_queries(self, since: datetime | None) -> Iterable[Query]:  # noqa: ARG002
        """Queries of lists that only have deleted rows."""
        return ()

    def kinds_of(self, rows: Iterable[Row]) -> set[str]:  # noqa: ARG002
        """Kinds of rows that there are among some, of those that may need a list of their own."""
        return set()

    def is_shown(self, query: Query, kinds: set[str]) -> bool:  # noqa: ARG002
        """Whether the lists before have all rows of a list, as they have shown rows of its kind."""
        return False

    @staticmethod
    def changed_since(since: datetime) -> Query:
        """The filter by change."""
        raise NotImplementedError(f"no filter by change is known, nor what changed since {since}")

    def filter_query(self, since: datetime | None) -> Query:
        """The filter of a list; none where everything is wanted, or no filter is proven."""
        if since is None or self.replication is not Replication.SERVER_FILTER:
            return {}
        return self.changed_since(since - LOOKBACK)

    def is_deleted(self, record: Row) -> bool:
        """Whether a record of a stream that shows deletions stands for a deleted row."""
        raise NotImplementedError(f"{type(self).__name__} shows no deletions: {sorted(record)}")

    def output_record(self, record: Row) -> Row:
        """The record as it is delivered; the derived streams have had all of it."""
        return record

    def changed_without_timestamp(self, record: Row, since: datetime) -> bool:  # noqa: ARG002
        """Whether a record may have changed since a moment although its timestamp did not."""
        return False

    def change_queries(self, since: datetime) -> Sequence[Query] | None:  # noqa: ARG002
        """Queries that show, with timestamps, the rows created, changed or deleted since a moment.

        Empty if the stream's lists show them themselves. None if nothing does: then a list of
        several pages is read twice (`extraction/completeness.py`).
        """
        return None

    def as_list_row(self, row: Row) -> Row:
        """How a list would show an object that was asked for by its id."""
        return row

    def changes_order(self, row: Row) -> bool:  # noqa: ARG002
        """Whether rows may have changed places when this one changed."""
        return True
