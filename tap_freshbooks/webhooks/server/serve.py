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
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.webhooks.inbox import Inbox

GRACE = 15
"""Seconds for what is under way when the server is to end."""


def serve(
    connection: Connection,
    inbox: Inbox,
    sock: socket.socket,
    *,
    keep_for: float,
    check_every: float,
) -> None:
    """Receive until SIGINT or SIGTERM.

    Args:
        connection: Gives secrets back and looks after callbacks, if it has a token.
        inbox: Where events go.
        sock: Where to listen.
        keep_for: Seconds for which events are kept.
        check_every: Seconds between two looks at the callbacks.

    Raises:
        InboxError: If the inbox cannot be opened.
        TapError: If the server does not start.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s | %(levelname)-8s | %(name)s | %(message)s"
    )
    metrics, book = Metrics(), CallbackStore(inbox)
    callbacks = len(book.all())  # what is wrong with the inbox shows here
    registrar = CallbackManager(connection, book) if _has_token(connection) else None
    keeper = ReceiverMaintenance(
        inbox,
        metrics,
        keep_for=keep_for,
        confirm=registrar.confirm_pending if registrar else None,
        check=registrar.check if registrar else None,
        check_every=check_every,
        interrupt=connection.close,
    )
    book.present(keeper.id)  # and what keeps it from being written
    address = "{}:{}".format(*sock.getsockname()[:2])
    click.echo(
        f"Receiving webhooks at http://{address} into {inbox} ({callbacks} callbacks). "
        + ("" if registrar else "Without a token secrets are given back by others. ")
        + "Ctrl-C ends it",
        err=True,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(inbox, metrics, keeper),
            access_log=False,  # its lines would show the paths
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            # The proxy in front of it keeps connections; who sends nothing is let go.
            timeout_keep_alive=30,
        )
    )
    try:
        with suppress(
            RunInterruptedError, KeyboardInterrupt
        ):  # uvicorn ends, and raises it once more
            server.run(sockets=[sock])
    except SystemExit:  # uvicorn's, whose status would mean something else here
        server.started = False
    finally:
        connection.close()
    if not server.started:
        raise TapError("the receiver could not be started; the lines above say why")
    click.echo("Ended; every delivery that was answered is in the inbox", err=True)


def _has_token(connection: Connection) -> bool:
    config = connection.config
    return connection.is_static or bool(config.get("client_id") and config.get("client_secret"))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        SettingsError: If the address cannot be had.
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
