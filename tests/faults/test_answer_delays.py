"""A token answer that takes its time, for real. It comes first, so that others run meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.oauth.token_endpoint import ANSWER_TIMEOUT

if TYPE_CHECKING:
    from tests.faults.account import Account

pytestmark = pytest.mark.heavy

DELAY = 30


def test_an_answer_that_takes_half_a_minute_is_waited_for(file_account: Account) -> None:
    file_account.client = replace(file_account.client, timeout=ANSWER_TIMEOUT)
    file_account.fault("latency", seconds=DELAY)
    began = time.monotonic()
    token = file_account.connected()
    assert time.monotonic() - began >= DELAY
    assert file_account.accepts(token)
    assert (file_account.requests, file_account.spent) == (1, 0)
