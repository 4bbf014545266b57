"""One POST to a receiver: no redirects, no second try, no headers but those that are given."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY = 65_536
"""Bytes of an answer that are read, so that the receiver can finish it."""
# Names set aside for documentation and tests (RFC 2606), which are not looked up.
UNROUTABLE = (".test", ".example", ".invalid", ".example.com", ".example.net", ".example.org")


def is_unroutable(uri: str) -> bool:
    """Whether the host is one that cannot exist, as in the callbacks of the seed data."""
    return f".{urlsplit(uri).hostname or ''}".endswith(UNROUTABLE)


async def post(uri: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer.

    A client of httpx would add headers, cookies and the proxies of the environment; its transport
    sends what it is given.

    Raises:
        httpx.TransportError: When there is no connection, none that can be trusted, or no answer.
        httpx.InvalidURL: For a URI that makes no sense.
    """
    request = httpx.Request("POST", uri, headers={"Connection": "close", **headers}, content=body)
    async with httpx.AsyncHTTPTransport(verify=_trust()) as transport:
        response = await transport.handle_async_request(request)
        try:
            with suppress(httpx.TransportError):
                await _read(response)
        finally:
            await response.aclose()
    return response.status_code


async def _read(response: httpx.Response) -> None:
    length = 0
    async for part in response.aiter_raw():
        length += len(part)
        if length >= MAX_BODY:
            return


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
