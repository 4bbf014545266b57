"""A response that is complete before it is sent, and those that faults put in its place."""

from __future__ import annotations

import asyncio
import time
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from freshbooks_sandbox.answer_edits import edited

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Send

    from freshbooks_sandbox import faults

TOO_MANY = {"message": "Rate limit exceeded."}
BUSY = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"
BODILESS = (204, 304)
"""Answers that HTTP gives no body."""
BLOCK = 1 << 20
"""Bytes that are compressed at a time."""


@dataclass
class BufferedResponse:
    """A complete response, held back until the faults have had their say."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def receive(self, message: Message) -> None:
        """Collect what the application inside sends."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send, upto: int | None = None) -> None:
        """Pass it on, or only the first `upto` bytes of its body."""
        await self._start(send)
        cut = upto is not None
        await send({"type": "http.response.body", "body": self.body[:upto], "more_body": cut})

    async def drip(self, fault: faults.Answer, send: Send, receive: Receive) -> None:
        """Pass it on in pieces, with pauses, until the caller has had enough."""
        await self._start(send)
        gone = asyncio.ensure_future(disconnected(receive))
        size = fault.chunk or max(len(self.body), 1)
        position = 0
        while (position < len(self.body) or fault.endless) and not gone.done():
            piece = self.body[position : position + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            position += size
            if fault.endless and position >= len(self.body):
                position = 0
            # Nothing at all, endlessly, is a silence and no reason to be busy.
            await asyncio.wait([gone], timeout=fault.pause or (0 if piece else 0.01))
        gone.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def replace_header(self, name: str, *values: str) -> None:
        """Give a header these values; none takes it away."""
        key = name.lower().encode()
        self.headers = [pair for pair in self.headers if pair[0].lower() != key]
        self.headers += [(key, value.encode("latin-1")) for value in values]

    def with_length(self) -> BufferedResponse:
        """With the header that says how long the body is."""
        self.replace_header("content-length", str(len(self.body)))
        return self

    async def _start(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)


async def disconnected(receive: Receive) -> None:
    """Wait until the server knows that the connection is gone; it would complain otherwise."""
    while (await receive())["type"] != "http.disconnect":
        pass


def error_page(fault: faults.Status) -> BufferedResponse:
    """An error page, in HTML by default."""
    body = BUSY.format(fault.status) if fault.body is None else fault.body
    headers = [(b"content-type", fault.content_type.encode())]
    if fault.retry_after is not None:
        headers.append((b"retry-after", b"%d" % fault.retry_after))
    return BufferedResponse(fault.status, headers, body.encode()).with_length()


def too_many(retry_after: int | None, form: str) -> BufferedResponse:
    """A 429; its body is unknown, and this one is not for parsing.

    See docs/freshbooks-api/errors-and-limits.md §2.
    """
    headers = [(b"content-type", b"application/json")]
    if retry_after is not None:
        value = str(retry_after)
        if form == "date":
            value = formatdate(time.time() + retry_after, usegmt=True)
        headers.append((b"retry-after", value.encode()))
    return BufferedResponse(429, headers, msgspec.json.encode(TOO_MANY)).with_length()


def given(fault: faults.Answer) -> BufferedResponse | None:
    """The answer that is given word for word, where one is."""
    if fault.content is None and fault.base64 is None:
        return None
    headers = [(b"content-type", fault.content_type.encode("latin-1"))]
    return BufferedResponse(200, headers)


async def reshape(response: BufferedResponse, fault: faults.Answer) -> None:
    """Change an answer as a fault wants it: its body, then its status and headers."""
    is_given = fault.content is not None or fault.base64 is not None
    content = _content(fault) if is_given else edited(response.body, fault.edits)
    if fault.gzip:
        content = await asyncio.to_thread(_compressed, content, fault.repeat)
        response.replace_header("content-encoding", "gzip")
    else:
        content *= fault.repeat
    response.body = content if fault.truncated is None else content[: fault.truncated]
    response.with_length()
    if fault.endless:
        response.replace_header("content-length")
    response.status = response.status if fault.status is None else fault.status
    if response.status in BODILESS:
        response.body = b""
        response.replace_header("content-length")
    for name, value in fault.headers.items():
        values = [value] if isinstance(value, str) else value or []
        response.replace_header(name, *values)


def _content(fault: faults.Answer) -> bytes:
    if fault.base64 is not None:
        return fault.base64
    return (fault.content or "").encode()


@lru_cache(maxsize=2)
def _compressed(content: bytes, repeat: int) -> bytes:
    """Content that is repeated, compressed without ever being whole in memory."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    at_once = max(BLOCK // max(len(content), 1), 1)
    blocks, rest = divmod(repeat, at_once)
    block = content * at_once
    parts = [packer.compress(block) for _ in range(blocks)]
    return b"".join([*parts, packer.compress(content * rest), packer.flush()])
