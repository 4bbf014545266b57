"""Draft: what the events in the inbox say of one partition, before a plan is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from tap_freshbooks.webhooks.callbacks.health import delivery_problems
from tap_freshbooks.webhooks.inbox import GAP
from tap_freshbooks.webhooks.sync.cursor import InboxCursor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import Stream

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.extraction.change_source import PlannableStream
    from tap_freshbooks.extraction.reading_times import ReadingTimes
    from tap_freshbooks.streams.list_stream import ListStream
    from tap_freshbooks.webhooks.callbacks.store import CallbackStore
    from tap_freshbooks.webhooks.inbox import Inbox

EVENTS_PRUNED = "the webhook inbox does not have all events since the last run"

MAX_OBJECT_READS = 200
"""The lists show more changed objects than this in fewer requests."""


@dataclass(slots=True)
class Draft:
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


class Drafter:
    """Reads the inbox for one sync: up to the last event that is there when it begins.

    Args:
        inbox: Where the events are.
        callbacks: What events depend on.
        times: When streams are read that events say nothing of.
        config: The settings.
        streams: All streams of the tap, by name.

    Attributes:
        last_event: The position of the last event that this sync reads.
    """

    def __init__(
        self,
        inbox: Inbox,
        callbacks: CallbackStore,
        times: ReadingTimes,
        config: Mapping[str, Any],
        streams: Mapping[str, Stream],
    ) -> None:
        self.inbox = inbox
        self.callbacks = callbacks
        self.times = times
        self.reconcile_interval = timedelta(hours=config["reconcile_interval"])
        self.last_event = self._first = 0
        self._streams = streams

    def begin(self) -> None:
        """See which events there are."""
        self._first, self.last_event = self.inbox.extent()

    def list_stream(self, name: str) -> ListStream:
        """A stream by its name, whether it is selected or not."""
        return cast("ListStream", self._streams[name])

    def draft(self, stream: PlannableStream, partition: Mapping[str, Any]) -> Draft:
        """What the inbox says of a partition of a stream with events."""
        draft = Draft(partition, stream.business_of(partition))
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
        if not self._first <= cursor.position <= self.last_event:
            draft.full_read_reason = EVENTS_PRUNED
        elif not self.times.is_recent(cursor.listed_at, self.reconcile_interval):
            draft.full_read_reason = "reconcile_interval is over"
        elif not self.times.is_recent(cursor.listed_at, self._interval(stream, cursor)):
            draft.full_read_reason = self._blocked_reason(stream, draft)
        self._read_events(stream, draft, cursor)
        return draft

    def _interval(self, stream: PlannableStream, cursor: InboxCursor) -> timedelta:
        """How long a stream rests of which no events may come."""
        return self.times.poll_interval if cursor.denied else self.times.interval(stream)

    def _blocked_reason(self, stream: PlannableStream, draft: Draft) -> str | None:
        """The reason why no events can come, if there is one; checked at each poll only."""
        if draft.cursor and draft.cursor.denied:
            return "the token might not read it the last time"
        account_id = draft.business.account_id
        if account_id is None:
            return "the business has no account_id to receive webhooks for"
        problems = delivery_problems(self.callbacks, account_id, str(stream.webhook_noun))
        return f"no webhooks can come: {' and '.join(problems)}" if problems else None

    def _read_events(self, stream: PlannableStream, draft: Draft, cursor: InboxCursor) -> None:
        account_id = draft.business.account_id
        if cursor.position >= self.last_event or not account_id:
            return
        related = {str(self.list_stream(name).webhook_noun): name for name in stream.affected_by}
        nouns = [str(stream.webhook_noun), *related]
        for event in self.inbox.read(account_id, nouns, cursor.position, self.last_event):
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
