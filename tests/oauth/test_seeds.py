"""Which pair counts: the stored, the configured, the rescued, or that of a new consent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.errors import RefreshFailedError, SettingsError, TokenStoreError
from tap_freshbooks.oauth import rotation
from tap_freshbooks.oauth.stores import fallback
from tap_freshbooks.oauth.stores.base import LockedStore
from tap_freshbooks.oauth.stores.factory import open_store
from tap_freshbooks.oauth.token_endpoint import TokenEndpoint
from tap_freshbooks.oauth.tokens import TokenPair, hash_of
from tests.oauth.test_ending import connection, token_of

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox


def pair_in(config: dict[str, Any]) -> TokenPair:
    pair = connection(config).store.read()
    assert pair
    return pair


def consent(sandbox: Sandbox, config: dict[str, Any]) -> str:
    """A refresh token of a later consent for the same user and app."""
    oauth = sandbox.state.oauth
    app = oauth.apps[config["client_id"]]
    token: str = oauth.issue(app, app.scopes)["refresh_token"]
    return token


def spent(sandbox: Sandbox, config: dict[str, Any]) -> int:
    count: int = sandbox.stats(config["client_id"])["spent_refresh_tokens"]
    return count


@pytest.fixture
def rescues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where rescue files go in this test; a store that fails is given up at once."""
    folder = tmp_path / "rescues"
    monkeypatch.setattr(fallback, "fallback_folders", lambda: iter([folder]))
    monkeypatch.setattr(rotation, "STORE_TIMEOUT", 0)
    return folder


def test_an_older_seed_is_neither_sent_nor_does_it_win(
    config: dict[str, Any], sandbox: Sandbox
) -> None:
    long_running = connection(config).authenticator
    first = long_running.access_token()
    newer = {**config, "refresh_token": consent(sandbox, config)}
    second = token_of(newer)
    sandbox.expire_tokens(config["client_id"])
    for older in (long_running, connection(config).authenticator):
        with pytest.raises(SettingsError, match="is older than the tokens in"):
            older.access_token(rejected=first)
    assert connection(newer).authenticator.access_token(rejected=second) not in {first, second}
    assert spent(sandbox, config) == 0


def test_a_job_whose_seed_a_login_has_replaced_stops_before_it_sends_it(
    config: dict[str, Any], sandbox: Sandbox
) -> None:
    token_of(config)
    without_seed = {key: value for key, value in config.items() if key != "refresh_token"}
    code = sandbox.state.oauth.authorize(
        sandbox.state.oauth.apps[config["client_id"]], config["redirect_uri"], frozenset()
    )
    connection(without_seed).connect(code, "")
    with pytest.raises(SettingsError, match="is older than the tokens in"):
        token_of(config)
    assert token_of(without_seed)
    assert spent(sandbox, config) == 0


def test_tokens_of_another_app_are_left_alone(config: dict[str, Any], sandbox: Sandbox) -> None:
    token_of(config)
    other = sandbox.config()
    stranger = {**config, "client_id": other["client_id"], "client_secret": other["client_secret"]}
    with pytest.raises(SettingsError, match="were made for another app"):
        token_of(stranger)
    assert sandbox.stats(other["client_id"])["requests"] == 0
    assert token_of(config)


def test_a_line_end_after_the_token_in_a_config_file_does_no_harm(
    config: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config, "refresh_token": config["refresh_token"] + "\n"}))
    assert token_of({**config, "token_store": None}, token_file=path)


def test_a_consent_counts_whatever_the_store_holds_by_now(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(config["token_store"])
    fresh = TokenPair("of-the-consent", "works", expires_at=9e9)

    def exchange(*_args: str) -> tuple[TokenPair, frozenset[str]]:
        path.write_text('{"refresh_token": "of-another-program"}')
        return fresh, frozenset()

    monkeypatch.setattr(TokenEndpoint, "exchange", exchange)
    connection(config).connect("code", "verifier")
    assert pair_in(config).refresh_token == "of-the-consent"


def test_a_wrong_key_is_found_before_a_consent_is_spent(config: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="must be Fernet keys"):
        connection(config, token_encryption_key="wrong").prepare_login()


@pytest.mark.parametrize("error", [ValueError("secret"), RecursionError()])
def test_a_refresh_that_ends_in_an_unforeseen_way_stays_pending(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refresh(*_args: object) -> None:
        raise error

    monkeypatch.setattr(TokenEndpoint, "refresh", refresh)
    with pytest.raises(type(error)):
        token_of(config)
    assert pair_in(config).pending_refresh


@pytest.mark.parametrize("error", [ValueError("secret"), OSError(5, "Input/output error")])
def test_whatever_goes_wrong_while_storing_the_pair_is_rescued(
    config: dict[str, Any],
    sandbox: Sandbox,
    rescues: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail(*_args: object, **_: bool) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(LockedStore, "write", fail)
        with pytest.raises(RefreshFailedError, match="rescued to") as caught:
            token_of(config)
    assert "secret" not in str(caught.value)
    assert token_of(config)
    assert list(rescues.iterdir()) == []
    assert (sandbox.stats(config["client_id"])["refreshes"], spent(sandbox, config)) == (1, 0)


def test_a_rescued_pair_is_found_even_if_the_store_was_removed(
    config: dict[str, Any], sandbox: Sandbox, rescues: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_: bool) -> None:
        raise TokenStoreError("the token store is broken")

    with monkeypatch.context() as broken:
        broken.setattr(LockedStore, "write", fail)
        with pytest.raises(RefreshFailedError, match="rescued to"):
            token_of(config)
    Path(config["token_store"]).unlink()
    assert len(list(rescues.iterdir())) == 1
    assert token_of(config)
    assert list(rescues.iterdir()) == []
    assert spent(sandbox, config) == 0


def test_rescue_files_of_two_stores_never_meet(tmp_path: Path) -> None:
    urls = [
        "postgresql+psycopg://u@h/d?options=-csearch_path%3Done",
        "postgresql+psycopg://u@h/d?options=-csearch_path%3Dtwo",
        "postgresql+psycopg:///d?host=%2Fone",
        "postgresql+psycopg:///d?host=%2Ftwo",
        f"sqlite:///{tmp_path}/tokens.db",
        str(tmp_path / "tokens.json"),
    ]
    configs = [{"client_id": "app", "token_store": url} for url in urls]
    configs.append({"client_id": "app", "connection": "b", "token_store": urls[0]})
    identities = {open_store(config, None, {}).identity for config in configs}
    assert len(identities) == len(configs)


def test_a_relative_database_is_the_one_in_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identities = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        store = open_store({"client_id": "app", "token_store": "sqlite:///tokens.db"}, None, {})
        identities.add(store.identity)
        assert str(tmp_path / name) in str(store)
    assert len(identities) == 2


def test_the_hashes_of_replaced_seeds_are_kept(config: dict[str, Any], sandbox: Sandbox) -> None:
    token_of(config)
    newer = {**config, "refresh_token": consent(sandbox, config)}
    token_of(newer)
    newest = {**config, "refresh_token": consent(sandbox, config)}
    token_of(newest)
    pair = pair_in(config)
    assert pair.seed == hash_of(newest["refresh_token"])
    assert pair.superseded_seeds == (
        hash_of(config["refresh_token"]),
        hash_of(newer["refresh_token"]),
    )
