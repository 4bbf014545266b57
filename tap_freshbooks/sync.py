"""One sync, from its start to its end."""

from __future__ import annotations

import gc
import logging
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, cast

from singer_sdk.singerlib import StateMessage

from tap_freshbooks import signals
from tap_freshbooks.errors import StreamsFailedError, TokenStoreError
from tap_freshbooks.extraction.prefetch import Prefetcher
from tap_freshbooks.run_report import reported
from tap_freshbooks.singer import progress
from tap_freshbooks.singer.message_writer import BufferedMessageWriter
from tap_freshbooks.singer.progress_text import count
from tap_freshbooks.streams.run_state import RunState
from tap_freshbooks.streams.unreadable import note_unreadable, unreached

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from singer_sdk import Stream, Tap

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.webhooks.sync.planner import WebhookSyncPlanner

logger = logging.getLogger("tap-freshbooks")


class SyncRun:
    """One sync: plans what is read, reads it ahead of the writing, and says what was left out.

    Args:
        tap: Whose streams are read.
        connection: The FreshBooks user.

    Attributes:
        state: What the streams share meanwhile.
        has_begun: Whether there is a state that an interruption has to write.
    """

    def __init__(self, tap: Tap, connection: Connection) -> None:
        self.tap = tap
        self.connection = connection
        self.state = RunState(connection)
        self.has_begun = False

    def execute(self) -> None:
        """Read all that is selected.

        Raises:
            StreamsFailedError: If some of it cannot be read, or no business is reached; the rest is
                read to its end.
            TapError: If nothing can be read any more.
        """
        with signals.insistent(), reported(self.tap, self.connection, self.state):
            self._read()

    def _read(self) -> None:
        selected = [stream for stream in self.tap.streams.values() if stream.selected]
        names = [stream.name for stream in selected]
        version, streams = self.tap.plugin_version, count(len(names), "stream")
        logger.info("%s %s reads %s", self.tap.name, version, streams)
        planner = self._webhook_planner()
        self.connection.open()  # what is wrong with it shows before the first message
        note_unreadable(self.connection, list(self.sources), self.state.outcome)
        nobody = unreached(self.connection, self.sources)
        if planner:
            planner.begin(self.tap.streams["businesses"].stream_state)
        waiting = self._leave_out_idle_streams()
        if planner:
            planner.tell()
        self.has_begun = True
        output = self.tap.message_writer
        writer = output if isinstance(output, BufferedMessageWriter) else None
        try:
            with (
                _rare_garbage_collection(),
                self._prefetching(writer.flush if writer else lambda: None),
                progress.shown(self.state.stats, {*names} - waiting, lambda: self.connection.cost),
                writer.buffered() if writer else nullcontext(),
            ):
                self.tap.sync_all()
                if writer and writer.awaits_state:
                    # The SDK writes no state twice: with two runs in a second it says nothing new.
                    writer.write_message(StateMessage(value=self.tap.state))
        finally:
            self.state.outcome.report()
            if planner:
                planner.inbox.close()
        if nobody:
            raise StreamsFailedError(nobody)
        self._note_success(selected)
        self.state.outcome.check()

    def _note_success(self, selected: Iterable[Stream]) -> None:
        """Note beside the tokens which streams were read; the run has done what it was for."""
        outcome = self.state.outcome
        roots = {stream.name: _roots(cast("RecordStream", stream)) for stream in selected}
        names = [name for name, sources in roots.items() if outcome.has_succeeded(name, sources)]
        try:
            if not self.connection.is_static:
                self.connection.store.note_success(names)
        except TokenStoreError as error:
            logger.warning("The moment of this sync could not be noted: %s", error)

    @property
    def sources(self) -> Iterator[RecordStream]:
        """The streams that are read; they feed the derived ones."""
        for stream in self.tap.streams.values():
            if (
                stream.selected or stream.has_selected_descendents
            ) and not stream.parent_stream_type:
                yield cast("RecordStream", stream)

    def _webhook_planner(self) -> WebhookSyncPlanner | None:
        """Plans by what webhooks have told, if there is an inbox for them."""
        config, streams = self.tap.config, self.tap.streams
        if not config.get("webhook_inbox"):
            return None
        from tap_freshbooks.storage.database import RETRY_TIMEOUT  # noqa: PLC0415 - slow to import
        from tap_freshbooks.webhooks.inbox import Inbox  # noqa: PLC0415 - others need none
        from tap_freshbooks.webhooks.sync.planner import WebhookSyncPlanner  # noqa: PLC0415

        inbox = Inbox(config["webhook_inbox"], patience=RETRY_TIMEOUT)
        planner = WebhookSyncPlanner(inbox, self.state, config, dict(streams))
        planner.restore_businesses(streams["businesses"].stream_state)
        self.state.changes = planner
        return planner

    def _leave_out_idle_streams(self) -> set[str]:
        """Read no stream of which nothing is to be read.

        Returns:
            Names of those that are not due: whether they have new rows is not known.
        """
        run, streams, waiting = self.state, self.tap.streams, set[str]()
        run.times.intervals.tell_of_names(cast("Collection[RecordStream]", streams.values()))
        idle = [stream for stream in self.sources if run.changes.is_idle(stream)]
        for stream in idle:
            names = {stream.name, *(each.name for each in stream.child_streams)}
            if stream.name in run.times.waiting:
                run.outcome.note_waiting(stream.name)
                waiting |= names
            else:
                run.outcome.note_read(stream.name)
            for each in names:
                streams.pop(each, None)
        run.times.tell()
        return waiting

    @contextmanager
    def _prefetching(self, before_wait: Callable[[], None]) -> Iterator[None]:
        readers = (reader for stream in self.sources for reader in stream.readers())
        prefetcher = Prefetcher(readers, self.tap.config["max_concurrency"], before_wait)
        self.state.prefetcher = prefetcher
        try:
            yield
        finally:
            self.state.prefetcher = None
            prefetcher.close()
            self.connection.close()


@contextmanager
def _rare_garbage_collection() -> Iterator[None]:
    """Collect garbage rarely: pages are many small objects, and go by their reference counts."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _roots(stream: RecordStream | type[RecordStream]) -> set[str]:
    """Names of the streams whose requests feed a stream: its own, unless it is derived."""
    parents = (stream.parent_stream_type, *stream.additional_parents)
    found = [_roots(cast("type[RecordStream]", parent)) for parent in parents if parent]
    return set().union(*found) or {stream.name}
