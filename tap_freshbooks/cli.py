"""The command line: Singer flags, and sub-commands that are imported when they are called."""

from __future__ import annotations

import importlib
import logging
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click
from singer_sdk.exceptions import ConfigurationError, MappingError

from tap_freshbooks.errors import ExitStatus, RunInterruptedError, TapError, missing_extra_error

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "login": ("tap_freshbooks.commands.login", "login", "connects an account"),
    "logout": ("tap_freshbooks.commands.logout", "logout", "revoke and forget the connection"),
    "status": ("tap_freshbooks.commands.status", "status", "the connection and what it may read"),
    "api": ("tap_freshbooks.commands.api", "api", "any endpoint, signed in"),
    "unified": ("tap_freshbooks.commands.unified", "unified", "how unified columns are filled"),
    "webhooks": ("tap_freshbooks.commands.webhooks", "webhooks", "changes in seconds"),
    "sandbox": ("freshbooks_sandbox.command", "sandbox", "a FreshBooks stand-in"),
}
"""Sub-command: module, function, what it is. The extra that it needs has its name."""


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Run a command line; a failure becomes one sentence on stderr.

    Args:
        args: The arguments after the program's name.

    Returns:
        The exit status.
    """
    try:
        command, rest = _command(args)
        status = command.main(list(rest), prog_name=_program(args), standalone_mode=False)
    except TapError as error:
        return _fail(str(error), error.exit_status)
    except (ConfigurationError, MappingError) as error:  # the SDK's own: stream_maps, batch_config
        return _fail(f"wrong settings: {error}", ExitStatus.USAGE)
    except click.ClickException as error:
        error.show()
        return ExitStatus.USAGE
    except (click.Abort, KeyboardInterrupt):  # before the tap has taken over the signals
        return _fail("interrupted", RunInterruptedError(signal.SIGINT).exit_status)
    except RunInterruptedError as interruption:
        flushed = "; the state so far is written" if interruption.has_state else ""
        return _fail(f"interrupted{flushed}", interruption.exit_status)
    except Exception as error:
        # An error that nobody foresaw: its text could quote a secret, so only its place is told.
        logging.getLogger("tap-freshbooks").debug("Traceback", exc_info=True)
        return _fail(f"unexpected {_place(error)}; please report this", ExitStatus.FAILED)
    return status if isinstance(status, int) else ExitStatus.DONE


def _command(args: Sequence[str]) -> tuple[click.Command, Sequence[str]]:
    if args and args[0] in COMMANDS:
        return _sub_command(args[0]), args[1:]
    from tap_freshbooks.tap import TapFreshBooks  # noqa: PLC0415 - a sub-command may not need it

    command = TapFreshBooks.cli
    command.epilog = "Sub-commands: " + ", ".join(
        f"{name} ({what})" for name, (_, _, what) in COMMANDS.items()
    )
    if args and not args[0].startswith("-"):
        raise click.UsageError(f"there is no sub-command {args[0]!r}. {command.epilog}")
    return command, args


def _sub_command(name: str) -> click.Command:
    module, function, _ = COMMANDS[name]
    try:
        command: click.Command = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        raise missing_extra_error(error, name, name) from None
    return command


def _program(args: Sequence[str]) -> str:
    return f"tap-freshbooks {args[0]}" if args and args[0] in COMMANDS else "tap-freshbooks"


def _place(error: Exception) -> str:
    """Kind of an error and where it happened, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "tap_freshbooks" in frame.filename] or frames
    last = ours[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"


def _fail(sentence: str, status: int) -> int:
    click.echo(f"Error: {sentence}", err=True)
    return status
