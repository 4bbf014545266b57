"""Rehearses the reading of a partition: FreshBooks is asked for one row of each list.

The reader is the one of a sync, so what it asks for is planned and counted by the same code; only
the endpoint is another, which makes up all rows but the first of each list.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.errors import FreshBooksError, NotFoundError, PermissionDeniedError
from tap_freshbooks.extraction.list_endpoint import ListEndpoint
from tap_freshbooks.extraction.pagination import PAGE_SIZE, Page, PageMetadata
from tap_freshbooks.extraction.partition_reader import PartitionReader
from tap_freshbooks.extraction.prefetch import InlineFuture
from tap_freshbooks.singer.stats import StreamStats
from tap_freshbooks.streams.replication import Replication

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.list_stream import ListStream

IDS_OF_A_LIST = 10**10
"""How far the made-up ids of one list are from those of the next."""

MOST_ROWS = 10_000_000
"""Of one list; more are not gone through."""

MADE_UP_ID = "/-"
"""In a path that names a made-up row: their ids are negative, FreshBooks' are not."""


@dataclass(slots=True)
class PartitionCost:
    """What it will cost to read one stream of one business for the first time.

    Attributes:
        rows: That FreshBooks counts, or at least so many.
        requests: That a sync will send, or at least so many.
        is_lower_bound: Whether there may be more, because no answer says how many.
        refusal: Why the token may not read it; empty if it may.
        asked: Requests that were sent to find this out.
        latencies: How long the answers took, seconds.
    """

    rows: int = 0
    requests: int = 0
    is_lower_bound: bool = False
    refusal: str = ""
    asked: int = 0
    latencies: list[float] = field(default_factory=list)


def rehearse(stream: ListStream, plan: ReadPlan) -> PartitionCost:
    """Find out what a first read of a partition costs.

    Raises:
        FreshBooksError: If an answer makes no sense, or if there is none.
    """
    endpoint = RehearsedEndpoint.of(stream)
    traits = replace(
        stream.traits,
        change_queries=_noted_by(endpoint, stream),
        changed_at=lambda _row: None,  # all rows are like one, which may have changed just now
    )
    run = stream.run
    reader = PartitionReader(
        endpoint, traits, plan, run.objects, run.shared_pages, stream.read_lists
    )
    cost = PartitionCost()
    try:
        for batch in reader.begin(InlineFuture, 1):
            cost.rows += len(batch.rows)
    except (PermissionDeniedError, NotFoundError) as error:
        cost.refusal = str(error)
    cost.requests = endpoint.stats.pages
    cost.asked = endpoint.stats.requests
    samples = endpoint.samples.values()
    cost.is_lower_bound = any(sample.is_open for sample in samples)
    cost.latencies = [
        sample.answer.received - sample.answer.sent for sample in samples if sample.was_asked
    ]
    return cost


def _noted_by(
    endpoint: RehearsedEndpoint, stream: ListStream
) -> Callable[[datetime], Sequence[Query] | None]:
    """The queries for changes, which bring nothing: nothing moves in a rehearsal."""

    def change_queries(since: datetime) -> Sequence[Query] | None:
        queries = stream.change_queries(since)
        endpoint.quiet.extend(queries or ())
        return queries

    return change_queries


@dataclass(frozen=True, slots=True)
class ListSample:
    """One list, as far as one row tells.

    Attributes:
        answer: To the request for one row.
        query: Of the list.
        key: Fields of the made-up ids.
        first_id: The made-up id of the first row, from which they count downwards.
        is_open: Whether the list may have more rows than the answer says.
        was_asked: Whether FreshBooks has answered for this very list.
    """

    answer: Page
    query: Query
    key: tuple[str, ...]
    first_id: int
    is_open: bool = False
    was_asked: bool = True

    def page(self, number: int) -> Page:
        """A page as a sync would get it."""
        answer, metadata = self.answer, self.answer.metadata
        size = PAGE_SIZE
        total = metadata.total
        if total is None:
            total = len(answer.rows) if metadata.page is None else metadata.pages
        if len(answer.rows) > 1:  # the size is ignored: so many are a page
            size = len(answer.rows)
            total = max(total, size)
        begin = (number - 1) * size
        count = max(0, min(size, total - begin))
        served = None if metadata.page is None else number
        metadata = PageMetadata(served, -(-total // size), metadata.total)
        return replace(answer, number=number, rows=self._rows(begin, count), metadata=metadata)

    def _rows(self, begin: int, count: int) -> list[Row]:
        """Rows like the one that is known; none if the token may read none."""
        if not self.answer.rows:
            return []
        row = self.answer.rows[0]
        return [
            {**row, **dict.fromkeys(self.key, self.first_id - position)}
            for position in range(begin, begin + count)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class RehearsedEndpoint(ListEndpoint):
    """Answers for every page of a list after one request for one row of it.

    Attributes:
        key: Fields that tell a row from the others of its business.
        asks_each_list: False for reports, whose periods are all like the first.
        samples: The lists that were asked for.
        quiet: Queries whose lists are taken to be empty.
    """

    key: tuple[str, ...] = ()
    asks_each_list: bool = True
    samples: dict[str, ListSample] = field(default_factory=dict)
    quiet: list[Query] = field(default_factory=list)

    @classmethod
    def of(cls, stream: ListStream) -> RehearsedEndpoint:
        """The endpoint of a stream, with counts of its own."""
        real = {each.name: getattr(stream.endpoint, each.name) for each in fields(ListEndpoint)}
        return cls(
            **{**real, "stats": StreamStats(stream.name)},
            key=stream.key,
            asks_each_list=stream.replication is not Replication.BY_PERIOD,
        )

    @override
    def fetch_page(
        self,
        business: Business,
        query: Query,
        number: int,
        *,
        path: str = "",
        records: tuple[str, ...] = (),
        subject: str = "",
        per_page: int = PAGE_SIZE,
    ) -> Page:
        name = f"{path} {query}"
        if name not in self.samples:
            first_id = -1 - IDS_OF_A_LIST * len(self.samples)
            try:
                sample = self._sample(business, query, path, records, first_id)
            except (PermissionDeniedError, NotFoundError):
                self.stats.count(pages=1)  # a sync asks for it, too
                raise
            self.samples[name] = sample
        return self.samples[name].page(number)

    def _sample(
        self,
        business: Business,
        query: Query,
        path: str,
        records: tuple[str, ...],
        first_id: int,
    ) -> ListSample:
        known = next(iter(self.samples.values()), None)
        if known and not self.asks_each_list:
            words = {str(value): query.get(name) for name, value in known.query.items()}
            alike = replace(known.answer, rows=_reworded(known.answer.rows, words))
            return ListSample(alike, query, self.key, first_id, was_asked=False)
        if known and (query in self.quiet or MADE_UP_ID in path):
            empty = replace(known.answer, rows=[], metadata=PageMetadata(1, 0, 0))
            return ListSample(empty, query, self.key, first_id, was_asked=False)

        def ask(per_page: int) -> Page:
            return ListEndpoint.fetch_page(
                self, business, query, 1, path=path, records=records, per_page=per_page
            )

        answer = ask(1)
        # What follows from rows of another resource, they alone know.
        is_open = bool(path) and self.asks_each_list
        is_single = len(answer.rows) == 1 and answer.metadata.page is answer.metadata.total is None
        if is_single and self.asks_each_list:
            answer = ask(2)  # is there one row, or was no more than one wanted?
            is_open |= len(answer.rows) > 1
        if (answer.metadata.total or 0) > MOST_ROWS:
            raise FreshBooksError(
                f"{self.subject(business)}: FreshBooks counts {answer.metadata.total:.3e} rows in "
                "one list, more than any list should have; please report this"
            )
        for each in self.samples.values():
            # The same list again: its filter is ignored (`docs/freshbooks-api/accounting.md §4`).
            if each.answer.rows == answer.rows and each.answer.metadata == answer.metadata:
                first_id = each.first_id
        key = ("id",) if path else self.key
        return ListSample(answer, query, key, first_id, is_open=is_open)


def _reworded(value: Any, words: Mapping[str, Any]) -> Any:
    """The same with other words: an answer for another period says so, wherever it does."""
    if isinstance(value, dict):
        return {name: _reworded(each, words) for name, each in value.items()}
    if isinstance(value, list):
        return [_reworded(each, words) for each in value]
    return words.get(value, value) if isinstance(value, str) else value
