"""One business as one stream reads it this time: requests, pages, and what makes them complete."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import FreshBooksError, PermissionDeniedError
from tap_freshbooks.extraction.completeness import SLACK, ConsistentListReader
from tap_freshbooks.extraction.pagination import PAGE_SIZE, Page, PageMetadata, Row, in_order
from tap_freshbooks.extraction.prefetch import InlineFuture
from tap_freshbooks.streams.base import parse_timestamp
from tap_freshbooks.timestamps import EASTERN

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.extraction.completeness import Query
    from tap_freshbooks.extraction.pagination import Pending
    from tap_freshbooks.extraction.prefetch import Submit
    from tap_freshbooks.streams.list_stream import ListStream
    from tap_freshbooks.webhooks.sync.planner import ReadPlan


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one page, ready for the writer.

    Attributes:
        rows: As FreshBooks sent them.
        read_at: When the reading of the partition began, by the server's clock.
        are_news: Whether they are to be delivered whatever their stamps say.
        gone: Ids of objects that were deleted, and of which no row is left.
    """

    rows: list[Row]
    read_at: datetime
    are_news: bool = False
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchedObject:
    """What FreshBooks says of one object: its row, None if it does not know it, and when."""

    row: Row | None
    date: datetime


class PartitionReader:
    """One business as one stream reads it.

    Args:
        stream: Whose rows they are.
        context: The partition.

    Attributes:
        since: From when on changes are wanted, None for all.
        settled: Whether every row that existed throughout was certainly read.
    """

    def __init__(self, stream: ListStream, context: Context) -> None:
        self.stream = stream
        self.context = context
        self.business = stream.business(context[stream.identifier_kind.value])
        self.subject = f"{stream.name} of {self.business}"
        self.since, _ = stream.since(context)
        self.plan = stream.plan(context)
        self.by_id = bool(self.plan and self.plan.by_id)
        self.looked_at: dict[str, float] = {}
        """When objects were looked at by their ids, epoch seconds."""
        for consumer in stream.consumers:
            consumer.state_of(stream, context)  # made here, where no other thread is writing it
        self.settled = True
        self._lost_track = False
        self.window = 1
        self._submit: Submit = InlineFuture
        self._begun: set[str] = set()
        """The lists whose rows are announced: a second reading brings no more."""
        self._tally = stream.connection.tallies.of(stream.name)

    @property
    def turn(self) -> Hashable:
        """What the reading is known by."""
        return self.stream.name, self.context[self.stream.identifier_kind.value]

    def begin(self, submit: Submit, window: int) -> Iterator[Batch]:
        """Read with workers, ahead of the writer."""
        self._submit, self.window = submit, window
        return self.stream.pages(self)

    # What a stream reads

    def complete(self, queries: Iterable[Query]) -> Iterator[Batch]:
        """Every row of the stream's lists, although they may move meanwhile.

        Args:
            queries: Those of the lists which together have every row.
        """
        lists = ListTraits(self)
        reading = ConsistentListReader(lists, _slack())
        for rows in reading.pages(queries):
            assert reading.read_at is not None  # noqa: S101 - a page was read
            yield Batch(rows, reading.read_at)
        self.settled = self.settled and reading.settled

    def walk(
        self,
        query: Query,
        path: str | None = None,
        records: tuple[str, ...] | None = None,
        subject: str = "",
    ) -> Iterator[Page]:
        """All pages of one list, without a look at whether it moves.

        Args:
            query: Besides that of the stream.
            path: Another path than that of the stream.
            records: Keys to the list, where they are others than those of the stream.
            subject: What is read, for messages.
        """

        def ask(number: int) -> Pending:
            return self.ask(query, number, path, records, subject)

        return in_order(ask, self.window)

    def firsts(self, requests: Iterable[tuple[Query, str]]) -> Iterator[Page]:
        """One page of each of many lists, several at once, in their order.

        Args:
            requests: Query of each, and what it is called in messages.
        """
        return self._in_window(self.ask(query, 1, subject=subject) for query, subject in requests)

    def _in_window(self, pending: Iterator[Any]) -> Iterator[Any]:
        """Results in their order, several of them on their way at once."""
        ahead: deque[Any] = deque()
        while True:
            ahead.extend(islice(pending, self.window - len(ahead)))
            if not ahead:
                return
            yield ahead.popleft().result()

    def looks(self, plan: ReadPlan) -> Iterator[Batch]:
        """The objects of which events tell, each by its id."""
        wanted = {**self._moved(plan), **plan.changed}
        gone = []
        for object_id, look in zip(wanted, self._looks(plan, wanted), strict=True):
            self.looked_at[object_id] = look.date.timestamp()
            if look.row is None:
                gone.append(object_id)
            yield Batch([look.row] if look.row else [], look.date, are_news=True)
        if gone and self.stream.config["include_deleted"]:
            yield from self._gone(gone, wanted)
        if self._lost_track and not self.stream.affected_without_timestamp:
            # Something is gone that moved rows of this stream: their stamps tell which.
            yield from self.stream.list_pages(self)
        elif not wanted:
            yield Batch([], datetime.now(UTC))

    def _moved(self, plan: ReadPlan) -> dict[str, bool]:
        """Ids of objects that other objects have moved, of which events tell."""
        moved = {}
        for name, movers in plan.movers.items():
            field = self.stream.affected_by[name]
            try:
                for look in self._looks(plan, movers, name):
                    self._lost_track |= look.row is None
                    if look.row and look.row.get(field):
                        moved[str(look.row[field])] = False
            except PermissionDeniedError as error:
                self.stream.logger.warning(
                    "What changes of %s do to %s is seen by the next reading of the lists only: %s",
                    name,
                    self.subject,
                    error,
                )
        return moved

    def _looks(
        self, plan: ReadPlan, ids: Iterable[str], mover: str | None = None
    ) -> Iterator[FetchedObject]:
        return self._in_window(
            plan.look(self.business, object_id, self._submit, mover) for object_id in ids
        )

    def _gone(self, ids: Sequence[str], was_deleted: Mapping[str, bool]) -> Iterator[Batch]:
        """What is left of objects that FreshBooks does not know by their ids (any more).

        That a deleted object can still be read by its id is not certain for all of them; then the
        list of deleted rows has it. Where nothing has it, the event says that it was deleted, or
        the resource is one whose rows vanish: else the id may be of another kind.
        """
        stream = self.stream
        missing = set(ids)
        if not stream.hard_deletes:
            for batch in stream.list_pages(self):
                rows = [row for row in batch.rows if str(row.get(stream.key[0])) in missing]
                missing -= {str(row[stream.key[0]]) for row in rows}
                yield Batch(rows, batch.read_at, are_news=True)
        deleted = tuple(each for each in ids if each in missing and was_deleted[each])
        if stream.hard_deletes:
            deleted = tuple(ids)
        yield Batch([], datetime.now(UTC), gone=deleted)

    def ask(
        self,
        query: Query,
        number: int,
        path: str | None = None,
        records: tuple[str, ...] | None = None,
        subject: str = "",
    ) -> Pending:
        """Ask for a page."""
        stream = self.stream
        path = path or stream.path_of(self.business)
        page, per_page = stream.page_parameters
        parameters = {**stream.query, **query, page: number, per_page: PAGE_SIZE}
        subject = subject or self.subject

        def get() -> Page:
            answer = stream.connection.client.get(
                path, parameters, headers=stream.headers, subject=subject, tally=self._tally
            )
            rows, metadata = unwrap(answer.body, records or stream.records, subject)
            is_begun = f"{path} {query}" in self._begun
            self._begun.add(f"{path} {query}")
            total = 0 if is_begun else (metadata.total or len(rows))
            self._tally.count(pages=1, total=total)
            return Page(number, rows, metadata, answer.date, answer.sent, answer.received)

        pending: Pending = self._submit(get)
        return pending


class ListTraits:
    """The lists of a stream, as `completeness` wants to know them."""

    def __init__(self, reading: PartitionReader) -> None:
        stream = reading.stream
        self.reading = reading
        self.window = reading.window
        self.pages_numbered = stream.page_metadata_known
        self.changes = stream.changes
        self.changes_order = stream.changes_order
        self._names = stream.key
        self._single = stream.key[0] if len(stream.key) == 1 else None
        self._stamp = stream.timestamp_field
        self._convert = (
            stream.fields.fields[stream.timestamp_field].converter(
                stream.timestamp_field, stream.problems
            )
            if stream.timestamp_field
            else None
        )

    def ask(self, query: Query, number: int) -> Pending:
        """Ask for a page."""
        return self.reading.ask(query, number)

    def key(self, row: Row) -> Hashable:
        """What tells a row from the others of its business.

        Raises:
            FreshBooksError: If the row does not have it.
        """
        if self._single:
            key: Any = row.get(self._single)
            missing = key is None
        else:
            key = tuple([row.get(name) for name in self._names])
            missing = None in key
        if missing:
            raise FreshBooksError(
                f"{self.reading.stream.name}: FreshBooks sent a row without "
                f"{' or '.join(self._names)}, which cannot be told from others; please report this"
            )
        return key  # type: ignore[no-any-return]

    def ambiguous(self, row: Row) -> FreshBooksError:
        """An error to raise: another row of the same answer has the key of this one."""
        key = ", ".join(f"{name} {row[name]}" for name in self._names)
        return FreshBooksError(
            f"{self.reading.subject}: one answer has two different rows with {key}, of which a "
            "table would keep one. In custom_streams, add to `keys` what tells them apart; for a "
            "stream that is built in, do so with `override: true`, and please report this"
        )

    def changed_at(self, row: Row) -> datetime | None:
        """When a row changed last, None if it does not say."""
        stamp = row.get(self._stamp) if self._stamp else None
        return parse_timestamp(self._convert(stamp)) if stamp and self._convert else None


def _slack() -> timedelta:
    """How far stamps may be from the truth."""
    now = datetime.now(EASTERN)
    repeated = now.utcoffset() != now.replace(fold=1 - now.fold).utcoffset()
    # The hour that November has twice is read as its first passage
    # (`docs/freshbooks-api/accounting.md §7`).
    return SLACK + timedelta(hours=repeated)


def _lists(value: Any, path: str = "") -> Iterator[str]:
    """Where an answer has lists."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, list):
            yield f"{path}{name}"
        else:
            yield from _lists(inner, f"{path}{name}.")


def unwrap(body: Any, records: Sequence[str], subject: str) -> tuple[list[Row], PageMetadata]:
    """Find the list of an answer, or its one object, and what it says about pages.

    Args:
        body: The decoded answer.
        records: Keys to the list, from outside in; `a|b` means either.
        subject: What is read, for messages.

    Raises:
        FreshBooksError: If there is no list, or if its rows are no objects.
    """
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
        there = ", ".join(_lists(body)) or "nowhere"
        raise FreshBooksError(
            f"{subject}: the answer has no list at {'.'.join(records)}; it has one at {there}. In "
            "custom_streams, mend `records`; of a stream that is built in, please report this"
        )
    if not all(isinstance(row, dict) for row in found):
        raise FreshBooksError(f"{subject}: the answer has rows that are no objects")
    return found, PageMetadata.read(holder if isinstance(holder, dict) else {})
