"""ListReading: plans from where on the lists of a resource are read, and reads them.

`extraction` does the reading itself; `list_stream.py` makes records of what was read.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.extraction.filter_check import DeletionFilterCheck, FilterCheck
from tap_freshbooks.extraction.list_endpoint import ListEndpoint
from tap_freshbooks.extraction.list_source import ListTraits
from tap_freshbooks.extraction.partition_reader import PartitionReader
from tap_freshbooks.streams import last_reading
from tap_freshbooks.streams.list_resource import ListResource
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.batch import Batch
    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.records import Row


class ListReading(ListResource):
    """Reads the lists of a resource, business by business."""

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
            changed_at=self._changed_at,
            change_queries=self.change_queries,
            changes_order=self.changes_order,
            check_page=DeletionFilterCheck(self.name, hard_deletes=self.hard_deletes).see,
            # A list that has pages is not over with the first one that does not say so.
            pages_numbered=self.page_metadata_known and not self.paged,
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

    def read_range(self, partition: Context, *, reconciles: bool) -> tuple[datetime | None, bool]:
        """From when on changes are wanted, None for all; and whether that is a full read.

        Asked for once in a sync, when the plan of a partition is made.

        Args:
            partition: The partition.
            reconciles: Whether the lists are read for what events may have missed.
        """
        if self.replication is Replication.FULL_TABLE:
            return None, True
        start = self._start
        needs_all = self.affected_without_timestamp or self.replication is Replication.CLIENT_FILTER
        if needs_all and reconciles:
            return start, True
        bookmarks = [consumer.bookmark(self, partition) for consumer in self.consumers]
        known = [bookmark for bookmark in bookmarks if bookmark is not None]
        if len(known) < len(bookmarks) or not known:
            return start, True
        since = min(known)
        return max(since, start) if start else since, False

    @property
    def _start(self) -> datetime | None:
        """The oldest change that is wanted; None for all."""
        return parse_timestamp(self.config.get("start_date"))

    @property
    def is_read(self) -> bool:
        """Whether a sync reads it, for itself or for what is derived of it."""
        return bool(self.selected or self.has_selected_descendents)

    @override
    def readers(self) -> Iterator[PartitionReader]:
        for plan in self.run.plans(self):
            if not plan.is_idle:
                yield self.reader(plan)

    def reader(self, plan: ReadPlan) -> PartitionReader:
        """Reads a partition by its plan. Made in the main thread."""
        states = self.consumer_states(plan.partition)  # no other thread writes them here
        days = self.config["full_refresh_interval"]
        last = last_reading.restored(states, plan, self._start, timedelta(days=days))
        if self.hard_deletes or (plan.is_full and self.replication is not Replication.FULL_TABLE):
            last = replace(last, deletions_can_wait=False)
        plan = replace(plan, last=last)
        return PartitionReader(
            self.endpoint,
            self.traits,
            plan,
            self.run.objects,
            self.run.shared_pages,
            self.read_lists,
        )

    def reads_whole(self, plan: ReadPlan) -> bool:
        """Whether lists are read without a filter by change.

        A list of one page shows in one request what has changed, and whether a row is missing.
        """
        is_filtered = self.replication is Replication.SERVER_FILTER
        return not is_filtered or plan.last.keys is not None or plan.since is None

    def living_queries(self, plan: ReadPlan) -> Iterable[Query]:
        """Queries of the lists that are read first, deleted rows aside."""
        return self.list_queries(None if self.reads_whole(plan) else plan.since)

    def open_partition(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        """The reader of a partition, which perhaps began before, and what it reads."""
        return self.run.open_partition(self.reader(plan))

    def read_lists(self, reader: PartitionReader) -> Iterator[Batch]:
        """Read the lists of a business. Runs in a thread of its own."""
        is_filtered = self.replication is Replication.SERVER_FILTER
        course = _Course(self, reader)
        for batch in reader.read_complete_lists(course.living(), course.deletions):
            if course.since and is_filtered:
                self._filter_check.see(batch.rows, course.query, course.since)
            course.kinds |= self.kinds_of(batch.rows)
            yield batch
        if self.reads_whole(reader.plan) and not (is_filtered and self.timestamp_field is None):
            reader.keep_keys(only_if_short=is_filtered)

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


class _Course:
    """Which lists of a partition are asked for, one after the other.

    Args:
        stream: Whose lists they are.
        reader: Of the partition.

    Attributes:
        query: Of the list at hand.
        since: From when on its rows are wanted, None for all.
        kinds: Of the rows that came, by `kinds_of`.
    """

    def __init__(self, stream: ListReading, reader: PartitionReader) -> None:
        self.query: Query = {}
        self.since = reader.plan.since
        self.kinds: set[str] = set()
        self._stream = stream
        self._reader = reader

    def living(self) -> Iterator[Query]:
        """The lists of which the keys are compared with the last reading."""
        yield from self._asked(self._stream.living_queries(self._reader.plan))
        if self._stream.hard_deletes:  # a row that vanishes does so from whichever list it is in
            yield from self._asked(self._stream.deleted_queries(None))

    def deletions(self, has_same_rows: bool) -> Iterator[Query]:
        """The lists of deleted rows, unless none can be new."""
        last = self._reader.plan.last
        if self._stream.hard_deletes or (has_same_rows and last.deletions_can_wait):
            return
        self.since = last.deletions_since
        for query in self._asked(self._stream.deleted_queries(self.since)):
            self._reader.has_read_deletions = True
            yield query

    def _asked(self, queries: Iterable[Query]) -> Iterator[Query]:
        for query in queries:
            if not self._stream.is_shown(query, self.kinds):
                self.query = query
                yield query
