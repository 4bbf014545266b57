"""`tap-freshbooks webhooks serve`: the receiver in a process of its own."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import click
import uvicorn

from tap_freshbooks.errors import RunInterruptedError, SettingsError, TapError
from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.server.asgi import create_app
from tap_freshbooks.webhooks.server.maintenance import ReceiverMaintenance
from tap_freshbooks.webhooks.server.metrics import Metrics

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.webhooks.inbox import Inbox

LOG_FORMAT = "%(asctime)s | %(levelname)-8s | %(name)s | %(message)s"

SHUTDOWN_TIMEOUT = 15
"""Seconds for the deliveries that are under way when the server is to end."""


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
    try:
        _run(create_app(inbox, metrics, maintenance), sock)
    finally:
        connection.close()
    click.echo("Ended; every delivery that was answered is in the inbox", err=True)


def _greeting(inbox: Inbox, sock: socket.socket, callbacks: int, *, has_token: bool) -> str:
    address = "{}:{}".format(*sock.getsockname()[:2])
    return (
        f"Receiving webhooks at http://{address} into {inbox} ({callbacks} callbacks). "
        + ("" if has_token else "Without a token, verifiers are given back by other processes. ")
        + "Ctrl-C ends it"
    )


def _run(application: Starlette, sock: socket.socket) -> None:
    """Run the application until a signal ends it.

    Raises:
        TapError: If it does not start.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            access_log=False,  # its lines would show the paths
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
            # The proxy in front of it keeps connections open; an idle one is closed.
            timeout_keep_alive=30,
        )
    )
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


def listen(host: str, port: int) -> socket.socket:
    """Open a socket that listens.

    Raises:
        SettingsError: If the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle off for such sockets only.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        raise SettingsError(
            f"cannot listen on {host}:{port} ({error.strerror or error}); choose another --host "
            "or --port"
        ) from None
    return sock
