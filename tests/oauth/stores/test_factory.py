from __future__ import annotations

from pathlib import Path

import pytest

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.oauth.stores import factory
from tap_freshbooks.oauth.stores.factory import open_store
from tap_freshbooks.oauth.stores.file import FileStore
from tap_freshbooks.oauth.stores.sql import SqlStore


def file_for(config: dict[str, str], token_file: Path | None, environ: dict[str, str]) -> FileStore:
    store = open_store(config, token_file, environ)
    assert isinstance(store, FileStore)
    return store


def test_the_setting_wins(tmp_path: Path) -> None:
    config = {"token_store": str(tmp_path / "mine.json"), "refresh_token": "r"}
    store = file_for(config, None, {"MELTANO_PROJECT_ROOT": "/project"})
    assert store.path == tmp_path / "mine.json"


def test_under_meltano_it_is_below_the_system_directory(tmp_path: Path) -> None:
    config = {"client_id": "app", "refresh_token": "r"}
    file = tmp_path / "config.json"
    file.write_text('{"refresh_token": "r"}')
    environ = {"MELTANO_PROJECT_ROOT": str(tmp_path)}
    store = file_for(config, file, environ)
    assert store.path.parent == tmp_path / ".meltano" / "tap-freshbooks"
    elsewhere = file_for(config, file, {**environ, "MELTANO_SYS_DIR_ROOT": "/elsewhere"})
    assert elsewhere.path.parent == Path("/elsewhere/tap-freshbooks")


def test_plugins_that_inherit_from_another_have_tokens_of_their_own(tmp_path: Path) -> None:
    environ = {"MELTANO_PROJECT_ROOT": str(tmp_path), "MELTANO_EXTRACTOR_NAME": "second-user"}
    store = file_for({"client_id": "app", "refresh_token": "r"}, None, environ)
    assert store.path.parent == tmp_path / ".meltano" / "second-user"


def test_a_token_store_that_is_the_config_file_holds_the_seed(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"refresh_token": "r"}')
    assert file_for({"token_store": str(file)}, file, {}).holds_seed
    assert not file_for({"token_store": str(tmp_path / "other.json")}, file, {}).holds_seed


def test_two_connections_and_two_apps_never_share_a_file(tmp_path: Path) -> None:
    environ = {"MELTANO_PROJECT_ROOT": str(tmp_path)}
    configs = [
        {"client_id": "a"},
        {"client_id": "b"},
        {"client_id": "a", "connection": "../x"},
        {"client_id": "a", "connection": "y"},
    ]
    paths = {file_for(config, None, environ).path for config in configs}
    assert len(paths) == 4
    assert {path.parent for path in paths} == {tmp_path / ".meltano" / "tap-freshbooks"}


def test_the_one_config_file_with_the_token_is_the_store(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"refresh_token": "r"}')
    store = file_for({"refresh_token": "r"}, file, {})
    assert store.path == file
    assert store.holds_seed


def test_else_it_is_the_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "user_state_path", lambda name: tmp_path / name)
    store = file_for({"refresh_token": "r"}, None, {})
    assert store.path.parent == tmp_path / "tap-freshbooks"


def test_a_file_holds_one_connection(tmp_path: Path) -> None:
    config = {"token_store": str(tmp_path / "tokens.json"), "connection": "second"}
    with pytest.raises(SettingsError, match="holds one connection"):
        open_store(config, None, {})


def test_a_path_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="not a usable path"):
        open_store({"token_store": "~nosuchuser/tokens.json"}, None, {})


def test_a_url_is_a_database_that_holds_any_number_of_connections(tmp_path: Path) -> None:
    config = {"client_id": "app", "token_store": f"sqlite:///{tmp_path}/tokens.db"}
    for name in ("one", "two"):
        store = open_store({**config, "connection": name}, None, {})
        assert isinstance(store, SqlStore)
        assert store.key == {"client_id": "app", "connection": name}


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("mysql://host/db", "names mysql"),
        ("://", "neither a file path nor a database URL"),
    ],
)
def test_a_database_that_cannot_hold_tokens_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        open_store({"token_store": url}, None, {})
