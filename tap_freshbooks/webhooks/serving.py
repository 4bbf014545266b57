"""`tap-freshbooks webhooks serve`: the receiver in a process of its own."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click
import uvicorn

from tap_freshbooks.errors import SettingsError, TapError
from tap_freshbooks.settings import FROM_ENVIRONMENT
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.webhooks.asgi import create_app
from tap_freshbooks.webhooks.callbacks import CallbackBook
from tap_freshbooks.webhooks.inbox import inbox_of
from tap_freshbooks.webhooks.keeper import Keeper
from tap_freshbooks.webhooks.metrics import Metrics
from tap_freshbooks.webhooks.registration import Registrar

if TYPE_CHECKING:
    from tap_freshbooks.connection import Connection

GRACE = 15
"""Seconds for what is under way when the server is to end."""


@click.command(help="Receive webhooks into the inbox, until it is told to end.")
@click.option(
    "--config",
    multiple=True,
    callback=TapFreshBooks.cb_config,
    help=f"Configuration file, or {FROM_ENVIRONMENT}; as for the tap.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--keep-days",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Days for which events are kept.",
)
@click.option(
    "--check-minutes",
    default=15.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Minutes between two questions whether FreshBooks has switched a callback off.",
)
def serve(config: object, host: str, port: int, keep_days: float, check_minutes: float) -> None:
    """Serve until SIGINT or SIGTERM."""
    tap = TapFreshBooks(config=getattr(config, "config", {}), setup_mapper=False)
    connection = tap.connection
    inbox, metrics = inbox_of(tap.config), Metrics()
    callbacks = len(CallbackBook(inbox).all())  # what is wrong with the inbox shows here
    registrar = Registrar(connection, CallbackBook(inbox)) if _has_token(connection) else None
    keeper = Keeper(
        inbox,
        metrics,
        keep_for=keep_days * 86_400,
        confirm=registrar.confirm_pending if registrar else None,
        check=registrar.check if registrar else None,
        check_every=check_minutes * 60,
    )
    sock = _listen(host, port)
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
        server.run(sockets=[sock])
    except KeyboardInterrupt:  # uvicorn ends, and raises it once more
        pass
    finally:
        connection.close()
    if not server.started:
        raise TapError("the receiver could not be started; the lines above say why")
    click.echo("Ended; every delivery that was answered is in the inbox", err=True)


def _has_token(connection: Connection) -> bool:
    config = connection.config
    return connection.is_static or bool(config.get("client_id") and config.get("client_secret"))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
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
