"""What a sync has to read when there is a webhook inbox: changed objects, lists, or nothing.

A stream with events reads its lists once, and from then on what events tell of, object by object.
It reads its lists again when events may be missing, and every `reconcile_interval` anyway, since
deliveries can be lost in silence (`docs/freshbooks-api/webhooks.md §7`). A stream without events is
asked again after `poll_interval`. All of it is kept in the Singer state: an event counts as done
only when the target has confirmed what came of it.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from tap_freshbooks.businesses import Business
from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.streams.base import RecordStream, parse_timestamp
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.timestamps import utc_text
from tap_freshbooks.webhooks.callbacks.health import watch
from tap_freshbooks.webhooks.callbacks.manager import RESEND_EVERY, CallbackManager
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import GAP
from tap_freshbooks.webhooks.sync.fetch_log import DELIVERY_GRACE, FetchLog, MissedChangeCounter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk import Stream
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.extraction.prefetch import Submit
    from tap_freshbooks.webhooks.inbox import Inbox

logger = logging.getLogger("tap-freshbooks.webhooks")

EVENTS_PRUNED = "the webhook inbox does not have all events since the last run"

MAX_CLOCK_SKEW = timedelta(days=1)
"""How far a moment of the state may lie in the future; one further off is not believed."""

MAX_OBJECT_READS = 200
"""So many changed objects are sooner read by the lists than one by one."""

MEMBERS = "members"
"""Key of the state of `businesses` with the businesses that the user may read."""

PLACE = "inbox"
"""Key of a partition's state with its place in the inbox."""


@dataclass(frozen=True, slots=True)
class InboxCursor:
    """Where one stream stands with one business.

    Attributes:
        inbox: Id of the inbox.
        position: Of the last event that is done.
        listed_at: When the last reading of its lists began.
        denied: Whether the token might not read them.
    """

    inbox: str
    position: int
    listed_at: datetime
    denied: bool = False

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> InboxCursor | None:
        """The place in the state of a partition, None if there is none that can be understood."""
        kept = state.get(PLACE)
        if not isinstance(kept, dict):
            return None
        listed_at = parse_timestamp(kept.get("listed_at"))
        position = kept.get("position")
        if listed_at is None or not isinstance(position, int):
            return None
        return cls(str(kept.get("id")), position, listed_at, kept.get("denied") is True)

    def write(self, state: dict[str, Any]) -> None:
        """Put it into the state of a partition."""
        state[PLACE] = {
            "id": self.inbox,
            "position": self.position,
            "listed_at": utc_text(self.listed_at),
            **({"denied": True} if self.denied else {}),
        }


@dataclass(slots=True)
class ReadPlan:
    """What a sync will read of one stream and business.

    Attributes:
        news: Whose plan it is.
        stream: The stream.
        context: The partition.
        since: Where it stood before; None if it has stood nowhere.
        why: Why its lists are read; None if they are not.
        changed: Ids of the objects that events tell of, and whether one was a deletion.
        movers: Ids of objects of other streams, by stream, whose change moves objects of this one.
    """

    news: WebhookSyncPlanner
    stream: ListStream
    context: Context
    since: InboxCursor | None = None
    why: str | None = None
    changed: dict[str, bool] = field(default_factory=dict)
    movers: dict[str, set[str]] = field(default_factory=dict)

    @property
    def by_id(self) -> bool:
        """Whether objects are read one by one."""
        return self.why is None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be read."""
        return self.why is None and not self.changed and not self.movers

    @property
    def business(self) -> Business:
        """Whose rows they are."""
        return self.stream.business(self.scope_id)

    @property
    def scope_id(self) -> Any:
        """The identifier of the business that the stream needs."""
        return self.context[self.stream.identifier_kind.value]

    def look(
        self, business: Business, object_id: str, submit: Submit, mover: str | None = None
    ) -> Any:
        """A future `FetchedObject` at an object, of this stream or of one that moves its rows.

        Each is fetched once, whatever streams want to see it.
        """
        stream = self.news.source(mover) if mover else self.stream
        looks = self.news.looks
        key = (stream.name, business.identifier(stream.identifier_kind), object_id)
        with self.news.mutex:
            if key not in looks:
                looks[key] = submit(lambda: stream.look(business, object_id))
            return looks[key]

    def missed_rows(self) -> MissedChangeCounter | None:
        """A counter for a reading of lists; None where nothing is known to compare with."""
        if self.by_id or self.since is None or self.stream.timestamp_field is None:
            return None
        listed_at = self.since.listed_at
        looked_at = self.news.seen.since(
            self.stream.name, str(self.scope_id), listed_at - DELIVERY_GRACE
        )
        stamp, key = self.stream.timestamp_field, self.stream.key[0]
        return MissedChangeCounter(listed_at, self.changed.keys(), looked_at, stamp, key)

    def done(
        self, looked_at: Mapping[str, float], read_at: datetime, missed: MissedChangeCounter | None
    ) -> None:
        """Everything was delivered.

        Args:
            looked_at: When objects were looked at by their ids, epoch seconds.
            read_at: When the reading began, by the server's clock.
            missed: What a reading of lists has found.
        """
        listed_at = self.since.listed_at if self.by_id and self.since else read_at
        denied = bool(self.by_id and self.since and self.since.denied)
        self._move(listed_at, denied=denied)
        self.news.seen.keep(self.stream.name, str(self.scope_id), looked_at)
        if missed and missed.number and self.business.account_id:
            self.news.book.missed(
                self.business.account_id, str(self.stream.webhook_noun), missed.number
            )
            logger.warning(
                "%s of %s: %d changed rows were told by no webhook; they are delivered now",
                self.stream.name,
                self.business,
                missed.number,
            )

    def denied(self) -> None:
        """The token may not read it: it is asked again after `poll_interval`."""
        self._move(self.news.now, denied=True)

    def skip(self) -> None:
        """Nothing was to be read."""
        if self.since:
            self._move(self.since.listed_at, denied=self.since.denied)

    def _move(self, listed_at: datetime, *, denied: bool = False) -> None:
        """Move the place to the end of what this sync has seen of the inbox."""
        place = InboxCursor(self.news.inbox.id, self.news.last, listed_at, denied)
        for consumer in self.stream.consumers:
            place.write(consumer.state_of(self.stream, self.context))


class WebhookSyncPlanner:
    """The plans of one sync.

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
        self.book = CallbackStore(inbox)
        self.seen = FetchLog(inbox)
        self.connection = connection
        self.streams = streams
        self.poll_interval = timedelta(hours=config["poll_interval"])
        self.reconcile_interval = timedelta(hours=config["reconcile_interval"])
        self.now = datetime.now(UTC)
        self._first = self.last = 0
        self.looks: dict[tuple[str, Any, str], Any] = {}
        self.mutex = threading.Lock()
        self._plans: dict[tuple[str, Any], ReadPlan] = {}

    # The businesses

    def recall_members(self, state: Mapping[str, Any]) -> None:
        """Take the businesses from the state of `businesses`, if it is not too old.

        An idle account shall cost no request, not even the one that asks who we are.
        """
        read_at = parse_timestamp(state.get("members_read_at"))
        if read_at is None or not timedelta() <= self.now - read_at < self.poll_interval:
            return
        with suppress(TypeError, KeyError, AttributeError):
            self.connection.members = [
                Business(**{**kept, "accounting_roles": frozenset(kept["accounting_roles"])})
                for kept in state[MEMBERS]
            ]

    def tend(self) -> None:
        """Give secrets back that FreshBooks waits for, and look at the callbacks now and then.

        A receiver with a token does that much sooner; not every one has a token.
        """
        registrar = CallbackManager(self.connection, self.book)
        checked = [each.checked_at for each in registrar.callbacks]
        try:
            if any(at is None or self.now.timestamp() - at >= self._check_every for at in checked):
                problems = registrar.check()
            else:
                problems = registrar.confirm_pending()
        except FreshBooksError as error:
            problems = [f"the callbacks cannot be looked at: {error}"]
        for problem in [*problems, *watch(registrar).problems]:
            logger.warning("%s", problem)

    @property
    def _check_every(self) -> float:
        return max(self.poll_interval.total_seconds(), RESEND_EVERY)

    def begin(self, streams: Sequence[RecordStream], state: dict[str, Any]) -> list[RecordStream]:
        """Make the plans, so that the first STATE has the places of all that is idle.

        Args:
            streams: Those that the sync would read.
            state: Of `businesses`, which keeps the businesses for the next sync.

        Returns:
            Those of the streams of which nothing is to be read.
        """
        self._first, self.last = self.inbox.extent()
        if self.connection.has_asked:
            state[MEMBERS] = [
                {
                    **{name: getattr(member, name) for name in Business.__slots__},
                    "accounting_roles": sorted(member.accounting_roles),
                }
                for member in self.connection.members
            ]
            state["members_read_at"] = utc_text(self.now)
        due = {stream.name: self._is_due(stream) for stream in streams}
        names = ", ".join(name for name, is_due in due.items() if is_due)
        logger.info("To read this time: %s", names or "nothing")
        return [stream for stream in streams if not due[stream.name]]

    def source(self, name: str) -> ListStream:
        """A stream by its name, whether it is selected or not."""
        return cast("ListStream", self.streams[name])

    # What to read

    def _is_due(self, stream: RecordStream) -> bool:
        """Whether there is anything to read for a stream this time."""
        if isinstance(stream, ListStream) and stream.webhook_noun:
            return any(not self.plan(stream, context).is_idle for context in stream.partitions)
        polled = [
            parse_timestamp(consumer.state_of(stream, None).get("polled_at"))
            for consumer in stream.consumers
        ]
        return any(at is None or not self._is_recent(at, self.poll_interval) for at in polled)

    def polled(self, stream: RecordStream) -> None:
        """A stream without events was read."""
        for consumer in stream.consumers:
            consumer.state_of(stream, None)["polled_at"] = utc_text(self.now)

    def plan(self, stream: ListStream, context: Context) -> ReadPlan:
        """What to read of a business."""
        key = (stream.name, context[stream.identifier_kind.value])
        if key not in self._plans:
            plans = [self._plan(stream, each) for each in stream.partitions]
            reason = next((plan.why for plan in plans if plan.why), None)
            for plan in plans:
                if stream.hard_deletes:  # its table is sent as a whole, or not at all
                    plan.why = plan.why or reason
                self._plans[stream.name, plan.scope_id] = plan
                if plan.why:
                    logger.info("Reading all of %s of %s: %s", stream.name, plan.business, plan.why)
                elif plan.is_idle:
                    plan.skip()
        return self._plans[key]

    def _plan(self, stream: ListStream, context: Context) -> ReadPlan:
        plan = ReadPlan(self, stream, context)
        places = [
            InboxCursor.read(consumer.state_of(stream, context)) for consumer in stream.consumers
        ]
        known = [place for place in places if place and place.inbox == self.inbox.id]
        if not known or len(known) < len(places):
            plan.why = "not read yet with this webhook inbox"
            return plan
        since = plan.since = InboxCursor(
            self.inbox.id,
            min(place.position for place in known),
            min(place.listed_at for place in known),
            any(place.denied for place in known),
        )
        if not self._first <= since.position <= self.last:
            plan.why = EVENTS_PRUNED
        elif not self._is_recent(since.listed_at, self.reconcile_interval):
            plan.why = "reconcile_interval is over"
        elif not self._is_recent(since.listed_at, self.poll_interval):
            plan.why = self._obstacle(plan)
        self._read_events(plan, since)
        return plan

    def _obstacle(self, plan: ReadPlan) -> str | None:
        """Why events cannot tell what changed, if they cannot; looked for at each poll only."""
        if plan.since and plan.since.denied:
            return "the token might not read it the last time"
        account_id = plan.business.account_id
        if account_id is None:
            return "the business has no account_id to receive webhooks for"
        problems = self.book.problems(account_id, str(plan.stream.webhook_noun))
        return f"webhooks cannot flow: {' and '.join(problems)}" if problems else None

    def _read_events(self, plan: ReadPlan, since: InboxCursor) -> None:
        account_id = plan.business.account_id
        if since.position >= self.last or not account_id:
            return
        stream = plan.stream
        movers = {str(self.source(name).webhook_noun): name for name in stream.affected_by}
        nouns = [str(stream.webhook_noun), *movers]
        for event in self.inbox.read(account_id, nouns, since.position, self.last):
            if event.name == GAP:
                plan.why = plan.why or f"webhooks may be missing, {event.object_id}"
            elif event.noun == stream.webhook_noun:
                # Events come in any order: one that tells of the deletion is enough.
                was_deleted = plan.changed.get(event.object_id, False)
                plan.changed[event.object_id] = was_deleted or event.name.endswith(".delete")
            else:
                plan.movers.setdefault(movers[event.noun], set()).add(event.object_id)
        first, _ = self.inbox.extent()
        if first > since.position:  # pruned while it was read
            plan.why = plan.why or EVENTS_PRUNED
        if len(plan.changed) + sum(map(len, plan.movers.values())) > MAX_OBJECT_READS:
            plan.why = plan.why or "the lists show so many changes in fewer requests"

    def _is_recent(self, moment: datetime, interval: timedelta) -> bool:
        return -MAX_CLOCK_SKEW < self.now - moment < interval
