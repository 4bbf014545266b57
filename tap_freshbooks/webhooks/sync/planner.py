"""Plans what a sync reads when there is a webhook inbox: changed objects, lists, or nothing.

A stream with events reads its lists once, and from then on the changed objects, one by one.
It reads its lists again when events may be missing, and every `reconcile_interval` anyway, since
deliveries can be lost in silence (`docs/freshbooks-api/webhooks.md §7`). A stream without events is
read as without an inbox, when its interval is over. All of it is kept in the Singer state: an event
counts as done only when the target has confirmed its records.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from tap_freshbooks.extraction.change_source import PollingSource
from tap_freshbooks.extraction.read_plan import ReadPlan, RelatedChanges
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.sync import known_businesses
from tap_freshbooks.webhooks.sync.callback_check import check_callbacks
from tap_freshbooks.webhooks.sync.cursor import InboxCursor
from tap_freshbooks.webhooks.sync.draft import Drafter
from tap_freshbooks.webhooks.sync.fetch_log import FetchLog
from tap_freshbooks.webhooks.sync.missed_changes import DELIVERY_GRACE, MissedChangeCounter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from singer_sdk import Stream

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.change_source import PlannableStream
    from tap_freshbooks.extraction.reading_times import PolledStream
    from tap_freshbooks.streams.run_state import RunState
    from tap_freshbooks.webhooks.inbox import Inbox
    from tap_freshbooks.webhooks.sync.draft import Draft

logger = logging.getLogger("tap-freshbooks.webhooks.sync")


class WebhookSyncPlanner:
    """Plans one sync by the events in the inbox; the `ChangeSource` of streams that have events.

    Args:
        inbox: Where the events are.
        run: The state of the sync.
        config: The settings.
        streams: All streams of the tap, by name.
    """

    def __init__(
        self, inbox: Inbox, run: RunState, config: Mapping[str, Any], streams: Mapping[str, Stream]
    ) -> None:
        self.inbox = inbox
        self.run = run
        self.times = run.times
        self.callbacks = CallbackStore(inbox)
        self.fetch_log = FetchLog(inbox)
        self._polling = PollingSource(run.times)
        self._drafter = Drafter(inbox, self.callbacks, run.times, config, streams)
        self._cursors: dict[tuple[str, Business], InboxCursor | None] = {}
        self._counters: dict[tuple[str, Business], MissedChangeCounter] = {}
        self._read_whole: dict[str, list[str]] = {}

    def restore_businesses(self, state: Mapping[str, Any]) -> None:
        """Take the businesses from the state of `businesses`, if it is not too old."""
        known = known_businesses.restore(state, self.times)
        if known is not None:
            self.run.connection.members = known

    def begin(self, state: dict[str, Any]) -> None:
        """Check, and repair, what events depend on; and see how many there are.

        Args:
            state: Of `businesses`, which keeps the businesses for the next sync.
        """
        connection = self.run.connection
        check_callbacks(connection, self.callbacks, self.times)
        self._drafter.begin()
        # Businesses that FreshBooks names in a way that nobody knows are looked for each time.
        if connection.has_asked and not connection.unreadable:
            known_businesses.keep(state, connection.members, self.times.now)

    # The plans of a stream

    def is_idle(self, stream: PolledStream) -> bool:
        """Whether nothing is to be read of a stream this time.

        Of one with events the plans are made now: the first STATE has the cursors of all that is
        idle.
        """
        if not stream.webhook_noun:
            return self._polling.is_idle(stream)
        return all(plan.is_idle for plan in self.run.plans(cast("PlannableStream", stream)))

    def plans(self, stream: PlannableStream) -> list[ReadPlan]:
        """The plan of each partition."""
        if not stream.webhook_noun:
            return self._polling.plans(stream)
        drafts = [self._drafter.draft(stream, partition) for partition in stream.partitions or ()]
        if stream.is_sent_whole:
            reason = next((each.full_read_reason for each in drafts if each.full_read_reason), None)
            for draft in drafts:
                draft.full_read_reason = draft.full_read_reason or reason
        return [self._plan(stream, draft) for draft in drafts]

    def _plan(self, stream: PlannableStream, draft: Draft) -> ReadPlan:
        reads_objects = draft.full_read_reason is None
        since, is_full = stream.read_range(draft.partition, reconciles=not reads_objects)
        plan = ReadPlan(
            business=draft.business,
            partition=draft.partition,
            since=since,
            is_full=is_full,
            reads_objects=reads_objects,
            changed=draft.changed,
            related_changes=[
                RelatedChanges(
                    self._drafter.list_stream(name).endpoint,
                    stream.affected_by[name],
                    frozenset(ids),
                )
                for name, ids in draft.related.items()
            ],
        )
        self._cursors[stream.name, draft.business] = draft.cursor
        if draft.full_read_reason:
            self._read_whole.setdefault(draft.full_read_reason, []).append(stream.name)
            logger.debug(
                "Reading all of %s of %s: %s", stream.name, draft.business, draft.full_read_reason
            )
        elif plan.is_idle:
            self._mark_idle(stream, plan)
        return plan

    def tell(self) -> None:
        """Log which streams are read whole, and why, once all plans are made."""
        for reason, names in self._read_whole.items():
            logger.info("Read whole (%s): %s", reason, ", ".join(dict.fromkeys(names)))

    # When a plan was carried out

    def observer(self, stream: PlannableStream, plan: ReadPlan) -> MissedChangeCounter | None:
        """A counter for a read of lists; None where there is no earlier read to compare with."""
        cursor = self._cursors.get((stream.name, plan.business))
        if plan.reads_objects or cursor is None or stream.timestamp_field is None:
            return None
        counter = MissedChangeCounter(
            cursor.listed_at,
            plan.changed.keys(),
            self.fetch_log.since(stream.name, _identifier(plan), cursor.listed_at - DELIVERY_GRACE),
            stream.timestamp_field,
            stream.key[0],
        )
        self._counters[stream.name, plan.business] = counter
        return counter

    def mark_read(
        self,
        stream: PlannableStream,
        plan: ReadPlan,
        read_at: datetime,
        fetched_at: Mapping[str, float],
    ) -> None:
        """Everything that a plan says was delivered."""
        if not stream.webhook_noun:
            self._polling.mark_read(stream, plan, read_at, fetched_at)
            return
        key = (stream.name, plan.business)
        cursor = self._cursors[key]
        if plan.reads_objects and cursor:
            self._advance(stream, plan.partition, cursor.listed_at, denied=cursor.denied)
        else:
            self._advance(stream, plan.partition, read_at)
        self.fetch_log.add(stream.name, _identifier(plan), fetched_at)
        counter = self._counters.get(key)
        if counter and counter.count and plan.business.account_id:
            self.callbacks.add_missed_rows(
                plan.business.account_id, stream.webhook_noun, counter.count
            )
            logger.warning(
                "%s of %s: no webhook came for %d changed rows; they are delivered now",
                stream.name,
                plan.business,
                counter.count,
            )

    def mark_refused(self, stream: PolledStream, partition: Mapping[str, Any] | None) -> None:
        """The token may not read a partition: it is asked again after `poll_interval`."""
        if stream.webhook_noun and partition is not None:
            self._advance(stream, partition, self.times.now, denied=True)
        else:
            self._polling.mark_refused(stream, partition)

    def mark_finished(self, stream: PolledStream) -> None:
        """What a stream without events has read is delivered."""
        if not stream.webhook_noun:
            self._polling.mark_finished(stream)

    def _mark_idle(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """Nothing was to be read."""
        if cursor := self._cursors[stream.name, plan.business]:
            self._advance(stream, plan.partition, cursor.listed_at, denied=cursor.denied)

    def _advance(
        self,
        stream: PolledStream,
        partition: Mapping[str, Any],
        listed_at: datetime,
        *,
        denied: bool = False,
    ) -> None:
        """Move the cursors to the last event that this sync has read."""
        cursor = InboxCursor(self.inbox.id, self._drafter.last_event, listed_at, denied)
        for state in stream.consumer_states(partition):
            cursor.write(state)


def _identifier(plan: ReadPlan) -> str:
    """The identifier of a plan's business, as the inbox keeps it."""
    [identifier] = plan.partition.values()
    return str(identifier)
