"""The receiver: checks deliveries and stores their events, whatever the server around it.

A delivery that is answered with 2xx is on disk. A fault on our side is answered with 503, and
FreshBooks sends the delivery again (`docs/freshbooks-api/webhooks.md §7`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.connections import InboxError
from tap_freshbooks.webhooks.server.delivery import (
    MalformedDeliveryError,
    Verification,
    parse_delivery,
    parse_form,
)
from tap_freshbooks.webhooks.server.known_callbacks import (
    MAX_CACHE_AGE,
    MIN_CACHE_AGE,
    KnownCallbacks,
)
from tap_freshbooks.webhooks.server.signature import verify_signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.webhooks.inbox import Event, Inbox
    from tap_freshbooks.webhooks.server.known_callbacks import CachedCallback
    from tap_freshbooks.webhooks.server.metrics import Metrics

logger = logging.getLogger("tap-freshbooks.webhooks")

MAX_REJECTED_PER_SECOND = 50
"""Requests that are none of FreshBooks'; more of them are answered with 429."""

MAX_VERIFICATIONS_PER_MINUTE = 20
"""Of one callback: a sender who knows a path could else fill the inbox with verifiers."""

VERIFIER_TIMEOUT = 5.0
"""Seconds to wait for a verifier that FreshBooks may have taken back a moment ago."""

MAX_WAITING = 100
"""Deliveries that may wait for a verifier at once."""

MAX_BATCH_SIZE = 1_000
"""Deliveries in one transaction."""


class DeliveryRejectedError(Exception):
    """A request that is none of FreshBooks', and the status that it is answered with."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class VerifierPendingError(Exception):
    """A delivery signed with a verifier that FreshBooks may have taken back a moment ago."""


class Receiver:
    """Checks deliveries and stores their events; to be used within one event loop.

    Args:
        inbox: Where events are stored.
        metrics: Counts deliveries and commits.
        on_verification: Called when a verifier has come that FreshBooks wants back.
    """

    def __init__(self, inbox: Inbox, metrics: Metrics, on_verification: Callable[[], None]) -> None:
        self.store = CallbackStore(inbox)
        self.metrics = metrics
        self._on_verification = on_verification
        self._known = KnownCallbacks(self.store)
        self._queue: list[tuple[str, Event, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._waiting = 0
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerSecond(MAX_REJECTED_PER_SECOND)

    async def receive(self, path: str, signature: str, body: bytes) -> HTTPStatus:
        """Check a delivery, and store its event or verifier.

        Args:
            path: Of the callback.
            signature: The header; empty if there is none.
            body: A form.

        Returns:
            The status of the answer: 2xx only if the delivery is on disk.
        """
        try:
            return await self._receive(path, signature, body)
        except DeliveryRejectedError as rejected:
            # What FreshBooks sends is never limited; what others send is.
            if self._limiter.hit(self._limit):
                return rejected.status
            return HTTPStatus.TOO_MANY_REQUESTS
        except VerifierPendingError:
            return HTTPStatus.SERVICE_UNAVAILABLE
        except InboxError as error:
            logger.error("A delivery was answered with 503: %s", error)  # noqa: TRY400
            return HTTPStatus.SERVICE_UNAVAILABLE

    async def _receive(self, path: str, signature: str, body: bytes) -> HTTPStatus:
        cached = await self._find_callback(path, MAX_CACHE_AGE)
        try:
            fields = parse_form(body)
            delivery = parse_delivery(fields)
        except MalformedDeliveryError:
            raise DeliveryRejectedError(HTTPStatus.BAD_REQUEST) from None

        def signed_with(verifiers: tuple[str, ...]) -> bool:
            return any(verify_signature(signature, verifier, fields) for verifier in verifiers)

        if isinstance(delivery, Verification):
            if cached.callback.callbackid not in {None, delivery.callbackid}:
                raise DeliveryRejectedError(HTTPStatus.BAD_REQUEST)
            await self._add_verifier(path, delivery, cached.accepted, signed_with)
        else:
            if not signed_with(cached.accepted):
                await self._match_pending_verifier(path, signed_with)
            if delivery.account_id != cached.callback.account_id:
                raise DeliveryRejectedError(HTTPStatus.BAD_REQUEST)
            await self._append(path, delivery)
        return HTTPStatus.OK

    # Verifiers

    async def _add_verifier(
        self,
        path: str,
        verification: Verification,
        accepted: tuple[str, ...],
        signed_with: Callable[[tuple[str, ...]], bool],
    ) -> None:
        """Store the verifier of a verification before anything else, and let it be given back.

        The verification is signed with the verifier that it brings, one that is sent again perhaps
        with the one before. So it proves only that the sender knows the path; the verifier counts
        when FreshBooks takes it back.
        """
        if not signed_with((verification.verifier, *accepted)):
            raise DeliveryRejectedError(HTTPStatus.UNAUTHORIZED)
        if not self._limiter.hit(RateLimitItemPerMinute(MAX_VERIFICATIONS_PER_MINUTE), path):
            raise DeliveryRejectedError(HTTPStatus.TOO_MANY_REQUESTS)
        await asyncio.to_thread(
            self.store.add_verifier, path, verification.verifier, verification.callbackid
        )
        self._known.forget(path)
        logger.info("Callback %d asks to be verified", verification.callbackid)
        self._on_verification()

    async def _match_pending_verifier(
        self, path: str, signed_with: Callable[[tuple[str, ...]], bool]
    ) -> None:
        """Check a signature that no verifier in the cache has made against the newest ones."""
        cached = await self._find_callback(path, MIN_CACHE_AGE)
        if signed_with(cached.accepted):
            return
        if not signed_with(cached.pending):
            raise DeliveryRejectedError(HTTPStatus.UNAUTHORIZED)
        if self._waiting >= MAX_WAITING:
            raise VerifierPendingError
        self._waiting += 1
        try:
            deadline = time.monotonic() + VERIFIER_TIMEOUT
            while time.monotonic() < deadline:
                await asyncio.sleep(0.1)
                if signed_with((await self._find_callback(path, 0.1)).accepted):
                    return
        finally:
            self._waiting -= 1
        raise VerifierPendingError

    async def _find_callback(self, path: str, max_age: float) -> CachedCallback:
        cached = await self._known.find(path, max_age)
        if cached is None:
            raise DeliveryRejectedError(HTTPStatus.NOT_FOUND)
        return cached

    # Events

    async def _append(self, path: str, event: Event) -> None:
        """Append an event to the inbox, with all that wait at the same time in one transaction.

        Raises:
            InboxError: If it could not be written.
        """
        stored = asyncio.get_running_loop().create_future()
        self._queue.append((path, event, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_batches())
        await stored

    async def _write_batches(self) -> None:
        while self._queue:
            batch, self._queue = self._queue[:MAX_BATCH_SIZE], self._queue[MAX_BATCH_SIZE:]
            error: BaseException | None = None
            started = time.perf_counter()
            try:
                await asyncio.to_thread(self.store.append_events, [each[:2] for each in batch])
            except BaseException as problem:  # noqa: BLE001 - it is raised where the delivery waits
                error = problem
                # The others have waited as long: FreshBooks would not wait for another try.
                batch, self._queue = batch + self._queue, []
            else:
                self.metrics.count_commit(len(batch), time.perf_counter() - started)
            for _, _, stored in batch:
                if stored.done():  # its sender has gone
                    continue
                if error is None:
                    stored.set_result(None)
                else:
                    stored.set_exception(error)
