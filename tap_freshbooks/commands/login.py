"""`tap-freshbooks login`: connects an account, or connects it again."""

from __future__ import annotations

import os
import sys
import textwrap
import threading
import webbrowser
from typing import IO, TYPE_CHECKING

import click

from tap_freshbooks.commands.options import catalog_option, config_option, make_tap
from tap_freshbooks.login import prompts, scopes
from tap_freshbooks.login.authorization_request import AuthorizationRequest
from tap_freshbooks.login.flow import LoginFlow
from tap_freshbooks.login.prompts import say
from tap_freshbooks.login.redirect_uri import LoopbackAddress, check

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from tap_freshbooks.config.settings import Settings
    from tap_freshbooks.login.account import Account
    from tap_freshbooks.login.next_steps import Step

HELP = """Connect a FreshBooks account, or connect it again.

Shows the address where you let your app read the account, takes the answer, and stores the
tokens where a sync with the same --config will look for them.

The answer comes to redirect_uri. If that is https://localhost:PORT/..., a page of this command
receives it there (packages: pip install 'tap-freshbooks[login]'), shows the businesses and lets you
choose. Otherwise, or with --paste, you paste the address that the browser shows after you
agreed, even if the page behind it could not be loaded.

If FreshBooks says "The requested scope is invalid, unknown, or malformed", one of the scopes is
not enabled for your app, and FreshBooks does not say which. Compare the scopes that this command
lists with those of your app in the developer portal, https://my.freshbooks.com/#/developer, and
enable what is missing; or find the culprit with --scopes: try one half of the list, then the
half of the half that fails, and so on. Streams whose scope you leave out are skipped.
"""

CERTIFICATE = """Your browser will warn you about the certificate of https://{authority}. That is
expected: FreshBooks wants https, so this command has just made a certificate of its own, for this
machine and this login only. Go on all the same ("Advanced", "Proceed to {host}"). If your browser
does not let you, or runs on another machine, press Ctrl-C and run this again with --paste."""


@click.command(help=HELP)
@config_option
@catalog_option("ask for")
@click.option(
    "--scopes", "listed", help="Ask for these scopes instead; separated by blanks or commas."
)
@click.option("--paste", is_flag=True, help="Paste the answer; open no page of this command.")
@click.option(
    "--replace",
    "is_replacing",
    is_flag=True,
    help="Let another FreshBooks user take the place of the one who is connected; without it, "
    "that is refused.",
)
@click.option("--no-browser", is_flag=True, help="Show the address only; open no browser.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long the page waits for the consent, and then for your choice.",
)
def login(
    *,
    settings: Settings,
    catalog: IO[str] | None,
    listed: str | None,
    paste: bool,
    is_replacing: bool,
    no_browser: bool,
    timeout: float,
) -> None:
    """Ask the user to authorise the app, exchange the code, and say what to do next."""
    tap = make_tap(settings, catalog)
    tap.connection.prepare_login()
    redirect_uri = check(tap.config.get("redirect_uri"))
    # Never none: FreshBooks then gives the profile alone (`docs/freshbooks-api/auth.md §3`).
    needed = scopes.required_by(scopes.selected_streams(tap))
    wanted = scopes.parse_scopes(listed or "") or needed
    request = AuthorizationRequest(tap.config["client_id"], redirect_uri, wanted)
    flow = LoginFlow(
        tap,
        request,
        settings.sources,
        catalog.name if catalog else None,
        is_replacing=is_replacing,
    )
    address = None if paste else LoopbackAddress.parse(redirect_uri)
    listener = _listener(address) if address else None
    say(f"Asking for {len(wanted)} scopes; each must be enabled for your app:")
    say(textwrap.indent(textwrap.fill(" ".join(wanted), 96), "  "))
    browser = not no_browser and _has_browser()
    if address and listener:
        done = _with_page(flow, address, listener, timeout, browser=browser)
    else:
        done = _with_paste(flow, browser=browser)
    _report(flow, done)


# Two ways to get the code


def _with_page(
    flow: LoginFlow,
    address: LoopbackAddress,
    listener: socket.socket,
    timeout: float,
    *,
    browser: bool,
) -> list[Step]:
    from tap_freshbooks.login.loopback_page import LoopbackPage  # noqa: PLC0415 - in the extra

    say("\n" + CERTIFICATE.format(authority=address.authority, host=address.host))
    page = LoopbackPage(flow, address, listener, timeout, say)
    page.run(on_started=lambda: _show(flow.url, browser=browser))
    if page.steps is None:
        say("The page was not finished, so the choice of businesses stays as it was.")
    return page.steps or []


def _with_paste(flow: LoginFlow, *, browser: bool) -> list[Step]:
    _show(flow.url, browser=browser)
    say(
        f"\nAfter that the browser goes to {flow.request.redirect_uri}?code=… (which may fail to "
        "load). Copy the whole address from there; it is good for 5 minutes."
    )
    code = prompts.ask_for_code(flow.request)
    account = flow.connect(code)
    say(f"\nConnected as {account.user}.")
    usable = account.usable
    if len(usable) <= 1:
        return []
    current = flow.selection.current(usable)
    if not prompts.is_interactive():
        return flow.selection.hint(usable) if len(current) == len(usable) else []
    return flow.select_businesses(prompts.ask_for_businesses(usable, current))


def _listener(address: LoopbackAddress) -> socket.socket | None:
    """A socket for the page; where there can be no page: None, and a line that says why."""
    try:
        from tap_freshbooks.login.server import listen  # noqa: PLC0415 - in the extra `login`

        return listen(address)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tap_freshbooks"):
            raise
        say(
            f"The page at https://{address.authority} needs more packages (missing: {error.name}; "
            "pip install 'tap-freshbooks[login]'), so the answer is pasted here.\n"
        )
    except OSError as error:
        say(
            f"Port {address.port} cannot be listened on ({os.strerror(error.errno or 0)}), so the "
            "answer is pasted here.\n"
        )
    return None


def _show(url: str, *, browser: bool) -> None:
    say(f"\nOpen this address, and let your app read the account:\n\n{url}")
    if browser:
        say("\nYour browser is being asked to open it.")
        # Some browsers return only when they are closed.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _has_browser() -> bool:
    """True if the user sits at a screen on which a browser can open."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    graphical = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, screens))
    return graphical and sys.stdout.isatty()


# The report


def _report(flow: LoginFlow, done: Iterable[Step]) -> None:
    account = flow.account
    assert account is not None  # noqa: S101 - both ways end with one
    say()
    for business in account.businesses:
        note = "only a client of it, so not read" if business.is_client_only else business.role
        say(f"  {business}: {note}")
    if not account.usable:
        say("  no business that the user may read")
    say(f"\nThe tokens are in {flow.store}")
    _report_streams(account)
    for step in (*done, *flow.next_steps()):
        say(f"\n{step.text}" + (f"\n\n  {step.command}" if step.command else ""))


def _report_streams(account: Account) -> None:
    say(f"Streams that the token may read: {len(account.readable)}")
    for scopes_lacking, names in account.refused.items():
        text = f"It may not read {', '.join(names)} (scope {' and '.join(scopes_lacking)})"
        say(textwrap.fill(text, 100, subsequent_indent="  "))
    if account.unselected:
        count = sum(map(len, account.unselected.values()))
        lacking = ", ".join(sorted({name for names in account.unselected for name in names}))
        say(
            f"Not selected, and so not asked for: {count} streams ({lacking}); to read some of "
            "them, log in with a --catalog in which they are selected"
        )
