"""Bounds of one answer: seconds from its first byte to its last, and bytes once it is unpacked.

A time-out of a socket counts from byte to byte: a server that sends one now and then would never
end. So the whole of an answer, its head included, has an end that is fixed when the request is out.
"""

from __future__ import annotations

import http.client
import io
import math
import time
import zlib
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from tap_freshbooks.errors import AnswerTooLargeError, TransientError
from tap_freshbooks.transport.connection_errors import connect_error

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import urllib3
    from requests import PreparedRequest
    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.poolmanager import PoolManager

    from tap_freshbooks.transport.network import Network

ANSWER_TIMEOUTS = 5
"""Time-outs that a whole answer may take, where one is the longest wait for its next byte."""

PATIENCE_CHECK = 0.5
"""Seconds after which a wait for the next byte looks whether it is still wanted."""

PIECE = 1 << 20
"""Bytes that are read at once: nearly every answer is one piece."""

ACCEPTED_ENCODING = "gzip"
"""How an answer may be packed; nothing else can be unpacked within bounds."""

GZIP_WINDOW = 31
"""`wbits` of zlib: the largest window, and the head of gzip."""


class BoundedAdapter(HTTPAdapter):
    """Connections through a network, whose answers have an end.

    Args:
        network: Between us and the server.
        timeouts: Time-outs that a whole answer may take.
        patience: Gives the seconds for which an answer is still wanted.
        max_connections: Connections that are kept.
    """

    def __init__(
        self,
        network: Network,
        timeouts: float = ANSWER_TIMEOUTS,
        *,
        patience: Callable[[], float] = lambda: math.inf,
        max_connections: int = 1,
    ) -> None:
        self._network = network
        self._connection = _connection_class(network, timeouts, patience)
        super().__init__(pool_maxsize=max_connections)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._bound(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        if proxy in self.proxy_manager:
            known: PoolManager = self.proxy_manager[proxy]
            return known
        if proxy.lower().startswith("https"):
            kwargs["proxy_ssl_context"] = self._network.context
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        self._bound(manager)
        return manager

    @override
    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            pool["ssl_context"] = self._network.context
        return host, pool

    @override
    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context of the network verifies, with all that it trusts and nothing else."""

    def _bound(self, manager: PoolManager) -> None:
        """Let a manager make connections of our class, whatever else these do."""
        pools: dict[str, type[HTTPConnectionPool]] = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {
            scheme: type(
                pool.__name__,
                (pool,),
                {"ConnectionCls": type("Connection", (self._connection, pool.ConnectionCls), {})},
            )
            for scheme, pool in pools.items()
        }


def _connection_class(
    network: Network, timeouts: float, patience: Callable[[], float]
) -> type[HTTPConnection]:
    """What all connections have in common: answers that end in time, errors that say who failed."""

    class Answer(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            stream = _TimedSocket(sock, self.fp.detach(), timeouts, patience)
            self.fp = io.BufferedReader(stream)

    class Connection(HTTPConnection):
        response_class = Answer

        @override
        def connect(self) -> None:
            # Not an error that urllib3 knows: it would hide when and where this failed.
            try:
                super().connect()
            except (OSError, ValueError, HTTPException, HTTPError) as error:
                reached = self.has_connected_to_proxy
                raise connect_error(error, network, reached_proxy=reached) from None

    return Connection


class _TimedSocket(io.RawIOBase):
    """Reads one answer from a socket until its time is over.

    Args:
        sock: Its time-out is the longest wait for the next byte.
        owner: Keeps the socket open, until it is closed.
        timeouts: Time-outs that the whole answer may take.
        patience: Gives the seconds for which the answer is still wanted.
    """

    def __init__(
        self,
        sock: socket.socket,
        owner: io.RawIOBase,
        timeouts: float,
        patience: Callable[[], float],
    ) -> None:
        self._sock = sock
        self._owner = owner
        self._patience = patience
        self._timeout = sock.gettimeout() or math.inf
        self._end = time.monotonic() + timeouts * self._timeout

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any, /) -> int:
        usual = self._sock.gettimeout()
        now = time.monotonic()
        end = min(self._end, now + self._timeout)
        try:
            while (left := min(end - now, self._patience())) > 0:
                self._sock.settimeout(min(left, PATIENCE_CHECK))
                try:
                    return self._sock.recv_into(buffer)
                except TimeoutError:
                    now = time.monotonic()
        finally:
            self._sock.settimeout(usual)  # through a tunnel, TLS begins on the same socket
        raise TimeoutError

    @override
    def close(self) -> None:
        self._owner.close()
        super().close()


def read_body(response: urllib3.BaseHTTPResponse, most: float) -> bytes:
    """Read a body to its end, and unpack it.

    Args:
        response: Its body was not read yet.
        most: Bytes that it may have once it is unpacked.

    Raises:
        AnswerTooLargeError: If it has more.
        TransientError: If it is packed in another way than was asked for, or not whole.
        HTTPError: Of urllib3, if the connection breaks, or the time is over.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise TransientError("the answer is packed in a way that was not asked for")
    packed = _Gzip(int(most)) if encoding.endswith("gzip") else None
    pieces: list[bytes] = []
    size = 0
    while piece := response.read(PIECE, decode_content=False):
        pieces.append(packed.unpack(piece) if packed else piece)
        size += len(pieces[-1])
        if size > most:
            raise AnswerTooLargeError(f"the answer is larger than {most / 1e6:g} MB")
    if packed and not packed.is_whole:
        raise TransientError("the answer ends before its end")
    return b"".join(pieces)


class _Gzip:
    """Unpacks a body piece by piece, and stops beyond a bound.

    Args:
        most: Bytes after which no more than one is unpacked.
    """

    def __init__(self, most: int) -> None:
        self._left = most + 1
        self._member: Any = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing was begun that has no end."""
        return self._member is None or self._member.eof

    def unpack(self, piece: bytes) -> bytes:
        """The next bytes.

        Raises:
            TransientError: If they make no sense.
        """
        unpacked: list[bytes] = []
        try:
            while piece and self._left:
                if self.is_whole:  # a body may have several members
                    self._member = zlib.decompressobj(GZIP_WINDOW)
                unpacked.append(self._member.decompress(piece, self._left))
                self._left -= len(unpacked[-1])
                piece = self._member.unconsumed_tail or self._member.unused_data
        except zlib.error:
            raise TransientError("the answer cannot be unpacked") from None
        return b"".join(unpacked)
