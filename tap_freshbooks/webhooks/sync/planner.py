"""Plans what a sync reads when there is a webhook inbox: changed objects, lists, or nothing.

A stream with events reads its lists once, and from then on the changed objects, one by one.
It reads its lists again when events may be missing, and every `reconcile_interval` anyway, since
deliveries can be lost in silence (`docs/freshbooks-api/webhooks.md §7`). A stream without events is
asked again after `poll_interval`. All of it is kept in the Singer state: an event counts as done
only when the target has confirmed its records.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from tap_freshbooks.extraction.read_plan import ReadPlan, RelatedChanges
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.timestamps import parse_timestamp, utc_text
from tap_freshbooks.webhooks.callbacks.health import delivery_problems
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import GAP
from tap_freshbooks.webhooks.sync import known_businesses
from tap_freshbooks.webhooks.sync.callback_check import check_callbacks
from tap_freshbooks.webhooks.sync.cursor import InboxCursor
from tap_freshbooks.webhooks.sync.fetch_log import FetchLog
from tap_freshbooks.webhooks.sync.missed_changes import DELIVERY_GRACE, MissedChangeCounter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk import Stream

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.extraction.change_source import PlannableStream
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.run_state import RunState
    from tap_freshbooks.webhooks.inbox import Inbox

logger = logging.getLogger("tap-freshbooks.webhooks.sync")

EVENTS_PRUNED = "the webhook inbox does not have all events since the last run"

MAX_CLOCK_SKEW = timedelta(days=1)
"""How far a moment of the state may lie in the future; one further off is not believed."""

MAX_OBJECT_READS = 200
"""The lists show more changed objects than this in fewer requests."""


@dataclass(slots=True)
class _Draft:
    """A plan that is being made.

    Attributes:
        partition: The Singer partition.
        business: Whose rows they are.
        cursor: How far the stream had read the inbox before; None if it had not.
        full_read_reason: Why its lists are read; None if they are not.
        changed: Ids of the objects in events, and whether one of the events was a deletion.
        related: Ids of changed objects of other streams, by stream.
    """

    partition: Mapping[str, Any]
    business: Business
    cursor: InboxCursor | None = None
    full_read_reason: str | None = None
    changed: dict[str, bool] = field(default_factory=dict)
    related: dict[str, set[str]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many objects would be read by their ids."""
        return len(self.changed) + sum(map(len, self.related.values()))


class WebhookSyncPlanner:
    """Plans one sync by the events in the inbox; the `ChangeSource` of streams that have events.

    Args:
        inbox: Where the events are.
        connection: The FreshBooks user.
        config: The settings.
        streams: All streams of the tap, by name.
    """

    def __init__(
        self,
        inbox: Inbox,
        connection: Connection,
        config: Mapping[str, Any],
        streams: Mapping[str, Stream],
    ) -> None:
        self.inbox = inbox
        self.callbacks = CallbackStore(inbox)
        self.fetch_log = FetchLog(inbox)
        self.connection = connection
        self.streams = streams
        self.poll_interval = timedelta(hours=config["poll_interval"])
        self.reconcile_interval = timedelta(hours=config["reconcile_interval"])
        self.now = datetime.now(UTC)
        self._first = self._last = 0
        self._cursors: dict[tuple[str, Business], InboxCursor | None] = {}
        self._counters: dict[tuple[str, Business], MissedChangeCounter] = {}

    def restore_businesses(self, state: Mapping[str, Any]) -> None:
        """Take the businesses from the state of `businesses`, if it is not too old."""
        known = known_businesses.restore(state, self.now, self.poll_interval)
        if known is not None:
            self.connection.members = known

    def check_callbacks(self) -> None:
        """Check, and repair, what events depend on."""
        check_callbacks(self.connection, self.callbacks, self.now, self.poll_interval)

    # The streams

    def plan_streams(
        self, streams: Sequence[RecordStream], run: RunState, state: dict[str, Any]
    ) -> list[RecordStream]:
        """Make the plans, so that the first STATE has the cursors of all that is idle.

        Args:
            streams: Those that the sync would read.
            run: Keeps the plans.
            state: Of `businesses`, which keeps the businesses for the next sync.

        Returns:
            Those of the streams of which nothing is to be read.
        """
        self._first, self._last = self.inbox.extent()
        # Businesses that FreshBooks names in a way that nobody knows are looked for each time.
        if self.connection.has_asked and not self.connection.unreadable:
            known_businesses.keep(state, self.connection.members, self.now)
        due = {stream.name: self._is_due(stream, run) for stream in streams}
        names = ", ".join(name for name, is_due in due.items() if is_due)
        logger.info("To read this time: %s", names or "nothing")
        return [stream for stream in streams if not due[stream.name]]

    def _is_due(self, stream: RecordStream, run: RunState) -> bool:
        """True if anything is to be read of a stream this time."""
        if isinstance(stream, ListStream) and stream.webhook_noun:
            return not all(plan.is_idle for plan in run.plans(stream))
        polled = [parse_timestamp(each.get("polled_at")) for each in stream.consumer_states(None)]
        return any(at is None or not self._is_recent(at, self.poll_interval) for at in polled)

    # The plans of a stream

    def plans(self, stream: PlannableStream) -> list[ReadPlan]:
        """The plan of each partition."""
        drafts = [self._draft(stream, partition) for partition in stream.partitions]
        if stream.webhook_noun and stream.hard_deletes:
            # Its table is sent as a whole, or not at all.
            reason = next((each.full_read_reason for each in drafts if each.full_read_reason), None)
            for draft in drafts:
                draft.full_read_reason = draft.full_read_reason or reason
        return [self._plan(stream, draft) for draft in drafts]

    def _plan(self, stream: PlannableStream, draft: _Draft) -> ReadPlan:
        has_events = bool(stream.webhook_noun)
        reads_objects = has_events and draft.full_read_reason is None
        reconciles = has_events and not reads_objects
        since, is_full = stream.read_range(draft.partition, reconciles=reconciles)
        plan = ReadPlan(
            business=draft.business,
            partition=draft.partition,
            since=since,
            is_full=is_full,
            reads_objects=reads_objects,
            changed=draft.changed if has_events else {},
            related_changes=[
                RelatedChanges(
                    self._list_stream(name).endpoint, stream.affected_by[name], frozenset(ids)
                )
                for name, ids in draft.related.items()
            ],
        )
        if has_events:
            self._cursors[stream.name, draft.business] = draft.cursor
        if draft.full_read_reason:
            logger.info(
                "Reading all of %s of %s: %s", stream.name, draft.business, draft.full_read_reason
            )
        elif plan.is_idle:
            self._mark_idle(stream, plan)
        return plan

    def _list_stream(self, name: str) -> ListStream:
        """A stream by its name, whether it is selected or not."""
        return cast("ListStream", self.streams[name])

    def _draft(self, stream: PlannableStream, partition: Mapping[str, Any]) -> _Draft:
        draft = _Draft(partition, stream.business_of(partition))
        if not stream.webhook_noun:
            return draft
        cursors = [InboxCursor.read(state) for state in stream.consumer_states(partition)]
        known = [cursor for cursor in cursors if cursor and cursor.inbox == self.inbox.id]
        if not known or len(known) < len(cursors):
            draft.full_read_reason = "not read yet with this webhook inbox"
            return draft
        cursor = draft.cursor = InboxCursor(
            self.inbox.id,
            min(each.position for each in known),
            min(each.listed_at for each in known),
            any(each.denied for each in known),
        )
        if not self._first <= cursor.position <= self._last:
            draft.full_read_reason = EVENTS_PRUNED
        elif not self._is_recent(cursor.listed_at, self.reconcile_interval):
            draft.full_read_reason = "reconcile_interval is over"
        elif not self._is_recent(cursor.listed_at, self.poll_interval):
            draft.full_read_reason = self._blocked_reason(stream, draft)
        self._read_events(stream, draft, cursor)
        return draft

    def _blocked_reason(self, stream: PlannableStream, draft: _Draft) -> str | None:
        """The reason why no events can come, if there is one; checked at each poll only."""
        if draft.cursor and draft.cursor.denied:
            return "the token might not read it the last time"
        account_id = draft.business.account_id
        if account_id is None:
            return "the business has no account_id to receive webhooks for"
        problems = delivery_problems(self.callbacks, account_id, str(stream.webhook_noun))
        return f"no webhooks can come: {' and '.join(problems)}" if problems else None

    def _read_events(self, stream: PlannableStream, draft: _Draft, cursor: InboxCursor) -> None:
        account_id = draft.business.account_id
        if cursor.position >= self._last or not account_id:
            return
        related = {str(self._list_stream(name).webhook_noun): name for name in stream.affected_by}
        nouns = [str(stream.webhook_noun), *related]
        for event in self.inbox.read(account_id, nouns, cursor.position, self._last):
            if event.name == GAP:
                draft.full_read_reason = (
                    draft.full_read_reason or f"webhooks may be missing, {event.object_id}"
                )
            elif event.noun == stream.webhook_noun:
                # Events come in any order: one deletion among them is enough.
                was_deleted = draft.changed.get(event.object_id, False)
                draft.changed[event.object_id] = was_deleted or event.name.endswith(".delete")
            else:
                draft.related.setdefault(related[event.noun], set()).add(event.object_id)
        first, _ = self.inbox.extent()
        if first > cursor.position:  # pruned while it was read
            draft.full_read_reason = draft.full_read_reason or EVENTS_PRUNED
        if draft.size > MAX_OBJECT_READS:
            draft.full_read_reason = (
                draft.full_read_reason or "the lists show so many changes in fewer requests"
            )

    def _is_recent(self, moment: datetime, interval: timedelta) -> bool:
        return -MAX_CLOCK_SKEW < self.now - moment < interval

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
            return
        key = (stream.name, plan.business)
        cursor = self._cursors[key]
        if plan.reads_objects and cursor:
            self._advance(stream, plan, cursor.listed_at, denied=cursor.denied)
        else:
            self._advance(stream, plan, read_at)
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

    def mark_refused(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """The token may not read a partition: it is asked again after `poll_interval`."""
        if stream.webhook_noun:
            self._advance(stream, plan, self.now, denied=True)

    def mark_polled(self, states: Iterable[dict[str, Any]]) -> None:
        """A stream without events was read."""
        for state in states:
            state["polled_at"] = utc_text(self.now)

    def _mark_idle(self, stream: PlannableStream, plan: ReadPlan) -> None:
        """Nothing was to be read."""
        if cursor := self._cursors[stream.name, plan.business]:
            self._advance(stream, plan, cursor.listed_at, denied=cursor.denied)

    def _advance(
        self, stream: PlannableStream, plan: ReadPlan, listed_at: datetime, *, denied: bool = False
    ) -> None:
        """Move the cursors to the last event that this sync has read."""
        cursor = InboxCursor(self.inbox.id, self._last, listed_at, denied)
        for state in stream.consumer_states(plan.partition):
            cursor.write(state)


def _identifier(plan: ReadPlan) -> str:
    """The identifier of a plan's business, as the inbox keeps it."""
    [identifier] = plan.partition.values()
    return str(identifier)
