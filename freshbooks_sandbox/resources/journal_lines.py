"""The lines of the journal, in their order, as rows.

Entries are found and counted once per change of the books; their lines are made when they are
read, for there are six of them to every invoice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, overload

from freshbooks_sandbox.resources.postings import Entry, entries, postings_of

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business, Row

MOST_LINES = 1000
"""Room for the lines of an entry between the ids of two."""


class Details(Sequence[dict[str, Any]]):
    """The lines of all entries in their order, as rows that are made when they are asked for."""

    def __init__(self, business: Business) -> None:
        self._business = business
        self._entries = entries(business)
        self._ends = list(accumulate(entry.lines for entry in self._entries))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Row]:
        for entry in self._entries:
            yield from self._rows(entry)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._at(position) for position in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self._at(place % len(self))

    def _at(self, position: int) -> Row:
        which = bisect_right(self._ends, position)
        entry = self._entries[which]
        return self._rows(entry)[position - self._ends[which] + entry.lines]

    def _rows(self, entry: Entry) -> list[Row]:
        postings = postings_of(entry, self._business)
        return [
            {
                "id": entry.id * MOST_LINES + position,
                "user_entered_date": entry.date,
                "_posting": posting,
                "_entry": entry,
            }
            for position, posting in sorted(enumerate(postings, 1), reverse=True)
        ]
