"""An HTTP connection of the receiver: each is let go in seconds, and their number is capped.

uvicorn answers requests. It waits without end for those that never come, come byte by byte, or
whose answer nobody reads, and it counts requests where connections are what runs out.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING, cast

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("tap-freshbooks.webhooks")

HEAD_TIMEOUT = 5.0
"""Seconds for the head of a request, from the connection or from the first byte of a later one."""

ANSWER_TIMEOUT = 30.0
"""Seconds from the head of a request to the last byte of its answer.

Its body has 10, a verifier that it waits for 5, and the inbox 8.
"""

KEEP_ALIVE = 10
"""Seconds for which a connection is kept for another request; proxies use them again."""

MAX_CONNECTIONS = 500
"""At once; one of them takes some 30 kB."""

RESERVED_FILES = 128
"""Files that are not for connections: the inbox, what asks FreshBooks, the log."""

RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""The option of a socket to be closed without waiting."""


def max_connections() -> int:
    """How many connections there may be, as far as the limit of open files goes."""
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(files // 2, files - RESERVED_FILES))


class HttpConnection(H11Protocol):
    """A connection with a deadline for whatever it is at."""

    _deadline: asyncio.TimerHandle | None = None
    _is_idle = False
    _since = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._allow(HEAD_TIMEOUT)
        self._make_room()

    @override
    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        super().data_received(data)
        if self.cycle is not cycle:
            self._allow(ANSWER_TIMEOUT)
        elif self._is_idle:
            self._allow(HEAD_TIMEOUT)

    @override
    def send_400_response(self, msg: str) -> None:
        super().send_400_response(msg)
        if self.cycle is not None:  # one that runs has no answer to send any more
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    @override
    def _unsupported_upgrade_warning(self) -> None:
        logger.warning("A request for another protocol was answered as if it had not asked for it")

    @override
    def on_response_complete(self) -> None:
        cycle = self.cycle
        super().on_response_complete()
        if self.transport.is_closing():  # when the answer has been read, which may be never
            self._allow(HEAD_TIMEOUT)
        elif self.cycle is not cycle:  # the next one was there already
            self._allow(ANSWER_TIMEOUT)
        else:
            self._allow(KEEP_ALIVE + 1)  # uvicorn ends it
            self._is_idle = True

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _allow(self, seconds: float) -> None:
        """Let the connection go when so many seconds are over."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._is_idle = False
        self._since = time.monotonic()
        self._deadline = self.loop.call_later(seconds, self.drop)

    def drop(self) -> None:
        """Close the connection at once, also in the operating system.

        That would else keep what was not sent, and wait for a reader who may never come.
        """
        sock = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def _make_room(self) -> None:
        """Let others go where there are too many: those first that have waited for the longest.

        So whoever sends a request at once gets an answer, however many are silent.
        """
        limit = max_connections()
        while len(self.connections) > limit:
            logger.warning(
                "There are %d connections, as many as may be: those that are silent for the "
                "longest are closed for new ones",
                limit,
            )
            others = [each for each in self.connections if isinstance(each, HttpConnection)]
            victim = min(others, key=HttpConnection._merit)
            self.connections.discard(victim)
            victim.drop()

    def _merit(self) -> tuple[bool, float]:
        cycle = self.cycle
        is_waiting = cycle is None or cycle.response_complete or cycle.more_body
        return not is_waiting, self._since
