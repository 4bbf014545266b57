"""Networks on this machine: servers of TLS, proxies that speak HTTP or SOCKS, what stands between.

Each passes on to a real server what it lets through, byte by byte.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    import trustme

VARIABLES = (
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
)
"""What the environment may say of the network."""


@contextlib.contextmanager
def serving(handle: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve every connection in a thread of its own.

    Yields:
        Host and port.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work(peer: socket.socket) -> None:
            with peer, contextlib.suppress(OSError, ValueError):
                handle(peer)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    threading.Thread(target=work, args=(peer,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def keep_silent(peer: socket.socket) -> None:
    """Listen, until nobody speaks."""
    with peer:
        while peer.recv(65_536):
            pass


def relay(one: socket.socket, other: socket.socket) -> None:
    """Pass on what either says, until one of them is done."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join()


def server_context(
    authority: trustme.CA, name: str = "127.0.0.1", not_after: datetime | None = None
) -> ssl.SSLContext:
    """TLS with a certificate of an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=not_after).configure_cert(context)
    return context


def tls_before(url: str, context: ssl.SSLContext) -> contextlib.AbstractContextManager[str]:
    """TLS before a server that speaks plain HTTP."""
    target = urlsplit(url)

    def handle(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True, do_handshake_on_connect=False) as inner:
            try:
                inner.do_handshake()
            except ssl.SSLError:  # the client shall have time to read why
                peer = socket.socket(fileno=inner.detach())
                peer.settimeout(0.2)
                keep_silent(peer)
                return
            with socket.create_connection((target.hostname or "", target.port or 0)) as server:
                relay(inner, server)

    return serving(handle)


def http_proxy(
    *,
    status: int = 200,
    user: str | None = None,
    context: ssl.SSLContext | None = None,
    seen: list[str] | None = None,
    delay: float = 0,
) -> contextlib.AbstractContextManager[str]:
    """A proxy that speaks HTTP: it tunnels, and passes plain requests on.

    Args:
        status: What it answers to all.
        user: `NAME:PASSWORD` that it wants to hear.
        context: With which it speaks TLS itself.
        seen: Gets the first line of each request, and the `Proxy-Authorization`.
        delay: Seconds between its word that a tunnel stands and the first byte through it.
    """

    def handle(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) if context else peer as client:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := client.recv(65_536)):
                    return
                head += piece
            lines = head.decode("latin-1").split("\r\n")
            given = [line for line in lines if line.lower().startswith("proxy-authorization:")]
            if seen is not None:
                seen.extend([lines[0], *given])
            method, target, _ = lines[0].split(" ")
            answer = status
            if user:
                wanted = "Basic " + base64.b64encode(user.encode("latin-1")).decode()
                answer = 200 if given and given[0].split(": ")[1] == wanted else 407
            if answer != 200:
                client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % answer)
                return
            place = target if method == "CONNECT" else urlsplit(target).netloc
            host, _, port = place.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                    time.sleep(delay)
                else:
                    server.sendall(head)
                relay(client, server)

    return serving(handle)


def socks_proxy(
    reply: int = 0, *, user: str | None = None
) -> contextlib.AbstractContextManager[str]:
    """A proxy that speaks SOCKS 5.

    Args:
        reply: What it answers to all who want a connection; 0 if they get one.
        user: `NAME:PASSWORD` that it wants to hear.
    """

    def handle(client: socket.socket) -> None:
        _, count = client.recv(2)
        methods = client.recv(count)
        if user is None:
            client.sendall(b"\x05\x00")
        elif 2 not in methods:
            client.sendall(b"\x05\xff")
            return
        else:
            client.sendall(b"\x05\x02")
            told = client.recv(1024)
            name, _, password = user.partition(":")
            good = told[2 : 2 + told[1]] == name.encode() and told.endswith(password.encode())
            client.sendall(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return
        _, _, _, kind = client.recv(4)
        length = 4 if kind == 1 else client.recv(1)[0]
        host = client.recv(length)
        port = int.from_bytes(client.recv(2), "big")
        client.sendall(b"\x05" + bytes([reply]) + b"\x00\x01" + bytes(6))
        if reply:
            return
        name = socket.inet_ntoa(host) if kind == 1 else host.decode()
        with socket.create_connection((name, port)) as server:
            relay(client, server)

    return serving(handle)
