"""Streams whose deleted rows disappear without a trace, and ACTIVATE_VERSION for their targets."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.errors import PermissionDenied, WrongIdentifier
from tap_freshbooks.streams.base import Replication
from tap_freshbooks.streams.lists import FreshBooksStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.errors import FreshBooksError
    from tap_freshbooks.streams.reading import Batch, Reading


class Vanishing(FreshBooksStream):
    """Mixed into a stream that can lose rows unseen.

    The table is sent whole under a new version, and the version is activated *after* the records,
    so that a target can remove what is not in it and the table is never empty in between. A stream
    with stamps does this only when its set of keys has changed since the last run; else it sends
    what changed under the old version. Nothing is activated unless every business could be read.
    """

    can_vanish = True

    _resend = True
    _read_already: dict[Any, tuple[Reading, list[Batch], FreshBooksError | None]]
    _digest = ""
    _version = 0

    @override
    def begin(self) -> None:
        super().begin()
        self._read_already = {}
        self._version = self._initialized_at // 1000
        plans = [plan for plan in map(self.plan, self.partitions) if plan]
        if any(plan.by_id for plan in plans):
            self._resend = False
            if any(plan.changed for plan in plans):
                # The target's keys are no longer those of the last whole reading.
                self.stream_state.pop("keys_digest", None)
            self._version = self.stream_state.get("version", self._version)
        elif self.replication is Replication.COMPARED:
            self._digest = self._read_all()
            self._resend = self._digest != self.stream_state.get("keys_digest")
            if not self._resend:
                self._version = self.stream_state.get("version", self._version)
        for stream in self.consumers:
            stream._stream_version = self._version  # noqa: SLF001 - the SDK's own place for it

    @override
    def finish(self) -> None:
        super().finish()
        if not (self._resend and self.complete):
            return
        for stream in self.consumers:
            stream._write_activate_version_message(self._version)  # noqa: SLF001
        if self._digest:
            self.stream_state.update(keys_digest=self._digest, version=self._version)

    @override
    def since(self, context: Context) -> tuple[datetime | None, bool]:
        return (None, True) if self._resend else super().since(context)

    @override
    def take(self, context: Context) -> tuple[Reading, Iterator[Batch]]:
        identifier = context[self.scope.value]
        if identifier not in self._read_already:
            return super().take(context)
        reading, batches, error = self._read_already.pop(identifier)
        return reading, _again(batches, error)

    def _read_all(self) -> str:
        """Read everything (these lists are short), and tell one set of keys from another."""
        keys = []
        for context in self.partitions:
            identifier = context[self.scope.value]
            reading, batches = super().take(context)
            read: list[Batch] = []
            error = None
            try:
                read.extend(batches)
            except (PermissionDenied, WrongIdentifier) as problem:
                error = problem  # the partition itself will say so
            self._read_already[identifier] = reading, read, error
            keys += [
                (str(identifier), *(str(row.get(name)) for name in self.key))
                for batch in read
                for row in batch.rows
            ]
        return hashlib.sha256(repr(sorted(set(keys))).encode()).hexdigest()[:16]


def _again(batches: list[Batch], error: FreshBooksError | None) -> Iterator[Batch]:
    yield from batches
    if error:
        raise error
