"""RecordStream, the base of all streams: schema and conversion of its fields, and its state."""

from __future__ import annotations

import time
from abc import ABC
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_freshbooks.singer.record_writer import RecordWriter
from tap_freshbooks.singer.sdk_bridge import SdkStream
from tap_freshbooks.streams.field_warnings import FieldWarnings
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import RecordMessage

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.extraction.prefetch import Prefetchable
    from tap_freshbooks.records import Row
    from tap_freshbooks.schema.conversion import Converter
    from tap_freshbooks.schema.fields import Object
    from tap_freshbooks.singer.stats import StreamStats
    from tap_freshbooks.streams.run_state import RunningTap, RunState

CLOCK_SKEW = timedelta(hours=1)
"""How far the server's clock may be ahead of ours."""

HOW_TO_REPORT = (
    "Please tell us what you see: open an issue with the file that `tap-freshbooks doctor --report "
    "FILE` writes; there is nothing of your data in it."
)
"""What the users of an unconfirmed stream are asked for."""

COUNTED_AT_ONCE = 100
"""Records; the SDK's counter looks at the clock each time."""


class RecordStream(SdkStream, ABC):
    """A stream whose schema and conversion come from its declared fields."""

    name: str

    fields: ClassVar[Object]
    """The fields of a record."""

    key: ClassVar[tuple[str, ...]] = ("id",)
    """Primary key, within one business if there is a scope."""

    oauth_scope: ClassVar[str]
    """OAuth scopes that the token needs, separated by blanks."""

    webhook_noun: ClassVar[str | None] = None
    """The name of the resource in webhook events, if it has any.

    See `docs/freshbooks-api/webhooks.md §6`.
    """

    additional_parents: ClassVar[tuple[type[RecordStream], ...]] = ()
    """The streams that feed this one, besides its parent."""

    replication: ClassVar[Replication] = Replication.FULL_TABLE
    """How the stream finds out what changed."""

    timestamp_field: ClassVar[str | None] = None
    """The field with the moment of the last change."""

    unconfirmed: ClassVar[str] = ""
    """What of its answers nobody has ever seen, as a sentence; empty where all is known.

    Such a stream is not selected by default, and its description says so.
    """

    def __init_subclass__(cls) -> None:
        """Leave a stream out by default whose answers are a guess."""
        super().__init_subclass__()
        if cls.unconfirmed:
            cls.selected_by_default = False

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap, schema=self.record_schema())
        self.primary_keys = self.record_keys()
        self.problems = FieldWarnings(self.logger)
        self.is_complete = True
        """Whether every row that existed throughout was certainly read, so far."""
        if self.replication is not Replication.FULL_TABLE:
            self.replication_key = self.timestamp_field
            self.forced_replication_method = REPLICATION_INCREMENTAL

    @property
    def run(self) -> RunState:
        """The state of the run, which all streams share; made when something is read."""
        return cast("RunningTap", self.tap).run_state

    @property
    def connection(self) -> Connection:
        """The FreshBooks user whose rows they are."""
        return self.run.connection

    @cached_property
    def convert(self) -> Converter:
        """Converts a row; compiled for the first one."""
        return self.fields.converter("", self.problems)

    @classmethod
    def record_keys(cls) -> tuple[str, ...]:
        """Names of the primary key's fields."""
        return cls.key

    @classmethod
    def record_properties(cls) -> dict[str, Any]:
        """JSON schema of each field."""
        properties: dict[str, Any] = cls.fields.schema()["properties"]
        return properties

    @classmethod
    def record_schema(cls) -> dict[str, Any]:
        """JSON schema of a record; only the keys are never null."""
        properties = cls.record_properties()
        for name in cls.record_keys():
            kinds = [kind for kind in properties[name]["type"] if kind != "null"]
            properties[name] = {**properties[name], "type": kinds}
        return {"type": "object", "description": cls.description(), "properties": properties}

    @classmethod
    def description(cls) -> str:
        """What the catalog says of the stream."""
        summary = (cls.__doc__ or "").partition("\n")[0]
        return f"{summary} {cls.replication}.{cls.caution()}"

    @classmethod
    def caution(cls) -> str:
        """What a description adds of a stream whose answers are a guess."""
        return f" Unconfirmed: {cls.unconfirmed} {HOW_TO_REPORT}" if cls.unconfirmed else ""

    def readers(self) -> Iterable[Prefetchable[Any]]:
        """Of the partitions that a sync will take of the stream, in its order."""
        return ()

    @property
    def consumers(self) -> list[RecordStream]:
        """The selected streams that live on what this one reads, itself included."""
        streams = [self, *self.child_streams]
        return [
            stream for stream in streams if isinstance(stream, RecordStream) and stream.selected
        ]

    # The place in the state

    def state_for(self, source: RecordStream, context: Context | None) -> dict[str, Any]:  # noqa: ARG002
        """The part of the state that belongs to a partition of a source of this stream.

        Args:
            source: The stream that is read; this one, unless it is derived.
            context: The partition; None for what belongs to none.
        """
        return self.get_context_state(context)

    def consumer_states(self, partition: Context | None) -> list[dict[str, Any]]:
        """The state of a partition, for each stream that is fed by it."""
        return [consumer.state_for(self, partition) for consumer in self.consumers]

    def bookmark(self, source: RecordStream, context: Context) -> datetime | None:
        """When the last complete read of a partition of a source began.

        None if there was none, or if the last full one is older than `full_refresh_interval`:
        some values change without a timestamp, and a filter may fail in silence.
        """
        if self.replication_method == REPLICATION_FULL_TABLE:
            return None
        state = self.state_for(source, context)
        bookmark, full = (
            parse_timestamp(state.get(name)) for name in ("replication_key_value", "full_read_at")
        )
        if bookmark and bookmark > datetime.now(UTC) + CLOCK_SKEW:
            self.logger.warning(
                "The bookmark %s lies in the future; everything is read", utc_text(bookmark)
            )
            return None
        interval = self.config.get("full_refresh_interval")
        if interval is not None and (
            full is None or datetime.now(UTC) - full >= timedelta(days=interval)
        ):
            return None
        return bookmark

    def advance_bookmark(
        self, source: RecordStream, context: Context, read_at: datetime, *, full: bool
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
        state["replication_key_value"] = utc_text(read_at)
        if full:
            state["full_read_at"] = utc_text(read_at)

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the bookmark is the moment at which a read began, not a value of its rows."""

    # Writing

    @override
    def deliver_records(self, partitions: Iterable[Context | None]) -> Iterator[Row]:
        """Deliver the records, and a STATE for each partition that moved it."""
        with self.get_record_counter() as counter, self.get_sync_timer() as timer:
            for partition in partitions:
                counter.with_context(partition or {})
                timer.with_context(partition or {})
                delivered = 0
                try:
                    for record in cast("Iterable[Row]", self.get_records(partition)):
                        if not self.selected:
                            continue
                        for name, value in (partition or {}).items():
                            record.setdefault(name, value)
                        self.write_record(record)
                        delivered += 1
                        if delivered % COUNTED_AT_ONCE == 0:
                            counter.increment(COUNTED_AT_ONCE)
                        yield record
                finally:
                    counter.increment(delivered % COUNTED_AT_ONCE)
                self.finalize_state(self.get_context_state(partition))
                if self._is_in_state(partition):
                    self.write_state()
        if self.is_complete and not self.webhook_noun:
            self.run.changes.mark_polled(self.consumer_states(None))
        self._stats.ended = time.monotonic()

    def _is_in_state(self, partition: Context | None) -> bool:
        """Whether the state says anything of a partition, for this stream or those it feeds."""
        return any(state.keys() - {"context"} for state in self.consumer_states(partition))

    @override
    def write_record(self, record: Row) -> None:
        self._stats.rows += self._writer.write(record)

    @override
    def record_messages(self, record: Row) -> Iterator[RecordMessage]:
        return self._writer.messages(record)

    @cached_property
    def _writer(self) -> RecordWriter:
        return RecordWriter(self)

    @cached_property
    def _stats(self) -> StreamStats:
        return self.run.stats.for_stream(self.name)

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would send them before the records, so that the table stood empty."""
        return False
