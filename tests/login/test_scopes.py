from __future__ import annotations

from typing import Any

import pytest

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.login import scopes
from tap_freshbooks.tap import TapFreshBooks
from tests.support import catalog_of


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


def test_a_stream_whose_scope_depends_on_its_rows_adds_none() -> None:
    assert required(catalog_of("callbacks")) == {"user:profile:read"}


def test_no_stream_is_asked_for_in_vain() -> None:
    tap = TapFreshBooks(config={}, setup_mapper=False)
    bare = [
        stream.name for stream in scopes.selected_streams(tap) if not scopes.required_scopes(stream)
    ]
    assert bare == ["callbacks"]


def test_listed_scopes_take_the_place_of_the_needed_ones() -> None:
    wanted = ("user:clients:read", "user:invoices:read", "user:profile:read")
    assert scopes.parse_scopes("user:invoices:read, user:clients:read") == wanted
    assert scopes.parse_scopes("user:invoices:read user:clients:read\n") == wanted
    assert scopes.parse_scopes("") == ("user:profile:read",)


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
