"""`tap-freshbooks api`: the command."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tap_freshbooks.commands.options import config_option, make_tap
from tap_freshbooks.errors import FreshBooksError, SettingsError, missing_extra_error
from tap_freshbooks.passthrough.pages import all_rows
from tap_freshbooks.passthrough.paths import resolve
from tap_freshbooks.transport.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_freshbooks.config.settings import Settings
    from tap_freshbooks.transport.request import Response

HELP = """Ask any endpoint of FreshBooks, with the tokens and the patience of a sync.

PATH begins with a slash. Identifiers in braces are filled in: {account_id}, {business_id},
{business_uuid}. For example:

\b
  tap-freshbooks api /accounting/account/{account_id}/invoices/invoices \\
    --param 'search[v3_status]=overdue' --all
"""

METHODS = ("GET", "POST", "PUT", "DELETE")

encode = msgspec.json.Encoder(decimal_format="number").encode
"""Numbers are written as FreshBooks wrote them."""


@click.command(help=HELP)
@click.argument("path")
@config_option
@click.option("--business", help="The business that is meant, by one of its identifiers.")
@click.option("--param", "-p", "params", multiple=True, help="NAME=VALUE of the query; repeatable.")
@click.option("--header", "-H", "headers", multiple=True, help="'Name: value'; repeatable.")
@click.option("--all", "everything", is_flag=True, help="All pages, a line of JSON for each row.")
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
    everything: bool,
    program: str | None,
    include: bool,
    method: str | None,
    data: str | None,
    yes: bool,
) -> None:
    """Ask, and show the answer."""
    method = (method or ("GET" if data is None else "POST")).upper()
    query, more_headers = _pairs(params, "=", "--param"), _headers(headers)
    body = None if data is None else _read_data(data)
    filtered = _jq(program) if program else None
    if method != "GET" and (everything or query or more_headers):
        raise SettingsError("--all, --param and --header are for reading, with the method GET")
    if method == "GET" and body is not None:
        raise SettingsError("--data is for writing: with --method POST or PUT")
    if everything:
        _check_all(query, include=include)
    connection = make_tap(settings).connection
    target = resolve(connection, path, business)
    if method != "GET" and not yes:
        _confirm(f"{method} {target} at {connection.api_url} changes data of FreshBooks. Send it?")
    client, subject = connection.client, "the answer"
    request = Request(target, query, more_headers, method=method, body=body)

    def page(asked: Mapping[str, Any]) -> Response:
        return client.get(target, asked, subject=subject, headers=more_headers)

    try:
        if everything:
            rows = all_rows(page, query)
            _show(line for row in rows for line in _texts(row, filtered, is_line=True))
            return
        answer = client.execute(request, subject=subject)
    except FreshBooksError as error:
        if include and request.response:
            text = request.response.content.decode(errors="replace")
            _show([*_head(request.response), *([text] if text else ())])
        raise type(error)(error.vendor_message) from None
    finally:
        connection.close()
    head = _head(answer) if include else []
    if answer.content and answer.body is None:
        raise FreshBooksError("the answer is not JSON")
    _show([*head, *(_texts(answer.body, filtered, answer.content) if answer.content else ())])


# What is sent


def _check_all(query: Mapping[str, Any], *, include: bool) -> None:
    if "page" in query:
        raise SettingsError("--all reads all pages: leave --param page out")
    if include:
        raise SettingsError("--include shows one answer, --all goes through many: leave one out")


def _pairs(texts: Sequence[str], separator: str, option: str) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for text in texts:
        name, found, value = text.partition(separator)
        if not found or not name:
            raise SettingsError(f"{option} {text!r} has no {separator!r}")
        pairs.setdefault(name, []).append(value)
    return pairs


def _headers(texts: Sequence[str]) -> dict[str, str]:
    headers = {
        name.strip(): values[-1].strip() for name, values in _pairs(texts, ":", "--header").items()
    }
    for name, value in headers.items():
        is_plain = (name + value).isascii() and (name + value).isprintable()
        if name.lower() == "authorization" or not is_plain:
            raise SettingsError(f"--header {name!r} cannot be sent")
    return headers


def _read_data(data: str) -> dict[str, Any]:
    if data == "@-":
        data = sys.stdin.read()
    elif data.startswith("@"):
        try:
            data = Path(data[1:]).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise SettingsError(f"--data {data} cannot be read: {error}") from None
    try:
        body = json.loads(data, parse_float=_exactly, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise SettingsError("--data is not valid JSON") from None
    if not isinstance(body, dict):
        raise SettingsError("--data is no JSON object")
    return body


def _exactly(text: str) -> float:
    """A number that can be sent as it was written."""
    if Decimal(repr(float(text))) != Decimal(text):
        raise SettingsError(f"--data has the number {text}, which needs quotes to be sent exactly")
    return float(text)


def _no_json(word: str) -> None:
    raise ValueError(word)


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise SettingsError("nobody can be asked whether to write: add --yes")
    if not click.confirm(question, err=True):
        raise SettingsError("nothing was sent")


# What is shown


def _jq(program: str) -> Callable[[str], Iterable[Any]]:
    try:
        import jq  # type: ignore[import-not-found] # noqa: PLC0415 - in the extra
    except ModuleNotFoundError as error:
        raise missing_extra_error(error, "api --jq", "api") from None
    try:
        compiled = jq.compile(program)
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise SettingsError(f"--jq {program!r} is no jq program: {reason}") from None

    def run(text: str) -> Iterator[Any]:
        try:
            yield from compiled.input_text(text)
        except ValueError as error:
            raise SettingsError(f"--jq {program!r} does not fit the answer: {error}") from None

    return run


def _texts(
    value: Any,
    filtered: Callable[[str], Iterable[Any]] | None,
    content: bytes | None = None,
    *,
    is_line: bool = False,
) -> Iterator[str]:
    """A JSON value as text: as it came, in lines for people, or what jq makes of it."""
    text = (content or encode(value)).decode()
    if filtered is not None:
        for found in filtered(text):
            yield found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    elif is_line or not sys.stdout.isatty():
        yield text.rstrip("\n")
    else:
        yield msgspec.json.format(text, indent=2)


def _head(answer: Response) -> list[str]:
    headers = [f"{name}: {value}" for name, value in answer.headers.items()]
    return [f"HTTP {answer.status}", *headers, ""]


def _show(texts: Iterable[str]) -> None:
    """Print: with colours and a pager at a terminal, plainly anywhere else."""
    if not sys.stdout.isatty():
        for text in texts:
            click.echo(text)
        return
    click.echo_via_pager((f"{_coloured(text)}\n" for text in texts), color=True)


def _coloured(text: str) -> str:
    from rich.console import Console  # noqa: PLC0415 - nobody needs colours in a pipe
    from rich.highlighter import JSONHighlighter  # noqa: PLC0415

    console = Console(force_terminal=True, width=1_000_000)
    with console.capture() as capture:
        # Not `rich.json`, which would read the numbers and write them anew.
        console.print(JSONHighlighter()(text), end="")
    return capture.get()
