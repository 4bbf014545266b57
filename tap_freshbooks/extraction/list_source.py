"""ListSource: what a reader of lists asks of them, and how those of a partition answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.keys import is_key
from tap_freshbooks.extraction.list_chain import Query
from tap_freshbooks.transport.lazy_rows import LazyRows

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from datetime import datetime

    from tap_freshbooks.extraction.pagination import Pending
    from tap_freshbooks.records import Row


DeletedQueries = Callable[[bool], Iterable[Query]]
"""Gives the queries of lists of deleted rows, once it is known whether the other lists certainly
have the rows of their last reading, and no others."""


class ListSource(Protocol):
    """The lists of a stream, and what is known about their rows."""

    window: int
    """How many pages may be on their way or waiting, at most."""

    pages_numbered: bool
    """False if responses may say nothing about pages."""

    def request_page(self, query: Query, number: int) -> Pending:
        """Ask for a page."""

    def keys(self, rows: Sequence[Row]) -> list[Hashable]:
        """What tells each row from the others."""

    def duplicate_key_error(self, row: Row) -> Exception:
        """The error to raise where another row of the same page has the key of this one."""

    def changed_at(self, row: Row) -> datetime | None:
        """When a row changed last, None if it does not say."""

    def changes_order(self, row: Row) -> bool:
        """Whether other rows may have moved when this one changed."""

    def change_queries(self, since: datetime) -> Sequence[Query] | None:
        """Queries that show, with their timestamps, the rows that came, changed or went.

        Empty if the lists themselves show them. None if nothing does.
        """


@dataclass(frozen=True, slots=True, eq=False)
class ListTraits:
    """How the rows of a resource's lists behave.

    Attributes:
        key: Fields that tell a row from the others of its business.
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
    changed_at: Callable[[Row], datetime | None]
    change_queries: Callable[[datetime], Sequence[Query] | None]
    changes_order: Callable[[Row], bool]
    check_page: Callable[[Query, Iterable[Row]], None] = lambda _query, _rows: None
    pages_numbered: bool = True
    hard_deletes: bool = False
    affected_without_timestamp: bool = False
    include_deleted: bool = True


class PartitionLists:
    """The lists of a partition, as a `ListSource`.

    Args:
        traits: Of the rows.
        request_page: Asks for a page of a list.
        window: How many pages may be on their way or waiting, at most.
        subject: Whose rows they are, for messages.
    """

    def __init__(
        self,
        traits: ListTraits,
        request_page: Callable[[Query, int], Pending],
        window: int,
        subject: str,
    ) -> None:
        self.window = window
        self.request_page = request_page
        self.pages_numbered = traits.pages_numbered
        self.change_queries = traits.change_queries
        self.changes_order = traits.changes_order
        self.changed_at = traits.changed_at
        self._subject = subject
        self._names = traits.key
        self._single = traits.key[0] if len(traits.key) == 1 else None

    def keys(self, rows: Sequence[Row]) -> list[Hashable]:
        """What tells each row from the others of its business.

        Raises:
            FreshBooksError: If one does not have it.
        """
        if isinstance(rows, LazyRows) and (numbers := rows.whole_numbers(*self._names)) is not None:
            return numbers
        return [self._key(row) for row in rows]

    def _key(self, row: Row) -> Hashable:
        key: Any = row.get(self._single) if self._single else tuple(map(row.get, self._names))
        if type(key) is not int and not is_key(key):
            names = " or ".join(self._names)
            raise FreshBooksError(
                f"{self._subject}: FreshBooks sent a row without {names}, or with something "
                "there that is no key: it cannot be told from others; please report this"
            )
        return key  # type: ignore[no-any-return]

    def duplicate_key_error(self, row: Row) -> FreshBooksError:
        """The error to raise where another row of the same page has the key of this one."""
        key = ", ".join(f"{name} {str(row[name])[:50]}" for name in self._names)
        return FreshBooksError(
            f"{self._subject}: one answer has two different rows with {key}, of which a "
            "table would keep one. In custom_streams, add to `primary_keys` what tells them apart; "
            "for a stream that is built in, do so with `override: true`, and please report this"
        )
