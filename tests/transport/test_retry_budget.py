"""Each stream has retries of its own, and all together have an account that may be overdrawn."""

from __future__ import annotations

from tap_freshbooks.transport.retry_budget import (
    MAX_RETRIES,
    MAX_RETRIES_OF_STREAM,
    RetryBudgets,
)


def spend(budgets: RetryBudgets, stream: str) -> int:
    """Spend all that a stream has."""
    number = 0
    while budgets.spend(stream):
        number += 1
    return number


def test_a_stream_that_has_used_up_its_retries_leaves_those_of_the_others() -> None:
    budgets = RetryBudgets()
    assert spend(budgets, "broken") == MAX_RETRIES_OF_STREAM
    assert spend(budgets, "other") == MAX_RETRIES_OF_STREAM


def test_the_account_of_all_is_overdrawn_once_until_it_is_reset() -> None:
    budgets = RetryBudgets()
    history = []
    for number in range(int(MAX_RETRIES / MAX_RETRIES_OF_STREAM)):
        spend(budgets, str(number))
        history.append(budgets.is_overdrawn)
    assert budgets.spend("another")
    history.append(budgets.is_overdrawn)
    budgets.reset()
    history.append(budgets.is_overdrawn)
    assert history == [False, False, True, False]
    assert not budgets.spend("0")  # whose endpoint is broken all the same


def test_two_successes_give_a_retry_back_and_never_more_than_there_were() -> None:
    budgets = RetryBudgets()
    spend(budgets, "it")
    budgets.refill("other")
    budgets.refill("it")
    assert not budgets.spend("it")
    budgets.refill("it")
    assert spend(budgets, "it") == 1
    for _ in range(200):
        budgets.refill("it")
    assert spend(budgets, "it") == MAX_RETRIES_OF_STREAM
