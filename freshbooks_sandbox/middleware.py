"""The middleware of the vendor's API: counts, faults, the rate limit and its headers."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from freshbooks_sandbox import changes, faults
from freshbooks_sandbox.token_endpoint import client_id_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from freshbooks_sandbox.state import State

CONTROL = "/_sandbox"
TOO_MANY = {"message": "Rate limit exceeded."}
BUSY = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"


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
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        cut = upto is not None
        await send({"type": "http.response.body", "body": self.body[:upto], "more_body": cut})


class ApiMiddleware:
    """The middleware around the vendor's API; `/_sandbox` passes untouched."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self.app(scope, receive, send)
            return
        state = self.state
        body = await _read(receive) if scope["method"] in ("POST", "PUT") else b""
        headers = dict(scope["headers"])
        client_id = self._client_id(scope["path"], headers, body)
        counts = state.stats.began(client_id, f"{scope['method']} {scope['path']}")
        outcome = "cut"
        try:
            due = state.faults.due(scope["method"], scope["path"], client_id)
            response = await self._respond(scope, body, due, client_id)
            cuts = [fault.when for fault in due if isinstance(fault, faults.Cut)]
            if response is not None:
                response.headers.append((b"date", _date(int(state.clock.time()))))
            if response is None or "answered" in cuts:
                await self._abort(scope, receive)
            elif "middle" in cuts:
                await response.send(send, upto=len(response.body) // 2)
                await self._close(scope, receive)
            else:
                outcome = str(response.status)
                await response.send(send)
        finally:
            state.stats.ended(counts, outcome)

    async def _respond(
        self, scope: Scope, body: bytes, due: list[faults.AnyFault], client_id: str | None
    ) -> BufferedResponse | None:
        """The response as far as the faults allow one; None when the connection is to be cut."""
        await self._prepare(scope, due, client_id)
        if any(isinstance(fault, faults.Cut) and fault.when == "before" for fault in due):
            return None
        for fault in due:
            if (replacement := _replacement(fault)) is not None:
                return replacement
        budget = self.state.rate_limit.take(client_id)
        if budget.is_allowed:
            response = BufferedResponse()
            await self.app(scope, _replay(body), response.receive)
        else:
            response = _too_many(None, "seconds")
        response.headers += budget.headers()
        self._change(due, "after")
        return response

    async def _prepare(
        self, scope: Scope, due: list[faults.AnyFault], client_id: str | None
    ) -> None:
        for fault in due:
            if isinstance(fault, faults.Latency):
                await asyncio.sleep(fault.seconds)
            elif isinstance(fault, faults.ExpireToken) and client_id is not None:
                self.state.oauth.expire(client_id)
            elif isinstance(fault, faults.Deny):
                scope["sandbox.deny"] = fault.reason
        self._change(due, "before")

    def _change(self, due: list[faults.AnyFault], when: str) -> None:
        for fault in due:
            if isinstance(fault, faults.ChangeRows) and fault.when == when:
                with suppress(KeyError):  # no row is left to change
                    changes.apply(self.state, fault)

    def _client_id(self, path: str, headers: dict[bytes, bytes], body: bytes) -> str | None:
        """The application that asks, as far as the request shows."""
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        token = self.state.oauth.access_tokens.get(authorization.partition(" ")[2])
        if token is not None:
            return token.app.client_id
        if path.rstrip("/").endswith(("/oauth/token", "/oauth/revoke")):
            return client_id_of(headers.get(b"content-type", b"").decode(), authorization, body)
        return None

    async def _abort(self, scope: Scope, receive: Receive) -> None:
        self._transport(scope).abort()
        await _disconnected(receive)

    async def _close(self, scope: Scope, receive: Receive) -> None:
        self._transport(scope).close()
        await _disconnected(receive)

    def _transport(self, scope: Scope) -> asyncio.Transport:
        return self.state.connections[tuple(scope["client"])]


@lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    """The Date header by the sandbox's clock, which clients may take for a bookmark."""
    return formatdate(second, usegmt=True).encode()


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _replay(body: bytes) -> Receive:
    messages: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def _disconnected(receive: Receive) -> None:
    """Wait until the server knows that the connection is gone; it would complain otherwise."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _replacement(fault: faults.AnyFault) -> BufferedResponse | None:
    """The response that a fault puts in place of the real one."""
    if isinstance(fault, faults.Status):
        return _error_page(fault)
    if isinstance(fault, faults.TooMany):
        return _too_many(fault.retry_after, fault.form)
    if isinstance(fault, faults.Throttle):
        return _too_many(max(math.ceil(fault.window), 1), fault.form)
    return None


def _error_page(fault: faults.Status) -> BufferedResponse:
    body = BUSY.format(fault.status) if fault.body is None else fault.body
    headers = [(b"content-type", fault.content_type.encode())]
    if fault.retry_after is not None:
        headers.append((b"retry-after", b"%d" % fault.retry_after))
    return _with_length(BufferedResponse(fault.status, headers, body.encode()))


def _too_many(retry_after: int | None, form: str) -> BufferedResponse:
    """A 429; its body is unknown, and this one is not for parsing.

    See docs/freshbooks-api/errors-and-limits.md §2.
    """
    headers = [(b"content-type", b"application/json")]
    if retry_after is not None:
        value = str(retry_after)
        if form == "date":
            value = formatdate(time.time() + retry_after, usegmt=True)
        headers.append((b"retry-after", value.encode()))
    return _with_length(BufferedResponse(429, headers, msgspec.json.encode(TOO_MANY)))


def _with_length(response: BufferedResponse) -> BufferedResponse:
    response.headers.append((b"content-length", b"%d" % len(response.body)))
    return response
