"""The businesses that a state keeps: taken as they were kept, or asked for anew."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tap_freshbooks.businesses import Business, IdentifierKind, Unusable
from tap_freshbooks.extraction.reading_times import ReadingTimes
from tap_freshbooks.webhooks.sync import known_businesses

NOW = datetime(2026, 2, 3, tzinfo=UTC)
BUSINESS = Business(
    business_id=1,
    account_id="A-1",
    business_uuid=None,
    name="Ö",
    role="owner",
    accounting_roles=frozenset({"admin"}),
    unusable=(Unusable(IdentifierKind.LEDGER, "a list"),),
)


def kept() -> dict[str, Any]:
    """A state as a target gives it back."""
    state: dict[str, Any] = {}
    known_businesses.keep(state, [BUSINESS], NOW)
    found: dict[str, Any] = json.loads(json.dumps(state))
    return found


def changes(name: str, *values: Any) -> list[tuple[str, Any]]:
    return [(name, value) for value in values]


def restored(state: dict[str, Any]) -> list[Business] | None:
    config = {"webhook_inbox": "inbox.db", "poll_interval": 1}
    times = ReadingTimes(config, NOW + timedelta(minutes=1))
    return known_businesses.restore(state, times)


def test_what_was_kept_is_restored() -> None:
    assert restored(kept()) == [BUSINESS]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *changes("business_id", None, "1", 1.5, [1], {}),
        *changes("account_id", 1, [], {}, "../users", "a/b", "", "a\n"),
        *changes("business_uuid", 1, "a?b", "\0"),
        *changes("name", None, 5, []),
        *changes("accounting_roles", None, "admin", [1], {}),
        *changes("unusable", None, "x", [5], [["nonsense", "x"]], [[]]),
    ],
)
def test_what_was_changed_is_not_believed(name: str, value: Any) -> None:
    state = kept()
    state["members"][0][name] = value
    assert restored(state) is None


@pytest.mark.parametrize("members", [None, {}, "x", [None], [[]], [{}], 5])
def test_what_is_no_list_of_businesses_is_not_believed(members: Any) -> None:
    assert restored({**kept(), "members": members}) is None
