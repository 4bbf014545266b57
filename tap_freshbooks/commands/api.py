"""`tap-freshbooks api`: a request to any endpoint."""

from __future__ import annotations

import json
import sys
from contextlib import closing, nullcontext
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tap_freshbooks.commands.options import config_option, make_tap
from tap_freshbooks.errors import FreshBooksError, SettingsError
from tap_freshbooks.input_files import read_file
from tap_freshbooks.locations import showable
from tap_freshbooks.passthrough.jq_filter import JqFilter, jq_filter
from tap_freshbooks.passthrough.pages import all_rows
from tap_freshbooks.passthrough.paths import resolve
from tap_freshbooks.printable import printable
from tap_freshbooks.transport.request import Request
from tap_freshbooks.transport.sendable import is_header_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_freshbooks.config.settings import Settings
    from tap_freshbooks.transport.client import FreshBooksClient
    from tap_freshbooks.transport.request import Response

HELP = """Ask any endpoint of FreshBooks, with the tokens, pace and retries of a sync.

PATH begins with a slash. Identifiers in braces are filled in: {account_id}, {business_id},
{business_uuid}. For example:

\b
  tap-freshbooks api /accounting/account/{account_id}/invoices/invoices \\
    --param 'search[v3_status]=overdue' --all
"""

METHODS = ("GET", "POST", "PUT", "DELETE")

encode = msgspec.json.Encoder(decimal_format="number").encode
"""Numbers are written as FreshBooks wrote them."""

SUBJECT = "the answer"
"""The subject of error messages."""


@click.command(help=HELP)
@click.argument("path")
@config_option
@click.option("--business", help="The business that is meant, by one of its identifiers.")
@click.option("--param", "-p", "params", multiple=True, help="NAME=VALUE of the query; repeatable.")
@click.option("--header", "-H", "headers", multiple=True, help="'Name: value'; repeatable.")
@click.option("--all", "all_pages", is_flag=True, help="All pages, a line of JSON for each row.")
@click.option("--jq", "program", help="Show what this jq program makes of the answer, or of rows.")
@click.option("--include", "-i", is_flag=True, help="Show the status and the headers too.")
@click.option(
    "--method",
    "-X",
    type=click.Choice(METHODS, case_sensitive=False),
    help="Default: GET; with --data POST.",
)
@click.option("--data", "-d", help="JSON to send; @FILE reads a file, @- standard input.")
@click.option("--yes", "-y", is_flag=True, help="Write without asking.")
def api(  # noqa: PLR0913 - each is an option
    *,
    path: str,
    settings: Settings,
    business: str | None,
    params: tuple[str, ...],
    headers: tuple[str, ...],
    all_pages: bool,
    program: str | None,
    include: bool,
    method: str | None,
    data: str | None,
    yes: bool,
) -> None:
    """Send a request, and show the answer."""
    method = (method or ("GET" if data is None else "POST")).upper()
    query, more_headers = _parse_pairs(params, "=", "--param"), _parse_headers(headers)
    body = None if data is None else _read_data(data)
    request = Request(path, query, more_headers, method=method, body=body)
    _check_options(request, all_pages=all_pages, include=include)
    connection = make_tap(settings).connection
    with jq_filter(program) if program else nullcontext() as jq, closing(connection):
        request.path = resolve(connection, path, business)
        if method != "GET" and not yes:
            _confirm(request, connection.api_url)
        try:
            if all_pages:
                _show_rows(connection.client, request, jq)
                return
            response = _execute(connection.client, request, include=include)
        except FreshBooksError as error:
            raise error.restated(error.vendor_message) from None
        _show_response(response, jq, include=include)


# The request


def _check_options(request: Request, *, all_pages: bool, include: bool) -> None:
    if request.method != "GET" and (all_pages or request.query or request.headers):
        raise SettingsError("--all, --param and --header are for reading, with the method GET")
    if request.method == "GET" and request.body is not None:
        raise SettingsError("--data is for writing: with --method POST or PUT")
    if all_pages and "page" in request.query:
        raise SettingsError("--all reads all pages: leave --param page out")
    if all_pages and include:
        raise SettingsError("--include shows one answer, --all goes through many: leave one out")


def _parse_pairs(texts: Sequence[str], separator: str, option: str) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for text in texts:
        name, found, value = text.partition(separator)
        if not found or not name.strip():
            lack = f"no {separator!r}" if not found else f"no name before its {separator!r}"
            raise SettingsError(f"{option} {text!r} has {lack}")
        pairs.setdefault(name, []).append(value)
    return pairs


def _parse_headers(texts: Sequence[str]) -> dict[str, str]:
    headers = {
        name.strip(): values[-1].strip()
        for name, values in _parse_pairs(texts, ":", "--header").items()
    }
    for name, value in headers.items():
        if not is_header_name(name) or not (value.isascii() and value.isprintable()):
            raise SettingsError(f"--header {name!r} cannot be sent")
    return headers


def _read_data(data: str) -> dict[str, Any]:
    if data == "@-":
        data = sys.stdin.read()
    elif data.startswith("@"):
        try:
            data = read_file(Path(data[1:])).decode()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SettingsError(f"--data {data} cannot be read: {reason}") from None
    try:
        body = json.loads(data, parse_float=_parse_float, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise SettingsError("--data is not valid JSON") from None
    if not isinstance(body, dict):
        raise SettingsError("--data is no JSON object")
    return body


def _parse_float(text: str) -> float:
    """A number that is sent exactly as it was written, or an error."""
    if Decimal(repr(float(text))) != Decimal(text):
        raise SettingsError(f"--data has the number {text}, which needs quotes to be sent exactly")
    return float(text)


def _refuse_constant(word: str) -> None:
    raise ValueError(word)


def _confirm(request: Request, api_url: str) -> None:
    if not sys.stdin.isatty():
        raise SettingsError("there is no terminal to confirm the write at: add --yes")
    question = f"{request.method} {request.path} at {showable(api_url)} changes data of FreshBooks."
    if not click.confirm(f"{question} Send it?", err=True):
        raise SettingsError("nothing was sent")


def _execute(client: FreshBooksClient, request: Request, *, include: bool) -> Response:
    try:
        return client.execute(request, subject=SUBJECT)
    except FreshBooksError:
        if include and request.response:
            text = request.response.content.decode(errors="replace")
            _show([*_header_lines(request.response), *([text] if text else ())])
        raise


# The output


def _show_response(response: Response, jq: JqFilter | None, *, include: bool) -> None:
    if response.content and response.body is None:
        raise FreshBooksError("the answer is not JSON")
    head = _header_lines(response) if include else []
    content = response.content
    _show(chain(head, _format(response.body, jq, content) if content else ()))


def _show_rows(client: FreshBooksClient, request: Request, jq: JqFilter | None) -> None:
    """Show the rows of all pages, a line each."""

    def ask(query: Mapping[str, Any]) -> Response:
        return client.get(request.path, query, subject=SUBJECT, headers=request.headers)

    rows = all_rows(ask, request.query)
    _show(line for row in rows for line in _format(row, jq, is_line=True))


def _format(
    value: Any,
    jq: JqFilter | None,
    content: bytes | None = None,
    *,
    is_line: bool = False,
) -> Iterator[str]:
    """A JSON value as text: as it came, indented at a terminal, or the results of jq."""
    text = (content or encode(value)).decode(errors="replace")
    if jq is not None:
        for result in jq(text):
            yield result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    elif is_line or not sys.stdout.isatty():
        yield text.rstrip("\n")
    else:
        try:
            yield msgspec.json.format(text, indent=2)
        except msgspec.DecodeError:  # NaN, say: it was decoded all the same
            yield text


def _header_lines(response: Response) -> list[str]:
    headers = [printable(f"{name}: {value}") for name, value in response.headers.items()]
    return [f"HTTP {response.status}", *headers, ""]


def _show(texts: Iterable[str]) -> None:
    """Print: with colours and a pager at a terminal, plainly anywhere else."""
    if not sys.stdout.isatty():
        for text in texts:
            click.echo(text)
        return
    click.echo_via_pager((f"{_coloured(text)}\n" for text in texts), color=True)


def _coloured(text: str) -> str:
    text = "\n".join(map(printable, text.split("\n")))
    from rich.console import Console  # noqa: PLC0415 - a pipe needs no colours
    from rich.highlighter import JSONHighlighter  # noqa: PLC0415

    console = Console(force_terminal=True, width=1_000_000)
    with console.capture() as capture:
        # Not `rich.json`, which would read the numbers and write them anew.
        console.print(JSONHighlighter()(text), end="")
    return capture.get()
