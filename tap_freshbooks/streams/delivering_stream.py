"""DeliveringStream: a stream that writes its records, unless the target has them already."""

from __future__ import annotations

from abc import ABC
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from tap_freshbooks.singer.record_writer import RecordWriter
from tap_freshbooks.streams.delivery import Delivery
from tap_freshbooks.streams.lone_stream import LoneStream
from tap_freshbooks.streams.outcome import concerns_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import RecordMessage

    from tap_freshbooks.records import Row
    from tap_freshbooks.singer.stats import StreamStats
    from tap_freshbooks.streams.delivery import Share


class DeliveringStream(LoneStream, ABC):
    """A stream that writes what its catalog and the stream maps leave of its records."""

    def __init__(self, tap: Tap, schema: dict[str, Any]) -> None:
        super().__init__(tap, schema=schema)
        self.delivery = Delivery()
        """What the partition delivers that is being read."""
        self.share: Share | None = None
        """What this stream gets of a delivery, of its own or of its source."""

    @contextmanager
    def delivering(self, partition: Context | None) -> Iterator[None]:
        """Deliver what is read of a partition inside the block."""
        delivery = self.delivery = self.open_delivery(partition)
        delivery.begin()
        try:
            yield
            delivery.settle()
            delivery.keep()
        except Exception as error:
            self.break_off(error)
            raise
        finally:
            delivery.end()
            self.delivery = Delivery()

    def break_off(self, error: Exception) -> None:
        """Write what is held back, where only this partition fails: what arrived is delivered."""
        if not concerns_run(error):
            self.delivery.release()

    def open_delivery(self, partition: Context | None) -> Delivery:
        """What a partition is going to deliver."""
        return self.new_delivery(partition)

    def new_delivery(
        self, partition: Context | None, *, holds: bool = True, is_exact: bool = True
    ) -> Delivery:
        """A delivery to all that is fed by a partition; see there."""
        consumers = cast("list[DeliveringStream]", self.whole_consumers(partition))
        has_failed = self.run.outcome.has_failed
        return Delivery(
            [(each, each.state_for(self, partition)) for each in consumers],
            self._write_state_now,
            lambda name: not has_failed(name, self.name, partition),
            holds=holds,
            is_exact=is_exact,
        )

    def _write_state_now(self) -> None:
        """Write a STATE, also where no record was written since the last one."""
        self.state_manager.is_flushed = False
        self.write_state()

    @override
    def write_record(self, record: Row) -> None:
        share = self.share
        if share is None or not share.delivery.takes:
            self._stats.rows += self._writer.write(record)
            return
        is_written = self._writer.write(record, share.take)
        if share.delivery.holds:
            share.count(is_written)
        else:
            self._stats.rows += is_written

    def write_held(self, lines: Iterable[bytes], rows: int) -> None:
        """Write records that were held back.

        Args:
            lines: The records, by `encode_record`.
            rows: How many rows they count for.
        """
        for line in lines:
            self._writer.write_encoded(line)
        self._stats.rows += rows

    @override
    def record_messages(self, record: Row) -> Iterator[RecordMessage]:
        return self._writer.messages(record)

    @cached_property
    def _writer(self) -> RecordWriter:
        return RecordWriter(self)

    @cached_property
    def _stats(self) -> StreamStats:
        return self.run.stats.for_stream(self.name)
