"""A sudden death at each step of a refresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.errors import ReauthorizationRequiredError
from tests.faults.account import OTHER_KEYS
from tests.faults.new_tokens import problems
from tests.faults.processes import Process
from tests.faults.steps import deadly, refresh_step_by_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.account import Account

pytestmark = pytest.mark.heavy

CUT_OFF = r"spent or revoked, after a refresh whose answer never arrived \(it began at 20.*login"


def moments_of(process: Process) -> list[str]:
    """What a process passes until its end."""
    moments = []
    while isinstance(said := process.hear(), str):
        moments.append(said)
    return moments


def moments_until_death(process: Process) -> list[str]:
    moments = []
    try:
        while True:
            moments.append(process.hear())
    except EOFError:
        return moments


def check_file(account: Account) -> None:
    """The token file is valid JSON; of a configuration, nothing else has changed."""
    content = account.content
    if account.client.holds_seed:
        kept = {key: content[key] for key in OTHER_KEYS}
        assert kept == OTHER_KEYS


def check_that_it_works(account: Account, dead: str) -> None:
    token = account.new().access_token(rejected=dead)
    assert account.accepts(token)
    assert account.accepts(account.new().access_token(rejected=token))
    assert account.spent == 0


def check_that_it_says_what_happened(account: Account, dead: str) -> None:
    with pytest.raises(ReauthorizationRequiredError, match=CUT_OFF):
        account.new().access_token(rejected=dead)
    requests = account.requests
    with pytest.raises(ReauthorizationRequiredError, match=CUT_OFF):
        account.new().access_token(rejected=dead)
    assert (account.requests - requests, account.spent) == (0, 1)
    assert account.stored.own_rejection
    account.authorise_anew()
    assert account.accepts(account.new().access_token(rejected=dead))
    assert account.spent == 1


def test_a_death_at_any_step_is_survived_or_explained(
    new_account: Callable[[str], Account], store: str
) -> None:
    clean = new_account(store)
    moments = moments_of(Process(refresh_step_by_step, clean.client, clean.connected(), None))
    costly = deadly(moments)
    for number, moment in enumerate(moments):
        account = new_account(store)
        dead = account.connected()
        passed = moments_until_death(Process(refresh_step_by_step, account.client, dead, number))
        assert passed == moments[: number + 1]
        if store in {"file", "config"}:
            check_file(account)
        _ = account.stats  # what the dead process has sent is answered
        assert account.is_kept() == (number not in costly), moment
        if account.is_kept():
            check_that_it_works(account, dead)
        else:
            check_that_it_says_what_happened(account, dead)
        if store in {"file", "config"}:
            check_file(account)


@pytest.mark.parametrize("store", ["file", "config"])
def test_note_and_pair_are_durable_before_the_next_step(
    new_account: Callable[[str], Account], store: str
) -> None:
    account = new_account(store)
    moments = moments_of(Process(refresh_step_by_step, account.client, account.connected(), None))
    for phase, following in (("note", "request: before connect"), ("pair", "end: before unlock")):
        steps = iter(moments[: moments.index(following)])
        durable = ("after fsync file", "before rename", "after fsync folder")
        assert all(f"{phase}: {step}" in steps for step in durable), moments


@pytest.mark.parametrize("is_other", [False, True])
def test_a_death_while_a_new_token_is_taken_in_loses_none(
    new_account: Callable[[str], Account], is_other: bool
) -> None:
    deaths, found = problems(lambda: new_account("file"), is_other=is_other, every=13)
    assert deaths > 5
    assert not found
