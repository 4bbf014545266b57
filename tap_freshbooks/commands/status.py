"""`tap-freshbooks status`: tokens, businesses, and which streams the token may read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from tap_freshbooks.businesses import TEXT_IDENTIFIERS, user_of
from tap_freshbooks.commands.options import config_option, make_tap, show
from tap_freshbooks.errors import ExitStatus, FreshBooksError, NotFoundError, PermissionDeniedError
from tap_freshbooks.locations import showable
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


@click.command(help="Show the tokens, the businesses, and what the token may read.")
@config_option
def status(settings: Settings) -> int:
    """Try each stream of each business with a request for one row."""
    tap = make_tap(settings)
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
    streams = [each for each in tap.streams.values() if isinstance(each, ListStream)]
    width = max(len(stream.name) for stream in streams)
    for stream in streams:
        results = [_probe(stream, business) for business in businesses]
        show(f"{stream.name:{width}}  {'  '.join(results)}")
    return _webhooks(connection) if connection.config.get("webhook_inbox") else ExitStatus.DONE


def _webhooks(connection: Connection) -> ExitStatus:
    """Check the callbacks, which repairs what can be repaired, and show their health."""
    manager = CallbackManager(connection, CallbackStore(open_inbox(connection.config)))
    try:
        problems = manager.check()
    except FreshBooksError as error:
        problems = [str(error)]
    health = check_health(manager)
    for line in ["Webhooks:", *health.lines, *problems, *health.problems]:
        show(line)
    return ExitStatus.FAILED if problems or health.problems else ExitStatus.DONE


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
        yield f"  generation {pair.generation}, made {_duration(now - pair.refreshed_at)} ago"
    if pair.access_token:
        left = pair.expires_at - now
        end = f"ends in {_duration(left)}" if left > 0 else f"ended {_duration(-left)} ago"
        yield f"  the access token {end}"
    if refresh := pair.pending_refresh:
        yield f"  a refresh began at {utc_text_at(refresh.since)}; its outcome is not known"
    if rejection := pair.own_rejection:
        yield f"  flagged at {utc_text_at(rejection.since)}: {rejection.reason}"


def _duration(seconds: float) -> str:
    minutes, hours, days = int(seconds / 60), int(seconds / 3600), int(seconds / 86400)
    if days > 1:
        return f"{days} days"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _shown(business: Business, kind: IdentifierKind) -> str:
    """An identifier of a business, or what there is instead."""
    missing = "unusable" if business.lacks_usable(kind) else "none"
    return str(business.identifier(kind) or missing)


def _probe(stream: ListStream, business: Business) -> str:
    if business.identifier(stream.identifier_kind) is None:
        missing = "unusable" if business.lacks_usable(stream.identifier_kind) else "no"
        return f"{business.business_id}: {missing} {stream.identifier_kind.value}"
    try:
        stream.probe(business)
    except PermissionDeniedError:
        return f"{business.business_id}: denied ({stream.oauth_scope})"
    except NotFoundError:
        return f"{business.business_id}: not there"
    except FreshBooksError as error:
        return f"{business.business_id}: {error.vendor_message}"
    kind = "yes, each period" if isinstance(stream, Report) else "yes"
    return f"{business.business_id}: {kind}"
