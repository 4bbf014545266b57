"""`tap-freshbooks webhooks`: registers, lists, verifies and deletes callbacks; receives events."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from tap_freshbooks.commands.options import catalog_option, config_option, make_tap, show
from tap_freshbooks.config.validation import is_base
from tap_freshbooks.errors import ExitStatus, SettingsError, missing_extra_error
from tap_freshbooks.locations import showable
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.webhooks.callbacks.health import check_health
from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import open_inbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.config.settings import Settings
    from tap_freshbooks.tap import TapFreshBooks

RESEND_INTERVAL = 5.0
"""Seconds within which a callback is not asked twice for its verification."""

wait = click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(min=0, max=3_600),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait until all callbacks are verified.",
)


@click.group(
    help="Let FreshBooks report what changed, instead of asking: register callbacks (register), "
    "and receive their events (serve). docs/webhooks.md explains the set-up."
)
def webhooks() -> None:
    """Sub-commands; each needs the setting webhook_inbox."""


@webhooks.command(help="Register a callback for each kind of event that the streams need.")
@config_option
@click.option(
    "--url",
    required=True,
    help="Where FreshBooks reaches the receiver: https://hooks.example.com/freshbooks, say.",
)
@catalog_option("register")
@wait
def register(settings: Settings, url: str, catalog: IO[str] | None, seconds: float) -> int:
    """Register what is missing, remove what is stale, and wait for the verification."""
    base_url = _base_url(url)
    tap = make_tap(settings, catalog)
    manager = _manager(tap)
    nouns = sorted(nouns_needed(tap))
    if not nouns:
        raise SettingsError(
            "none of the selected streams has events (docs/streams.md lists those that have)"
        )
    problems = manager.register(base_url, nouns)
    # Those that were registered before, and are not verified, are sent another verification.
    manager.check(resend_interval=RESEND_INTERVAL)
    manager.wait(seconds if manager.callbacks else 0)
    return _report(manager, problems)


@webhooks.command(
    "list", help="Show the callbacks, and whether events can come; so does the exit status."
)
@config_option
def list_callbacks(settings: Settings) -> int:
    """Check the callbacks with FreshBooks, repair them, and show their health."""
    manager = _manager(make_tap(settings))
    return _report(manager, manager.check())


@webhooks.command(help="Let FreshBooks verify those callbacks again that are not verified.")
@config_option
@wait
def verify(settings: Settings, seconds: float) -> int:
    """Ask FreshBooks to send verifications again, and give the verifiers back."""
    manager = _manager(make_tap(settings))
    for problem in manager.check(resend_interval=RESEND_INTERVAL):
        show(_sentence(problem))
    manager.wait(seconds)
    # What the inbox says of them is old news, unless FreshBooks says so too.
    return _report(manager, manager.check())


@webhooks.command(help="Delete our callbacks; those of other programs stay.")
@config_option
@click.option(
    "--url", help="Also those of ours below this address that the inbox does not know any more."
)
def delete(settings: Settings, url: str | None) -> None:
    """Delete callbacks, and forget their verifiers."""
    base_url = _base_url(url) if url else None
    manager = _manager(make_tap(settings))
    number = manager.delete(base_url)
    click.echo(f"Deleted {number} callbacks; FreshBooks sends no more events.")


@webhooks.command(help="Receive webhooks into the inbox, until SIGINT or SIGTERM.")
@config_option
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; in front of one that others reach belongs a proxy with TLS.",
)
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
    help="Minutes between two checks whether FreshBooks has switched a callback off.",
)
def serve(settings: Settings, host: str, port: int, keep_days: float, check_minutes: float) -> None:
    """Serve until SIGINT or SIGTERM."""
    tap = make_tap(settings)
    inbox = open_inbox(tap.config)
    try:
        from tap_freshbooks.webhooks.server import http_server, serve  # noqa: PLC0415 - in the extra
    except ModuleNotFoundError as error:
        raise missing_extra_error(error, "webhooks serve", "webhooks") from None
    serve.serve(
        tap.connection,
        inbox,
        http_server.listen(host, port),
        retention=keep_days * 86_400,
        check_interval=check_minutes * 60,
    )


def nouns_needed(tap: TapFreshBooks) -> set[str]:
    """The nouns whose events report changes of the selected streams."""
    nouns = set()
    for stream in tap.run.sources:
        if isinstance(stream, ListStream) and stream.webhook_noun:
            nouns.add(stream.webhook_noun)
            related = (tap.streams[name] for name in stream.affected_by)
            nouns.update(str(getattr(each, "webhook_noun", "")) for each in related)
    return nouns


def _manager(tap: TapFreshBooks) -> CallbackManager:
    store = CallbackStore(open_inbox(tap.config))
    return CallbackManager(tap.connection, store, _scopes(tap.streams.values()))


def _scopes(streams: Iterable[Any]) -> dict[str, str]:
    return {
        stream.webhook_noun: stream.oauth_scope
        for stream in streams
        if isinstance(stream, ListStream) and stream.webhook_noun
    }


def _base_url(url: str) -> str:
    if not is_base(url):
        raise SettingsError(
            f"--url {showable(url)!r} is no address of a receiver; one looks like "
            "https://hooks.example.com/freshbooks"
        )
    return url.rstrip("/")


def _report(manager: CallbackManager, problems: list[str]) -> int:
    """Show the health of the callbacks; the exit status says whether events can come."""
    health = check_health(manager)
    for line in health.lines:
        show(line)
    for problem in [*problems, *health.problems]:
        show(_sentence(problem), err=True)
    return ExitStatus.FAILED if problems or health.problems else ExitStatus.DONE


def _sentence(problem: str) -> str:
    return f"{problem[:1].upper()}{problem[1:]}."
