"""`tap-freshbooks webhooks serve`: the receiver in a process of its own."""

from __future__ import annotations

import ipaddress
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from tap_freshbooks.errors import RunInterruptedError, TapError
from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.server.asgi import create_app
from tap_freshbooks.webhooks.server.http_server import HttpServer
from tap_freshbooks.webhooks.server.maintenance import ReceiverMaintenance
from tap_freshbooks.webhooks.server.metrics import Metrics

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.webhooks.inbox import Inbox

LOG_FORMAT = "%(asctime)s | %(levelname)-8s | %(name)s | %(message)s"

OPEN_PORT = (
    "Warning: other machines reach this address, over plain HTTP. A proxy with TLS belongs in "
    "front of it, and nobody may pass it by (docs/webhooks.md, On an open port)"
)


def serve(
    connection: Connection,
    inbox: Inbox,
    sock: socket.socket,
    *,
    retention: float,
    check_interval: float,
) -> None:
    """Receive until SIGINT or SIGTERM.

    Args:
        connection: Gives verifiers back and checks callbacks, if it has a token.
        inbox: Where events are stored.
        sock: Where to listen.
        retention: Seconds for which events are kept.
        check_interval: Seconds between two checks of the callbacks.

    Raises:
        InboxError: If the inbox cannot be opened.
        TapError: If the server does not start.
    """
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    metrics, store = Metrics(), CallbackStore(inbox)
    callbacks = len(store.all())  # fails if the inbox cannot be read
    manager = CallbackManager(connection, store) if _has_token(connection) else None
    maintenance = ReceiverMaintenance(
        inbox,
        metrics,
        retention=retention,
        confirm=manager.confirm_pending if manager else None,
        check=manager.check if manager else None,
        check_interval=check_interval,
        interrupt=connection.close,
    )
    maintenance.heartbeat()  # fails if the inbox cannot be written
    click.echo(_greeting(inbox, sock, callbacks, has_token=bool(manager)), err=True)
    if is_open(sock.getsockname()[0]):
        click.echo(OPEN_PORT, err=True)
    try:
        _run(create_app(inbox, metrics, maintenance), sock)
    finally:
        connection.close()
    click.echo("Ended; every delivery that was answered is in the inbox", err=True)


def _greeting(inbox: Inbox, sock: socket.socket, callbacks: int, *, has_token: bool) -> str:
    host, port = sock.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (
        f"Receiving webhooks at http://{address} into {inbox} ({callbacks} callbacks). "
        + ("" if has_token else "Without a token, verifiers are given back by other processes. ")
        + "Ctrl-C ends it"
    )


def is_open(host: str) -> bool:
    """Whether others than this machine can reach an address that is listened at."""
    address = ipaddress.ip_address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return not (mapped or address).is_loopback


def _run(application: Starlette, sock: socket.socket) -> None:
    """Run the application until a signal ends it.

    Raises:
        TapError: If it does not start.
    """
    server = HttpServer(application)
    try:
        # uvicorn ends, and raises it once more
        with suppress(RunInterruptedError, KeyboardInterrupt):
            server.run(sockets=[sock])
    except SystemExit:  # uvicorn's, whose status would mean something else here
        server.started = False
    if not server.started:
        raise TapError("the receiver could not be started; the lines above say why")


def _has_token(connection: Connection) -> bool:
    config = connection.config
    return connection.is_static or bool(config.get("client_id") and config.get("client_secret"))
