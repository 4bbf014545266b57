"""MarkedStream: the column `_sdc_deleted_at` of streams whose rows vanish without a trace.

They have it where the setting `hard_deletes` lets records say that a row is gone.
"""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.singerlib import Metadata, Schema
from typing_extensions import override

from tap_freshbooks.records import DELETED_AT, Tombstone
from tap_freshbooks.schema.fields import UtcTime
from tap_freshbooks.streams.bookmarks import BookmarkedStream

if TYPE_CHECKING:
    from singer_sdk import Tap
    from singer_sdk.singerlib import Catalog

    from tap_freshbooks.records import Row

TOMBSTONES = "tombstones"
"""The value of the setting that lets records say it."""


class MarkedStream(BookmarkedStream, ABC):
    """A stream whose records can say that a row is gone."""

    hard_deletes: ClassVar[bool] = False
    """Whether deleted rows disappear without a trace."""

    @property
    def is_sent_whole(self) -> bool:
        """Whether a target gets all partitions of the table at once, or none."""
        return False

    def __init__(self, tap: Tap, schema: dict[str, Any]) -> None:
        self.has_tombstones = self.hard_deletes and tap.config.get("hard_deletes") == TOMBSTONES
        """Whether records say that rows are gone which have disappeared."""
        if self.has_tombstones:
            schema["properties"][DELETED_AT] = UtcTime().schema()
        super().__init__(tap, schema=schema)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        entry = catalog.get_stream(self.tap_stream_id)
        if entry and entry.schema.properties and self.has_tombstones:
            # Without this column a tombstone would be a row of nulls, so it cannot be deselected.
            column = Schema.from_dict(UtcTime().schema())
            entry.schema.properties = {**entry.schema.properties, DELETED_AT: column}
            entry.metadata["properties", DELETED_AT] = Metadata(Metadata.InclusionType.AUTOMATIC)
        super().apply_catalog(catalog)

    def tombstone(self, record: Row) -> Tombstone:
        """The record that says of a row that it is gone; given its key and `_sdc_deleted_at`."""
        if self.config.get("stream_maps"):  # whose expressions name fields
            return Tombstone({**dict.fromkeys(self.schema["properties"]), **record})
        return Tombstone(record)
