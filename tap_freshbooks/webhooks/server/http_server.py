"""The HTTP server of `webhooks serve`: uvicorn, made fit for a port that anybody can reach."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from typing_extensions import override

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.webhooks.server.http_connection import (
    ANSWER_TIMEOUT,
    KEEP_ALIVE,
    HttpConnection,
    max_connections,
)
from tap_freshbooks.webhooks.server.log_limit import limited_logs

if TYPE_CHECKING:
    from starlette.applications import Starlette

logger = logging.getLogger("tap-freshbooks.webhooks")

SHUTDOWN_TIMEOUT = 15
"""Seconds for the deliveries that are under way when the server is to end."""

BACKLOG = 1024
"""Connections that the operating system keeps for us until we take them."""

ACCEPTED_AT_ONCE = 20
"""Connections that asyncio takes before it looks at those that it has.

Where the operating system refuses them it tries, reports and sets a timer as often, each second.
Where few files may be open these must be fewer, as it refuses those that come before others are
closed for them.
"""

REFUSALS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""Errors of the operating system for a connection that it has no means for."""


class HttpServer(uvicorn.Server):
    """Runs the application until a signal ends it."""

    def __init__(self, application: Starlette) -> None:
        config = uvicorn.Config(
            application,
            http=HttpConnection,
            ws="none",
            loop="asyncio",
            access_log=False,  # its lines would show the paths
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
            timeout_keep_alive=KEEP_ALIVE,
            backlog=max(1, min(ACCEPTED_AT_ONCE, max_connections() // 8)),
        )
        super().__init__(config)

    @override
    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        with limited_logs("asyncio", "uvicorn.error"):
            await super().serve(sockets)

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().set_exception_handler(report)
        for sock in sockets or ():
            sock.listen(BACKLOG)  # asyncio has set it to its own


def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error of the event loop; a refusal of the operating system as a sentence."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in REFUSALS:
        logger.error(
            "The operating system refuses new connections (%s); raise its limit, that of open "
            "files with `ulimit -n` or LimitNOFILE= of systemd. Tried again each second",
            error.strerror,
        )
    else:
        loop.default_exception_handler(context)


def listen(host: str, port: int) -> socket.socket:
    """Open a socket that listens.

    Raises:
        SettingsError: If the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle off for such sockets only.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # of Linux: for peers that are gone, or do not read
            timeout = round(1000 * ANSWER_TIMEOUT)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise SettingsError(
            f"cannot listen on {host}:{port} ({error.strerror or error}); choose another --host "
            "or --port"
        ) from None
    return sock
