"""Reads one partition: a stream's rows of one business, by its lists or object by object."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tap_freshbooks.errors import PermissionDeniedError
from tap_freshbooks.extraction.batch import Batch
from tap_freshbooks.extraction.completeness import SLACK, ConsistentListReader
from tap_freshbooks.extraction.keys import is_key
from tap_freshbooks.extraction.list_source import PartitionLists
from tap_freshbooks.extraction.pagination import PAGE_SIZE, read_pages, results_in_order
from tap_freshbooks.extraction.prefetch import InlineFuture
from tap_freshbooks.timestamps import EASTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from tap_freshbooks.extraction.list_endpoint import (
        FetchedObject,
        ListEndpoint,
        ObjectFetcher,
        Query,
    )
    from tap_freshbooks.extraction.list_source import DeletedQueries, ListTraits
    from tap_freshbooks.extraction.pagination import Page, Pending
    from tap_freshbooks.extraction.prefetch import Submit
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.extraction.shared_pages import SharedPages


class PartitionReader:
    """Reads one business by its plan.

    Args:
        endpoint: Of the resource.
        traits: Of its lists.
        plan: Its lists, or objects by their ids.
        objects: Fetches objects by their ids.
        shared_pages: Has the first pages that another reader needs, too.
        read_lists: Reads the lists.

    Attributes:
        is_complete: Whether every row that existed throughout was certainly read.
        hides_rows: Whether FreshBooks counts rows of a list, and shows the token none of them.
        fetched_at: When objects were fetched by their ids, epoch seconds.
        keys: The digest of the keys that came, for the next reading; None if it is of no use.
        has_read_deletions: Whether the lists of deleted rows were read.
    """

    def __init__(
        self,
        endpoint: ListEndpoint,
        traits: ListTraits,
        plan: ReadPlan,
        objects: ObjectFetcher,
        shared_pages: SharedPages,
        read_lists: Callable[[PartitionReader], Iterator[Batch]],
    ) -> None:
        self.endpoint = endpoint
        self.traits = traits
        self.plan = plan
        self.subject = endpoint.subject(plan.business)
        self.is_complete = True
        self.hides_rows = False
        self.fetched_at: dict[str, float] = {}
        self.keys: str | None = None
        self.has_read_deletions = False
        self.window = 1
        self._objects = objects
        self._shared_pages = shared_pages
        self._read_lists = read_lists
        self._submit: Submit = InlineFuture
        self._lists: ConsistentListReader | None = None
        self._related_object_is_gone = False
        self._counted: set[str] = set()
        """The lists whose totals are counted: a second reading brings no more."""
        self._logger = logging.getLogger(f"tap-freshbooks.{endpoint.name}")

    @property
    def partition_key(self) -> Hashable:
        """Tells the partition from the others of a sync."""
        return self.endpoint.name, *self.plan.partition.values()

    def begin(self, submit: Submit, window: int) -> Iterator[Batch]:
        """Read with workers, ahead of the writer."""
        self._submit, self.window = submit, window
        return self._read_objects() if self.plan.reads_objects else self._read_lists(self)

    # Lists

    def read_complete_lists(
        self, queries: Iterable[Query], deleted: DeletedQueries = lambda _: ()
    ) -> Iterator[Batch]:
        """Every row of the lists, although they may move meanwhile.

        Args:
            queries: Those of the lists which together have every row that is not deleted.
            deleted: Gives those of lists of deleted rows.
        """
        source = PartitionLists(self.traits, self.request_page, self.window, self.subject)
        reader = ConsistentListReader(source, last_keys=self.plan.last.keys, slack=_slack())
        for rows in reader.read(queries, deleted):
            assert reader.read_at is not None  # noqa: S101 - a page was read
            yield Batch(rows, reader.read_at)
        self.is_complete = self.is_complete and reader.is_complete
        self.hides_rows = self.hides_rows or reader.hides_rows
        self._lists = reader

    def keep_keys(self, *, only_if_short: bool) -> None:
        """Keep the keys that came for the next reading.

        Args:
            only_if_short: Unless one of the lists has several pages.
        """
        if self._lists and (self._lists.is_short or not only_if_short):
            self.keys = self._lists.keys

    def read_pages(
        self,
        query: Query,
        path: str = "",
        records: tuple[str, ...] = (),
        *,
        subject: str = "",
    ) -> Iterator[Page]:
        """All pages of one list, without a proof that it did not move meanwhile.

        Args:
            query: Besides that of every request.
            path: Another path than that of the resource.
            records: Keys to the list, where they are others.
            subject: What is read, for messages, where it is something else.
        """

        def request(number: int) -> Pending:
            return self.request_page(query, number, path=path, records=records, subject=subject)

        return read_pages(request, self.window)

    def read_first_pages(
        self,
        requests: Iterable[tuple[Query, str]],
        path: str = "",
        records: tuple[str, ...] = (),
    ) -> Iterator[Page]:
        """One page of each of many lists, several at once, in their order.

        Args:
            requests: Query of each, and its subject in messages.
            path: Another path than that of the resource.
            records: Keys to the list, where they are others.
        """
        pending = (
            self.request_page(query, 1, path=path, records=records, subject=subject)
            for query, subject in requests
        )
        return results_in_order(pending, self.window)

    def request_page(
        self,
        query: Query,
        number: int,
        *,
        path: str = "",
        records: tuple[str, ...] = (),
        subject: str = "",
    ) -> Pending:
        """Ask for a page, as `ListEndpoint.fetch_page` does, in a worker."""

        def get() -> Page:
            page = self.endpoint.fetch_page(
                self.plan.business, query, number, path=path, records=records, subject=subject
            )
            if not path:
                self.traits.check_page(query, page.rows)
            list_name = f"{path} {query}"
            total = 0 if list_name in self._counted else (page.metadata.total or len(page.rows))
            self._counted.add(list_name)
            self.endpoint.stats.count(pages=1, capacity=PAGE_SIZE, total=total)
            return page

        def ask() -> Pending:
            pending: Pending = self._submit(get)
            return pending

        if path or number > 1:
            return ask()
        return self._shared_pages.take(self.partition_key, query, ask)

    # Objects

    def _read_objects(self) -> Iterator[Batch]:
        """The objects that events name, each by its id."""
        plan = self.plan
        wanted = {**self._affected(), **plan.changed}
        missing = []
        for object_id, found in zip(wanted, self._fetch_objects(wanted), strict=True):
            self.fetched_at[object_id] = found.date.timestamp()
            if found.row is None:
                missing.append(object_id)
            yield Batch([found.row] if found.row else [], found.date, are_changes=True)
        if missing and self.traits.include_deleted:
            yield from self._read_deleted(missing, wanted)
        if self._related_object_is_gone and not self.traits.affected_without_timestamp:
            # An object is gone that changed rows of this resource: their timestamps show which.
            yield from self._read_lists(self)
        elif not wanted:
            yield Batch([], datetime.now(UTC))

    def _affected(self) -> dict[str, bool]:
        """Ids of objects that changes of other objects have changed."""
        affected = {}
        for related in self.plan.related_changes:
            try:
                for found in self._fetch_objects(related.object_ids, related.endpoint):
                    self._related_object_is_gone |= found.row is None
                    key = found.row and found.row.get(related.field)
                    if key and is_key(key):
                        affected[str(key)] = False
            except PermissionDeniedError as error:
                self._logger.warning(
                    "Changes of %s change rows of %s, which only the next reading of its lists "
                    "will show: %s",
                    related.endpoint.name,
                    self.subject,
                    error,
                )
        return affected

    def _fetch_objects(
        self, ids: Iterable[str], endpoint: ListEndpoint | None = None
    ) -> Iterator[FetchedObject]:
        endpoint, business = endpoint or self.endpoint, self.plan.business
        pending = (
            self._objects.fetch(endpoint, business, object_id, self._submit) for object_id in ids
        )
        return results_in_order(pending, self.window)

    def _read_deleted(self, ids: Sequence[str], was_deleted: Mapping[str, bool]) -> Iterator[Batch]:
        """Objects that FreshBooks does not know by their ids (any more).

        It is not certain that a deleted object of every resource can still be read by its id; if
        not, the list of deleted rows has it. Where no list has it, it counts as deleted only if
        its event says so, or if the resource has hard deletes: else the id may be of another kind.
        """
        if self.traits.hard_deletes:
            yield Batch([], datetime.now(UTC), deleted=tuple(ids))
            return
        missing, key = set(ids), self.traits.key[0]
        for batch in self._read_lists(self):
            rows = [row for row in batch.rows if str(row.get(key)) in missing]
            missing -= {str(row[key]) for row in rows}
            yield Batch(rows, batch.read_at, are_changes=True)
        deleted = tuple(each for each in ids if each in missing and was_deleted[each])
        yield Batch([], datetime.now(UTC), deleted=deleted)


def _slack() -> timedelta:
    """How far timestamps may be wrong."""
    now = datetime.now(EASTERN)
    repeated = now.utcoffset() != now.replace(fold=1 - now.fold).utcoffset()
    # The hour that November has twice is read as its first passage
    # (`docs/freshbooks-api/accounting.md §7`).
    return SLACK + timedelta(hours=repeated)
