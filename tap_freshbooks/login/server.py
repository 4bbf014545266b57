"""Serves a page to the browser of this machine: https, one host name, protecting headers."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import trustme
import uvicorn
from starlette.responses import Response
from typing_extensions import override

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.login.html_pages import STYLE_HASH

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tap_freshbooks.login.redirect_uri import LoopbackAddress

HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

SHUTDOWN_TIMEOUT = 5
"""Seconds that the last response may take to reach the browser."""


class Server(uvicorn.Server):
    """uvicorn with a certificate for a day, without a log, and with a timeout."""

    def __init__(self, app: ASGIApp, address: LoopbackAddress) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            log_level="critical",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        )
        config.load()
        config.ssl = self_signed_context(address.host)
        super().__init__(config)
        self.on_started: Callable[[], None] = lambda: None
        self._timer: asyncio.TimerHandle | None = None

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_started()

    def set_timeout(self, seconds: float | None) -> None:
        """Stop after so many seconds from now; None: only when `stop` is called."""
        if self._timer:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self.stop) if seconds is not None else None

    def stop(self) -> None:
        """Stop, once the responses on their way are sent."""
        self.should_exit = True


def listen(address: LoopbackAddress) -> socket.socket:
    """A socket that only this machine reaches.

    Raises:
        OSError: If the port is taken, or not allowed.
    """
    return socket.create_server(("127.0.0.1", address.port))


def self_signed_context(host: str) -> ssl.SSLContext:
    """TLS with a self-signed certificate for a day; its key is on disk for a moment only.

    Raises:
        SettingsError: If there is no folder for that temporary file.
    """
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = trustme.CA().issue_cert(host, not_after=tomorrow)
    try:
        certificate.configure_cert(context)
    except OSError as error:
        raise SettingsError(
            "the page needs a temporary file for its certificate, and none can be written "
            f"({error.strerror or error}); set TMPDIR to a folder where it can, or run this again "
            "with --paste"
        ) from None
    return context


def protected(app: ASGIApp, authority: str) -> ASGIApp:
    """Refuse any other `Host`, and add the headers to every response."""

    async def protect(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        handler: Any = app
        if headers.get(b"host", b"").lower() != authority.encode():
            handler = Response(status_code=HTTPStatus.BAD_REQUEST)
        await handler(scope, receive, send_with_headers)

    return protect
