"""The receiver as an ASGI application, for uvicorn or any other server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.webhooks.inbox import Inbox, InboxError
from tap_freshbooks.webhooks.server.delivery import MOST_BYTES
from tap_freshbooks.webhooks.server.maintenance import ReceiverMaintenance
from tap_freshbooks.webhooks.server.metrics import Metrics
from tap_freshbooks.webhooks.server.receiver import Receiver
from tap_freshbooks.webhooks.server.signature import HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

SLOWEST = 10.0
"""Seconds for a body; FreshBooks waits no longer for an answer.

See `docs/freshbooks-api/webhooks.md §7`.
"""

READY_WITHIN = 1.0
"""Seconds in which the inbox must be writable."""

KEEP_FOR = 30 * 86_400.0
"""Seconds for which the inbox keeps events, unless somebody says otherwise."""


def app() -> Starlette:
    """The application of `TAP_FRESHBOOKS_WEBHOOK_INBOX`, which needs no other setting.

    Secrets are given back by `webhooks serve`, `webhooks verify` or a sync, which have a token.

    Raises:
        SettingsError: If the variable is not set.
    """
    place = os.environ.get("TAP_FRESHBOOKS_WEBHOOK_INBOX")
    if not place:
        raise SettingsError("set TAP_FRESHBOOKS_WEBHOOK_INBOX to the setting webhook_inbox")
    inbox, metrics = Inbox(place), Metrics()
    return create_app(inbox, metrics, ReceiverMaintenance(inbox, metrics, keep_for=KEEP_FOR))


def create_app(inbox: Inbox, metrics: Metrics, keeper: ReceiverMaintenance) -> Starlette:
    """The application.

    `POST …/PATH` takes a delivery: only the last segment counts, so that a proxy may keep a
    prefix. `GET /healthz` says that the process lives, `/readyz` that the inbox can be written,
    `/metrics` what Prometheus wants to know.

    Args:
        inbox: Where deliveries go.
        metrics: What is counted.
        keeper: What is done besides; it lives as long as the application.
    """
    receiver = Receiver(inbox, metrics, keeper.wake)

    async def deliver(request: Request) -> Response:
        started = time.perf_counter()
        status = await _status(receiver, request)
        metrics.answered(status, time.perf_counter() - started)
        return PlainTextResponse(status.phrase, status)

    async def ready(_: Request) -> Response:
        def write() -> None:
            with inbox.writing():
                pass

        try:
            await asyncio.wait_for(asyncio.to_thread(write), READY_WITHIN)
        except (InboxError, TimeoutError):
            sentence = "the webhook inbox cannot be written"
            return PlainTextResponse(sentence, HTTPStatus.SERVICE_UNAVAILABLE)
        return PlainTextResponse("ready")

    async def alive(_: Request) -> Response:
        return PlainTextResponse("alive")

    async def count(_: Request) -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(keeper.start)
        try:
            yield
        finally:
            await asyncio.to_thread(keeper.close)
            inbox.close()

    application = Starlette(
        routes=[
            Route("/healthz", alive, methods=["GET"]),
            Route("/readyz", ready, methods=["GET"]),
            Route("/metrics", count, methods=["GET"]),
            Route("/{path:path}", deliver, methods=["POST"]),
        ],
        lifespan=lifespan,
    )
    # FreshBooks takes a redirect for a failure.
    application.router.redirect_slashes = False
    return application


async def _status(receiver: Receiver, request: Request) -> HTTPStatus:
    path = request.path_params["path"].rpartition("/")[2]
    try:
        async with asyncio.timeout(SLOWEST):
            body = await _body(request)
    except TimeoutError:
        return HTTPStatus.REQUEST_TIMEOUT
    except ClientDisconnect:
        return HTTPStatus.BAD_REQUEST
    if body is None:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return await receiver.receive(path, request.headers.get(HEADER, ""), body)


async def _body(request: Request) -> bytes | None:
    """The body; None if it is too large, of which no more is read than is allowed."""
    length = request.headers.get("Content-Length", "").strip().lstrip("0")
    if len(length) > len(str(MOST_BYTES)):  # as text: it may have any number of digits
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return body
