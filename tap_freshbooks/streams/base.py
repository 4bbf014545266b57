"""RecordStream, the base of all streams: schema and conversion of its fields, and its delivery."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_freshbooks.records import EXTRA
from tap_freshbooks.schema.unknown_fields import EXTRA_SCHEMA, extra_fields
from tap_freshbooks.singer.record_writer import compile_preparation
from tap_freshbooks.streams.delivering_stream import DeliveringStream
from tap_freshbooks.streams.delivery import forget
from tap_freshbooks.streams.field_warnings import FieldWarnings
from tap_freshbooks.streams.replication import Replication

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.metrics import Counter

    from tap_freshbooks.extraction.prefetch import Prefetchable
    from tap_freshbooks.records import Row
    from tap_freshbooks.schema.conversion import Converter
    from tap_freshbooks.schema.fields import Object

HOW_TO_REPORT = (
    "Please tell us what you see: open an issue with the file that `tap-freshbooks doctor --report "
    "FILE` writes; there is nothing of your data in it."
)
"""What the users of an unconfirmed stream are asked for."""

COUNTED_AT_ONCE = 100
"""Records; the SDK's counter looks at the clock each time."""


class RecordStream(DeliveringStream, ABC):
    """A stream whose schema and conversion come from its declared fields."""

    name: str

    fields: ClassVar[Object]
    """The fields of a record."""

    key: ClassVar[tuple[str, ...]] = ("id",)
    """Primary key, within one business if there is a scope."""

    webhook_noun: ClassVar[str | None] = None
    """The name of the resource in webhook events, if it has any.

    See `docs/freshbooks-api/webhooks.md §6`.
    """

    additional_parents: ClassVar[tuple[type[RecordStream], ...]] = ()
    """The streams that feed this one, besides its parent."""

    timestamp_field: ClassVar[str | None] = None
    """The field with the moment of the last change."""

    has_fields_of_freshbooks: ClassVar[bool] = True
    """Whether its fields are named as FreshBooks names them, so that it can have unknown ones."""

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
        schema = self.record_schema()
        self.keeps_unknown = (
            self.has_fields_of_freshbooks and tap.config.get("unknown_fields") == "keep"
        )
        if self.keeps_unknown:
            schema["properties"][EXTRA] = EXTRA_SCHEMA
        super().__init__(tap, schema=schema)
        self.primary_keys = self.record_keys()
        self.problems = FieldWarnings(self.logger, are_kept=self.keeps_unknown)
        self.is_complete = True
        """Whether every row that existed throughout was certainly read, so far."""
        if self.replication is not Replication.FULL_TABLE:
            self.replication_key = self.timestamp_field
            self.forced_replication_method = REPLICATION_INCREMENTAL

    @cached_property
    def convert(self) -> Converter:
        """Converts a row; compiled for the first one."""
        convert = self.fields.converter("", self.problems)

        def convert_and_keep(row: Row) -> Row | None:
            record = convert(row)
            if record is None:
                return None
            found = self.problems.has_unknown and extra_fields(self.fields, row, self.problems)
            return {**record, EXTRA: found or None}

        return convert_and_keep if self.keeps_unknown else convert

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

    # Reading

    @abstractmethod
    def read(self, partition: Context | None) -> Iterable[Row]:
        """The records of a partition; None stands for a stream that has none."""

    def begin(self) -> None:
        """Called before the first partition is read."""

    def finish(self) -> None:
        """Called when the last partition was read, or has failed."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        """What the SDK itself reads: for BATCH files, and to test the connection."""
        partitions: list[Any] = list(self.partitions or ()) or [None]
        for state in self.consumer_states(context):
            forget(state)
        if context == partitions[0]:
            with self._failing_alone(None):
                self.begin()
        with self._failing_alone(context):
            records = self.read(context)
            yield from map(compile_preparation(self), records) if self.selected else records
        if context == partitions[-1]:
            self._finish()

    def _finish(self) -> None:
        """The last partition is over."""
        with self._failing_alone(None):
            self.finish()
        self.run.changes.mark_finished(self)

    # Writing

    @override
    def end_sync(self) -> None:
        for stream in (self, *self.child_streams):
            if isinstance(stream, RecordStream):
                stream.problems.report()

    @override
    def deliver_records(self, partitions: Sequence[Context | None]) -> Iterator[Row]:
        """Deliver the records, and a STATE for each partition that moved it."""
        with self._failing_alone(None):
            self.begin()
        with self.get_record_counter() as counter, self.get_sync_timer() as timer:
            for partition in partitions:
                counter.with_context(partition or {})
                timer.with_context(partition or {})
                with self._failing_alone(partition), self.delivering(partition):
                    yield from self._deliver(partition, counter)
                if partition == partitions[-1]:
                    self._finish()
                self.finalize_state(self.get_context_state(partition))
                if self._is_in_state(partition):
                    self.write_state()
        self._stats.ended = time.monotonic()

    def _deliver(self, partition: Context | None, counter: Counter) -> Iterator[Row]:
        counted, read = self._stats.rows, 0
        try:
            for record in self.read(partition):
                if not self.selected:
                    continue
                for name, value in (partition or {}).items():
                    record.setdefault(name, value)
                try:
                    self.write_record(record)
                except Exception as error:
                    self.break_off(error)  # before the reading hears of it
                    raise
                read += 1
                if read % COUNTED_AT_ONCE == 0:
                    counter.increment(self._stats.rows - counted)
                    counted = self._stats.rows
                yield record
            self.delivery.settle()
        finally:
            counter.increment(self._stats.rows - counted)

    def _is_in_state(self, partition: Context | None) -> bool:
        """Whether the state says anything of a partition, for this stream or those it feeds."""
        return any(state.keys() - {"context"} for state in self.consumer_states(partition))

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would send them before the records, so that the table stood empty."""
        return False
