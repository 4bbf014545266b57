"""Which clients have other balances: those whose invoices have changed, gone, or fallen due.

A client's balances move with his invoices, but his timestamp does not. The lists of such invoices
are those that the stream `invoices` reads, too: in a run of both, their first pages are shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from tap_freshbooks.extraction.pagination import read_pages
from tap_freshbooks.numerals import whole_number
from tap_freshbooks.schema.fields import EasternTime
from tap_freshbooks.streams.families import DELETED
from tap_freshbooks.streams.list_resource import LOOKBACK
from tap_freshbooks.streams.resources.common_fields import fell_due
from tap_freshbooks.streams.resources.invoices import OVERDUE, Invoices
from tap_freshbooks.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.extraction.pagination import Pending
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.records import Row


@dataclass(frozen=True, slots=True)
class SharedLists:
    """The lists of a business that the stream `invoices` reads in this run.

    Attributes:
        invoices: The stream.
        reader: Its reader.
        queries: Of the lists, which have all that has changed, or fallen due.
    """

    invoices: Invoices
    reader: PartitionReader
    queries: Sequence[Query]

    @classmethod
    def announced(cls, invoices: Invoices, plan: ReadPlan) -> SharedLists | None:
        """Lists that are read for both streams; None if those of the one do not serve the other.

        Args:
            invoices: The stream, which has not begun yet.
            plan: Of the clients of the business.
        """
        reader = invoices.reader(invoices.run.plan(invoices, plan.partition))
        theirs = reader.plan
        if theirs.reads_objects or theirs.is_idle or theirs.since is None or plan.since is None:
            return None
        # Streams of one run begin at different seconds, but the filter has days only
        # (`docs/freshbooks-api/accounting.md §4`).
        is_later = theirs.since > plan.since
        misses_days = is_later and _changed_invoices(theirs.since) != _changed_invoices(plan.since)
        if misses_days and not invoices.reads_whole(theirs):
            return None
        shared = cls(invoices, reader, list(invoices.living_queries(theirs)))
        for query in shared.queries:
            invoices.run.shared_pages.announce(reader.partition_key, query)
        return shared


def affected_clients(
    reader: PartitionReader, since: datetime, shared: SharedLists | None
) -> set[int]:
    """Ids of the clients whose invoices have changed, gone, or fallen due since a moment.

    Args:
        reader: Of the clients.
        since: The moment.
        shared: The lists that the stream `invoices` reads, if it does.
    """
    changed = _changed_invoices(since)
    # No list shows deleted invoices unasked (`docs/freshbooks-api/accounting.md §5`).
    gone: Query = {**changed, "search[vis_state]": DELETED}
    lists = [(query, shared) for query in (shared.queries if shared else (changed, OVERDUE))]
    affected = set()
    for query, source in [*lists, (gone, None)]:
        for page in read_pages(partial(_request, reader, source, query), reader.window):
            affected |= {
                whole_number(row.get("customerid"))
                for row in page.rows
                if has_changed(row, since) or fell_due(row, since)
            }
    return {each for each in affected if each is not None}


def has_changed(row: Row, since: datetime) -> bool:
    """Whether a client or invoice has changed since a moment, as far as its timestamp tells."""
    try:
        timestamp = parse_timestamp(EasternTime.convert(row.get("updated")))
    except (ArithmeticError, TypeError, ValueError):
        return True
    return timestamp is None or timestamp >= since - LOOKBACK


def _changed_invoices(since: datetime) -> Query:
    return Invoices.changed_since(since - LOOKBACK)


def batches(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    """The same ids, so many at a time."""
    rest = iter(ids)
    while batch := list(islice(rest, size)):
        yield batch


def _request(
    reader: PartitionReader, shared: SharedLists | None, query: Query, number: int
) -> Pending:
    """Ask for a page of invoices: with all that `invoices` wants of it, if that gets it, too."""
    business = reader.plan.business
    is_shared = shared is not None and number == 1

    def ask() -> Pending:
        return reader.request_page(
            {**query, "include[]": list(Invoices.includes) if is_shared else []},
            number,
            path=Invoices.path.format(account_id=business.account_id),
            records=Invoices.records,
            subject=f"invoices of {business}, for the balances of clients",
        )

    if shared is None or number > 1:
        return ask()
    pages = shared.invoices.run.shared_pages
    return pages.take(shared.reader.partition_key, query, ask)
