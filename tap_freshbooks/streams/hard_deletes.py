"""Streams whose deleted rows disappear without a trace, and ACTIVATE_VERSION for their targets."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.outcome import concerns_run
from tap_freshbooks.streams.replication import Replication

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.batch import Batch
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan


class HardDeleteStream(ListStream):
    """Mixed into a stream that can lose rows unseen.

    The table is sent whole under a new version, and the version is activated *after* the records,
    so that a target can remove what is not in it and the table is never empty in between. A stream
    with timestamps does this only when its set of keys has changed since the last run; else it
    sends what changed under the old version.

    Nothing is activated unless every partition that the state knows is read to its end: a target
    removes all rows of older versions, those of other businesses too. Until then, what is read is
    sent under the version that was activated last.
    """

    hard_deletes = True

    _resend = True
    _left_out: Sequence[Context] = ()
    """Partitions that the state knows, and that this run does not read."""
    _begun: dict[Business, tuple[PartitionReader, Iterator[Batch]]]
    """Partitions of which the first rows are read already."""
    _digest = ""
    _version = 0

    @override
    def begin(self) -> None:
        super().begin()
        self._begun = {}
        plans = self.run.plans(self)
        if not plans:
            self._resend = False
            return
        if any(plan.reads_objects for plan in plans):
            keys_changed = any(plan.changed for plan in plans)
            self._resend = False
        else:
            self._left_out = self._known_elsewhere() or self._unreadable()
            keys_changed = not self._digest or self._digest != self.stream_state.get("keys_digest")
            self._resend = keys_changed and not self._left_out
        if keys_changed:
            # The target's keys will no longer be those of the last whole reading.
            self.stream_state.pop("keys_digest", None)
        self._version = self.tap.initialized_at // 1000
        if type(active := self.stream_state.get("version")) is int:
            self._version = max(self._version, active + 1) if self._resend else active
        for stream in self.consumers:
            stream.version = self._version

    @override
    def finish(self) -> None:
        super().finish()
        if self._left_out and self._was_ever_read():
            self._tell_what_stays()
        whole = self.whole_consumers(None)
        if not (self._resend and self.all_read and whole):
            return
        for stream in whole:
            stream.write_activate_version(self._version)
        self.stream_state["version"] = self._version
        if self._digest and whole == self.consumers:
            self.stream_state["keys_digest"] = self._digest

    @override
    def read_range(self, partition: Context, *, reconciles: bool) -> tuple[datetime | None, bool]:
        if self.replication is not Replication.CLIENT_FILTER:
            return None, True  # the whole table is sent each time
        return super().read_range(partition, reconciles=reconciles)

    @override
    def delivered_range(self, plan: ReadPlan) -> tuple[datetime | None, bool]:
        # What was never sent is sent whole, whatever `start_date` says.
        if self._resend or (plan.is_full and self._left_out):
            return None, True
        return super().delivered_range(plan)

    @override
    def open_partition(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        return self._begun.pop(plan.business, None) or super().open_partition(plan)

    def _known_elsewhere(self) -> list[Context]:
        """The partitions of the state that are none of this run."""
        here = self.partitions
        known: list[Context] = []
        for stream in self.consumers:
            for partition in stream.stream_state.get("partitions", ()):
                if partition["context"] not in [*here, *known]:
                    known.append(partition["context"])
        return known

    def _unreadable(self) -> list[Context]:
        """Begin to read all partitions, to know before the first row which cannot be read.

        Lists whose keys tell whether rows have vanished are read to their end (they are short).
        """
        keys = []
        unreadable: list[Context] = []
        compared = self.replication is Replication.CLIENT_FILTER
        for plan in self.run.plans(self):
            reader, batches = super().open_partition(plan)
            read: list[Batch] = []
            error = None
            try:
                read.extend(islice(batches, None if compared else 1))
            except Exception as problem:
                if concerns_run(problem):
                    raise
                error = problem  # the partition itself will say so
                unreadable.append(dict(plan.partition))
            self._begun[plan.business] = reader, _again(read, error, batches)
            keys += [
                (*map(str, plan.partition.values()), *(str(row.get(name)) for name in self.key))
                for batch in read
                for row in batch.rows
            ]
        if compared:
            self._digest = hashlib.sha256(repr(sorted(set(keys))).encode()).hexdigest()[:16]
        return unreadable

    def _was_ever_read(self) -> bool:
        """Whether the target can have rows of the stream."""
        return "version" in self.stream_state or any(
            partition not in self._left_out for partition in self.partitions
        )

    def _tell_what_stays(self) -> None:
        self.logger.warning(
            "%s: rows that FreshBooks has dropped stay in the target, as no ACTIVATE_VERSION is "
            "sent: this run did not read %s, of which the state knows. Read all businesses in one "
            "run; or, where one is gone for good and its rows may go too, leave it out of "
            "business_ids and remove its partition from the state of %s",
            self.name,
            ", ".join(map(self._name_of, self._left_out)),
            ", ".join(stream.name for stream in self.consumers),
        )

    def _name_of(self, context: Context) -> str:
        """A partition as messages show it."""
        for business in self.connection.members:
            if context == {self.identifier_kind.value: business.identifier(self.identifier_kind)}:
                return str(business)
        return ", ".join(f"{name} {value}" for name, value in context.items())


def _again(read: list[Batch], error: Exception | None, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield from read
    if error:
        raise error
    yield from rest
