from __future__ import annotations

import base64
import json
import random
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_freshbooks.errors import (
    ReauthorizationRequiredError,
    RefreshFailedError,
    SettingsError,
    TokenStoreError,
)
from tap_freshbooks.oauth.authenticator import REFRESH_MARGIN, RefreshingAuthenticator
from tap_freshbooks.oauth.static_token import StaticToken
from tap_freshbooks.oauth.stores.file import FileStore
from tap_freshbooks.oauth.token_endpoint import TokenEndpoint, _expires_at
from tap_freshbooks.oauth.tokens import hash_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from freshbooks_sandbox import Sandbox

TOKEN = "/auth/oauth/token"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: low + (high - low) / 1000)


@pytest.fixture
def new(config: dict[str, Any]) -> Callable[..., RefreshingAuthenticator]:
    """Makes authenticators of one connection, each as a process of its own would."""

    def make(seed: str | None = config["refresh_token"], **changes: Any) -> RefreshingAuthenticator:
        endpoint = TokenEndpoint(
            api_url=config["api_url"],
            client_id=config["client_id"],
            client_secret=config["client_secret"],
            redirect_uri=config["redirect_uri"],
            timeout=5,
            user_agent="test",
        )
        store = FileStore(Path(config["token_store"]))
        return RefreshingAuthenticator(store, replace(endpoint, **changes), seed)

    return make


def works(config: dict[str, Any], token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{config['api_url']}/auth/api/v1/users/me", headers=headers, timeout=5)
    return answer.status_code == 200


def counts(sandbox: Sandbox, config: dict[str, Any]) -> tuple[int, int]:
    stats = sandbox.stats(config["client_id"])
    return stats["refreshes"], stats["spent_refresh_tokens"]


def test_a_token_that_lives_is_used_again_without_a_refresh(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any], sandbox: Sandbox
) -> None:
    first = new().access_token()
    assert works(config, first)
    assert new().access_token() == first
    assert counts(sandbox, config) == (1, 0)


def test_the_next_refresh_token_is_on_disk_before_the_access_token_is_given_out(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any]
) -> None:
    token = new().access_token()
    content = json.loads(Path(config["token_store"]).read_text())
    assert content["access_token"] == token
    assert content["refresh_token"] != config["refresh_token"]
    assert content["token_generation"] == 1
    assert content["token_seed"] == hash_of(config["refresh_token"])
    assert content["expires_at"] > time.time() + 40_000


def test_many_refreshes_in_a_row_never_spend_a_token_twice(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any], sandbox: Sandbox
) -> None:
    token = new().access_token()
    for _ in range(10):
        token = new().access_token(rejected=token)
    assert works(config, token)
    assert counts(sandbox, config) == (11, 0)


def test_a_store_that_is_lost_in_mid_run_gets_the_tokens_that_are_in_use(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any], sandbox: Sandbox
) -> None:
    running = new()
    token = running.access_token()
    Path(config["token_store"]).unlink()
    token = running.access_token(rejected=token)
    assert works(config, token)
    assert new().access_token() == token
    assert counts(sandbox, config) == (2, 0)


def test_a_crowd_of_threads_and_instances_causes_one_refresh(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any], sandbox: Sandbox
) -> None:
    dead = new().access_token()
    tokens = []
    instances = [new() for _ in range(4)]

    def work(instance: RefreshingAuthenticator) -> None:
        tokens.append(instance.access_token(rejected=dead))

    threads = [threading.Thread(target=work, args=(i,)) for i in instances * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 16
    assert len(set(tokens)) == 1
    assert dead not in tokens
    assert counts(sandbox, config) == (2, 0)


def test_a_token_is_refreshed_ahead_of_its_end(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any], sandbox: Sandbox
) -> None:
    first = new().access_token()
    path = Path(config["token_store"])
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "expires_at": time.time() + 50}))
    assert new().access_token() != first
    assert counts(sandbox, config) == (2, 0)


def test_tokens_that_live_shortly_are_not_refreshed_for_each_request(
    new: Callable[..., RefreshingAuthenticator], sandbox: Sandbox
) -> None:
    short = sandbox.config(token_lifetime=50)  # less than the smallest margin
    authenticator = new(
        short["refresh_token"], client_id=short["client_id"], client_secret=short["client_secret"]
    )
    assert len({authenticator.access_token() for _ in range(5)}) == 1
    assert counts(sandbox, short) == (1, 0)


def test_a_user_who_authorised_anew_is_followed(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any], sandbox: Sandbox
) -> None:
    new().access_token()
    again = sandbox.config()
    authenticator = new(
        again["refresh_token"], client_id=again["client_id"], client_secret=again["client_secret"]
    )
    assert works(config, authenticator.access_token())
    content = json.loads(Path(config["token_store"]).read_text())
    assert content["token_seed"] == hash_of(again["refresh_token"])
    assert content["token_generation"] == 1


def test_a_spent_token_ends_in_the_need_to_authorise_again(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any]
) -> None:
    new().access_token()
    Path(config["token_store"]).unlink()
    with pytest.raises(
        ReauthorizationRequiredError, match=r"spent or revoked.*tap-freshbooks login"
    ):
        new().access_token()


def test_an_unknown_app_is_a_wrong_setting(
    new: Callable[..., RefreshingAuthenticator],
) -> None:
    with pytest.raises(SettingsError, match="client_id and client_secret"):
        new(client_secret="wrong").access_token()


def test_without_any_token_the_settings_are_named(
    new: Callable[..., RefreshingAuthenticator],
) -> None:
    with pytest.raises(SettingsError, match=r"there is no connection yet.*tap-freshbooks login"):
        new(None).access_token()


def test_a_store_that_cannot_be_written_costs_no_token(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any], sandbox: Sandbox
) -> None:
    path = Path(config["token_store"])
    path.write_text("{}")
    path.chmod(0o400)
    with pytest.raises(TokenStoreError, match="no refresh token was spent"):
        new().access_token()
    assert counts(sandbox, config)[0] == 0
    path.chmod(0o600)
    assert works(config, new().access_token())


class Faults:
    """Faults of the token endpoint, for one application."""

    def __init__(self, sandbox: Sandbox, client_id: str) -> None:
        self.sandbox, self.client_id = sandbox, client_id

    def __call__(self, fault: str, **settings: Any) -> None:
        self.sandbox.faults(fault, client_id=self.client_id, path=TOKEN, **settings)


@pytest.fixture
def fault(sandbox: Sandbox, config: dict[str, Any]) -> Any:
    yield Faults(sandbox, config["client_id"])
    sandbox.faults_clear()


def test_an_answer_that_was_lost_after_the_rotation_is_tried_once_more_and_explained(
    new: Callable[..., RefreshingAuthenticator],
    config: dict[str, Any],
    sandbox: Sandbox,
    fault: Faults,
) -> None:
    fault("cut", when="answered", times=1)
    with pytest.raises(ReauthorizationRequiredError, match=r"whose answer never arrived"):
        new().access_token()
    assert counts(sandbox, config) == (1, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"fault": "cut", "when": "before"},
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 500},
        {"fault": "status", "status": 200, "body": "<html>hello</html>"},
        {"fault": "status", "status": 200, "body": '{"access_token": "only"}'},
        {"fault": "status", "status": 200, "body": '{"refresh_token": null}'},
        {"fault": "rate_limit", "retry_after": 0},
    ],
)
def test_a_fault_before_the_rotation_costs_nothing(
    new: Callable[..., RefreshingAuthenticator],
    config: dict[str, Any],
    sandbox: Sandbox,
    fault: Faults,
    settings: dict[str, Any],
) -> None:
    fault(**settings, times=1)
    assert works(config, new().access_token())
    assert counts(sandbox, config) == (1, 0)


@pytest.mark.parametrize(
    "ornaments",
    [
        {},
        {"expires_in": "soon"},
        {"expires_in": "1e400", "created_at": "2026-01-31"},
        {"created_at": "nan", "expires_in": "nan"},
        {"expires_in": 43200, "created_at": None, "message": "hello", "error": None},
    ],
)
def test_a_new_refresh_token_is_kept_whatever_else_the_answer_says(
    new: Callable[..., RefreshingAuthenticator],
    config: dict[str, Any],
    fault: Faults,
    ornaments: dict[str, Any],
) -> None:
    body = json.dumps({"access_token": "a", "refresh_token": "precious", **ornaments})
    fault("status", status=200, body=body, content_type="application/json")
    assert new().access_token() == "a"
    content = json.loads(Path(config["token_store"]).read_text())
    assert content["refresh_token"] == "precious"
    assert time.time() + 40_000 < content["expires_at"] <= time.time() + 43_200


def test_a_new_refresh_token_without_an_access_token_is_kept_too(
    new: Callable[..., RefreshingAuthenticator],
    config: dict[str, Any],
    sandbox: Sandbox,
    fault: Faults,
) -> None:
    fault("status", status=200, body='{"refresh_token": "precious"}')
    with pytest.raises(RefreshFailedError, match="no access token; the new refresh token is kept"):
        new().access_token()
    assert json.loads(Path(config["token_store"]).read_text())["refresh_token"] == "precious"
    assert sandbox.stats(config["client_id"])["paths"][f"POST {TOKEN}"] == 1


def test_another_instance_that_lives_long_reads_the_store_again_before_it_spends(
    new: Callable[..., RefreshingAuthenticator], config: dict[str, Any], sandbox: Sandbox
) -> None:
    one, other = new(), new()
    dead = one.access_token()
    assert other.access_token() == dead
    fresh = one.access_token(rejected=dead)
    assert other.access_token(rejected=dead) == fresh
    assert counts(sandbox, config) == (2, 0)


def test_a_pair_that_a_program_without_our_lock_has_stored_is_taken(
    new: Callable[..., RefreshingAuthenticator],
    config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = new().access_token()
    path = Path(config["token_store"])

    def refuse(*_args: object) -> None:
        theirs = {"refresh_token": "theirs", "access_token": "works", "expires_at": 9e9}
        path.write_text(json.dumps({**json.loads(path.read_text()), **theirs}))
        raise ReauthorizationRequiredError("the refresh token is spent or revoked")

    monkeypatch.setattr(TokenEndpoint, "refresh", refuse)
    assert new().access_token(rejected=dead) == "works"


def test_an_outage_of_the_token_endpoint_keeps_the_token_and_is_no_loop(
    new: Callable[..., RefreshingAuthenticator],
    config: dict[str, Any],
    sandbox: Sandbox,
    fault: Faults,
) -> None:
    fault("status", status=503)
    with pytest.raises(RefreshFailedError, match="whether the refresh token is spent is unknown"):
        new().access_token()
    assert sandbox.stats(config["client_id"])["paths"][f"POST {TOKEN}"] == 2
    sandbox.faults_clear()
    assert works(config, new().access_token())


def test_a_configured_access_token_is_used_as_it_is() -> None:
    static = StaticToken("mine")
    assert static.access_token() == "mine"
    with pytest.raises(ReauthorizationRequiredError, match="access_token"):
        static.access_token(rejected="mine")


class TestExpiry:
    def answer(self, **fields: Any) -> dict[str, Any]:
        return {"access_token": "opaque", "expires_in": 43200, **fields}

    def test_it_counts_from_the_moment_of_creation(self) -> None:
        created = int(time.time()) - 100
        assert _expires_at(self.answer(created_at=created)) == created + 43200

    @pytest.mark.parametrize("skew", [-300, 300])
    def test_a_clock_that_is_five_minutes_off_does_no_harm(self, skew: int) -> None:
        created = int(time.time()) + skew
        assert _expires_at(self.answer(created_at=created)) == created + 43200
        assert min(REFRESH_MARGIN) >= abs(
            skew
        )  # the token is replaced before it ends by either clock

    def test_an_old_moment_of_creation_is_distrusted_even_if_the_end_would_lie_ahead(self) -> None:
        expires_at = _expires_at(self.answer(created_at=time.time() - 3600))
        assert abs(expires_at - time.time() - 43200) < 5

    def test_an_end_in_the_past_is_distrusted(self) -> None:
        # A live answer repeated the created_at of the first grant.
        expires_at = _expires_at(self.answer(created_at=1_600_000_000))
        assert abs(expires_at - time.time() - 43200) < 5

    def test_the_tokens_own_end_wins_when_it_is_earlier(self) -> None:
        end = int(time.time()) + 600
        claims = base64.urlsafe_b64encode(json.dumps({"exp": end}).encode()).decode().rstrip("=")
        assert _expires_at(self.answer(access_token=f"head.{claims}.tail")) == end
