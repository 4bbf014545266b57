"""ListStream: delivers the rows of a resource in each business as records.

It makes records of what `list_reading.py` reads, and advances the bookmarks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_freshbooks.errors import NotFoundError, PermissionDeniedError
from tap_freshbooks.records import DELETED_AT, Row
from tap_freshbooks.streams import last_reading
from tap_freshbooks.streams.delivery import Delivery
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.list_reading import ListReading
from tap_freshbooks.streams.list_resource import LOOKBACK
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.errors import FreshBooksError
    from tap_freshbooks.extraction.batch import Batch
    from tap_freshbooks.extraction.change_source import RecordObserver
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan

RECENT = timedelta(hours=2)
"""Rows that changed no longer than this before a reading may change, and come again, during it."""


class ListStream(ListReading):
    """Delivers the lists of a resource, business by business."""

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self.all_read = True
        """Whether every business could be read, so far."""

    @override
    def end_sync(self) -> None:
        super().end_sync()
        has_failed = self.run.outcome.has_failed(self.name, self.name, None)
        if self.unconfirmed and (has_failed or not (self.all_read and self.is_complete)):
            self.logger.warning("%s could not be read.%s", self.name, self.caution())

    @override
    def generate_child_contexts(self, record: Row, context: Context | None) -> Iterable[Context]:
        """None: derived streams are fed by the pages of this one, not synced one by one."""
        return ()

    @override
    def read(self, partition: Context | None) -> Iterable[Row]:
        if partition is None:  # no business has the identifier that this stream needs
            return
        plan = self.run.plan(self, partition)
        if not plan.is_due:
            self.run.outcome.note_waiting(self.name)
        elif plan.is_idle:
            self.run.outcome.note_read(self.name)
        else:
            yield from self.read_partition(plan)

    @override
    def begin(self) -> None:
        for derived in self._derived():
            with self._failing_alone(None, [derived]):
                derived.write_schema()

    @override
    def finish(self) -> None:
        for derived in self._derived():
            with self._failing_alone(None, [derived]):
                derived.finish()
        super().finish()

    def delivered_range(self, plan: ReadPlan) -> tuple[datetime | None, bool]:
        """From when on rows are delivered, None for all; and whether that is a full read."""
        return plan.since, plan.is_full

    def is_wanted(self, record: Row, since: datetime | None) -> bool:
        """Whether a record is delivered: it changed since a moment, as far as can be told."""
        return self._is_changed(record, since)

    def vanished(
        self,
        plan: ReadPlan,  # noqa: ARG002
        reader: PartitionReader,  # noqa: ARG002
        read_at: datetime | None,  # noqa: ARG002
    ) -> Iterable[Row]:
        """Records of rows that are no longer in the lists of a business, which were read."""
        return ()

    @override
    def open_delivery(self, partition: Context | None) -> Delivery:
        plan = self.run.plan(self, partition) if partition else None
        if plan is None or plan.is_idle:
            return Delivery()
        _, is_full = self.delivered_range(plan)
        may_repeat = self.delivers_all or not is_full
        reads_lists = not plan.reads_objects
        return self.new_delivery(partition, holds=may_repeat and reads_lists, is_exact=reads_lists)

    @property
    def delivers_all(self) -> bool:
        """Whether each run delivers all that it reads, whatever the bookmark."""
        if self.replication not in {Replication.SERVER_FILTER, Replication.CLIENT_FILTER}:
            return True
        methods = {consumer.replication_method for consumer in self.consumers}
        interval = self.config.get("full_refresh_interval")
        return REPLICATION_FULL_TABLE in methods or (interval is not None and interval <= 0)

    def next_since(self, read_at: datetime) -> datetime | None:
        """From when on the next run delivers rows, None for all.

        Args:
            read_at: When this reading began.
        """
        start = self._start
        if self.delivers_all:
            return None if self.replication is Replication.FULL_TABLE else start
        since = parse_timestamp(utc_text(read_at)) or read_at
        return max(since, start) if start else since

    def is_repeated(self, record: Row, since: datetime | None) -> bool:
        """Whether the next run, which delivers rows since a moment, will deliver a record again."""
        return self._is_changed(record, since)

    def reading_moment(self, record: Row) -> str:
        """What a record has of the moment of the reading; empty if nothing."""
        timestamp = record.get(self.timestamp_field) if self.timestamp_field else None
        return (not timestamp and self.marks_deletions and record.get(DELETED_AT)) or ""

    def read_partition(self, plan: ReadPlan) -> Iterator[Row]:
        """The records of a business."""
        since, is_full = self.delivered_range(plan)
        changes = self.run.changes
        reader, batches = self.open_partition(plan)
        last_reading.forget(self.consumer_states(plan.partition))
        observer = changes.observer(self, plan)
        read_at = None
        try:
            for batch in batches:
                read_at = batch.read_at
                yield from self._batch(batch, reader.plan, since, observer)
        except (PermissionDeniedError, NotFoundError) as error:
            if read_at is not None and not plan.reads_objects:
                self.break_off(error)
                raise  # rows are out already: this is no refusal any more
            self._skip(error, plan)
            return
        except Exception as error:
            self.break_off(error)
            raise
        self.run.outcome.note_read(self.name)
        self.delivery.has_deleted |= reader.has_read_deletions
        self.delivery.settle()
        yield from self.vanished(plan, reader, read_at)
        self._conclude(reader, read_at, is_full=is_full)
        if reader.is_complete and read_at is not None:
            changes.mark_read(self, plan, read_at, reader.fetched_at)

    def _batch(
        self,
        batch: Batch,
        plan: ReadPlan,
        since: datetime | None,
        observer: RecordObserver | None,
    ) -> Iterator[Row]:
        changed_since = None if batch.are_changes else since
        deleted_since = changed_since and plan.last.deletions_since
        derived = self._whole_derived(plan.partition)
        announce = self._announcer(batch, plan)
        for row in batch.rows:
            record = self.to_record(row, plan.partition, batch.read_at)
            if not record:
                continue
            is_deleted = self.marks_deletions and record[DELETED_AT]
            if not self.is_wanted(record, deleted_since if is_deleted else changed_since):
                continue
            announce(record)
            if observer:
                observer.see(record, batch.read_at)
            for stream in derived:
                if not stream.feed(record, self, plan.partition):
                    derived = self._whole_derived(plan.partition)
            yield self.output_record(record)
        for object_id in batch.deleted:
            yield from self.deletion(object_id, plan, batch.read_at)

    def _announcer(self, batch: Batch, plan: ReadPlan) -> Callable[[Row], None]:
        """What tells the delivery of each record of a batch."""
        delivery, name = self.delivery, self.timestamp_field or ""
        since = self.next_since(batch.read_at)
        recent = utc_text(batch.read_at - RECENT)
        oldest = utc_text(since - LOOKBACK)[:19] if since and name else ""
        # Of rows without timestamps nothing tells which of all the filter will show the next time.
        are_filtered = not name and plan.is_full and not self.delivers_all

        def announce(record: Row) -> None:
            if since and not (delivery.holds or batch.are_changes):
                # Almost all rows of a first run are old: let it cost them nothing.
                is_old = (record.get(name) or oldest)[:19] < oldest
                if is_old and not self.changed_without_timestamp(record, since):
                    delivery.repeats = False
                    return
            repeats = batch.are_changes or (not are_filtered and self.is_repeated(record, since))
            is_recent = (record.get(name) or "") >= recent
            is_deleted = self.marks_deletions and not self.hard_deletes and record[DELETED_AT]
            delivery.announce(
                repeats=repeats,
                is_deleted=bool(is_deleted),
                moment=self.reading_moment(record),
                row=tuple(map(record.get, self.key)) if is_recent else None,
            )

        return announce

    def _skip(self, error: FreshBooksError, plan: ReadPlan) -> None:
        """Leave a business out that may not be read."""
        self.all_read = False
        self.delivery.refuse()
        self.refuse(error, plan.business.account_id)
        self.run.changes.mark_refused(self, plan.partition)

    def _conclude(
        self, reader: PartitionReader, read_at: datetime | None, *, is_full: bool
    ) -> None:
        """Advance the bookmarks of a business, if its lists were read as wanted."""
        if not reader.is_complete:
            self.all_read = self.is_complete = self.delivery.is_exact = False
            self.logger.warning(
                "%s kept moving while it was read, so a row may be missing: the bookmark stays "
                "where it was, and the next run reads the same again",
                reader.subject,
            )
        elif read_at is not None and not reader.plan.reads_objects:
            partition = reader.plan.partition
            for consumer in self.whole_consumers(partition):
                consumer.advance_bookmark(self, partition, read_at, full=is_full)
            last_reading.keep(self.consumer_states(partition), reader, read_at)

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
        converted = self.convert(row) or {}
        # Copied whole, which is faster than field by field; and not at all if it is ours already.
        record: Row = converted.copy() if converted is row else converted
        record[name] = identifier  # also where the row has a field of this name
        if self.marks_deletions:
            deleted = self.is_deleted(record)
            if deleted and not self.config["include_deleted"]:
                return {}
            changed = record.get(self.timestamp_field) if self.timestamp_field else None
            record[DELETED_AT] = (changed or utc_text(read_at)) if deleted else None
        return record

    def deletion(self, object_id: str, plan: ReadPlan, read_at: datetime) -> Iterable[Row]:
        """A record that says no more of an object than that it was deleted."""
        key = self.key[0]
        value = self.fields.fields[key].converter(key, self.problems)(object_id)
        if value is not None:
            record = {**plan.partition, key: value, DELETED_AT: utc_text(read_at)}
            for stream in self._whole_derived(plan.partition):
                with self._failing_alone(plan.partition, [stream]):
                    stream.process_deletion(record, self)
            yield self.tombstone(record)

    def _derived(self) -> list[DerivedStream]:
        return [stream for stream in self.consumers if isinstance(stream, DerivedStream)]

    def _whole_derived(self, partition: Context) -> list[DerivedStream]:
        """The derived streams that have not failed with a partition."""
        whole = self.whole_consumers(partition)
        return [stream for stream in whole if isinstance(stream, DerivedStream)]
