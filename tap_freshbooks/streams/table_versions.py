"""ACTIVATE_VERSION: lets the target remove the rows of a table that were not sent again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.streams.key_book import KEYS
from tap_freshbooks.streams.outcome import concerns_run
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.vanished_rows import ACTIVATE_VERSION, DIGEST, SETTING, VanishedRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.batch import Batch
    from tap_freshbooks.extraction.partition_reader import PartitionReader
    from tap_freshbooks.extraction.read_plan import ReadPlan
    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.bookmarks import BookmarkedStream
    from tap_freshbooks.streams.list_stream import ListStream

VERSION = "version"
"""Where the state of a stream has the version that was activated last."""

LARGEST_VERSION = 2**53
"""What a target can keep exactly, whatever it is written in."""


class TableVersions(VanishedRows):
    """Sends the table whole under a new version, which is activated *after* the records.

    So a target can remove what is not in it, and the table is never empty in between. A stream
    with timestamps does this only when its set of keys has changed since the last run; else it
    sends what changed under the old version.

    A target removes all rows of older versions and of none, those of other businesses and of other
    connections too. So nothing is activated unless every partition that the state knows is read to
    its end, and the table is nobody else's as far as can be told. Until then, what is read is sent
    under the version that was activated last.
    """

    mode = ACTIVATE_VERSION

    def __init__(self, stream: ListStream) -> None:
        super().__init__(stream)
        self._resend = False
        self._obstacle = ""
        """Why no version may be activated, as a part of a sentence."""
        self._left_out: Sequence[Context] = ()
        """Partitions that the state knows, and that this run does not read."""
        self._begun: dict[Business, tuple[PartitionReader, Iterator[Batch]]] = {}
        """Partitions of which the first rows are read already."""
        self._digest = ""

    @override
    def begin(self) -> None:
        plans = self.stream.run.plans(self.stream)
        if not plans:
            self._left_out = self._known_elsewhere()
            self._obstacle = self._missing()
            return
        other_mode = self._other_mode()
        if any(plan.reads_objects or not plan.is_due for plan in plans):
            keys_changed = any(plan.changed or not plan.is_due for plan in plans)
        else:
            self._obstacle = self._foreign_rows(other_mode)
            if not self._obstacle:
                self._left_out = self._known_elsewhere() or self._unreadable()
                self._obstacle = self._missing()
            known = [consumer.stream_state.get(DIGEST) for consumer in self.stream.consumers]
            keys_changed = not self._digest or any(each != self._digest for each in known)
            self._resend = keys_changed and not self._obstacle
        if keys_changed:
            # The target's keys will no longer be those of the last whole reading.
            for consumer in self.stream.consumers:
                consumer.stream_state.pop(DIGEST, None)
        if not other_mode:
            self._number_tables()

    @override
    def finish(self) -> None:
        if self._obstacle and (not self._left_out or self._was_ever_read()):
            self.stream.logger.warning(
                "%s: rows that FreshBooks has dropped stay in the target, as no ACTIVATE_VERSION "
                "is sent: %s",
                self.stream.name,
                self._obstacle,
            )
        whole = self.stream.whole_consumers(None)
        is_test = self.stream.ABORT_AT_RECORD_COUNT is not None
        if not (self._resend and self.stream.all_read and whole) or is_test:
            return
        for consumer in whole:
            if consumer.version is not None:
                consumer.write_activate_version(consumer.version)
                consumer.stream_state[VERSION] = consumer.version
            if self._digest:
                consumer.stream_state[DIGEST] = self._digest
            for partition in consumer.stream_state.get("partitions", ()):
                partition.pop(KEYS, None)  # from before there were versions

    @override
    def open(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        return self._begun.pop(plan.business, None) or super().open(plan)

    @override
    def delivered_range(self, plan: ReadPlan) -> tuple[datetime | None, bool]:
        # What was never sent is sent whole, whatever `start_date` says.
        if self._resend or (plan.is_full and self._obstacle):
            return None, True
        return super().delivered_range(plan)

    @override
    def deleted(self, records: Iterable[Row]) -> Iterable[Row]:
        return records

    # What speaks against it

    def _other_mode(self) -> str:
        """How a table was filled last, if that was not by versions."""
        modes = [each.stream_state.get(SETTING, self.mode) for each in self.stream.consumers]
        return next((str(mode) for mode in modes if mode != self.mode), "")

    def _foreign_rows(self, other_mode: str) -> str:
        """Why the table may have rows that are none of this stream's and connection's."""
        if other_mode:
            return (
                f"the state says that the table was last filled with hard_deletes: {other_mode}, "
                "so other connections may have rows in it. Where it is this connection's alone, "
                f"remove hard_deletes from the state of {self._names}"
            )
        if self.stream.config.get("batch_config"):
            return "the rows in the files of batch_config are of no version"
        return ""

    def _missing(self) -> str:
        """What was not read, if anything."""
        if not self._left_out:
            return ""
        return (
            f"this run did not read {', '.join(map(self._name_of, self._left_out))}, of which the "
            "state knows. Read all businesses in one run; or, where one is gone for good and its "
            "rows may go too, leave it out of business_ids and remove its partition from the state "
            f"of {self._names}"
        )

    def _known_elsewhere(self) -> list[Context]:
        """The partitions of the state that are none of this run."""
        here = self.stream.partitions
        known: list[Context] = []
        for consumer in self.stream.consumers:
            for partition in consumer.stream_state.get("partitions", ()):
                if partition["context"] not in [*here, *known]:
                    known.append(partition["context"])
        return known

    def _unreadable(self) -> list[Context]:
        """Begin to read all partitions, to know before the first row which cannot be read.

        Lists whose keys tell whether rows have vanished are read to their end (they are short).
        """
        keys = []
        unreadable: list[Context] = []
        compared = self.stream.replication is Replication.CLIENT_FILTER
        for plan in self.stream.run.plans(self.stream):
            reader, batches = super().open(plan)
            read: list[Batch] = []
            error = None
            try:
                for batch in batches:
                    read.append(batch)
                    if batch.rows and not compared:
                        break
                if reader.hides_rows:
                    self._tell_hidden(plan)
                    unreadable.append(dict(plan.partition))
            except Exception as problem:
                if concerns_run(problem):
                    raise
                error = problem  # the partition itself will say so
                unreadable.append(dict(plan.partition))
            self._begun[plan.business] = reader, _again(read, error, batches)
            keys += [
                (
                    *map(str, plan.partition.values()),
                    *(str(row.get(name)) for name in self.stream.key),
                )
                for batch in read
                for row in batch.rows
            ]
        if compared:
            self._digest = hashlib.sha256(repr(sorted(set(keys))).encode()).hexdigest()[:16]
        return unreadable

    def _was_ever_read(self) -> bool:
        """Whether the target can have rows of the stream."""
        return any(VERSION in each.stream_state for each in self.stream.consumers) or any(
            partition not in self._left_out for partition in self.stream.partitions
        )

    # Versions and names

    def _number_tables(self) -> None:
        """Choose the version that the records of each table carry."""
        new = self.stream.tap.initialized_at // 1000
        streams: list[BookmarkedStream] = [self.stream, *self.stream.consumers]
        newest = max([new, *((_active_version(each) or 0) + 1 for each in streams)])
        for consumer in self.stream.consumers:
            consumer.version = newest if self._resend else _active_version(consumer) or newest

    @property
    def _names(self) -> str:
        return ", ".join(consumer.name for consumer in self.stream.consumers)

    def _name_of(self, context: Context) -> str:
        """A partition as messages show it."""
        kind = self.stream.identifier_kind
        for business in self.stream.connection.members:
            if context == {kind.value: business.identifier(kind)}:
                return str(business)
        return ", ".join(f"{name} {value}" for name, value in context.items())


def _active_version(stream: BookmarkedStream) -> int | None:
    """The version of a table that was activated last; None if the state has none."""
    version = stream.stream_state.get(VERSION)
    return version if type(version) is int and 0 < version < LARGEST_VERSION else None


def _again(read: list[Batch], error: Exception | None, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield from read
    if error:
        raise error
    yield from rest
