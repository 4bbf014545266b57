"""Streams whose deleted rows disappear without a trace."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.records import DELETED_AT
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.table_versions import TableVersions
from tap_freshbooks.streams.tombstones import Tombstones
from tap_freshbooks.streams.vanished_rows import ACTIVATE_VERSION, SETTING, VanishedRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.extraction.batch import Batch
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.delivery import Delivery

MODES = {mode.mode: mode for mode in (TableVersions, Tombstones, VanishedRows)}
"""The ways to tell of rows that vanish, by the values of the setting."""


class HardDeleteStream(ListStream):
    """Mixed into a stream that can lose rows unseen; the setting says what a target is told."""

    hard_deletes = True

    @cached_property
    def vanished_rows(self) -> VanishedRows:
        """How the target is told of rows that vanish."""
        return MODES[self.config[SETTING]](self)

    @property
    @override
    def is_sent_whole(self) -> bool:
        return self.vanished_rows.mode == ACTIVATE_VERSION

    @override
    def begin(self) -> None:
        super().begin()
        self.vanished_rows.begin()

    @override
    def finish(self) -> None:
        super().finish()
        self.vanished_rows.finish()

    @override
    def read_range(self, partition: Context, *, reconciles: bool) -> tuple[datetime | None, bool]:
        if self.replication is not Replication.CLIENT_FILTER:
            return None, True  # nothing tells what changed
        return super().read_range(partition, reconciles=reconciles)

    @override
    def delivered_range(self, plan: ReadPlan) -> tuple[datetime | None, bool]:
        return self.vanished_rows.delivered_range(plan)

    @override
    def new_delivery(
        self, partition: Context | None, *, holds: bool = True, is_exact: bool = True
    ) -> Delivery:
        holds = holds and not self.vanished_rows.sends_all
        return super().new_delivery(partition, holds=holds, is_exact=is_exact)

    @override
    def open_partition(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        return self.vanished_rows.open(plan)

    @override
    def read_partition(self, plan: ReadPlan) -> Iterator[Row]:
        try:
            yield from super().read_partition(plan)
        finally:
            self.vanished_rows.close()

    @override
    def to_record(self, row: Row, partition: Context, read_at: datetime) -> Row:
        record = super().to_record(row, partition, read_at)
        if self.has_tombstones:
            record.setdefault(DELETED_AT, None)
        return record

    @override
    def is_wanted(self, record: Row, since: datetime | None) -> bool:
        is_changed = super().is_wanted(record, since)
        return self.vanished_rows.is_new(record, is_changed=is_changed) or is_changed

    @override
    def deletion(self, object_id: str, plan: ReadPlan, read_at: datetime) -> Iterable[Row]:
        return self.vanished_rows.deleted(super().deletion(object_id, plan, read_at))

    @override
    def vanished(
        self, plan: ReadPlan, reader: PartitionReader, read_at: datetime | None
    ) -> Iterable[Row]:
        return self.vanished_rows.conclude(plan, reader, read_at)
