"""Options that sub-commands share, and the tap that is made of them."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from tap_freshbooks.config.settings import FROM_ENVIRONMENT
from tap_freshbooks.config.singer_files import read_catalog
from tap_freshbooks.input_files import InputFile
from tap_freshbooks.printable import printable
from tap_freshbooks.tap import TapFreshBooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.config.settings import Settings


def _read_settings(_context: click.Context, _option: object, sources: tuple[str, ...]) -> Settings:
    return TapFreshBooks.read_settings(sources)


config_option = click.option(
    "--config",
    "settings",
    multiple=True,
    callback=_read_settings,
    help=f"Configuration file, or {FROM_ENVIRONMENT}; as for the tap.",
)
"""Gives the command its `settings`, read as a sync reads them."""


def catalog_option(purpose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--catalog`.

    Args:
        purpose: What the command does with the streams that are selected in the catalog.
    """
    return click.option(
        "--catalog",
        type=InputFile(),
        help=f"Singer catalog: {purpose} what its selected streams need. Default: the streams that "
        "are selected by default.",
    )


def make_tap(settings: Settings, catalog: IO[str] | None = None) -> TapFreshBooks:
    """The tap with the settings and the catalog of a command line.

    Raises:
        SettingsError: If one of them is wrong.
    """
    return TapFreshBooks(config=settings, catalog=read_catalog(catalog), setup_mapper=False)


def show(line: str, *, err: bool = False) -> None:
    """Print a line, in which texts of FreshBooks may stand."""
    click.echo(printable(line), err=err)
