"""Many processes that need a token in the same moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.faults.processes import at_once

if TYPE_CHECKING:
    from tests.faults.account import Account

pytestmark = pytest.mark.heavy

CROWD = 32


def expire(account: Account) -> None:
    """Let the access token end, at FreshBooks and by what the store says."""
    account.sandbox.expire_tokens(account.client_id)
    with account.client.store.locked() as store:
        pair = store.read()
        assert pair
        store.write(replace(pair, expires_at=0))


@pytest.mark.parametrize("is_new", [False, True], ids=["expired", "new"])
def test_a_crowd_of_processes_causes_one_refresh(account: Account, is_new: bool) -> None:
    if not is_new:
        account.connected()
        expire(account)
    before = account.refreshes
    outcomes = at_once(CROWD, account.client)
    assert {outcome.message for outcome in outcomes} == {""}
    [token] = {outcome.result for outcome in outcomes}
    assert account.accepts(token)
    assert (account.refreshes - before, account.spent) == (1, 0)
    assert account.accepts(account.new().access_token(rejected=token))
