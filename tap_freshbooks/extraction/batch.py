"""Batch: rows on their way from the reader to the writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tap_freshbooks.records import Row


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one page, ready for the writer.

    Attributes:
        rows: As FreshBooks sent them.
        read_at: When the reading of the partition began, by the server's clock.
        are_changes: Whether they are delivered whatever their timestamps are.
        deleted: Ids of deleted objects that have no row any more.
    """

    rows: Sequence[Row]
    read_at: datetime
    are_changes: bool = False
    deleted: tuple[str, ...] = ()
