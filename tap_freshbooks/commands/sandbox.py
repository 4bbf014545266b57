"""`tap-freshbooks sandbox`: the command of `freshbooks_sandbox`, a package that stands alone.

Nothing else of the tap names the sandbox.
"""

from __future__ import annotations

from importlib import import_module

import click

from tap_freshbooks.errors import missing_extra_error


@click.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def sandbox(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Start a FreshBooks stand-in: its API, its data, its traps."""
    try:
        command: click.Command = import_module("freshbooks_sandbox.command").sandbox
    except ModuleNotFoundError as error:
        raise missing_extra_error(error, "sandbox", "sandbox") from None
    command.main(list(arguments), prog_name=context.command_path, standalone_mode=False)
