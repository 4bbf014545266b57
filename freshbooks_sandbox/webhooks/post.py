"""One POST to a receiver, on the event loop of the server: no redirects, no second try."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

MOST_OF_BODY = 65_536
SAFE = "/%:@!$&'()*+,;=~?"
# Names set aside for documentation and tests (RFC 2606); nobody is asked where they are.
NOWHERE = (".test", ".example", ".invalid", ".example.com", ".example.net", ".example.org")


def leads_nowhere(uri: str) -> bool:
    """Whether the host is one that cannot exist, as in the callbacks of the story."""
    return f".{urlsplit(uri).hostname or ''}".endswith(NOWHERE)


async def post(uri: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer.

    Raises:
        OSError: When there is no connection, or none that can be trusted.
        EOFError: When the connection ends before the answer.
        ValueError: For a URI or an answer that makes no sense.
    """
    parts = urlsplit(uri)
    if parts.hostname is None:
        raise ValueError(f"no host in {uri!r}")
    context = _trust() if parts.scheme == "https" else None
    port = parts.port or (80 if context is None else 443)
    head = _request_head(parts, {"Content-Length": str(len(body)), **headers})
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    try:
        writer.write(head + body)
        await writer.drain()
        status, length = await _head(reader)
        with suppress(EOFError):
            await reader.readexactly(min(length, MOST_OF_BODY))
        return status
    finally:
        writer.close()


def _request_head(parts: SplitResult, headers: Mapping[str, str]) -> bytes:
    path = quote(parts.path or "/", SAFE) + (f"?{quote(parts.query, SAFE)}" if parts.query else "")
    fields = {"Host": parts.netloc.rpartition("@")[2], "Connection": "close", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode("ascii")


async def _head(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Status and length of the body; a head of the 1xx kind is only a forerunner."""
    while True:
        line = await reader.readline()
        if not line:
            raise EOFError("no answer")
        version, _, rest = line.decode("latin-1").partition(" ")
        if not version.startswith("HTTP/"):
            raise ValueError("not an HTTP answer")
        status, length = int(rest[:3]), 0
        while header := (await reader.readline()).strip():
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if status >= 200:  # noqa: PLR2004
            return status, length


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
