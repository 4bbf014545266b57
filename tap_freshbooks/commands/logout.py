"""`tap-freshbooks logout`: revokes the tokens of a connection, and deletes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tap_freshbooks.commands.options import config_option, make_tap
from tap_freshbooks.errors import FreshBooksError, SettingsError

if TYPE_CHECKING:
    from tap_freshbooks.config.settings import Settings


@click.command(help="Revoke the tokens of the connection, and forget them.")
@config_option
def logout(settings: Settings) -> None:
    """Revoke the tokens, and delete them from the store."""
    connection = make_tap(settings).connection
    if connection.is_static:
        raise SettingsError(
            "there are no stored tokens, only the setting access_token: remove it there"
        )
    try:
        had_tokens = connection.refreshing_authenticator.disconnect()
    except FreshBooksError as error:
        raise error.restated(
            f"the tokens could not be revoked: {error}; nothing was forgotten. Run again later, or "
            f"revoke the app in FreshBooks and remove the tokens from {connection.store}"
        ) from None
    if not had_tokens:
        click.echo(f"There is no connection: {connection.store} holds no tokens.")
        return
    click.echo(f"Disconnected: the tokens are revoked and no longer in {connection.store}.")
    if connection.config.get("refresh_token") and not connection.store.holds_seed:
        click.echo("The setting refresh_token is still there: remove it, or the next run uses it.")
    click.echo("To connect again: tap-freshbooks login")
