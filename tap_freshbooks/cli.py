"""The command line: the Singer tap, and sub-commands that are imported when they are called."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import pkgutil
import signal
import sys
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from tap_freshbooks.config.log_level import check_log_level
from tap_freshbooks.errors import (
    ExitStatus,
    RunInterruptedError,
    TapError,
    ending_of,
    missing_extra_error,
)
from tap_freshbooks.log_handlers import log_failure
from tap_freshbooks.printable import printable, sanitize_logs
from tap_freshbooks.standard_streams import abandon_output, end_output, take_over

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = {
    "login": ("tap_freshbooks.commands.login:login", "Connect an account."),
    "logout": ("tap_freshbooks.commands.logout:logout", "Revoke and forget the connection."),
    "status": ("tap_freshbooks.commands.status:status", "Show what the connection may read."),
    "estimate": ("tap_freshbooks.commands.estimate:estimate", "Say what a first sync will take."),
    "doctor": (
        "tap_freshbooks.commands.doctor:doctor",
        "Hold what is known about FreshBooks against this account.",
    ),
    "api": ("tap_freshbooks.commands.api:api", "Ask any endpoint, signed in."),
    "unified": ("tap_freshbooks.commands.unified:unified", "Show how unified columns are filled."),
    "webhooks": ("tap_freshbooks.commands.webhooks:webhooks", "Learn of changes in seconds."),
    "sandbox": ("tap_freshbooks.commands.sandbox:sandbox", "Run a stand-in of FreshBooks."),
}
"""Sub-command: where it is, and its help in a line. The extra that it needs has its name."""

TAP = "tap_freshbooks.tap:command"
"""Makes the Singer tap."""


class CommandLine(click.Group):
    """The sub-commands and, where an option comes first, the Singer tap.

    A sub-command is imported when it is called, and the tap only where its options are needed:
    the sandbox, say, does without both the SDK and the other sub-commands.
    """

    def __init__(self) -> None:
        super().__init__(
            "tap-freshbooks",
            callback=self._execute_tap,
            invoke_without_command=True,
            subcommand_metavar="| SUB-COMMAND [ARGS]...",
            help="Execute the Singer tap, or a sub-command; each of them has its own --help.",
        )

    @cached_property
    def tap(self) -> click.Command:
        """The Singer tap, with its options."""
        tap: click.Command = _imported(TAP)()
        return tap

    def _execute_tap(self, **_options: Any) -> Any:
        ctx = click.get_current_context()
        return None if ctx.invoked_subcommand else self.tap.invoke(ctx)

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-"):
            return super().parse_args(ctx, args)
        rest = self.tap.parse_args(ctx, args or ["--help"])
        if rest:
            ctx.fail(
                f"{rest[0]!r} comes after options of the tap; a sub-command comes first, and its "
                "options after it"
            )
        return rest

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            near = get_close_matches(cmd_name, COMMANDS)
            hint = (
                f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(COMMANDS)}"
            )
            ctx.fail(f"there is no sub-command {cmd_name!r}; {hint}")
        place, _ = COMMANDS[cmd_name]
        try:
            command: click.Command = _imported(place)
        except ModuleNotFoundError as error:
            raise missing_extra_error(error, cmd_name, cmd_name) from None
        return command

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Sub-commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
        with formatter.section("Singer tap"):
            records = (option.get_help_record(ctx) for option in self.tap.get_params(ctx))
            formatter.write_dl([record for record in records if record])


def _imported(place: str) -> Any:
    """What is there. From then on garbage is looked for, but not among what was imported."""
    found = pkgutil.resolve_name(place)
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    return found


def main() -> None:
    """Entry point of the console script."""
    gc.disable()  # while modules are imported: nothing of them is garbage
    take_over()
    os.umask(os.umask(0o077) & 0o077)  # a umask may take rights from others, not from ourselves
    # The SDK imports joblib, which warns where there is no shared memory, and is not used.
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
    status = run(sys.argv[1:])
    end_output()
    gc.freeze()  # Python would look through all objects once more, which takes as long as the rest
    sys.exit(status)


def run(args: Sequence[str]) -> int:
    """Run a command line; a failure becomes one sentence on stderr.

    Args:
        args: The arguments after the program's name.

    Returns:
        The exit status.
    """
    sanitize_logs()
    try:
        check_log_level()
        status = CommandLine().main(args, prog_name="tap-freshbooks", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _fail(error.format_message(), ExitStatus.USAGE, error.show)
    except (click.Abort, KeyboardInterrupt):  # before the tap has taken over the signals
        abandon_output()
        return _fail("interrupted", RunInterruptedError(signal.SIGINT).exit_status)
    except (RunInterruptedError, Exception) as error:
        if not isinstance(error, RunInterruptedError | TapError):
            logging.getLogger("tap-freshbooks").debug("Traceback", exc_info=True)
        if isinstance(error, RunInterruptedError):
            abandon_output()  # nobody may be reading it, and what a sync owes is out already
        status, sentence = ending_of(error)
        return _fail(sentence, status)
    return status if isinstance(status, int) else ExitStatus.DONE


def _fail(sentence: str, status: int, show: Callable[[], None] | None = None) -> int:
    """Say once, in the log and to whoever reads stderr, why the command ends.

    Args:
        sentence: Why.
        status: The exit status, which it returns.
        show: Says it to people in a form of its own.
    """
    sentence = printable(sentence)
    is_told = False
    with contextlib.suppress(Exception):  # a log handler of the user's own could raise anything
        is_told = log_failure(sentence, status, is_for_people=show is not None)
    if not is_told:
        show() if show else click.echo(f"Error: {sentence}", err=True)
    return status
