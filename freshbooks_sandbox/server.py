"""Running a sandbox: the uvicorn server, and the Sandbox that tests hold in their hands."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from freshbooks_sandbox.app import build
from freshbooks_sandbox.behaviours import Readings
from freshbooks_sandbox.state import Options, State
from freshbooks_sandbox.webhooks.python_client import Webhooks

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from types import TracebackType


class SandboxError(Exception):
    """The sandbox refused an order; its text says why."""


def _protocol(connections: dict[tuple[str, int], asyncio.Transport]) -> type[asyncio.Protocol]:
    """Uvicorn's own protocol, which also lets the gate find the connection of a request."""

    class Tracked(AutoHTTPProtocol):  # type: ignore[valid-type,misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._peer = tuple(transport.get_extra_info("peername")[:2])
            connections[self._peer] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            connections.pop(self._peer, None)
            super().connection_lost(exc)

    return Tracked


class Server(uvicorn.Server):
    """uvicorn on a socket of ours, telling when it is ready."""

    def __init__(self, state: State, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                build(state),
                http=_protocol(state.connections),
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="error",
                timeout_keep_alive=75,
                timeout_graceful_shutdown=2,
                server_header=False,
                date_header=False,
            )
        )
        self._on_started = on_started
        self._courier = state.courier

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then say so."""
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop sending messages, then close all connections."""
        await self._courier.close()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        OSError: When the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio turns Nagle off for IPPROTO_TCP sockets only, and a
    # delayed acknowledgement would cost every answer 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    sock.listen(2048)
    return sock


def address_of(sock: socket.socket) -> str:
    """`http://127.0.0.1:8765`."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Sandbox:
    """A FreshBooks stand-in in a thread of this process, on a free port of the loopback device.

    Use it as a context manager. All handles go through `/_sandbox` of the running server, so that
    they can be used from any thread.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        invoices: int = 120,
        token_lifetime: int = 43_200,
        rate_limit: int = 600,
        readings: Mapping[str, str] | None = None,
    ) -> None:
        """Tell the story; nothing listens yet.

        Args:
            seed: The same seed tells the same story.
            invoices: How many the first business has; the rest is in proportion.
            token_lifetime: Seconds that an access token lives.
            rate_limit: Requests in 60 seconds for each application; 0 for no limit.
            readings: The unconfirmed facts to read differently (docs/sandbox.md).

        Raises:
            ValueError: For a reading that does not exist.
        """
        self.state = State(
            Options(
                seed=seed,
                invoices=invoices,
                token_lifetime=token_lifetime,
                rate_limit=rate_limit,
                readings=Readings.of(readings or {}),
            )
        )
        self.webhooks = Webhooks(self._order)
        self.url = ""
        self._thread: threading.Thread | None = None
        self._server: Server | None = None

    def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen, and return as soon as requests are answered."""
        sock = listen(host, port)
        self.url = address_of(sock)
        ready = threading.Event()
        server = self._server = Server(self.state, ready.set)
        self._thread = threading.Thread(
            target=server.run, args=([sock],), name="freshbooks-sandbox", daemon=True
        )
        self._thread.start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Close all connections and end the thread."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _order(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        url = f"{self.url}/_sandbox/{path}?{asked}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
        try:
            with urlopen(request) as answer:  # noqa: S310 our own server
                return json.load(answer)
        except HTTPError as problem:
            with problem:
                text = problem.read().decode()
            with suppress(ValueError):
                text = json.loads(text)["error"]
            raise SandboxError(text) from None

    def config(self, **registration: Any) -> dict[str, Any]:
        """Settings for a tap: a new application with a refresh token of its own.

        Args:
            registration: `scopes`, `redirect_uri`, `token_lifetime`, where they shall differ.
        """
        found: dict[str, Any] = self._order("POST", "apps", registration)
        return found

    def faults(self, fault: str, **settings: Any) -> dict[str, Any]:
        """Order a fault (docs/sandbox.md lists them)."""
        added: dict[str, Any] = self._order("POST", "faults", {"fault": fault, **settings})
        return added

    def faults_clear(self) -> None:
        """End all faults."""
        self._order("DELETE", "faults")

    def stats(self, client_id: str | None = None) -> dict[str, Any]:
        """What was asked, by everybody or by one application."""
        found: dict[str, Any] = self._order("GET", "stats", client_id=client_id)
        return found

    def stats_clear(self) -> None:
        """Count from zero."""
        self._order("DELETE", "stats")

    def truth(
        self,
        resource: str,
        business: str | int = 1,
        include: str | None = None,
        fields: str | None = None,
    ) -> list[dict[str, Any]]:
        """Every row of a resource as it stands, deleted ones included.

        Args:
            resource: Its name.
            business: Any identifier of it, or its position from 1.
            include: Includes, separated by commas.
            fields: The keys wanted, separated by commas; all by default.
        """
        path = f"truth/{resource}"
        found = self._order("GET", path, business=business, include=include, fields=fields)
        rows: list[dict[str, Any]] = found["rows"]
        return rows

    def count(self, resource: str, business: str | int = 1) -> int:
        """How many rows there are, deleted ones included."""
        return len(self.truth(resource, business))

    def businesses(self) -> list[dict[str, Any]]:
        """All businesses with their identifiers, the foreign one last."""
        found: list[dict[str, Any]] = self._order("GET", "businesses")["businesses"]
        return found

    def create(
        self, resource: str, business: str | int = 1, count: int = 1, **values: Any
    ) -> list[dict[str, Any]]:
        """Add rows; what is required and not given is taken from the newest row."""
        return self._edit("create", resource, business, count=count, values=values)

    def update(
        self, resource: str, which: int | str, business: str | int = 1, **values: Any
    ) -> dict[str, Any]:
        """Change the row with this key, or the `newest` or `oldest`."""
        return self._edit("update", resource, business, which=which, values=values)[0]

    def delete(self, resource: str, which: int | str, business: str | int = 1) -> dict[str, Any]:
        """Delete the row with this key, or the `newest` or `oldest`."""
        return self._edit("delete", resource, business, which=which)[0]

    def _edit(
        self, action: str, resource: str, business: str | int, **rest: Any
    ) -> list[dict[str, Any]]:
        order = {"action": action, "resource": resource, "business": str(business), **rest}
        rows: list[dict[str, Any]] = self._order("POST", "edit", order)["rows"]
        return rows

    def clock(self, **setting: Any) -> None:
        """Set the clock: `now` (ISO 8601) and `frozen`, or `advance` (seconds); nothing resets."""
        self._order("POST", "clock", setting)

    def expire_tokens(self, client_id: str | None = None) -> None:
        """Let the access tokens of one application, or of all, die."""
        self._order("POST", "expire", {}, client_id=client_id)
