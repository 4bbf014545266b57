"""Asks the user at the terminal, or reads the answer from a pipe.

Writes to stdout, which is no Singer output here: Meltano keeps stderr back until a line ends.
"""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

import click

from tap_freshbooks.login.authorization_request import InvalidRedirectError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.login.authorization_request import AuthorizationRequest

PROMPT = "Paste it here and press Enter (it stays hidden): "


def say(text: str = "") -> None:
    """Show a text; control characters in FreshBooks' names do not reach the terminal."""
    click.echo("".join(char if char.isprintable() or char == "\n" else "�" for char in text))


def is_interactive() -> bool:
    """True if there is a user to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask_for_code(request: AuthorizationRequest) -> str:
    """The code that the user pastes, with another try at a terminal.

    Raises:
        InvalidRedirectError: If the text from a pipe does not answer the request.
        AuthorizationDeniedError: If it says that the request was denied.
    """
    if not is_interactive():
        line = sys.stdin.readline() if sys.stdin is not None else ""
        if not line.strip():
            raise InvalidRedirectError(
                "standard input ended before there was an answer; write the address that the "
                "browser shows after the consent to it, or run this in a terminal"
            )
        return request.parse_pasted(line)
    while True:
        try:
            return request.parse_pasted(getpass.getpass(PROMPT))
        except InvalidRedirectError as error:
            say(f"Not yet: {error}.")
        except EOFError:
            raise click.Abort from None


def ask_for_businesses(usable: Sequence[Business], current: Collection[int]) -> list[int]:
    """Ask which businesses to read.

    Args:
        usable: Those that can be read.
        current: The ids that are taken if the answer is empty.
    """
    say("\nWhich businesses shall be read?")
    for number, business in enumerate(usable, start=1):
        mark = "" if business.business_id in current else "   (not read so far)"
        say(f"  {number}. {business}{mark}")
    numbered = {str(at): each.business_id for at, each in enumerate(usable, start=1)}
    default = "all" if len(current) == len(usable) else "as it is"
    while True:
        # Not `click.prompt`: without the module readline, Python would ask on stderr.
        click.echo(f"Numbers such as 1,2, or Enter for {default}: ", nl=False)
        answer = sys.stdin.readline()
        if not answer:
            raise click.Abort
        words = answer.replace(",", " ").split()
        if not words:
            return list(current)
        if all(word in numbered for word in words):
            return [numbered[word] for word in words]
        say(f"Please give numbers from 1 to {len(usable)}.")
