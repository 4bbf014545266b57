"""`tap-freshbooks status`: tokens, businesses, and which streams the token may read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from tap_freshbooks.businesses import TEXT_IDENTIFIERS, user_of
from tap_freshbooks.commands.options import config_option, make_tap, show
from tap_freshbooks.commands.status_all import duration, show_all, show_json, success_lines
from tap_freshbooks.errors import (
    ExitStatus,
    FreshBooksError,
    NotFoundError,
    PermissionDeniedError,
    ReauthorizationRequiredError,
    TapError,
)
from tap_freshbooks.locations import showable
from tap_freshbooks.oauth.stores.overview import Flag, Overview
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.timestamps import utc_text_at
from tap_freshbooks.webhooks.callbacks.health import check_health
from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import open_inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.businesses import Business, IdentifierKind
    from tap_freshbooks.config.settings import Settings
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.tap import TapFreshBooks

STATIC = "static"
"""The flag of a connection that has no store: the setting `access_token` alone."""


@click.command(
    help="Show the tokens, the businesses, and what the token may read.\n\nThe exit status is 0 if "
    "the connection works, 3 if the account must be authorised again. With --all, nothing is asked "
    "or refreshed: each connection of a database is shown as it is stored, and the exit status is "
    "3 if one of them must be authorised again."
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document for programs.")
@click.option("--all", "is_all", is_flag=True, help="All connections of the database token_store.")
def status(settings: Settings, *, as_json: bool, is_all: bool) -> int:
    """Try each stream of each business with a request for one row."""
    tap = make_tap(settings)
    if is_all:
        return show_all(tap.connection.store, as_json=as_json)
    return _show_as_json(tap) if as_json else _show(tap)


def _show(tap: TapFreshBooks) -> ExitStatus:
    connection = tap.connection
    for line in _token_lines(connection):
        show(line)
    me = connection.me  # raises where the account must be authorised again
    show(f"Connected to {showable(connection.api_url)} as {user_of(me)}")
    businesses = connection.businesses
    for business in businesses:
        ids = ", ".join(f"{kind.value} {_shown(business, kind)}" for kind in TEXT_IDENTIFIERS)
        show(f"  {business}: {business.role}; {ids}")
    if not businesses:
        click.echo("  no business that the user may read")
    for complaint in connection.complaints:
        show(complaint, err=True)
    streams = _lists(tap)
    width = max(len(stream.name) for stream in streams)
    for stream in streams:
        results = [f"{each.business_id}: {_probe(stream, each)}" for each in businesses]
        show(f"{stream.name:{width}}  {'  '.join(results)}")
    if not connection.config.get("webhook_inbox"):
        return ExitStatus.DONE
    lines, problems = _check_webhooks(connection)
    for line in ["Webhooks:", *lines, *problems]:
        show(line)
    return ExitStatus.FAILED if problems else ExitStatus.DONE


def _show_as_json(tap: TapFreshBooks) -> ExitStatus:
    """The same as one document, also where the connection does not work.

    Raises:
        TapError: If it does not, once that is printed.
    """
    connection = tap.connection
    found: dict[str, Any] = {
        "user": None,
        "complaints": [],
        "streams": {},
        "webhook_problems": [],
    }
    error: TapError | None = None
    try:
        found["user"] = user_of(connection.me)
        found["complaints"] = connection.complaints
        found["streams"] = {
            stream.name: {
                str(each.business_id): _probe(stream, each) for each in connection.businesses
            }
            for stream in _lists(tap)
        }
        if connection.config.get("webhook_inbox"):
            found["webhook_problems"] = _check_webhooks(connection)[1]
    except TapError as problem:
        error = problem
    works = error is None
    head = {"works": works, "error": error and str(error), "api_url": showable(connection.api_url)}
    store = None if connection.is_static else connection.store
    stored = _stored(connection, works=works)
    if isinstance(error, ReauthorizationRequiredError):
        stored["flag"] = Flag.NEEDS_AUTHORIZATION  # also where a note could not be written
    show_json(store, {**head, **stored, **found})
    if error:
        raise error
    return ExitStatus.FAILED if found["webhook_problems"] else ExitStatus.DONE


def _stored(connection: Connection, *, works: bool) -> dict[str, Any]:
    """What the store holds by now, as far as it can be read."""
    config = connection.config
    key = {"client_id": config.get("client_id"), "connection": config["connection"]}
    if connection.is_static:
        nothing = Overview(**key, notes=None, last_success={})
        return nothing.as_json() | {"flag": STATIC}
    try:
        return connection.store.overview().as_json(works=works) | key
    except TapError as error:
        show(f"Warning: {error}", err=True)
        return key


def _lists(tap: TapFreshBooks) -> list[ListStream]:
    return [each for each in tap.streams.values() if isinstance(each, ListStream)]


def _check_webhooks(connection: Connection) -> tuple[list[str], list[str]]:
    """Check the callbacks, which repairs what can be repaired: their health, and what is wrong."""
    manager = CallbackManager(connection, CallbackStore(open_inbox(connection.config)))
    try:
        problems = manager.check()
    except FreshBooksError as error:
        problems = [str(error)]
    health = check_health(manager)
    return health.lines, [*problems, *health.problems]


def _token_lines(connection: Connection) -> Iterator[str]:
    """Lines about the tokens: their store, their age, an unfinished refresh, a rejection."""
    if connection.is_static:
        yield "The setting access_token is used as it is, and never refreshed"
        return
    yield f"Tokens: {connection.store}"
    pair = connection.refreshing_authenticator.current_pair()
    if pair is None:
        yield "  none yet"
        return
    if pair.access_token is None:
        yield "  a refresh token that was not used yet"
    now = time.time()
    if pair.refreshed_at:
        yield f"  generation {pair.generation}, made {duration(now - pair.refreshed_at)} ago"
    if pair.access_token:
        left = pair.expires_at - now
        end = f"ends in {duration(left)}" if left > 0 else f"ended {duration(-left)} ago"
        yield f"  the access token {end}"
    if refresh := pair.pending_refresh:
        yield f"  a refresh began at {utc_text_at(refresh.since)}; its outcome is not known"
    if rejection := pair.own_rejection:
        yield f"  flagged at {utc_text_at(rejection.since)}: {rejection.reason}"
    yield from success_lines(connection.store.overview())


def _shown(business: Business, kind: IdentifierKind) -> str:
    """An identifier of a business, or what there is instead."""
    missing = "unusable" if business.lacks_usable(kind) else "none"
    return str(business.identifier(kind) or missing)


def _probe(stream: ListStream, business: Business) -> str:
    """What asking for one row has shown, or what keeps us from asking."""
    if business.identifier(stream.identifier_kind) is None:
        missing = "unusable" if business.lacks_usable(stream.identifier_kind) else "no"
        return f"{missing} {stream.identifier_kind.value}"
    try:
        stream.probe(business)
    except PermissionDeniedError:
        return f"denied ({stream.oauth_scope})"
    except NotFoundError:
        return "not there"
    except FreshBooksError as error:
        return error.vendor_message
    return "yes, each period" if isinstance(stream, Report) else "yes"
