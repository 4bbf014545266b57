"""Sends messages: attempts, retries with growing pauses, giving up, disabling.

See docs/freshbooks-api/webhooks.md §7.

Everything happens in tasks on the server's event loop and ends with it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import msgspec

from freshbooks_sandbox import faults
from freshbooks_sandbox.clock import Clock, utc_z
from freshbooks_sandbox.webhooks.delivery import Attempt, Delivery
from freshbooks_sandbox.webhooks.events import VERIFY
from freshbooks_sandbox.webhooks.post import is_unroutable, post
from freshbooks_sandbox.webhooks.signature import HEADER, forge, sign

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from freshbooks_sandbox.store import Business, Row
    from freshbooks_sandbox.webhooks.delivery import Status

REMEMBERED = 10_000
"""Deliveries kept for `/_sandbox/deliveries`; the oldest are forgotten."""
AT_ONCE = 50
"""Connections to receivers at a time."""


class Settings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Settings of deliveries; only the ten seconds are published.

    See docs/freshbooks-api/webhooks.md §7.

    A failed message is tried again `retries` times, first after `first_retry` seconds, then after
    `growth` times as long each. `scale` multiplies every pause, also those of faults. After
    `disable_after` messages in a row that were given up the callback is disabled; 0 for never.
    """

    timeout: float = 10.0
    retries: int = 3
    first_retry: float = 60.0
    growth: float = 5.0
    scale: float = 1.0
    disable_after: int = 5

    def pauses(self) -> Iterator[float]:
        """Unscaled seconds before each attempt."""
        yield 0.0
        for number in range(self.retries):
            yield self.first_retry * self.growth**number


class Sender:
    """All deliveries of one sandbox."""

    def __init__(self, clock: Clock, disturbances: faults.Faults) -> None:
        self.settings = Settings()
        self._clock = clock
        self._faults = disturbances
        self._deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        self._serial = count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[Delivery] = []
        self._given_up: Counter[tuple[int, int]] = Counter()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def send(self, business: Business, callback: Row, fields: Mapping[str, str]) -> None:
        """Accept a message; needs the running event loop and returns at once."""
        if is_unroutable(callback["uri"]):
            self._record(business, callback, fields).status = "nowhere"
            return
        due = self._faults.due_to(fields["name"], callback["callbackid"])
        copies = 1 + sum(fault.copies for fault in due if isinstance(fault, faults.Duplicate))
        for _ in range(copies):
            self._dispatch(self._record(business, callback, fields), due)

    def deliveries(self) -> list[dict[str, Any]]:
        """Those remembered, oldest first."""
        return [delivery.as_dict() for delivery in self._deliveries]

    def forget(self) -> None:
        """All but those that are still on their way."""
        waiting = [delivery for delivery in self._deliveries if delivery.status == "waiting"]
        self._deliveries = deque(waiting, REMEMBERED)

    def release(self) -> None:
        """Send the messages that a fault holds back, the last first."""
        held, self._held = self._held[::-1], []
        if held:
            self._start(self._in_turn(held))

    async def settle(self) -> None:
        """Wait until no message is on its way; those held back are sent."""
        while self._tasks or self._held:
            self.release()
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """End all tasks; messages that were on their way are dropped."""
        tasks, self._tasks, self._held = self._tasks, set(), []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for delivery in self._deliveries:
            if delivery.status == "waiting":
                delivery.status = "dropped"
        self._slots = asyncio.Semaphore(AT_ONCE)

    def _record(self, business: Business, callback: Row, fields: Mapping[str, str]) -> Delivery:
        delivery = Delivery(next(self._serial), business, callback, fields)
        self._deliveries.append(delivery)
        return delivery

    def _dispatch(self, delivery: Delivery, due: list[faults.AnyDeliveryFault]) -> None:
        held = None
        for fault in due:
            if isinstance(fault, faults.Lose):
                delivery.status = "lost"
                return
            if isinstance(fault, faults.Delay):
                delivery.delay += fault.seconds
            elif isinstance(fault, faults.Forge):
                delivery.forgery = fault.how
            elif isinstance(fault, faults.Shuffle):
                held = fault.count
        if held is None:
            self._start(self._deliver(delivery))
            return
        self._held.append(delivery)
        if len(self._held) >= held:
            self.release()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_turn(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            self._start(self._deliver(delivery))
            await delivery.is_tried.wait()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            delivery.status = await self._outcome(delivery)
        finally:
            delivery.is_tried.set()
        if delivery.status in ("delivered", "given_up"):
            self._disable_if_failing(delivery)

    async def _outcome(self, delivery: Delivery) -> Status:
        await asyncio.sleep(delivery.delay * self.settings.scale)
        for pause in self.settings.pauses():
            await asyncio.sleep(pause * self.settings.scale)
            if not delivery.is_wanted():
                return "dropped"
            async with self._slots:
                attempt = await self._attempt(delivery)
            delivery.attempts.append(attempt)
            delivery.is_tried.set()
            if attempt.status is not None and 200 <= attempt.status < 300:  # noqa: PLR2004
                return "delivered"
        return "given_up"

    async def _attempt(self, delivery: Delivery) -> Attempt:
        verifier, fields = delivery.callback["_verifier"], delivery.fields
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "freshbooks-sandbox",
        }
        how = delivery.forgery
        signature = forge(how, verifier, fields) if how is not None else sign(verifier, fields)
        if signature is not None:
            headers[HEADER] = signature
        at, begun = utc_z(self._clock.moment()), time.monotonic()
        status, error = None, None
        try:
            body = urlencode(fields).encode()
            async with asyncio.timeout(self.settings.timeout):
                status = await post(delivery.callback["uri"], body, headers)
        except TimeoutError:
            error = "no answer in time"
        except (httpx.TransportError, httpx.InvalidURL) as problem:
            error = str(problem) or type(problem).__name__
        return Attempt(at, status, error, round(time.monotonic() - begun, 3))

    def _disable_if_failing(self, delivery: Delivery) -> None:
        """Disable a callback whose messages are given up: `verified` is the only flag there is."""
        callback, business = delivery.callback, delivery.business
        key = (business.id, callback["callbackid"])
        if delivery.status == "delivered":
            del self._given_up[key]
        if delivery.status == "delivered" or delivery.name == VERIFY:
            return
        self._given_up[key] += 1
        limit = self.settings.disable_after
        if limit and self._given_up[key] >= limit:
            del self._given_up[key]
            callback["verified"] = False
            business.changed()
