"""ReadPlan: what is to be read of one partition, decided once, before anything is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.list_endpoint import ListEndpoint


@dataclass(frozen=True, slots=True)
class RelatedChanges:
    """Changed objects of another stream, which change rows of this one.

    Attributes:
        endpoint: Of the objects.
        field: Their field with the id of the row of this stream.
        object_ids: Which ones have changed.
    """

    endpoint: ListEndpoint
    field: str
    object_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class LastReading:
    """What is known from the last complete reading of a partition's lists.

    Attributes:
        keys: The digest of the keys of all rows that were there, deleted ones aside; None if it is
            not known.
        deletions_since: From when on deletions are wanted, None for all.
        deletions_can_wait: Whether the lists of deleted rows may go unread where the keys are the
            same.
    """

    keys: str | None = None
    deletions_since: datetime | None = None
    deletions_can_wait: bool = False


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Says what is read of one partition: its lists, some of its objects, or nothing.

    Attributes:
        business: Whose rows they are.
        partition: The Singer partition: the name of the identifier, and its value.
        since: From when on the lists' changes are wanted; None for all rows.
        is_full: Whether reading the lists counts as a full read.
        is_due: Whether its interval is over; else nothing is read.
        reads_objects: Whether objects are read by their ids, instead of the lists.
        changed: Ids of changed objects, and whether one of their events was a deletion.
        related_changes: Changed objects of other streams that change rows of this one.
        last: What is known from the last reading of the lists.
    """

    business: Business
    partition: Mapping[str, Any]
    since: datetime | None
    is_full: bool
    is_due: bool = True
    reads_objects: bool = False
    changed: Mapping[str, bool] = field(default_factory=dict)
    related_changes: Sequence[RelatedChanges] = ()
    last: LastReading = LastReading()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be read."""
        return not self.is_due or (
            self.reads_objects and not self.changed and not self.related_changes
        )
