"""BookmarkedStream: a stream's place in the state of the run, and in the Singer state."""

from __future__ import annotations

from abc import ABC
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.singer.catalogued_stream import CataloguedStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.streams.run_state import RunningTap, RunState

BOOKMARK = "replication_key_value"
"""Where the state of a partition has its bookmark."""

CLOCK_SKEW = timedelta(hours=1)
"""How far the server's clock may be ahead of ours."""


class BookmarkedStream(CataloguedStream, ABC):
    """A stream that keeps, for each partition of its sources, when it was read completely.

    A bookmark moves only after every row of a complete read was delivered: one that failed half-way
    leaves it where it was.
    """

    replication: ClassVar[Replication] = Replication.FULL_TABLE
    """How the stream finds out what changed."""

    @classmethod
    def fixed_pace(cls) -> str:
        """Why `full_table_interval` does not count for it; empty if it does."""
        if cls.replication is Replication.SERVER_FILTER:
            return "is read each time, as FreshBooks lists what has changed"
        return ""

    @property
    def run(self) -> RunState:
        """The state of the run, which all streams share; made when something is read."""
        return cast("RunningTap", self.tap).run_state

    @property
    def connection(self) -> Connection:
        """The FreshBooks user whose rows they are."""
        return self.run.connection

    def business_of(self, partition: Mapping[str, Any]) -> Business:
        """The business of a partition, which names one of its identifiers, by kind."""
        [(name, identifier)] = partition.items()
        kind = IdentifierKind(name)
        return next(
            business
            for business in self.connection.businesses
            if business.identifier(kind) == identifier
        )

    @property
    def consumers(self) -> list[BookmarkedStream]:
        """The selected streams that live on what this one reads, itself included."""
        streams = [self, *self.child_streams]
        return [
            stream for stream in streams if isinstance(stream, BookmarkedStream) and stream.selected
        ]

    def state_for(self, source: BookmarkedStream, context: Context | None) -> dict[str, Any]:  # noqa: ARG002
        """The part of the state that belongs to a partition of a source of this stream.

        Args:
            source: The stream that is read; this one, unless it is derived.
            context: The partition; None for what belongs to none.
        """
        return self.get_context_state(context)

    def consumer_states(self, partition: Context | None) -> list[dict[str, Any]]:
        """The state of a partition, for each stream that is fed by it and has not failed there."""
        return [consumer.state_for(self, partition) for consumer in self.whole_consumers(partition)]

    def whole_consumers(self, partition: Context | None) -> list[BookmarkedStream]:
        """The consumers that lack no row of a partition, so far; of any partition if it is None."""
        has_failed = self.run.outcome.has_failed
        return [each for each in self.consumers if not has_failed(each.name, self.name, partition)]

    def bookmark(self, source: BookmarkedStream, context: Context) -> datetime | None:
        """When the last complete read of a partition of a source began.

        None if there was none, or if the last full one is older than `full_refresh_interval`:
        some values change without a timestamp, and a filter may fail in silence.
        """
        if self.replication_method == REPLICATION_FULL_TABLE:
            return None
        state = self.state_for(source, context)
        bookmark, full = (parse_timestamp(state.get(name)) for name in (BOOKMARK, "full_read_at"))
        now = datetime.now(UTC)
        if bookmark and bookmark > now + CLOCK_SKEW:
            self.logger.warning(
                "The bookmark %s lies in the future; everything is read", utc_text(bookmark)
            )
            return None
        interval = self.config.get("full_refresh_interval")
        if interval is not None and (
            full is None or not -CLOCK_SKEW < now - full < timedelta(days=interval)
        ):
            return None
        return bookmark

    def advance_bookmark(
        self, source: BookmarkedStream, context: Context, read_at: datetime, *, full: bool
    ) -> None:
        """Move the bookmark, once every row of a partition was delivered.

        Args:
            source: The stream that was read.
            context: The partition.
            read_at: When the read began, by the server's clock.
            full: Whether it was a read of everything.
        """
        if self.replication_method == REPLICATION_FULL_TABLE:
            return
        state = self.state_for(source, context)
        if self.replication_key:
            state["replication_key"] = self.replication_key
        state[BOOKMARK] = utc_text(read_at)
        if full:
            state["full_read_at"] = utc_text(read_at)

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the bookmark is the moment at which a read began, not a value of its rows."""
