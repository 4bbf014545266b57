"""`tap-freshbooks doctor`: the account against the facts."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from tap_freshbooks.commands.options import catalog_option, config_option, make_tap, show
from tap_freshbooks.doctor.checks import CHECKS
from tap_freshbooks.doctor.evidence import Evidence
from tap_freshbooks.doctor.examination import Examination
from tap_freshbooks.doctor.page import table_of, text_of
from tap_freshbooks.doctor.plan import chosen_streams, subjects_before, subjects_of
from tap_freshbooks.doctor.report import CONTENT, report_of
from tap_freshbooks.errors import ConnectionFailedError, ExitStatus, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_freshbooks.config.settings import Settings
    from tap_freshbooks.doctor.findings import Finding

HELP = """Hold what is known about FreshBooks against this account, by reading only.

Exit status 0: nothing differs; 1: something does. docs/doctor.md says what it is for.
"""


@click.command(help=HELP)
@config_option
@catalog_option("examine")
@click.option("--stream", "streams", multiple=True, help="Examine this stream; repeatable.")
@click.option(
    "--business",
    "businesses",
    type=int,
    multiple=True,
    help="Examine the business with this id; repeatable. Default: the first.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Send no more requests than this.")
@click.option(
    "--spend-a-refresh",
    is_flag=True,
    help="Refresh the tokens once, to see what becomes of the old ones.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a report that can be sent to us: structure only, nothing of the account.",
)
def doctor(
    settings: Settings,
    catalog: IO[str] | None,
    streams: Sequence[str],
    businesses: Sequence[int],
    limit: int | None,
    spend_a_refresh: bool,
    as_json: bool,
    report: Path | None,
) -> int:
    """Say how many requests it takes, send them, and show what was found."""
    if report is not None:
        _check_writable(report)
    tap = make_tap(settings, catalog)
    chosen = chosen_streams(tap.streams, streams, has_catalog=catalog is not None)
    before = subjects_before(chosen, len(businesses))
    needed = Examination(CHECKS, before, spend_a_refresh).bound() + 1  # users/me
    _announce(needed, limit, spend_a_refresh=spend_a_refresh)
    connection = tap.connection
    try:
        with _progress(needed if limit is None else min(needed, limit)) as tell:
            evidence = Evidence(connection.client, limit, tell)
            evidence.spend()
            subjects = subjects_of(chosen, connection, businesses)
            findings = Examination(CHECKS, subjects, spend_a_refresh).run(connection, evidence)
    finally:
        connection.close()
    for complaint in connection.complaints:
        show(complaint, err=True)
    if report is not None:
        _write(report, report_of(findings, subjects, evidence, tap.plugin_version))
    if as_json:
        found = {"requests": evidence.sent, "findings": [each.to_dict() for each in findings]}
        click.echo(json.dumps(found, indent=2))
    else:
        _show(findings, evidence.sent)
    if not any(each.stream and each.is_tested for each in findings):
        raise ConnectionFailedError(
            "no list was answered, so nothing is known: is FreshBooks up, is there a business, and "
            "do the scopes or the role of the user allow anything?"
        )
    return ExitStatus.FAILED if any(each.differs for each in findings) else ExitStatus.DONE


def _announce(needed: int, limit: int | None, *, spend_a_refresh: bool) -> None:
    """Say on stderr what is about to happen; at a terminal, ask whether it may."""
    sent = needed if limit is None else min(needed, limit)
    left_out = "" if sent == needed else f" of the {needed} that all checks need"
    refresh = " One of them refreshes the tokens." if spend_a_refresh else ""
    click.echo(
        f"At most {sent} requests{left_out}, which read and change nothing.{refresh}", err=True
    )
    is_asked = sys.stdin.isatty() and sys.stderr.isatty()
    if is_asked and not click.confirm("Send them?", default=True, err=True):
        raise SettingsError("nothing was sent")


@contextlib.contextmanager
def _progress(most: int) -> Iterator[Callable[[int], None]]:
    """Show at a terminal how many requests were sent.

    Args:
        most: How many there can be.

    Yields:
        Shows another number.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - a pipe needs no rich

    with Console(stderr=True).status("") as status:
        yield lambda sent: status.update(f"{sent} of at most {most} requests")


def _show(findings: Sequence[Finding], requests: int) -> None:
    """Show the page: as a table at a terminal, as lines anywhere else."""
    if not sys.stdout.isatty():
        for line in text_of(findings, requests):
            click.echo(line)
        return
    from rich.console import Console  # noqa: PLC0415 - a pipe needs no rich

    Console().print(table_of(findings, requests))


def _check_writable(path: Path) -> None:
    """Make sure that the report can be written, before any request is sent for it.

    Raises:
        SettingsError: If not.
    """
    if path.is_fifo():
        raise SettingsError(
            f"--report {path} is a pipe, which would wait for a reader: name a file"
        )
    is_new = not path.exists()
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if is_new:
            path.unlink()
    except OSError as error:
        raise _not_writable(path, error) from None


def _not_writable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(f"--report {path} cannot be written: {error.strerror or error}")


def _write(path: Path, report: Mapping[str, Any]) -> None:
    """Write the report, and say what is in it."""
    try:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise _not_writable(path, error) from None
    click.echo(
        f"The report is in {path}: {CONTENT}. Nothing was sent. Read it, and attach it to an issue "
        "of tap-freshbooks, if you want to help.",
        err=True,
    )
