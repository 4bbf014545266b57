"""The receiver as an ASGI application, for uvicorn or any other server."""

from __future__ import annotations

import asyncio
import contextlib
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tap_freshbooks.config.variables import read_variable
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.webhooks.inbox import Inbox
from tap_freshbooks.webhooks.server.delivery import MAX_BODY_BYTES
from tap_freshbooks.webhooks.server.log_limit import limited_logs
from tap_freshbooks.webhooks.server.maintenance import ReceiverMaintenance
from tap_freshbooks.webhooks.server.metrics import Metrics
from tap_freshbooks.webhooks.server.readiness import Readiness
from tap_freshbooks.webhooks.server.receiver import Receiver
from tap_freshbooks.webhooks.server.signature import SIGNATURE_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

BODY_TIMEOUT = 10.0
"""Seconds for a body; FreshBooks waits no longer for an answer.

See `docs/freshbooks-api/webhooks.md §7`.
"""

UNREAD = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
"""Answers to deliveries whose body was not read to its end."""

RETENTION = 30 * 86_400.0
"""Seconds for which the inbox keeps events, unless `webhooks serve` is given another number."""


def app() -> Starlette:
    """Make the application of the inbox `TAP_FRESHBOOKS_WEBHOOK_INBOX`; it needs no other setting.

    The variable may stand in a `.env`, as for all commands with `--config ENV`.

    Verifiers are given back by `webhooks serve`, `webhooks verify` or a sync, which have a token.

    Raises:
        SettingsError: If the variable is not set, or the `.env` is none.
    """
    location = read_variable("webhook_inbox")
    if not location:
        raise SettingsError("set TAP_FRESHBOOKS_WEBHOOK_INBOX to the setting webhook_inbox")
    inbox, metrics = Inbox(location), Metrics()
    return create_app(inbox, metrics, ReceiverMaintenance(inbox, metrics, retention=RETENTION))


def create_app(inbox: Inbox, metrics: Metrics, maintenance: ReceiverMaintenance) -> Starlette:
    """Make the application.

    `POST …/PATH` takes a delivery: only the last segment counts, so that a proxy may keep a
    prefix. `GET /healthz` says that the process lives, `/readyz` that the inbox can be written,
    `/metrics` is for Prometheus.

    Args:
        inbox: Where events are stored.
        metrics: The counters.
        maintenance: The background jobs; they run as long as the application.
    """
    receiver = Receiver(inbox, metrics, maintenance.on_verification)
    endpoints = _Endpoints(receiver, inbox, metrics)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(maintenance.start)
        try:
            with limited_logs("tap-freshbooks.webhooks"):
                yield
        finally:
            await asyncio.to_thread(maintenance.close)
            inbox.close()

    application = Starlette(
        routes=[
            Route("/healthz", endpoints.healthz, methods=["GET"]),
            Route("/readyz", endpoints.readyz, methods=["GET"]),
            Route("/metrics", endpoints.metrics, methods=["GET"]),
            Route("/{path:path}", endpoints.deliver, methods=["POST"]),
        ],
        lifespan=lifespan,
    )
    # FreshBooks takes a redirect for a failure.
    application.router.redirect_slashes = False
    return application


class _Endpoints:
    """Answers requests."""

    def __init__(self, receiver: Receiver, inbox: Inbox, metrics: Metrics) -> None:
        self._receiver = receiver
        self._readiness = Readiness(inbox)
        self._metrics = metrics

    async def deliver(self, request: Request) -> Response:
        started = time.perf_counter()
        status = await _receive(self._receiver, request)
        self._metrics.count_delivery(status, time.perf_counter() - started)
        # What is left of a body is not waited for.
        headers = {"Connection": "close"} if status in UNREAD else None
        return PlainTextResponse(status.phrase, status, headers)

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("alive")

    async def readyz(self, _: Request) -> Response:
        if await self._readiness.is_ready():
            return PlainTextResponse("ready")
        # Why is for those who may read the log: it names hosts and files.
        sentence = "the webhook inbox cannot be written; the log of the receiver says why"
        return PlainTextResponse(sentence, HTTPStatus.SERVICE_UNAVAILABLE)

    async def metrics(self, _: Request) -> Response:
        text = self._metrics.text()
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _receive(receiver: Receiver, request: Request) -> HTTPStatus:
    """Read a delivery and hand it to the receiver; returns the status of the answer."""
    path = request.path_params["path"].rpartition("/")[2]
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            body = await _read_body(request)
    except TimeoutError:
        return HTTPStatus.REQUEST_TIMEOUT
    except ClientDisconnect:
        return HTTPStatus.BAD_REQUEST
    if body is None:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return await receiver.receive(path, request.headers.get(SIGNATURE_HEADER, ""), body)


async def _read_body(request: Request) -> bytes | None:
    """Read the body, no more of it than is allowed; None if it is larger."""
    length = request.headers.get("Content-Length", "").strip().lstrip("0")
    if len(length) > len(str(MAX_BODY_BYTES)):  # as text: it may have any number of digits
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return body
