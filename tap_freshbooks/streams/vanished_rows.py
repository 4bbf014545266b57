"""VanishedRows: what a target is told of rows that FreshBooks drops without a trace.

The setting `hard_deletes` chooses one of three ways. This is `keep`, on which the others build:
nothing is told. `table_versions.py` has ACTIVATE_VERSION, `tombstones.py` the rows that say of
themselves that they are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_freshbooks.streams.list_stream import ListStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tap_freshbooks.extraction.batch import Batch
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.records import Row

ACTIVATE_VERSION = "activate_version"
KEEP = "keep"

SETTING = "hard_deletes"
"""Of the settings; and where the state of a stream says how it was read last."""

DIGEST = "keys_digest"
"""Where the state of a stream says which rows its table had under the version activated last."""


class VanishedRows:
    """Tells nothing.

    Args:
        stream: Whose rows they are.
    """

    mode: ClassVar[str] = KEEP

    def __init__(self, stream: ListStream) -> None:
        self.stream = stream

    def begin(self) -> None:
        """The first partition is about to be read."""
        for consumer in self.stream.consumers:
            consumer.stream_state[SETTING] = self.mode
            consumer.stream_state.pop(DIGEST, None)  # what comes now is of no version

    def finish(self) -> None:
        """The last partition was read, or has failed."""

    @property
    def sends_all(self) -> bool:
        """Whether all rows are to be sent, also those that the target has."""
        return False

    def open(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        """The reader of a partition, and what it reads."""
        return ListStream.open_partition(self.stream, plan)

    def delivered_range(self, plan: ReadPlan) -> tuple[datetime | None, bool]:
        """From when on rows are delivered, None for all; and whether that is a full read."""
        return ListStream.delivered_range(self.stream, plan)

    def is_new(self, record: Row, *, is_changed: bool) -> bool:  # noqa: ARG002
        """Whether a row is to be delivered although no timestamp says so. Is asked of each row."""
        return False

    def deleted(self, records: Iterable[Row]) -> Iterable[Row]:  # noqa: ARG002
        """What is delivered of the records that an event of a deletion makes."""
        return ()

    def conclude(
        self,
        plan: ReadPlan,  # noqa: ARG002
        reader: PartitionReader,  # noqa: ARG002
        read_at: datetime | None,  # noqa: ARG002
    ) -> Iterable[Row]:
        """Records of rows that are gone. Comes after the last row of a partition that is read."""
        return ()

    def close(self) -> None:
        """A partition is over, whether it was read to its end or not. May come several times."""

    def _tell_hidden(self, plan: ReadPlan) -> None:
        self.stream.logger.warning(
            "%s of %s: FreshBooks counts rows, and shows none of them to this user, whose role may "
            "have changed: none that came before is declared gone",
            self.stream.name,
            plan.business,
        )
