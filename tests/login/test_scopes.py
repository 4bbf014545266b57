from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.login import scopes
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.tap import TapFreshBooks
from tests.facts import read
from tests.support import catalog_of

if TYPE_CHECKING:
    from tap_freshbooks.streams.base import RecordStream


def required(catalog: dict[str, Any] | None = None) -> set[str]:
    tap = TapFreshBooks(config={}, catalog=catalog, setup_mapper=False)
    return set(scopes.required_by(scopes.selected_streams(tap)))


def test_a_catalog_decides_what_is_asked_for() -> None:
    assert required(catalog_of("invoices", "bill_lines")) == {
        *("user:invoices:read", "user:bills:read", "user:profile:read")
    }


def test_without_a_catalog_the_default_selection_decides() -> None:
    asked = required()
    assert "user:invoices:read" in asked
    assert "user:account:read" in asked  # of `systems`
    assert "user:reports:read" not in asked
    assert all(scope.endswith(":read") for scope in asked)


def test_the_ledger_needs_the_scope_of_the_account_too() -> None:
    for stream in ("ledger_accounts", "report_trial_balance_rows", "report_general_ledger"):
        assert "user:account:read" in required(catalog_of(stream))


def test_a_stream_whose_scope_depends_on_its_rows_adds_none() -> None:
    assert required(catalog_of("callbacks")) == {"user:profile:read"}


def test_no_stream_is_asked_for_in_vain() -> None:
    tap = TapFreshBooks(config={}, setup_mapper=False)
    bare = [
        stream.name for stream in scopes.selected_streams(tap) if not scopes.required_scopes(stream)
    ]
    assert bare == ["callbacks"]


@pytest.mark.parametrize("stream", [s for s in STREAMS if not issubclass(s, DerivedStream)])
def test_a_stream_asks_for_the_scopes_that_the_facts_name(stream: type[RecordStream]) -> None:
    known = read(stream.name)["scopes"]
    text = str(known["read"]) if isinstance(known, dict) else "\n".join(known)
    for alternatives in text.splitlines():
        named = set(re.findall(r"user:\w+:read", alternatives))
        assert not named or named & set(scopes.required_scopes(stream)), alternatives


def test_listed_scopes_take_the_place_of_the_needed_ones() -> None:
    wanted = ("user:clients:read", "user:invoices:read", "user:profile:read")
    assert scopes.parse_scopes("user:invoices:read, user:clients:read") == wanted
    assert scopes.parse_scopes("user:invoices:read user:clients:read\n") == wanted
    assert scopes.parse_scopes(" ,") == ()  # those that are needed, then


@pytest.mark.parametrize("text", ["invoices", "user:invoices:read;x", "user:", "*"])
def test_what_is_no_scope_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="no scope; they look like user:invoices:read"):
        scopes.parse_scopes(text)


def test_what_a_token_lacks_for_a_stream() -> None:
    tap = TapFreshBooks(config={}, setup_mapper=False)
    lines = next(each for each in scopes.selected_streams(tap) if each.name == "invoice_lines")
    assert scopes.missing_scopes(lines, frozenset({"user:profile:read"})) == ("user:invoices:read",)
    assert scopes.missing_scopes(lines, frozenset({"user:invoices:read"})) == ()
    assert scopes.missing_scopes(lines, frozenset({"admin:all:legacy"})) == ()


def test_either_of_two_scopes_will_do() -> None:
    tap = TapFreshBooks(config={}, setup_mapper=False)
    rates = next(each for each in scopes.selected_streams(tap) if each.name == "team_member_rates")
    assert scopes.required_scopes(rates) == ("user:teams:read",)
    assert scopes.missing_scopes(rates, frozenset({"user:taxes:read"})) == ("user:teams:read",)
    for scope in ("user:teams:read", "user:projects:read"):
        assert scopes.missing_scopes(rates, frozenset({scope})) == ()
