"""Reads one partition: a stream's rows of one business, by its lists or object by object."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import FreshBooksError, PermissionDeniedError
from tap_freshbooks.extraction.batch import Batch
from tap_freshbooks.extraction.completeness import SLACK, ConsistentListReader
from tap_freshbooks.extraction.keys import is_key
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
    from tap_freshbooks.extraction.pagination import Page, Pending
    from tap_freshbooks.extraction.prefetch import Submit
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.records import Row


@dataclass(frozen=True, slots=True, eq=False)
class ListTraits:
    """How the rows of a resource's lists behave.

    Attributes:
        key: Fields that tell a row from the others of its business.
        read_lists: Reads the lists of a partition.
        changed_at: When a row changed last, None if it does not say.
        change_queries: Queries that show the rows that came, changed or went since a moment;
            empty if the lists themselves show them, None if nothing does.
        changes_order: Whether other rows may have moved when this one changed.
        check_page: Looks at the rows that came for a query.
        pages_numbered: False if responses may say nothing about pages.
        hard_deletes: Whether deleted rows disappear without a trace.
        affected_without_timestamp: Whether rows that others change keep their timestamps.
        include_deleted: Whether deleted rows are wanted.
    """

    key: tuple[str, ...]
    read_lists: Callable[[PartitionReader], Iterator[Batch]]
    changed_at: Callable[[Row], datetime | None]
    change_queries: Callable[[datetime], Sequence[Query] | None]
    changes_order: Callable[[Row], bool]
    check_page: Callable[[Query, list[Row]], None] = lambda _query, _rows: None
    pages_numbered: bool = True
    hard_deletes: bool = False
    affected_without_timestamp: bool = False
    include_deleted: bool = True


class PartitionReader:
    """Reads one business by its plan.

    Args:
        endpoint: Of the resource.
        traits: Of its lists.
        plan: Its lists, or objects by their ids.
        objects: Fetches objects by their ids.

    Attributes:
        is_complete: Whether every row that existed throughout was certainly read.
        hides_rows: Whether FreshBooks counts rows of a list, and shows the token none of them.
        fetched_at: When objects were fetched by their ids, epoch seconds.
    """

    def __init__(
        self, endpoint: ListEndpoint, traits: ListTraits, plan: ReadPlan, objects: ObjectFetcher
    ) -> None:
        self.endpoint = endpoint
        self.traits = traits
        self.plan = plan
        self.subject = endpoint.subject(plan.business)
        self.is_complete = True
        self.hides_rows = False
        self.fetched_at: dict[str, float] = {}
        self.window = 1
        self._objects = objects
        self._submit: Submit = InlineFuture
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
        return self._read_objects() if self.plan.reads_objects else self.traits.read_lists(self)

    # Lists

    def read_complete_lists(self, queries: Iterable[Query]) -> Iterator[Batch]:
        """Every row of the lists, although they may move meanwhile.

        Args:
            queries: Those of the lists which together have every row.
        """
        reader = ConsistentListReader(_ListSource(self), _slack())
        for rows in reader.read(queries):
            assert reader.read_at is not None  # noqa: S101 - a page was read
            yield Batch(rows, reader.read_at)
        self.is_complete = self.is_complete and reader.is_complete
        self.hides_rows = self.hides_rows or reader.hides_rows

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

        pending: Pending = self._submit(get)
        return pending

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
            yield from self.traits.read_lists(self)
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
        for batch in self.traits.read_lists(self):
            rows = [row for row in batch.rows if str(row.get(key)) in missing]
            missing -= {str(row[key]) for row in rows}
            yield Batch(rows, batch.read_at, are_changes=True)
        deleted = tuple(each for each in ids if each in missing and was_deleted[each])
        yield Batch([], datetime.now(UTC), deleted=deleted)


class _ListSource:
    """The lists of a partition, for `ConsistentListReader`."""

    def __init__(self, reader: PartitionReader) -> None:
        traits = reader.traits
        self.window = reader.window
        self.pages_numbered = traits.pages_numbered
        self.change_queries = traits.change_queries
        self.changes_order = traits.changes_order
        self.changed_at = traits.changed_at
        self._reader = reader
        self._names = traits.key
        self._single = traits.key[0] if len(traits.key) == 1 else None

    def request_page(self, query: Query, number: int) -> Pending:
        """Ask for a page."""
        return self._reader.request_page(query, number)

    def key(self, row: Row) -> Hashable:
        """Tells a row from the others of its business.

        Raises:
            FreshBooksError: If the row does not have it.
        """
        key: Any = row.get(self._single) if self._single else tuple(map(row.get, self._names))
        if type(key) is not int and not is_key(key):
            names = " or ".join(self._names)
            raise FreshBooksError(
                f"{self._reader.subject}: FreshBooks sent a row without {names}, or with something "
                "there that is no key: it cannot be told from others; please report this"
            )
        return key  # type: ignore[no-any-return]

    def duplicate_key_error(self, row: Row) -> FreshBooksError:
        """The error to raise where another row of the same page has the key of this one."""
        key = ", ".join(f"{name} {str(row[name])[:50]}" for name in self._names)
        return FreshBooksError(
            f"{self._reader.subject}: one answer has two different rows with {key}, of which a "
            "table would keep one. In custom_streams, add to `primary_keys` what tells them apart; "
            "for a stream that is built in, do so with `override: true`, and please report this"
        )


def _slack() -> timedelta:
    """How far timestamps may be wrong."""
    now = datetime.now(EASTERN)
    repeated = now.utcoffset() != now.replace(fold=1 - now.fold).utcoffset()
    # The hour that November has twice is read as its first passage
    # (`docs/freshbooks-api/accounting.md §7`).
    return SLACK + timedelta(hours=repeated)
