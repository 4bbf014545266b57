"""ListStream: reads the lists of a resource in each business, and delivers their rows as records.

`extraction` reads. This module plans from where on, makes records of what was read, and advances
the bookmarks.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.errors import NotFoundError, PermissionDeniedError
from tap_freshbooks.extraction.filter_check import FilterCheck
from tap_freshbooks.extraction.list_endpoint import ListEndpoint
from tap_freshbooks.extraction.partition_reader import ListTraits, PartitionReader
from tap_freshbooks.records import DELETED_AT, Row
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.list_resource import ListResource
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.errors import FreshBooksError
    from tap_freshbooks.extraction.batch import Batch
    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.extraction.read_plan import ReadPlan

LOOKBACK = timedelta(days=1)
"""How far before the bookmark a change still counts: covers zones, clocks and late commits."""


class ListStream(ListResource):
    """Reads the lists of a resource, business by business."""

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self.all_read = True
        """Whether every business could be read, so far."""

    # Reading

    @cached_property
    def endpoint(self) -> ListEndpoint:
        """Where the lists and objects are."""
        return ListEndpoint(
            name=self.name,
            path=self.path,
            identifier_kind=self.identifier_kind,
            records=self.records,
            client=self.connection.client,
            stats=self.run.stats.for_stream(self.name),
            query=self.query,
            headers=self.headers,
            page_parameters=self.page_parameters,
            object_path=self.object_path or f"{self.path}/{{object_id}}",
            object_key=self.object_key or str(self.webhook_noun),
            as_list_row=self.as_list_row,
        )

    @cached_property
    def traits(self) -> ListTraits:
        """The facts about the rows of the lists, for the reader."""
        return ListTraits(
            key=self.key,
            read_lists=self.read_lists,
            changed_at=self._changed_at,
            change_queries=self.change_queries,
            changes_order=self.changes_order,
            pages_numbered=self.page_metadata_known,
            hard_deletes=self.hard_deletes,
            affected_without_timestamp=self.affected_without_timestamp,
            include_deleted=self.config["include_deleted"],
        )

    def probe(self, business: Business) -> None:
        """Ask for one row, to see whether the token may read this stream.

        Raises:
            FreshBooksError: If it may not, or something else is wrong.
        """
        self.endpoint.probe(business)

    def business_of(self, partition: Mapping[str, Any]) -> Business:
        """The business of a partition."""
        identifier = partition[self.identifier_kind.value]
        return next(
            business
            for business in self.connection.businesses
            if business.identifier(self.identifier_kind) == identifier
        )

    def read_range(self, partition: Context, *, reconciles: bool) -> tuple[datetime | None, bool]:
        """From when on changes are wanted, None for all; and whether that is a full read.

        Asked for once in a sync, when the plan of a partition is made.

        Args:
            partition: The partition.
            reconciles: Whether the lists are read for what events may have missed.
        """
        if self.replication is Replication.FULL_TABLE:
            return None, True
        start = parse_timestamp(self.config.get("start_date"))
        needs_all = self.affected_without_timestamp or self.replication is Replication.CLIENT_FILTER
        if needs_all and reconciles:
            return start, True
        bookmarks = [consumer.bookmark(self, partition) for consumer in self.consumers]
        known = [bookmark for bookmark in bookmarks if bookmark is not None]
        if len(known) < len(bookmarks) or not known:
            return start, True
        since = min(known)
        return max(since, start) if start else since, False

    @override
    def readers(self) -> Iterator[PartitionReader]:
        for plan in self.run.plans(self):
            if not plan.is_idle:
                yield self._reader(plan)

    def _reader(self, plan: ReadPlan) -> PartitionReader:
        self.consumer_states(plan.partition)  # made here, where no other thread is writing them
        return PartitionReader(self.endpoint, self.traits, plan, self.run.objects)

    def open_partition(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        """The reader of a partition, which perhaps began before, and what it reads."""
        return self.run.open_partition(self._reader(plan))

    def read_lists(self, reader: PartitionReader) -> Iterator[Batch]:
        """Read the lists of a business. Runs in a thread of its own."""
        query: Query = {}
        since = reader.plan.since

        def queries() -> Iterator[Query]:
            nonlocal query
            for query in self.list_queries(since):  # noqa: UP028 - the rows below are of this one
                yield query

        for batch in reader.read_complete_lists(queries()):
            if since and self.replication is Replication.SERVER_FILTER:
                self._filter_check.see(batch.rows, query, since)
            yield batch

    @cached_property
    def _filter_check(self) -> FilterCheck:
        return FilterCheck(self.name, self._changed_at)

    @cached_property
    def _changed_at(self) -> Callable[[Row], datetime | None]:
        """When a row of FreshBooks changed last, None if it does not say."""
        name = self.timestamp_field
        if name is None:
            return lambda _: None
        convert = self.fields.fields[name].converter(name, self.problems)

        def changed_at(row: Row) -> datetime | None:
            timestamp = row.get(name)
            return parse_timestamp(convert(timestamp)) if timestamp else None

        return changed_at

    # Delivering

    @override
    def generate_child_contexts(self, record: Row, context: Context | None) -> Iterable[Context]:
        """None: derived streams are fed by the pages of this one, not synced one by one."""
        return ()

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        if context is None:  # no business has the identifier that this stream needs
            for derived in self._derived():
                derived.write_schema()
                derived.finish()
            return
        partitions = self.partitions
        if context == partitions[0]:
            self.begin()
        plan = self.run.plan(self, context)
        if not plan.is_idle:
            yield from self._partition(plan)
        if context == partitions[-1]:
            self.finish()

    def begin(self) -> None:
        """Called before the first partition is read."""
        for derived in self._derived():
            derived.write_schema()

    def finish(self) -> None:
        """Called when the last partition was read."""
        for derived in self._derived():
            derived.finish()
        self.problems.report()

    def delivered_range(self, plan: ReadPlan) -> tuple[datetime | None, bool]:
        """From when on rows are delivered, None for all; and whether that is a full read."""
        return plan.since, plan.is_full

    def _partition(self, plan: ReadPlan) -> Iterator[Row]:
        since, is_full = self.delivered_range(plan)
        derived, changes = self._derived(), self.run.changes
        reader, batches = self.open_partition(plan)
        observer = changes.observer(self, plan)
        read_at = None
        try:
            for batch in batches:
                read_at = batch.read_at
                changed_since = None if batch.are_changes else since
                for row in batch.rows:
                    record = self.to_record(row, plan.partition, read_at)
                    if not record or not self._is_changed(record, changed_since):
                        continue
                    if observer:
                        observer.see(record, read_at)
                    for stream in derived:
                        stream.process_parent(record, self)
                    yield self.output_record(record)
                for object_id in batch.deleted:
                    yield from self._tombstone(object_id, plan, read_at)
        except (PermissionDeniedError, NotFoundError) as error:
            if read_at is not None and not plan.reads_objects:
                raise  # rows are out already: this read must not count as complete
            self._skip(error, plan)
            return
        self._conclude(reader, read_at, is_full=is_full)
        if reader.is_complete and read_at is not None:
            changes.mark_read(self, plan, read_at, reader.fetched_at)

    def _skip(self, error: FreshBooksError, plan: ReadPlan) -> None:
        """Leave a business out that may not be read."""
        self.all_read = False
        self.run.skipped.append(f"{error} (scope {self.oauth_scope})")
        self.logger.warning("Skipped %s (its scope is %s)", error, self.oauth_scope)
        self.run.changes.mark_refused(self, plan)

    def _conclude(
        self, reader: PartitionReader, read_at: datetime | None, *, is_full: bool
    ) -> None:
        """Advance the bookmarks of a business, if its lists were read as wanted."""
        if not reader.is_complete:
            self.all_read = self.is_complete = False
            self.logger.warning(
                "%s kept moving while it was read, so a row may be missing: the bookmark stays "
                "where it was, and the next run reads the same again",
                reader.subject,
            )
        elif read_at is not None and not reader.plan.reads_objects:
            for consumer in self.consumers:
                consumer.advance_bookmark(self, reader.plan.partition, read_at, full=is_full)

    def _is_changed(self, record: Row, since: datetime | None) -> bool:
        """Whether a record changed since a moment, as far as can be told."""
        if since is None or not self.timestamp_field:
            return True
        changed_at = parse_timestamp(record.get(self.timestamp_field))
        if changed_at is None or changed_at >= since - LOOKBACK:
            return True
        return self.changed_without_timestamp(record, since)

    def to_record(self, row: Row, partition: Context, read_at: datetime) -> Row:
        """Convert a row; empty if it is not wanted."""
        name = self.identifier_kind.value
        identifier = partition[name]
        record: Row = {name: identifier, **(self.convert(row) or {})}
        record[name] = identifier  # also where the row has a field of this name
        if self.marks_deletions:
            deleted = self.is_deleted(record)
            if deleted and not self.config["include_deleted"]:
                return {}
            changed = record.get(self.timestamp_field) if self.timestamp_field else None
            record[DELETED_AT] = (changed or utc_text(read_at)) if deleted else None
        return record

    def _tombstone(self, object_id: str, plan: ReadPlan, read_at: datetime) -> Iterator[Row]:
        """A record that says no more of an object than that it was deleted."""
        key = self.key[0]
        value = self.fields.fields[key].converter(key, self.problems)(object_id)
        if value is not None:
            record = {**plan.partition, key: value, DELETED_AT: utc_text(read_at)}
            for stream in self._derived():
                stream.process_deletion(record, self)
            yield record

    def _derived(self) -> list[DerivedStream]:
        return [stream for stream in self.consumers if isinstance(stream, DerivedStream)]
