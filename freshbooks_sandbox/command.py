"""`freshbooks-sandbox`: a sandbox in the foreground, with ready settings for its clients."""

from __future__ import annotations

import gc
import json
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freshbooks_sandbox.behaviours import Behaviours
from freshbooks_sandbox.control.endpoints import REDIRECT_URI
from freshbooks_sandbox.resources import BY_NAME
from freshbooks_sandbox.scopes import ALL
from freshbooks_sandbox.server import Server, address_of, listen
from freshbooks_sandbox.state import Options, State

if TYPE_CHECKING:
    import socket


def _behaviours(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> Any:
    settings = {name: value for name, _, value in (given.partition("=") for given in values)}
    try:
        return Behaviours.of(settings, BY_NAME)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from None


def _write_private(path: Path, content: str) -> None:
    """All or nothing, readable by the owner alone (mkstemp makes it 0600)."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _tap_config(state: State, url: str) -> dict[str, str]:
    app = state.oauth.register(REDIRECT_URI)
    return {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": REDIRECT_URI,
        "refresh_token": state.oauth.issue(app, ALL)["refresh_token"],
        "api_url": url,
        "auth_url": url,
    }


def _announce(state: State, url: str, config: Path | None) -> None:
    lines = [f"FreshBooks sandbox on {url}"]
    lines.append(f"{state.options.invoices} invoices in the first business")
    if config is None:
        lines.append(f"Get settings for a tap:  curl -X POST {url}/_sandbox/apps")
    else:
        lines.append(f"Settings for a tap are in {config}")
        lines.append(f"Read it all:  tap-freshbooks --config {config}")
    lines.append(f"Faults: {url}/_sandbox/faults   counts: {url}/_sandbox/stats")
    lines.append("Stop it with Ctrl+C.")
    click.echo("\n".join(lines), err=True)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8765, show_default=True, help="Port; 0 takes a free one.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same data.")
@click.option(
    "--invoices",
    default=120,
    show_default=True,
    type=click.IntRange(1),
    help="Invoices of the first business; other tables in proportion.",
)
@click.option(
    "--token-lifetime",
    default=43_200,
    show_default=True,
    help="Seconds that an access token lives.",
)
@click.option(
    "--rate-limit",
    default=600,
    show_default=True,
    help="Requests per 60 seconds and application; 0 turns the limit off.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a ready tap configuration to this file.",
)
@click.option(
    "--behaviour",
    "behaviours",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_behaviours,
    help="Choose another answer to an unconfirmed fact (docs/sandbox.md); may be repeated.",
)
def sandbox(
    *,
    host: str,
    port: int,
    seed: int,
    invoices: int,
    token_lifetime: int,
    rate_limit: int,
    config: Path | None,
    behaviours: Behaviours,
) -> None:
    """Start a FreshBooks stand-in: its API, its data, its traps."""
    options = Options(
        seed=seed,
        invoices=invoices,
        token_lifetime=token_lifetime,
        rate_limit=rate_limit,
        behaviours=behaviours,
    )
    try:
        sock = listen(host, port)
    except OSError as problem:
        raise click.ClickException(
            f"Cannot listen on {host}:{port}: {problem.strerror}. Try --port 0."
        ) from None
    _serve(_generate(options), sock, config)


def _generate(options: Options) -> State:
    begun = time.perf_counter()
    gc.disable()
    state = State(options)
    gc.enable()
    # The data stays for ever and requests leave hardly any cycles: look for them seldom.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    if time.perf_counter() - begun > 1:
        click.echo(f"Data generated in {time.perf_counter() - begun:.1f} s", err=True)
    return state


def _serve(state: State, sock: socket.socket, config: Path | None) -> None:
    """Answer requests until a signal."""

    def ready() -> None:
        url = address_of(sock)
        if config is not None:
            _write_private(config, json.dumps(_tap_config(state, url), indent=2) + "\n")
        _announce(state, url, config)

    # uvicorn ends in good order and then raises the signal again; that it came is no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)
    Server(state, ready).run([sock])
