"""`tap-freshbooks status` for programs: one connection that is tried, all that are stored."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from tap_freshbooks.oauth.owner import OwnBusiness, Owner
from tap_freshbooks.oauth.stores.factory import open_store
from tap_freshbooks.oauth.tokens import PendingRefresh, Rejection, TokenPair, hash_of
from tests.storage.databases import execute, make_version_1
from tests.support import QUICK, failing_sync, sync

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tap_freshbooks.oauth.stores.base import TokenStore
    from tests.support import Command

Run = Callable[..., tuple[int, Any, str]]

KEYS = {
    "client_id",
    "connection",
    "flag",
    "flagged_at",
    "reason",
    "identity_id",
    "identity_uuid",
    "businesses",
    "generation",
    "refreshed_at",
    "age_seconds",
    "access_token_expires_at",
    "held_back",
    "last_success",
}


@pytest.fixture
def run(command: Command, tmp_path: Path) -> Run:
    """Runs `status --json` with settings: the exit status, the document, what is said besides."""

    def run(config: dict[str, Any], *options: str) -> tuple[int, Any, str]:
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({**QUICK, **config}))
        status, output, error = command("status", "--config", str(path), "--json", *options)
        return status, json.loads(output) if output else None, error

    return run


@pytest.fixture(params=["file", "sqlite"])
def stored(request: pytest.FixtureRequest, config: dict[str, Any], tmp_path: Path) -> Any:
    """Settings with either kind of store; one business is enough here."""
    place = f"sqlite:///{tmp_path}/tokens.db" if request.param == "sqlite" else None
    return {**config, "token_store": place or config["token_store"]}


def first_business(sandbox: Sandbox) -> int:
    number: int = sandbox.businesses()[0]["id"]
    return number


def put(config: dict[str, Any], pair: TokenPair, *successes: str) -> TokenStore:
    """Store a pair as a run would leave it."""
    store = open_store(config, None, {})
    with store.locked() as locked:
        locked.read()
        locked.write(pair, is_newest=True)
    if successes:
        store.note_success(successes)
    return store


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


# One connection


def test_a_connection_that_works(run: Run, stored: dict[str, Any], sandbox: Sandbox) -> None:
    began = int(time.time())
    sync(stored, "invoices", "invoice_lines")
    status, found, _ = run({**stored, "business_ids": [first_business(sandbox)]})
    assert status == 0
    assert not KEYS - found.keys()
    assert (found["works"], found["error"], found["flag"]) == (True, None, "fine")
    assert (found["client_id"], found["connection"]) == (stored["client_id"], "default")
    assert found["store"] == stored["token_store"]
    assert found["streams"]["invoices"] == {str(first_business(sandbox)): "yes"}
    assert [each["account_id"] for each in found["businesses"]]
    assert found["generation"] == 1
    assert 0 <= found["age_seconds"] < 60
    assert found["last_success"].keys() == {"invoices", "invoice_lines"}
    assert all(moment(each) >= began for each in found["last_success"].values())


def test_a_connection_that_must_be_authorised_again(run: Run, stored: dict[str, Any]) -> None:
    status, found, error = run({**stored, "refresh_token": "0" * 64})
    assert status == 3
    assert (found["works"], found["flag"]) == (False, "needs_authorization")
    assert "spent or revoked" in found["reason"]
    assert "tap-freshbooks login" in found["error"]
    assert found["error"] in error
    assert moment(found["flagged_at"])
    assert "0" * 64 not in json.dumps(found)


def test_a_connection_that_freshbooks_does_not_answer(
    run: Run, stored: dict[str, Any], sandbox: Sandbox
) -> None:
    sandbox.faults("status", client_id=stored["client_id"], path="*/users/me", status=503)
    status, found, _ = run({**stored, "max_attempts": 1})
    sandbox.faults_clear()
    assert status == 1
    assert (found["works"], found["flag"]) == (False, "fine")
    assert "503" in found["error"]


def test_a_connection_that_nobody_has_made(run: Run, stored: dict[str, Any]) -> None:
    status, found, _ = run({**stored, "refresh_token": None})
    assert status == 2
    assert (found["works"], found["flag"]) == (False, "not_connected")
    assert "there is no connection yet" in found["error"]


def test_an_access_token_alone_has_no_store(run: Run, config: dict[str, Any]) -> None:
    status, found, _ = run({**config, "refresh_token": None, "access_token": "dead"})
    assert status == 3
    assert (found["store"], found["flag"]) == (None, "needs_authorization")


def test_a_dead_token_that_was_taken_out_again_does_not_flag_what_works(
    run: Run, stored: dict[str, Any], sandbox: Sandbox
) -> None:
    settings = {**stored, "business_ids": [first_business(sandbox)]}
    sync(settings, "identity")
    assert run({**settings, "refresh_token": "0" * 64})[0] == 3
    status, found, _ = run(settings)
    assert (status, found["flag"], found["reason"]) == (0, "fine", None)


# All connections of a database


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Settings with a database for many connections, and nothing else."""
    if request.param == "sqlite":
        return {"client_id": "app", "token_store": f"sqlite:///{tmp_path}/shared.db"}
    url = request.getfixturevalue("postgres").url()
    execute(url, "DROP TABLE IF EXISTS tap_freshbooks_tokens, tap_freshbooks_successes")
    return {"client_id": "app", "token_store": url}


def pair_of(token: str, **notes: Any) -> TokenPair:
    now = time.time()
    return TokenPair(token, "access", expires_at=now + 600, generation=4, refreshed_at=now, **notes)


def fill(shared: dict[str, Any]) -> None:
    """Connections in each condition."""
    owner = Owner(7, "uuid", (OwnBusiness(1, "acct", None, "Harbour Refit"),))
    rejection = Rejection(hash_of("b"), time.time() + 1, "FreshBooks says no")
    put({**shared, "connection": "alpha"}, pair_of("a", owner=owner), "clients", "invoices")
    put({**shared, "connection": "beta"}, pair_of("b", rejections=(rejection,)))
    put(
        {**shared, "connection": "gamma"},
        pair_of("c", pending=PendingRefresh(hash_of("c"), time.time())),
    )
    put({**shared, "client_id": "other", "connection": "alpha"}, pair_of("d"))


def test_all_connections_are_listed_without_a_request(run: Run, shared: dict[str, Any]) -> None:
    fill(shared)
    status, found, _ = run(shared, "--all")
    assert status == 3
    assert found["format"] == 1
    listed = found["connections"]
    assert all(each.keys() == KEYS for each in listed)
    assert [(each["client_id"], each["connection"], each["flag"]) for each in listed] == [
        ("app", "alpha", "fine"),
        ("app", "beta", "needs_authorization"),
        ("app", "gamma", "refresh_pending"),
        ("other", "alpha", "fine"),
    ]
    alpha, beta, gamma, other = listed
    assert (alpha["identity_id"], alpha["identity_uuid"]) == (7, "uuid")
    assert alpha["businesses"][0]["name"] == "Harbour Refit"
    assert alpha["last_success"].keys() == {"clients", "invoices"}
    assert other["last_success"] == {}
    assert beta["reason"] == "FreshBooks says no"
    assert moment(gamma["flagged_at"]) > moment(alpha["refreshed_at"]) - 2
    assert 0 <= alpha["age_seconds"] < 60


def test_a_list_for_people(command: Command, shared: dict[str, Any], tmp_path: Path) -> None:
    fill(shared)
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(shared))
    status, output, _ = command("status", "--all", "--config", str(path))
    assert status == 3
    assert (
        "alpha (app app): fine\n  identity 7: Harbour Refit\n  generation 4, made 0 min ago\n"
        in output
    )
    assert "  last success: 0 min ago; of 2 streams, clients waits longest (0 min)\n" in output
    assert "beta (app app): needs authorization since 20" in output
    assert "gamma (app app): refresh pending\n" in output


def test_a_list_needs_no_key(run: Run, shared: dict[str, Any]) -> None:
    fill({**shared, "token_encryption_key": Fernet.generate_key().decode()})
    for key in (None, Fernet.generate_key().decode()):
        status, found, _ = run({**shared, "token_encryption_key": key}, "--all")
        assert status == 3
        flags = [each["flag"] for each in found["connections"]]
        assert flags == ["fine", "needs_authorization", "refresh_pending", "fine"]
        assert "fernet:" not in json.dumps(found)


def test_a_list_without_trouble_ends_well(run: Run, shared: dict[str, Any]) -> None:
    store = put({**shared, "connection": "alpha"}, pair_of("a"))
    assert run(shared, "--all")[0] == 0
    with store.locked() as locked:
        locked.forget()
    assert run(shared, "--all")[:2] == (
        0,
        {"format": 1, "store": _place(shared), "connections": []},
    )


def _place(shared: dict[str, Any]) -> str:
    return open_store(shared, None, {}).place


def test_a_connection_that_has_worked_since_is_no_alarm(run: Run, shared: dict[str, Any]) -> None:
    old = Rejection(hash_of("another"), time.time() - 5, "of a token that is taken out again")
    put({**shared, "connection": "alpha"}, pair_of("a", rejections=(old,)))
    put(
        {**shared, "connection": "beta"},
        replace(pair_of("b", rejections=(old,)), refreshed_at=1.0),
        "invoices",
    )
    assert run(shared, "--all")[0] == 0


def test_a_file_holds_one_connection(run: Run, config: dict[str, Any]) -> None:
    status, found, error = run(config, "--all")
    assert (status, found) == (2, None)
    assert f"the tokens are in a file, {config['token_store']}, which holds one connection" in error


def test_a_list_of_an_older_database(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    make_version_1(url)
    execute(
        url,
        "INSERT INTO tap_freshbooks_tokens "
        "(client_id, connection, refresh_token, token_rejections) VALUES "
        """('app', 'a', 'x', '[{"token": "h", "since": 5, "reason": "no"}]'), """
        """('app', 'b', null, '"odd"'), ('app', 'c', 'y', '"odd"')""",
    )
    status, found, _ = run({"token_store": url}, "--all")
    assert status == 3
    flags = [each["flag"] for each in found["connections"]]
    assert flags == ["needs_authorization", "not_connected", "fine"]


def test_a_row_that_somebody_has_damaged_hides_no_other(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tokens.db"
    for connection in "abc":
        shared = {"client_id": "app", "connection": connection, "token_store": url}
        put(shared, pair_of(connection), "invoices")
    notes = ("owner", "held_back", "spending", "rejections", "seeds_replaced")
    broken = ", ".join(f"token_{name} = '[1'" for name in notes)
    execute(
        url,
        f"UPDATE tap_freshbooks_tokens SET {broken}, expires_at = '', token_generation = 'x' "
        "WHERE connection = 'b'",
    )
    execute(url, "UPDATE tap_freshbooks_successes SET succeeded_at = 'x' WHERE connection = 'c'")
    status, found, _ = run({"token_store": url}, "--all")
    assert status == 0
    assert [each["flag"] for each in found["connections"]] == ["fine"] * 3
    assert [len(each["last_success"]) for each in found["connections"]] == [1, 1, 0]


def test_a_list_makes_no_database_of_a_wrong_name(run: Run, tmp_path: Path) -> None:
    status, found, error = run({"token_store": f"sqlite:///{tmp_path}/new/tokens.db"}, "--all")
    assert (status, found) == (2, None)
    assert f"there is no database sqlite:///{tmp_path}/new/tokens.db" in error
    assert not (tmp_path / "new").exists()


# When streams were read to their end


def successes(config: dict[str, Any]) -> set[str]:
    return set(open_store({"connection": "default", **config}, None, {}).overview().last_success)


def test_what_failed_or_was_refused_is_no_success(stored: dict[str, Any], sandbox: Sandbox) -> None:
    client_id = stored["client_id"]
    sandbox.faults("deny", client_id=client_id, path="*/taxes/taxes", reason="scope")
    sandbox.faults("status", client_id=client_id, path="*/invoices/invoices*", status=400)
    failing_sync(stored, "taxes", "invoices", "invoice_lines", "projects")
    sandbox.faults_clear()
    assert successes(stored) == {"projects"}
    sync(stored, "taxes", "invoice_lines")
    assert successes(stored) == {"projects", "taxes", "invoice_lines"}


def test_a_moment_that_cannot_be_noted_is_a_warning(
    config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sync(config, "identity")
    path = Path(config["token_store"])
    path.chmod(stat.S_IRUSR)
    messages = sync(config, "identity")
    assert messages.records["identity"]
    assert "The moment of this sync could not be noted: the token store" in caplog.text
    path.chmod(0o600)


def test_a_configuration_file_gets_no_moments(sandbox: Sandbox, tmp_path: Path) -> None:
    config = sandbox.config()
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    store = open_store({**config, "connection": "default"}, path, {})
    store.note_success(["invoices"])
    assert json.loads(path.read_text()) == config


def test_moments_are_forgotten_with_the_tokens(
    command: Command, stored: dict[str, Any], tmp_path: Path
) -> None:
    sync(stored, "identity")
    assert successes(stored) == {"identity"}
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(stored))
    assert command("logout", "--config", str(path))[0] == 0
    assert successes(stored) == set()


def test_a_replacement_forgets_them_too(stored: dict[str, Any]) -> None:
    store = put(stored, pair_of("a"), "invoices")
    with store.locked() as locked:
        locked.read()
        locked.forget_success()
        assert locked.read() == store.read()
    assert successes(stored) == set()
