"""The middleware of the vendor's API: counts, faults, the rate limit and its headers."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import changes, faults, responses
from freshbooks_sandbox.limits import window_of
from freshbooks_sandbox.responses import BufferedResponse, disconnected
from freshbooks_sandbox.token_endpoint import client_id_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from freshbooks_sandbox.state import State

CONTROL = "/_sandbox"


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
                await self._finish(response, due)
            if response is None or "answered" in cuts:
                await self._abort(scope, receive)
            elif "middle" in cuts:
                await response.send(send, upto=len(response.body) // 2)
                await self._close(scope, receive)
            else:
                outcome = str(response.status)
                await self._send(response, due, send, receive)
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
        several = self.state.behaviours.rate_limit_windows == "several"
        name, own_limit = window_of(scope["path"]) if several else ("", None)
        budget = self.state.rate_limit.take(client_id, name, own_limit)
        if budget.is_allowed:
            response = BufferedResponse()
            await self.app(scope, _replay(body), response.receive)
        else:
            response = responses.too_many(None, "seconds")
        if self.state.behaviours.rate_limit_headers == "sent" or not budget.is_allowed:
            response.headers += budget.headers()
        self._change(due, "after")
        return response

    async def _finish(self, response: BufferedResponse, due: list[faults.AnyFault]) -> None:
        """The date, and what faults change in the answer."""
        response.headers.append((b"date", _date(int(self.state.clock.time()))))
        for fault in due:
            if isinstance(fault, faults.Answer):
                await responses.reshape(response, fault)

    async def _send(
        self, response: BufferedResponse, due: list[faults.AnyFault], send: Send, receive: Receive
    ) -> None:
        """At once, or in pieces where a fault wants it so."""
        for fault in due:
            if isinstance(fault, faults.Answer) and (fault.pause or fault.endless):
                await response.drip(fault, send, receive)
                return
        await response.send(send)

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
        await disconnected(receive)

    async def _close(self, scope: Scope, receive: Receive) -> None:
        self._transport(scope).close()
        await disconnected(receive)

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


def _replacement(fault: faults.AnyFault) -> BufferedResponse | None:
    """The response that a fault puts in place of the real one."""
    if isinstance(fault, faults.Status):
        return responses.error_page(fault)
    if isinstance(fault, faults.Answer):
        return responses.given(fault)
    if isinstance(fault, faults.TooMany):
        return responses.too_many(fault.retry_after, fault.form)
    if isinstance(fault, faults.Throttle):
        return responses.too_many(max(math.ceil(fault.window), 1), fault.form)
    return None
