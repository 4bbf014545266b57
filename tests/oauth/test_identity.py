"""Whose tokens are these? A store takes no others than those of the user whom it knows."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import (
    ConnectionFailedError,
    OtherUserError,
    ReauthorizationRequiredError,
    RefreshFailedError,
    RunInterruptedError,
    TokenStoreError,
)
from tap_freshbooks.oauth import rotation
from tap_freshbooks.oauth.owner import Owner
from tap_freshbooks.oauth.owner_check import OwnerCheck
from tap_freshbooks.oauth.stores import fallback
from tap_freshbooks.oauth.stores.base import LockedStore
from tap_freshbooks.oauth.stores.file import FileStore
from tap_freshbooks.oauth.stores.sql import SqlStore
from tap_freshbooks.oauth.tokens import TokenPair, hash_of
from tests.oauth.test_ending import connection, token_of
from tests.support import Command, sync

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "belongs to another FreshBooks user"
SEED = "refresh_token"

ONE_BY_ONE = {
    "requests_per_second": 100,
    "max_concurrency": 1,
    "request_timeout": 5,
    "max_response_size": 1,
    "max_attempts": 1,
}


@dataclass
class Users:
    """Two FreshBooks users of one app, each in a sandbox of his own.

    Attributes:
        first: Settings of the first user, whose tokens are in the store already.
        second: Settings of the second, with the same store.
    """

    sandboxes: tuple[Sandbox, Sandbox]
    first: dict[str, Any]
    second: dict[str, Any]

    def consent(self, settings: dict[str, Any]) -> str:
        """A code of a consent."""
        oauth = self._sandbox(settings).state.oauth
        app = oauth.apps[settings["client_id"]]
        code: str = oauth.authorize(app, settings["redirect_uri"], app.scopes)
        return code

    def authorised_anew(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings with the refresh token of one more consent."""
        oauth = self._sandbox(settings).state.oauth
        app = oauth.apps[settings["client_id"]]
        return {**settings, SEED: oauth.issue(app, app.scopes)["refresh_token"]}

    def stats(self, settings: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._sandbox(settings).stats(settings["client_id"])
        return found

    def refreshes(self, settings: dict[str, Any]) -> tuple[int, int]:
        """Refreshes, and how many refresh tokens were sent after their death."""
        stats = self.stats(settings)
        return stats["refreshes"], stats["spent_refresh_tokens"]

    def asked(self, settings: dict[str, Any]) -> int:
        """How often FreshBooks was asked who somebody is."""
        count: int = self.stats(settings)["paths"].get("GET /auth/api/v1/users/me", 0)
        return count

    def living(self, settings: dict[str, Any]) -> str | None:
        """The refresh token that FreshBooks would take."""
        living: dict[str, str] = self._sandbox(settings).state.oauth.living
        return living.get(settings["client_id"])

    def identity(self, settings: dict[str, Any]) -> int:
        number: int = self._sandbox(settings).state.identity["id"]
        return number

    def _sandbox(self, settings: dict[str, Any]) -> Sandbox:
        return next(each for each in self.sandboxes if each.url == settings["api_url"])


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[tuple[Sandbox, Sandbox]]:
    with (
        Sandbox(seed=1, invoices=10, rate_limit=0) as first,
        Sandbox(seed=2, invoices=10, rate_limit=0, behaviours={"pkce": "ignored"}) as second,
    ):
        yield first, second


@pytest.fixture(params=["file", "sqlite"])
def users(
    request: pytest.FixtureRequest, sandboxes: tuple[Sandbox, Sandbox], tmp_path: Path
) -> Users:
    """Two users of a new app, and a store that knows the first."""
    found = new_users(sandboxes)
    place = str(tmp_path / "tokens.json")
    if request.param == "sqlite":
        place = f"sqlite:///{tmp_path}/tokens.db"
    for settings in (found.first, found.second):
        settings |= {"token_store": place, **ONE_BY_ONE}
    assert connection(found.first).me
    return found


def new_users(sandboxes: tuple[Sandbox, Sandbox]) -> Users:
    first, second = sandboxes
    settings = first.config()
    app = first.state.oauth.apps[settings["client_id"]]
    second.state.oauth.apps[app.client_id] = app
    there = {"api_url": second.url, "auth_url": second.url}
    users = Users(sandboxes, settings, {**settings, **there})
    users.second = users.authorised_anew(users.second)
    return users


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pairs go that have no place in a store."""
    folder = tmp_path / "elsewhere"
    monkeypatch.setattr(fallback, "fallback_folders", lambda: iter([folder]))
    monkeypatch.setattr(rotation, "STORE_TIMEOUT", 0)
    return folder


def stored(settings: dict[str, Any]) -> TokenPair:
    pair = connection(settings).store.read()
    assert pair
    return pair


def without_seed(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != SEED}


def works(settings: dict[str, Any], token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{settings['api_url']}/auth/api/v1/users/me"
    return requests.get(url, headers=headers, timeout=5).status_code == 200


def refreshed(settings: dict[str, Any]) -> str:
    """The token of a refresh that is not due."""
    authenticator = connection(settings).authenticator
    return authenticator.access_token(rejected=authenticator.access_token())


def test_a_store_remembers_whose_tokens_it_holds(users: Users) -> None:
    owner = stored(users.first).owner
    assert owner
    assert owner.identity_id == users.identity(users.first)
    refreshed(users.first)
    assert stored(users.first).owner == owner


def test_a_sync_costs_no_request_more(users: Users) -> None:
    asked = users.asked(users.first)
    sync(users.first, "identity")
    assert users.asked(users.first) - asked == 1


# A refresh token of another user is configured


def test_a_configured_token_of_another_user_is_refused_and_nothing_is_overwritten(
    users: Users,
) -> None:
    before = stored(users.first)
    with pytest.raises(OtherUserError, match=OTHER) as refusal:
        sync(users.second, "identity")
    sentence = str(refusal.value)
    assert refusal.value.exit_status == 2
    for word in (users.identity(users.first), users.identity(users.second), "login --replace"):
        assert str(word) in sentence
    after = stored(users.first)
    assert replace(after, held_back=()) == before
    assert works(users.first, refreshed(users.first))
    assert users.refreshes(users.first) == (2, 0)


def test_it_is_refused_again_without_a_request(users: Users) -> None:
    for _ in range(3):
        with pytest.raises(OtherUserError, match=OTHER):
            token_of(users.second)
    assert (users.refreshes(users.second), users.asked(users.second)) == ((1, 0), 1)


def test_its_new_pair_is_found_by_a_store_of_its_own(users: Users, tmp_path: Path) -> None:
    with pytest.raises(OtherUserError):
        token_of(users.second)
    [held] = stored(users.first).held_back
    assert held.refresh_token == users.living(users.second)
    own = {**users.second, "token_store": str(tmp_path / "second.json")}
    if "sqlite" in users.second["token_store"]:
        own = {**users.second, "connection": "second"}
    assert connection(own).me["id"] == users.identity(users.second)
    assert works(users.second, refreshed(own))
    assert users.refreshes(users.second) == (2, 0)
    with pytest.raises(OtherUserError):
        token_of(users.second)
    assert works(users.first, refreshed(users.first))


def test_only_one_store_takes_it(users: Users, tmp_path: Path) -> None:
    with pytest.raises(OtherUserError):
        token_of(users.second)
    own = [{**users.second, "token_store": str(tmp_path / f"{n}.json")} for n in range(2)]
    if "sqlite" in users.second["token_store"]:
        own = [{**users.second, "connection": f"own-{number}"} for number in range(2)]
    assert token_of(own[0])
    with pytest.raises(ReauthorizationRequiredError):
        token_of(own[1])
    assert works(users.second, refreshed(own[0]))


def test_a_configured_token_of_the_same_user_wins_as_ever(users: Users) -> None:
    anew = users.authorised_anew(users.first)
    token = token_of(anew)
    pair = stored(users.first)
    assert (pair.access_token, pair.seed) == (token, hash_of(anew[SEED]))
    assert pair.superseded_seeds == (hash_of(users.first[SEED]),)
    assert not pair.held_back
    assert pair.owner
    assert users.asked(anew) == 2  # one sync, one new token
    assert works(users.first, token)


def test_a_right_token_after_a_wrong_one_wins(users: Users) -> None:
    with pytest.raises(OtherUserError):
        token_of(users.second)
    anew = users.authorised_anew(users.first)
    assert works(users.first, token_of(anew))
    assert works(users.first, refreshed(anew))
    [held] = stored(anew).held_back
    assert held.refresh_token == users.living(users.second)


def test_of_each_other_user_the_newest_pair_is_kept(users: Users) -> None:
    with pytest.raises(OtherUserError):
        token_of(users.second)
    anew = users.authorised_anew(users.second)
    with pytest.raises(OtherUserError):
        token_of(anew)
    [held] = stored(anew).held_back
    assert (held.seed, held.refresh_token) == (hash_of(anew[SEED]), users.living(anew))


def test_logout_lets_the_configured_user_follow(users: Users) -> None:
    with pytest.raises(OtherUserError):
        token_of(users.second)
    assert connection(
        users.first | {SEED: users.second[SEED]}
    ).refreshing_authenticator.disconnect()
    assert users.living(users.first) is None
    assert connection(users.second).me["id"] == users.identity(users.second)
    assert users.refreshes(users.second) == (1, 0)


def test_logout_ends_what_is_held_back_for_nobody(users: Users, elsewhere: Path) -> None:
    with pytest.raises(OtherUserError):
        token_of(users.second)
    [held] = stored(users.first).held_back
    # The app is one, and so is FreshBooks; here each user has one of his own.
    apart = connection({**without_seed(users.second), "token_store": users.first["token_store"]})
    assert apart.refreshing_authenticator.disconnect()
    assert users.living(users.second) is None
    assert not works(users.second, held.access_token or "")
    assert apart.store.read() is None
    assert not elsewhere.exists() or list(elsewhere.iterdir()) == []


def test_logout_forgets_the_user(users: Users) -> None:
    assert connection(users.first).refreshing_authenticator.disconnect()
    assert works(users.second, token_of(users.second))
    assert stored(users.second).owner is None


# A login of another user


def test_a_login_of_another_user_is_refused_and_its_tokens_are_revoked(users: Users) -> None:
    before = stored(users.first)
    with pytest.raises(OtherUserError, match="has ended it: log in there again"):
        connection(users.second).connect(users.consent(users.second), "")
    assert stored(users.first) == before
    assert users.living(users.second) is None
    assert works(users.first, refreshed(users.first))


def test_a_login_of_the_same_user_counts(users: Users) -> None:
    connection(users.first).connect(users.consent(users.first), "")
    pair = stored(users.first)
    assert pair.refresh_token == users.living(users.first)
    assert not pair.held_back
    assert pair.seed == hash_of(users.first[SEED])
    assert works(users.first, token_of(users.first))


def test_a_login_that_replaces_takes_any_user(users: Users) -> None:
    settings = without_seed(users.second)
    connection(users.first).store.note_success(["invoices"])
    connection(settings).connect(users.consent(users.second), "", is_replacing=True)
    assert not connection(settings).store.overview().last_success
    assert connection(settings).me
    owner = stored(settings).owner
    assert owner
    assert owner.identity_id == users.identity(users.second)
    with pytest.raises(OtherUserError):
        token_of(users.authorised_anew(users.first))


def test_the_command_refuses_and_replaces(
    users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    path = tmp_path / "second.json"
    path.write_text(json.dumps(without_seed(users.second)))

    def login(*options: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{users.consent(users.second)}\n"))
        return command("login", "--config", str(path), "--paste", *options)

    status, _, error = login()
    assert status == 2
    assert "this login is of another FreshBooks user" in error
    status, output, _ = login("--replace")
    assert status == 0
    assert "Connected as " in output
    owner = stored(users.second).owner
    assert owner
    assert owner.identity_id == users.identity(users.second)


def test_a_login_of_a_user_whom_freshbooks_does_not_name_keeps_both(users: Users) -> None:
    sandbox = users.sandboxes[0]
    before = stored(users.first)
    path = "*/users/me"
    sandbox.faults("status", client_id=users.first["client_id"], path=path, status=503)
    with pytest.raises(ConnectionFailedError, match=r"are kept in .* not known yet"):
        connection(users.first).connect(users.consent(users.first), "")
    after = stored(users.first)
    assert replace(after, held_back=()) == before
    sandbox.faults_clear()
    token = token_of(users.first)  # the next run asks again
    assert token == stored(users.first).access_token
    assert stored(users.first).refresh_token == users.living(users.first)
    assert users.refreshes(users.first) == (1, 0)


# Interrupted, disturbed, by many at once


def test_an_end_before_the_question_leaves_it_to_the_next_run(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(users.first)
    anew = users.authorised_anew(users.first)
    end_before_it_is_asked(anew, monkeypatch)
    held = stored(anew).unchecked
    assert held
    assert held.refresh_token == users.living(users.first)
    assert replace(stored(anew), held_back=()) == before
    # Whatever is configured now: that pair is the newest, if it is of the same user.
    assert token_of(without_seed(anew)) == held.access_token
    assert stored(anew).refresh_token == held.refresh_token
    assert users.refreshes(users.first) == (2, 0)


def test_an_end_before_the_question_does_not_let_another_user_in(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(users.first)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(OwnerCheck, "settle", interrupt)
        with pytest.raises(RunInterruptedError):
            token_of(users.second)
        with pytest.raises(RunInterruptedError):
            connection(users.second).connect(users.consent(users.second), "")
    settings = without_seed(users.second)
    assert token_of(settings) == before.access_token
    assert replace(stored(settings), held_back=()) == before


def interrupt(*_args: object) -> None:
    raise RunInterruptedError(15)


def end_before_it_is_asked(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run hold a pair back, and end before it asks whose it is."""
    with monkeypatch.context() as interrupted:
        interrupted.setattr(OwnerCheck, "settle", interrupt)
        with pytest.raises(RunInterruptedError):
            token_of(config)


def test_a_pair_whose_access_token_has_died_meanwhile_is_refreshed_before_it_is_asked(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew = users.authorised_anew(users.first)
    end_before_it_is_asked(anew, monkeypatch)
    users.sandboxes[0].expire_tokens(anew["client_id"])
    assert works(users.first, token_of(anew))
    assert stored(anew).refresh_token == users.living(users.first)
    assert users.refreshes(users.first) == (3, 0)


def test_a_pair_that_was_held_back_is_rescued_and_found(
    users: Users, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew = users.authorised_anew(users.first)
    end_before_it_is_asked(anew, monkeypatch)
    users.sandboxes[0].expire_tokens(anew["client_id"])
    with monkeypatch.context() as broken:
        broken.setattr(LockedStore, "write", fail)
        with pytest.raises(RefreshFailedError, match="rescued to"):
            token_of(anew)
    assert len(list(elsewhere.iterdir())) == 1
    assert works(users.first, token_of(anew))
    assert stored(anew).refresh_token == users.living(users.first)
    assert users.refreshes(users.first) == (3, 0)


def fail(*_args: object, **_: bool) -> None:
    raise OSError(28, "No space left on device")


def test_tokens_that_freshbooks_never_accepts_end_the_run(users: Users) -> None:
    sandbox, client_id = users.sandboxes[0], users.first["client_id"]
    anew = users.authorised_anew(users.first)
    sandbox.faults("expire_token", client_id=client_id, path="*/users/me")
    with pytest.raises(ConnectionFailedError, match="does not accept the new access token"):
        token_of(anew)
    sandbox.faults_clear()
    assert works(users.first, token_of(anew))
    assert users.refreshes(users.first)[1] == 0


def test_a_pair_that_the_store_cannot_hold_back_is_rescued(
    users: Users, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(users.first)
    with monkeypatch.context() as broken:
        broken.setattr(LockedStore, "write", fail)
        with pytest.raises(RefreshFailedError, match="rescued to"):
            token_of(users.second)
    assert len(list(elsewhere.iterdir())) == 1
    refreshed(users.first)  # meanwhile another job goes on
    with pytest.raises(OtherUserError, match=OTHER):
        token_of(users.second)
    [held] = stored(users.first).held_back
    assert held.refresh_token == users.living(users.second)
    assert stored(users.first).generation == before.generation + 1
    assert users.refreshes(users.second) == (1, 0)


def test_a_crowd_with_a_new_token_asks_once(users: Users) -> None:
    anew = users.authorised_anew(users.first)
    asked = users.asked(anew)
    tokens: list[str] = []
    threads = [
        threading.Thread(target=lambda each: tokens.append(token_of(each)), args=(settings,))
        for settings in [anew, without_seed(anew)] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 6
    assert token_of(anew) == stored(anew).access_token
    assert users.asked(anew) - asked == 1
    assert users.refreshes(anew) == (2, 0)


# Nobody knows whose they are


def test_a_store_of_an_earlier_version_learns_it_from_its_own_token_first(users: Users) -> None:
    forget_owner(users.first)
    before = stored(users.first)
    with other_user_from(users, 1), pytest.raises(OtherUserError, match=OTHER):
        token_of(users.authorised_anew(users.first))
    after = stored(users.first)
    assert after.owner
    assert replace(after, owner=None, held_back=()) == before


def test_a_store_that_cannot_learn_it_takes_the_new_user(users: Users) -> None:
    forget_owner(users.first, expires_at=1.0)
    assert works(users.second, token_of(users.second))
    assert connection(users.second).me
    owner = stored(users.second).owner
    assert owner
    assert owner.identity_id == users.identity(users.second)


def test_an_answer_that_names_nobody_is_no_other_user(users: Users) -> None:
    nameless = [
        {"edit": "remove", "path": f"response.{key}"}
        for key in ("id", "identity_id", "identity_uuid")
    ]
    sandbox = users.sandboxes[0]
    sandbox.faults("answer", client_id=users.first["client_id"], path="*/users/me", edits=nameless)
    anew = users.authorised_anew(users.first)
    sync(anew, "businesses")
    sandbox.faults_clear()
    pair = stored(anew)
    assert pair.seed == hash_of(anew[SEED])
    assert pair.owner
    assert pair.owner.identity_id == users.identity(anew)


@contextlib.contextmanager
def other_user_from(users: Users, question: int) -> Iterator[None]:
    """From this question on, users/me of the first user names another."""
    edits = [
        {"edit": "set", "path": f"response.{key}", "value": 4_711} for key in ("id", "identity_id")
    ]
    sandbox = users.sandboxes[0]
    sandbox.faults(
        "answer",
        client_id=users.first["client_id"],
        path="*/users/me",
        edits=edits,
        skip=question,
    )
    yield
    sandbox.faults_clear()


def forget_owner(settings: dict[str, Any], **changes: Any) -> None:
    with connection(settings).store.locked() as locked:
        pair = locked.read()
        assert pair
        locked.write(replace(pair, owner=None, **changes))


# Tokens that somebody has put there


def test_tokens_of_another_user_in_the_store_are_not_read_from(users: Users) -> None:
    before = stored(users.first)
    with other_user_from(users, 0), pytest.raises(OtherUserError, match="so nothing was read"):
        sync(users.first, "identity")
    assert stored(users.first) == before
    assert sync(users.first, "identity").records["identity"]


def test_they_are_not_read_from_though_the_store_cannot_be_locked(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (FileStore, SqlStore):
        monkeypatch.setattr(kind, "locked", lambda _: fail_to_lock())
    with other_user_from(users, 0), pytest.raises(OtherUserError, match="so nothing was read"):
        sync(users.first, "identity")


def test_whose_tokens_they_are_is_noted_if_the_store_can_be_locked(
    users: Users, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    forget_owner(users.first)
    with monkeypatch.context() as away:
        for kind in (FileStore, SqlStore):
            away.setattr(kind, "locked", lambda _: fail_to_lock())
        assert connection(users.first).me
    assert "Whose tokens they are could not be noted: the token store is locked" in caplog.text
    assert stored(users.first).owner is None
    assert connection(users.first).me
    assert stored(users.first).owner


def fail_to_lock() -> None:
    raise TokenStoreError("the token store is locked")


def test_what_is_known_already_is_not_written_again(users: Users) -> None:
    before = connection(users.first).store.read()
    place = users.first["token_store"].removeprefix("sqlite:///")
    written = Path(place).stat().st_mtime_ns
    assert connection(users.first).me
    assert Path(place).stat().st_mtime_ns == written
    assert connection(users.first).store.read() == before


# The configuration file as the store


@pytest.fixture
def configuration(sandboxes: tuple[Sandbox, Sandbox], tmp_path: Path) -> tuple[Users, Path]:
    """Two users, and the configuration file of the first, which knows him."""
    users = new_users(sandboxes)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(users.first, indent=2))
    assert connection({**users.first, **ONE_BY_ONE}, token_file=path).me
    return users, path


def test_a_token_of_another_user_in_the_configuration_is_refused(
    configuration: tuple[Users, Path],
) -> None:
    users, path = configuration
    put_into(path, users.second)
    for _ in range(2):
        with pytest.raises(OtherUserError, match=OTHER):
            token_of(users.second, token_file=path)
    assert (users.refreshes(users.second), users.asked(users.second)) == ((1, 0), 1)
    content = json.loads(path.read_text())
    assert content[SEED] == users.second[SEED]
    [held] = content["token_held_back"]
    assert held[SEED] == users.living(users.second)
    assert content["token_owner"]["identity_id"] == users.identity(users.first)
    anew = users.authorised_anew(users.first)
    put_into(path, anew)
    assert works(users.first, token_of(anew, token_file=path))
    assert json.loads(path.read_text())[SEED] == users.living(users.first)


@pytest.mark.parametrize("is_copy", [True, False])
def test_a_configuration_of_his_own_finds_the_new_tokens(
    configuration: tuple[Users, Path], tmp_path: Path, is_copy: bool
) -> None:
    users, path = configuration
    put_into(path, users.second)
    with pytest.raises(OtherUserError, match="remove its keys token_…: the new tokens are kept"):
        token_of(users.second, token_file=path)
    own = path if is_copy else tmp_path / "own.json"
    content = json.loads(path.read_text()) if is_copy else users.second
    names = [name for name in content if not name.startswith("token_") and name != "expires_at"]
    own.write_text(json.dumps({name: content[name] for name in names}))
    assert works(users.second, token_of(users.second, token_file=own))
    assert json.loads(own.read_text())[SEED] == users.living(users.second)
    assert users.refreshes(users.second)[1] == 0


def test_a_login_of_another_user_leaves_the_configuration_as_it_was(
    configuration: tuple[Users, Path],
) -> None:
    users, path = configuration
    before = path.read_text()
    with pytest.raises(OtherUserError, match="this login is of another FreshBooks user"):
        connection(users.second, token_file=path).connect(users.consent(users.second), "")
    assert path.read_text() == before
    connection(users.first, token_file=path).connect(users.consent(users.first), "")
    content = json.loads(path.read_text())
    assert content[SEED] == users.living(users.first)
    assert "token_held_back" not in content


def test_logout_forgets_all_of_a_configuration_that_was_refused(
    configuration: tuple[Users, Path],
) -> None:
    users, path = configuration
    put_into(path, users.second)
    with pytest.raises(OtherUserError):
        token_of(users.second, token_file=path)
    assert connection(users.second, token_file=path).refreshing_authenticator.disconnect()
    assert users.living(users.second) is None
    content = json.loads(path.read_text())
    assert not [key for key in content if key.startswith("token_")]
    assert SEED not in content


def put_into(path: Path, settings: dict[str, Any]) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, SEED: settings[SEED]}, indent=2))


# What an answer says


def test_an_identity_is_compared_by_what_both_answers_name() -> None:
    uuid = "0e6d2c44-1b7a-4f0e-8a55-6d9be2f3a710"
    old, new = Owner(1), Owner(1, uuid)
    assert not old.is_other_than(new)
    assert new.is_other_than(Owner(2, uuid))
    assert not Owner(None, uuid).is_other_than(new)
    assert Owner(None, "another").is_other_than(new)
    assert not Owner(None, uuid).is_other_than(old)
    assert old.completed_by(new) == new


@pytest.mark.parametrize(
    ("me", "owner"),
    [
        ({"id": 1, "identity_id": 1}, Owner(1)),
        ({"id": "1"}, Owner(1)),
        ({"identity_uuid": "0E6D"}, Owner(None, "0e6d")),
        ({"id": True, "identity_id": 1.5, "identity_uuid": ["x"]}, None),
        ({"id": 0, "identity_uuid": ""}, None),
        ({"id": 10**30, "identity_uuid": "x" * 65}, None),
    ],
)
def test_odd_identities(me: dict[str, Any], owner: Owner | None) -> None:
    assert Owner.read(me) == owner


@pytest.mark.parametrize("is_known", [True, False])
def test_a_run_does_not_go_on_as_another_user_who_takes_the_store_over(
    users: Users, is_known: bool
) -> None:
    first = {name: value for name, value in users.first.items() if name != SEED}
    second = {name: value for name, value in users.second.items() if name != SEED}
    running, other = connection(first), connection(second)
    assert running.me
    token = running.authenticator.access_token()
    other.refreshing_authenticator.connect(users.consent(second), "", is_replacing=True)
    if is_known:
        assert other.me
    else:  # one FreshBooks for both, as far as the question goes
        running.refreshing_authenticator._owners.ask = lambda _: Owner(users.identity(second))
    assert running.authenticator.access_token() == token  # nothing was asked meanwhile
    for _ in range(2):
        with pytest.raises(OtherUserError, match=r"while this ran, .* replaced by those"):
            running.authenticator.access_token(rejected=token)


def test_a_run_goes_on_as_the_same_user_who_logs_in_anew(users: Users) -> None:
    first = {name: value for name, value in users.first.items() if name != SEED}
    running = connection(first)
    assert running.me
    token = running.authenticator.access_token()
    connection(first).refreshing_authenticator.connect(users.consent(first), "", is_replacing=True)
    asked = users.asked(first)
    fresh = running.authenticator.access_token(rejected=token)
    assert fresh != token
    assert users.asked(first) == asked + 1
    assert running.authenticator.access_token() == fresh
