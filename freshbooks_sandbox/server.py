"""The uvicorn server of a sandbox, and `Sandbox`, which runs one for a Python program."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Self

import httpx
import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from freshbooks_sandbox.app import build
from freshbooks_sandbox.behaviours import Behaviours
from freshbooks_sandbox.resources import BY_NAME
from freshbooks_sandbox.state import Options, State
from freshbooks_sandbox.webhooks.python_client import Webhooks

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from types import TracebackType

CONTROL_TIMEOUT = 3600
"""Seconds; `settle` waits for as long as its caller says."""


class SandboxError(Exception):
    """The sandbox refused a request to `/_sandbox`; the text says why."""


def _protocol(connections: dict[tuple[str, int], asyncio.Transport]) -> type[asyncio.Protocol]:
    """Uvicorn's own protocol, which also lets the middleware find the connection of a request."""

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
    """uvicorn on a socket of ours; it calls `on_started` when it accepts connections."""

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
        self._sender = state.sender

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then call `on_started`."""
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop sending messages, then close all connections."""
        await self._sender.close()
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


def _control_client(url: str) -> httpx.Client:
    """A client of `/_sandbox` that takes no proxy from the environment.

    The empty TLS context spares reading the certificates of the system, which no http:// needs.
    """
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(
        base_url=f"{url}/_sandbox/", timeout=CONTROL_TIMEOUT, trust_env=False, verify=unused
    )


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError):
        return response.text


class Sandbox:
    """A FreshBooks stand-in in a thread of this process, on a free port of the loopback device.

    Use it as a context manager. All methods go through `/_sandbox` of the running server, so that
    they can be called from any thread.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        invoices: int = 120,
        token_lifetime: int = 43_200,
        rate_limit: int = 600,
        behaviours: Mapping[str, str] | None = None,
    ) -> None:
        """Generate the data; nothing listens yet.

        Args:
            seed: The same seed gives the same data.
            invoices: How many the first business has; the rest is in proportion.
            token_lifetime: Seconds that an access token lives.
            rate_limit: Requests in 60 seconds for each application; 0 for no limit.
            behaviours: Other answers to unconfirmed facts, by name (docs/sandbox.md).

        Raises:
            ValueError: For a behaviour that does not exist.
        """
        self.state = State(
            Options(
                seed=seed,
                invoices=invoices,
                token_lifetime=token_lifetime,
                rate_limit=rate_limit,
                behaviours=Behaviours.of(behaviours or {}, BY_NAME),
            )
        )
        self.webhooks = Webhooks(self._request)
        self.url = ""
        self._client: httpx.Client | None = None
        self._thread: threading.Thread | None = None
        self._server: Server | None = None

    def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen, and return as soon as requests are answered."""
        sock = listen(host, port)
        self.url = address_of(sock)
        self._client = _control_client(self.url)
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
        if self._client is not None:
            self._client.close()
            self._client = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _request(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        if self._client is None:
            raise SandboxError(
                "The sandbox is not running: start it, or use it in a with statement."
            )
        asked = {name: value for name, value in query.items() if value is not None}
        response = self._client.request(method, path, params=asked, json=body)
        if response.is_error:
            raise SandboxError(_reason(response))
        return response.json()

    def config(self, **registration: Any) -> dict[str, Any]:
        """Settings for a tap: a new application with a refresh token of its own.

        Args:
            registration: `scopes`, `redirect_uri`, `token_lifetime`, where they shall differ.
        """
        found: dict[str, Any] = self._request("POST", "apps", registration)
        return found

    def faults(self, fault: str, **settings: Any) -> dict[str, Any]:
        """Put a fault in force (docs/sandbox.md lists them)."""
        added: dict[str, Any] = self._request("POST", "faults", {"fault": fault, **settings})
        return added

    def faults_clear(self) -> None:
        """End all faults."""
        self._request("DELETE", "faults")

    def stats(self, client_id: str | None = None) -> dict[str, Any]:
        """Counts of requests, of all applications or of one."""
        found: dict[str, Any] = self._request("GET", "stats", client_id=client_id)
        return found

    def stats_clear(self) -> None:
        """Count from zero."""
        self._request("DELETE", "stats")

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
        found = self._request("GET", path, business=business, include=include, fields=fields)
        rows: list[dict[str, Any]] = found["rows"]
        return rows

    def count(self, resource: str, business: str | int = 1) -> int:
        """How many rows there are, deleted ones included."""
        return len(self.truth(resource, business))

    def businesses(self) -> list[dict[str, Any]]:
        """All businesses with their identifiers, the foreign one last."""
        found: list[dict[str, Any]] = self._request("GET", "businesses")["businesses"]
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
        body = {"action": action, "resource": resource, "business": str(business), **rest}
        rows: list[dict[str, Any]] = self._request("POST", "edit", body)["rows"]
        return rows

    def clock(self, **setting: Any) -> None:
        """Set the clock: `now` (ISO 8601) and `frozen`, or `advance` (seconds); nothing resets."""
        self._request("POST", "clock", setting)

    def expire_tokens(self, client_id: str | None = None) -> None:
        """Let the access tokens of one application, or of all, die."""
        self._request("POST", "expire", {}, client_id=client_id)
