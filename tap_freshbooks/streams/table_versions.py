"""ACTIVATE_VERSION: lets the target remove the rows of a table that were not sent again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.extraction.held_batches import HeldBatches
from tap_freshbooks.extraction.set_digest import SetDigest
from tap_freshbooks.streams.delivery import MAX_HELD
from tap_freshbooks.streams.key_book import KEYS
from tap_freshbooks.streams.outcome import concerns_run
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

    So a target can remove what is not in it, and the table is never empty in between. That is done
    only when the set of rows has changed since the last run; else what changed is sent under the
    old version. To know it before the first row is sent, all partitions are read to their end.

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
        """Partitions of which the first rows are read already, or all."""
        self._keys = SetDigest()
        """Of all rows that were read so far."""
        self._contents = SetDigest()
        """The same, where tables are made of more than the keys."""

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
            keys_changed = any(each != str(rows) for each, rows in self._known_rows())
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
            consumer.stream_state[DIGEST] = str(self._rows_of(consumer))
            for partition in consumer.stream_state.get("partitions", ()):
                partition.pop(KEYS, None)  # from before there were versions

    @override
    def open(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        return self._begun.pop(plan.business, None) or self._open(plan)

    @property
    @override
    def sends_all(self) -> bool:
        return self._resend

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

        They are read to their ends where the state says which rows there were the last time, and
        as long as there is room for what is read.
        """
        unreadable: list[Context] = []
        room = MAX_HELD if all(known for known, _ in self._known_rows()) else 0
        for plan in self.stream.run.plans(self.stream):
            reader, batches = self._open(plan)
            held = HeldBatches()
            error = None
            try:
                for batch in batches:
                    held.add(batch)
                    if batch.rows and held.size > room:
                        break
                if reader.hides_rows:
                    self._tell_hidden(plan)
                    unreadable.append(dict(plan.partition))
            except Exception as problem:
                if concerns_run(problem):
                    raise
                error = problem  # the partition itself will say so
                unreadable.append(dict(plan.partition))
            room = max(0, room - held.size)
            self._begun[plan.business] = reader, _again(held, error, batches)
        return unreadable

    def _open(self, plan: ReadPlan) -> tuple[PartitionReader, Iterator[Batch]]:
        reader, batches = super().open(plan)
        return reader, self._signed(plan, batches)

    def _signed(self, plan: ReadPlan, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Note what is read."""
        scope = tuple(map(str, plan.partition.values()))
        needs_contents = any(
            self._rows_of(consumer) is self._contents for consumer in self.stream.consumers
        )
        for batch in batches:
            for row in batch.rows:
                key = (str(row.get(name)) for name in self.stream.key)
                self._keys.add(repr((*scope, *key)).encode())
                if needs_contents:
                    text = json.dumps((*scope, row), sort_keys=True, default=str)
                    self._contents.add(text.encode())
            yield batch

    def _rows_of(self, consumer: BookmarkedStream) -> SetDigest:
        """What stays the same as long as a table neither gets nor loses a row.

        What is derived, or left over by a stream map, depends on what is in the rows.
        """
        config, stream = self.stream.config, self.stream
        leaves_out = stream.marks_deletions and not config["include_deleted"]
        has_all = consumer is stream and not config.get("stream_maps") and not leaves_out
        return self._keys if has_all else self._contents

    def _known_rows(self) -> Iterator[tuple[str | None, SetDigest]]:
        """What the state says of the rows of each table, and what was read."""
        for consumer in self.stream.consumers:
            is_active = _active_version(consumer) is not None
            known = consumer.stream_state.get(DIGEST) if is_active else None
            yield known, self._rows_of(consumer)

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


def _again(read: HeldBatches, error: Exception | None, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield from read.take()
    if error:
        raise error
    yield from rest
