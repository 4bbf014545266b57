"""The receiver: takes deliveries in, whatever the server around it.

What is answered with 2xx is on disk. Whatever goes wrong on our side is answered with 503, and
FreshBooks sends it again (`docs/freshbooks-api/webhooks.md §7`).
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import sqlalchemy as sa
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from tap_freshbooks.webhooks.callbacks.store import CALLBACKS, OURS, CallbackStore
from tap_freshbooks.webhooks.inbox import InboxError
from tap_freshbooks.webhooks.server.delivery import Malformed, Verification, read_form, understand
from tap_freshbooks.webhooks.server.signature import is_genuine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.webhooks.callbacks.store import Callback
    from tap_freshbooks.webhooks.inbox import Event, Inbox
    from tap_freshbooks.webhooks.server.metrics import Metrics

logger = logging.getLogger("tap-freshbooks.webhooks")

FRESH = 1.0
"""Seconds for which it is not asked again which paths there are, nor of an unknown secret."""

STALE = 60.0
"""Seconds after which it is looked up again although it served."""

WRONG_PER_SECOND = 50
"""Requests that are none of FreshBooks'; more of them are answered without a look."""

VERIFICATIONS_PER_MINUTE = 20
"""Of one callback: who knows a path could else fill the inbox with secrets."""

PENDING_PATIENCE = 5.0
"""Seconds to wait for a secret that FreshBooks may have taken back a moment ago."""

MOST_WAITING = 100
"""Deliveries that may wait for that at once."""

MOST_AT_ONCE = 1_000
"""Deliveries in one transaction."""


class _Refused(Exception):  # noqa: N818 - says what becomes of the request
    """A request that is none of FreshBooks'."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class _NotYet(Exception):  # noqa: N818 - says what becomes of the request
    """A delivery signed with a secret that FreshBooks may have taken back a moment ago."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a path, and since when; `secrets` are accepted, `pending` are not yet."""

    callback: Callback
    secrets: tuple[str, ...]
    pending: tuple[str, ...]
    since: float


class Receiver:
    """Takes deliveries in; to be used within one event loop.

    Args:
        inbox: Where they go.
        metrics: What is counted.
        on_verification: Called when a secret has come that FreshBooks wants back.
    """

    def __init__(self, inbox: Inbox, metrics: Metrics, on_verification: Callable[[], None]) -> None:
        self.inbox = inbox
        self.book = CallbackStore(inbox)
        self.metrics = metrics
        self._on_verification = on_verification
        self._paths: set[str] = set()
        self._paths_since = -math.inf
        self._reading_paths = asyncio.Lock()
        self._known: dict[str, Known] = {}
        self._waiting: list[tuple[str, Event, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._patient = 0
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerSecond(WRONG_PER_SECOND)

    async def receive(self, path: str, signature: str, body: bytes) -> HTTPStatus:
        """Take a delivery in.

        Args:
            path: That of the callback.
            signature: The header; empty if there is none.
            body: The form.

        Returns:
            The status of the answer: 2xx only if it is on disk.
        """
        try:
            return await self._receive(path, signature, body)
        except _Refused as refused:
            # What FreshBooks sends is never limited; what others send is.
            if self._limiter.hit(self._limit):
                return refused.status
            return HTTPStatus.TOO_MANY_REQUESTS
        except _NotYet:
            return HTTPStatus.SERVICE_UNAVAILABLE
        except InboxError as error:
            logger.error("A delivery was turned away for now: %s", error)  # noqa: TRY400
            return HTTPStatus.SERVICE_UNAVAILABLE

    async def _receive(self, path: str, signature: str, body: bytes) -> HTTPStatus:
        known = await self._look_up(path, STALE)
        try:
            fields = read_form(body)
            said = understand(fields)
        except Malformed:
            raise _Refused(HTTPStatus.BAD_REQUEST) from None

        def signed_with(secrets: tuple[str, ...]) -> bool:
            return any(is_genuine(signature, secret, fields) for secret in secrets)

        if isinstance(said, Verification):
            if known.callback.callbackid not in {None, said.callbackid}:
                raise _Refused(HTTPStatus.BAD_REQUEST)
            await self._keep(path, said, known.secrets, signed_with)
        else:
            if not signed_with(known.secrets):
                await self._prove(path, signed_with)
            if said.account_id != known.callback.account_id:
                raise _Refused(HTTPStatus.BAD_REQUEST)
            await self._store(path, said)
        return HTTPStatus.OK

    # Secrets

    async def _keep(
        self,
        path: str,
        said: Verification,
        accepted: tuple[str, ...],
        signed_with: Callable[[tuple[str, ...]], bool],
    ) -> None:
        """Keep the secret of a verification before anything else, and let it be given back.

        It is signed with the secret that it brings, one that is sent again perhaps with the one
        before. So it proves nothing but that the sender knows the path; the secret counts when
        FreshBooks takes it back.
        """
        if not signed_with((said.verifier, *accepted)):
            raise _Refused(HTTPStatus.UNAUTHORIZED)
        if not self._limiter.hit(RateLimitItemPerMinute(VERIFICATIONS_PER_MINUTE), path):
            raise _Refused(HTTPStatus.TOO_MANY_REQUESTS)
        await asyncio.to_thread(self.book.keep, path, said.verifier, said.callbackid)
        self._known.pop(path, None)
        logger.info("Callback %d asks to be verified", said.callbackid)
        self._on_verification()

    async def _prove(self, path: str, signed_with: Callable[[tuple[str, ...]], bool]) -> None:
        """Look whether a signature, strange so far, is of a secret that is new."""
        known = await self._look_up(path, FRESH)
        if signed_with(known.secrets):
            return
        if not signed_with(known.pending):
            raise _Refused(HTTPStatus.UNAUTHORIZED)
        if self._patient >= MOST_WAITING:
            raise _NotYet
        self._patient += 1
        try:
            deadline = time.monotonic() + PENDING_PATIENCE
            while time.monotonic() < deadline:
                await asyncio.sleep(0.1)
                if signed_with((await self._look_up(path, 0.1)).secrets):
                    return
        finally:
            self._patient -= 1
        raise _NotYet

    async def _look_up(self, path: str, age: float) -> Known:
        """What is known of a path, no older than so many seconds.

        A callback may have been registered, and a secret accepted, by another process.
        """
        if not OURS.fullmatch(path):
            raise _Refused(HTTPStatus.NOT_FOUND)
        if path not in self._paths:
            async with self._reading_paths:  # strangers cost a query a second, all together
                if time.monotonic() - self._paths_since > FRESH:
                    self._paths = await asyncio.to_thread(self.book.paths)
                    self._paths_since = time.monotonic()
            if path not in self._paths:
                raise _Refused(HTTPStatus.NOT_FOUND)
        now = time.monotonic()
        known = self._known.get(path)
        if known is None or now - known.since > age:
            known = await asyncio.to_thread(self._read, path, now)
            if known is None:
                self._paths.discard(path)
                self._known.pop(path, None)
                raise _Refused(HTTPStatus.NOT_FOUND)
            self._known[path] = known
        return known

    def _read(self, path: str, now: float) -> Known | None:
        callback = self.book.at(path)
        if callback is None:
            return None
        verifiers = self.book.verifiers(path)
        return Known(
            callback,
            tuple(each.verifier for each in verifiers if each.accepted),
            tuple(each.verifier for each in verifiers if not each.accepted),
            now,
        )

    # Storing

    async def _store(self, path: str, event: Event) -> None:
        """Append an event, with all that wait at the same time in one transaction.

        Raises:
            InboxError: If it could not be written.
        """
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((path, event, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await stored

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            error: BaseException | None = None
            started = time.perf_counter()
            try:
                await asyncio.to_thread(self._commit, [(path, event) for path, event, _ in batch])
            except BaseException as problem:  # noqa: BLE001 - it belongs to those who wait
                error = problem
            else:
                self.metrics.committed(len(batch), time.perf_counter() - started)
            for _, _, stored in batch:
                if stored.done():  # who waited has gone
                    continue
                if error is None:
                    stored.set_result(None)
                else:
                    stored.set_exception(error)

    def _commit(self, batch: list[tuple[str, Event]]) -> None:
        events: dict[str, int] = {}
        for path, _ in batch:
            events[path] = events.get(path, 0) + 1
        now = time.time()
        with self.inbox.writing() as connection:
            self.inbox.append_in(connection, [event for _, event in batch])
            # In one order everywhere, and each row once.
            connection.execute(
                CALLBACKS.update()
                .where(CALLBACKS.c.path == sa.bindparam("of"))
                .values(events=CALLBACKS.c.events + sa.bindparam("more"), last_event_at=now),
                [{"of": path, "more": number} for path, number in sorted(events.items())],
            )
