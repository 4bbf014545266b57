"""`tap-freshbooks status`: the connection, its businesses, and which streams the token may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tap_freshbooks.errors import FreshBooksError, PermissionDenied, WrongIdentifier
from tap_freshbooks.settings import FROM_ENVIRONMENT
from tap_freshbooks.streams.lists import FreshBooksStream
from tap_freshbooks.streams.reports import Report
from tap_freshbooks.tap import TapFreshBooks

if TYPE_CHECKING:
    from tap_freshbooks.identity import Business


@click.command(help="Show the connection, its businesses, and what the token may read.")
@click.option(
    "--config",
    multiple=True,
    callback=TapFreshBooks.cb_config,
    help=f"Configuration file, or {FROM_ENVIRONMENT}; as for the tap.",
)
def status(config: object) -> None:
    """Try each stream of each business with a request for one row."""
    settings = getattr(config, "config", {})
    tap = TapFreshBooks(config=settings, setup_mapper=False)
    connection = tap.connection
    me = connection.me
    click.echo(f"Connected to {connection.api_url} as {me.get('email') or me.get('id')}")
    businesses = connection.businesses
    for business in businesses:
        ids = f"account_id {business.account_id or 'none'}, business_uuid {business.business_uuid}"
        click.echo(f"  {business}: {business.role}; {ids}")
    if not businesses:
        click.echo("  no business that the user may read")
    streams = [each for each in tap.streams.values() if isinstance(each, FreshBooksStream)]
    width = max(len(stream.name) for stream in streams)
    for stream in streams:
        answers = [_try(stream, business) for business in businesses]
        click.echo(f"{stream.name:{width}}  {'  '.join(answers)}")


def _try(stream: FreshBooksStream, business: Business) -> str:
    if business.identifier(stream.scope) is None:
        return f"{business.business_id}: no {stream.scope.value}"
    try:
        stream.probe(business)
    except PermissionDenied:
        return f"{business.business_id}: denied ({stream.oauth_scope})"
    except WrongIdentifier:
        return f"{business.business_id}: not there"
    except FreshBooksError as error:
        return f"{business.business_id}: {error}"
    kind = "yes, each period" if isinstance(stream, Report) else "yes"
    return f"{business.business_id}: {kind}"
