from __future__ import annotations

import json
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.oauth.stores.encryption import Encryption
from tap_freshbooks.oauth.stores.factory import open_store
from tap_freshbooks.oauth.stores.fallback import FallbackStore
from tap_freshbooks.oauth.stores.file import FileStore
from tap_freshbooks.oauth.tokens import TokenPair, hash_of

if TYPE_CHECKING:
    from pathlib import Path

    from tap_freshbooks.oauth.stores.base import TokenStore

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
PAIR = TokenPair("the-refresh-token", "the-access-token", expires_at=9e9, generation=3, seed="s")


def write(store: TokenStore, pair: TokenPair = PAIR) -> None:
    with store.locked() as locked:
        locked.read()
        locked.check_writable(None)
        locked.write(pair)


@pytest.mark.parametrize("place", ["{}/tokens.json", "sqlite:///{}/tokens.db"])
def test_nothing_of_the_tokens_is_readable_at_rest_in_any_store(tmp_path: Path, place: str) -> None:
    config = {"client_id": "app", "token_store": place.format(tmp_path)}
    keyed = {**config, "token_encryption_key": NEW}
    store = open_store(keyed, None, {})
    write(store)
    at_rest = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"the-refresh-token" not in at_rest
    assert b"the-access-token" not in at_rest
    assert open_store(keyed, None, {}).read() == PAIR

    for wrong, sentence in [({}, "are encrypted"), ({"token_encryption_key": OTHER}, "not fit")]:
        stranger = open_store({**config, **wrong}, None, {})
        with pytest.raises(SettingsError, match=f"{sentence}|does not fit"):
            stranger.read()
        with pytest.raises(SettingsError), stranger.locked() as locked:
            locked.write(TokenPair("mine"))
        with pytest.raises(SettingsError), stranger.locked() as locked:
            locked.read()
    assert open_store(keyed, None, {}).read() == PAIR


def test_a_key_is_rotated_by_putting_the_new_one_in_front(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    write(FileStore(path, Encryption(OLD)))
    both = FileStore(path, Encryption(f"{NEW}, {OLD}"))
    assert both.read() == PAIR
    write(both)
    assert FileStore(path, Encryption(NEW)).read() == PAIR
    with pytest.raises(SettingsError):
        FileStore(path, Encryption(OLD)).read()


def test_tokens_that_were_stored_without_a_key_are_taken_and_encrypted_with_the_next(
    tmp_path: Path,
) -> None:
    path = tmp_path / "tokens.json"
    write(FileStore(path))
    store = FileStore(path, Encryption(NEW))
    assert store.read() == PAIR
    write(store)
    assert "the-refresh-token" not in path.read_text()


def test_the_config_file_is_encrypted_too_and_a_token_put_there_by_hand_still_wins(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"client_id": "app", "refresh_token": "seed"}')
    store = FileStore(path, Encryption(NEW), holds_seed=True)
    write(store)
    assert "the-refresh-token" not in path.read_text()
    stored = store.read()
    assert stored
    assert stored.access_token == "the-access-token"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "refresh_token": "pasted"}))
    assert store.read() == TokenPair("pasted", seed=hash_of("pasted"))


def test_a_rescue_file_is_encrypted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tap_freshbooks.oauth.stores.fallback.fallback_folders", lambda: iter([tmp_path])
    )
    rescue = FallbackStore("connection", Encryption(NEW))
    path = rescue.save(PAIR, "spent")
    assert "the-refresh-token" not in path.read_text()
    assert rescue.find("spent") == (path, PAIR)
    with pytest.raises(SettingsError):
        FallbackStore("connection", Encryption(OTHER)).find("spent")


@pytest.mark.parametrize("key", ["short", "x" * 44, "{},short", " , ,"])
def test_a_key_that_is_none_is_named_as_such_and_not_shown(key: str) -> None:
    key = key.format(NEW)
    with pytest.raises(SettingsError, match="must be Fernet keys") as caught:
        Encryption(key).encrypt("token")
    assert key not in str(caught.value)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    with pytest.raises(SettingsError, match=r"pip install 'tap-freshbooks\[encryption\]'"):
        Encryption(NEW).encrypt("token")


def test_the_table_has_a_row_for_each_app_and_connection(tmp_path: Path) -> None:
    config = {"token_store": f"sqlite:///{tmp_path}/tokens.db"}
    for client_id in ("app-1", "app-2"):
        for connection in ("one", "two"):
            named = {**config, "client_id": client_id, "connection": connection}
            store = open_store(named, None, {})
            write(store, TokenPair(f"{client_id}-{connection}"))
    with sqlite3.connect(tmp_path / "tokens.db") as database:
        rows = database.execute(
            "select client_id, connection, refresh_token from tap_freshbooks_tokens"
        ).fetchall()
    assert sorted(rows) == [
        (app, name, f"{app}-{name}") for app in ("app-1", "app-2") for name in ("one", "two")
    ]
    database.close()
