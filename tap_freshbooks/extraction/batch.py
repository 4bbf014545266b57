"""What a reader hands to the writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tap_freshbooks.records import Row


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one page, ready for the writer.

    Attributes:
        rows: As FreshBooks sent them.
        read_at: When the reading of the partition began, by the server's clock.
        are_changes: Whether they are to be delivered whatever their timestamps say.
        deleted: Ids of objects that were deleted, and of which no row is left.
    """

    rows: list[Row]
    read_at: datetime
    are_changes: bool = False
    deleted: tuple[str, ...] = ()
