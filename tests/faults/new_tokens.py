"""A sudden death at any step of taking in a new token, of the same user or of another.

The store knows whose tokens it holds; then a refresh token of one more consent is configured. At
each step a process dies, and the next run has to find what is left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import OtherUserError, ReauthorizationRequiredError
from tap_freshbooks.oauth.owner_question import owner_question
from tests.faults.processes import Process
from tests.faults.steps import STORED, Steps, deadly

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.oauth.tokens import TokenPair
    from tests.faults.account import Account, Client

EDITS = [
    {"edit": "set", "path": f"response.{key}", "value": 4_711} for key in ("id", "identity_id")
]
"""What makes another user of the one whom the sandbox knows."""


def take_in_step_by_step(client: Client, say: Callable[[Any], None], last: int | None) -> str:
    """Ask for a token with a new refresh token, and die at the moment of this number."""
    authenticator = client.new()
    Steps(say, last).watch()
    try:
        return authenticator.access_token()
    except OtherUserError:
        return ""


class NewToken:
    """One account whose user has authorised anew, and the user of the new token.

    Args:
        account: With tokens that work.
        is_other: Whether the new token is of another user.
    """

    def __init__(self, account: Account, *, is_other: bool) -> None:
        self.account = account
        self.is_other = is_other
        account.client = replace(account.client, asks_owner=True)
        authenticator = account.new()
        token = authenticator.access_token()
        authenticator.note_owner(owner_question(account.client.api_url, "test", 1)(token))
        self.before: TokenPair = account.stored
        assert self.before.owner
        account.authorise_anew()
        if is_other:
            account.sandbox.faults(
                "answer", client_id=account.client_id, path="*/users/me", edits=EDITS
            )

    def run(self, last: int | None) -> list[str]:
        """Take the token in, until a moment: the moments that passed."""
        process = Process(take_in_step_by_step, self.account.client, last)
        moments = []
        try:
            while isinstance(said := process.hear(), str):
                moments.append(said)
        except EOFError:
            pass
        _ = self.account.stats  # what the dead process has sent is answered
        return moments

    def problem(self, *, is_costly: bool) -> str:
        """What is wrong after a death and one more run; empty if all is well."""
        account = self.account
        try:
            token = account.new().access_token()
        except OtherUserError:
            if not self.is_other:
                return "the same user was refused"
        except ReauthorizationRequiredError:
            return "" if is_costly else "the token was lost"
        else:
            if self.is_other:
                return "another user was taken"
            if not account.accepts(token):
                return "the access token does not work"
        return self._lost()

    def _lost(self) -> str:
        stored, living = self.account.stored, self.account.living
        if not self.is_other:
            return "" if stored.refresh_token == living else "the living token is not stored"
        if living not in {each.refresh_token for each in stored.held_back}:
            return "the living token is not held back"
        # Into a configuration, the user himself has put the new token in the place of the old.
        is_own = self.account.client.holds_seed
        is_left = is_own or stored.refresh_token == self.before.refresh_token
        return "" if is_left else "the tokens of the user before were overwritten"


def problems(
    new_account: Callable[[], Account], *, is_other: bool, every: int = 1
) -> tuple[int, list[str]]:
    """Die at each moment, or at some.

    Args:
        new_account: Makes an account of its own for each death.
        is_other: Whether the new token is of another user.
        every: How many moments lie between two deaths.

    Returns:
        How many deaths there were, and what is wrong after some.
    """
    clean = NewToken(new_account(), is_other=is_other)
    names = clean.run(None)
    clean.account.sandbox.faults_clear()
    sent = deadly(names)
    stored = next(number for number in sent if names[number] in STORED)
    found, deaths = [], range(0, len(names), every)
    for number in deaths:
        new = NewToken(new_account(), is_other=is_other)
        new.run(number)
        if problem := new.problem(is_costly=sent.start <= number <= stored):
            found.append(f"{names[number]} (moment {number}): {problem}")
        new.account.sandbox.faults_clear()
    return len(deaths), found
