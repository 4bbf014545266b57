"""The end of a connection that FreshBooks no longer accepts, and how it begins anew."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.connection import Connection
from tap_freshbooks.errors import ReauthorizationRequiredError, TapError
from tap_freshbooks.oauth import reauth_notifier
from tap_freshbooks.oauth.tokens import hash_of
from tests.support import QUICK, answering, sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freshbooks_sandbox import Sandbox

DEAD = "0" * 64

EVENT = {
    "event",
    "client_id",
    "connection",
    "identity_id",
    "identity_uuid",
    "businesses",
    "time",
    "reason",
}
"""The keys of what `auth_failure_url` gets."""


def connection(
    config: dict[str, Any], *, token_file: Path | None = None, **changes: Any
) -> Connection:
    """A connection as a run of its own would open it."""
    return Connection({"connection": "default", **config, **changes}, token_file, "test")


def token_of(config: dict[str, Any], **changes: Any) -> str:
    return connection(config, **changes).authenticator.access_token()


def requests_of(sandbox: Sandbox, config: dict[str, Any]) -> int:
    count: int = sandbox.stats(config["client_id"])["requests"]
    return count


@pytest.fixture(params=["file", "sqlite"])
def stored(request: pytest.FixtureRequest, config: dict[str, Any], tmp_path: Path) -> Any:
    """Settings with either kind of store."""
    if request.param == "file":
        return config
    return {**config, "token_store": f"sqlite:///{tmp_path}/tokens.db"}


def test_a_refused_account_is_flagged_and_later_runs_fail_without_a_request(
    stored: dict[str, Any], sandbox: Sandbox
) -> None:
    dead = {**stored, "refresh_token": DEAD}
    with pytest.raises(ReauthorizationRequiredError, match="spent or revoked"):
        token_of(dead)
    asked = requests_of(sandbox, stored)
    for _ in range(3):
        with pytest.raises(
            ReauthorizationRequiredError, match=r"found out at 20.*tap-freshbooks login"
        ):
            token_of(dead)
    assert requests_of(sandbox, stored) == asked


def test_new_credentials_end_the_flag(stored: dict[str, Any], sandbox: Sandbox) -> None:
    with pytest.raises(ReauthorizationRequiredError):
        token_of(stored, refresh_token=DEAD)
    assert token_of(stored)
    assert sandbox.stats(stored["client_id"])["spent_refresh_tokens"] == 0


def test_a_wrong_new_token_does_not_cost_the_connection_that_worked(
    stored: dict[str, Any], sandbox: Sandbox
) -> None:
    token = token_of(stored)
    for _ in range(2):
        with pytest.raises(ReauthorizationRequiredError):
            token_of(stored, refresh_token=DEAD)
    assert token_of(stored) == token
    authenticator = connection(stored).authenticator
    assert authenticator.access_token(rejected=token) != token
    assert sandbox.stats(stored["client_id"])["spent_refresh_tokens"] == 0


def test_a_token_put_into_the_token_file_by_hand_is_not_flagged(
    config: dict[str, Any], sandbox: Sandbox
) -> None:
    dead = {**config, "refresh_token": DEAD}
    with pytest.raises(ReauthorizationRequiredError):
        token_of(dead)
    path = Path(config["token_store"])
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "refresh_token": config["refresh_token"]}))
    assert token_of(dead)
    assert sandbox.stats(config["client_id"])["refreshes"] == 1


class Receiver:
    """The receiver of `auth_failure_url`."""

    def __init__(self) -> None:
        self.status = 204
        self.events: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.events.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?key=theirs"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.02,))
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


def test_the_receiver_is_notified_once_for_each_flag_and_gets_no_secret(
    stored: dict[str, Any], receiver: Receiver
) -> None:
    dead = {**stored, "refresh_token": DEAD, "auth_failure_url": receiver.url}
    for _ in range(3):
        with pytest.raises(ReauthorizationRequiredError):
            token_of(dead)
    [event] = receiver.events
    assert event["event"] == "reauthorization_required"
    assert event["connection"] == "default"
    assert event["time"].endswith("Z")
    assert "spent or revoked" in event["reason"]
    assert event["client_id"] == stored["client_id"]
    assert event["businesses"] == []  # nobody knows them yet
    assert set(event) == EVENT
    assert DEAD not in json.dumps(event)
    with pytest.raises(ReauthorizationRequiredError):
        token_of(dead, refresh_token="1" * 64)
    assert len(receiver.events) == 2


def test_the_receiver_learns_whose_account_it_is(
    stored: dict[str, Any], sandbox: Sandbox, receiver: Receiver
) -> None:
    sync(stored, "identity")
    [me] = sync(stored, "identity").records["identity"]
    with pytest.raises(ReauthorizationRequiredError):
        token_of(stored, refresh_token=DEAD, connection="default", auth_failure_url=receiver.url)
    [event] = receiver.events
    assert (event["identity_id"], event["identity_uuid"]) == (me["id"], me["identity_uuid"])
    own = [each for each in sandbox.businesses() if each["role"] == "owner"]
    shown = ("account_id", "business_uuid", "name")
    assert event["businesses"] == [
        {"business_id": each["id"], **{key: each[key] for key in shown}}
        for each in sorted(own, key=lambda each: each["id"])
    ]
    pair = connection(stored).store.read()
    assert pair
    secrets = [pair.refresh_token, pair.access_token, stored["client_secret"], DEAD]
    assert all(str(secret) not in json.dumps(event) for secret in secrets)


def test_two_jobs_with_two_dead_tokens_cause_two_notifications(
    stored: dict[str, Any], receiver: Receiver
) -> None:
    dead = {**stored, "auth_failure_url": receiver.url}
    for _ in range(3):
        for token in (DEAD, "1" * 64):
            with pytest.raises(ReauthorizationRequiredError):
                token_of(dead, refresh_token=token)
    assert len(receiver.events) == 2


def test_a_dead_token_beside_a_connection_that_works_causes_one_notification(
    stored: dict[str, Any], receiver: Receiver
) -> None:
    works = connection(stored).authenticator
    token = works.access_token()
    for _ in range(3):
        with pytest.raises(ReauthorizationRequiredError):
            token_of(stored, refresh_token=DEAD, auth_failure_url=receiver.url)
        token = works.access_token(rejected=token)
    assert len(receiver.events) == 1


def test_a_receiver_whose_answer_has_no_end_does_not_hold_the_store(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reauth_notifier, "TIMEOUT", 0.5)
    with answering(b"HTTP/1.1 204 ", drips=True) as url:
        began = time.monotonic()
        with pytest.raises(ReauthorizationRequiredError):
            token_of({**config, "refresh_token": DEAD, "auth_failure_url": url})
        assert time.monotonic() - began < 10


def test_a_notification_that_was_not_taken_is_sent_again_by_the_next_run(
    stored: dict[str, Any], receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    dead = {**stored, "refresh_token": DEAD, "auth_failure_url": receiver.url}
    receiver.status = 500
    with pytest.raises(ReauthorizationRequiredError):
        token_of(dead)
    assert "auth_failure_url did not take the event (status 500)" in caplog.text
    assert "theirs" not in caplog.text
    receiver.status = 200
    for _ in range(2):
        with pytest.raises(ReauthorizationRequiredError):
            token_of(dead)
    assert len(receiver.events) == 2


def test_a_receiver_that_is_gone_changes_nothing(stored: dict[str, Any]) -> None:
    with pytest.raises(ReauthorizationRequiredError, match="spent or revoked"):
        token_of(stored, refresh_token=DEAD, auth_failure_url="http://127.0.0.1:9/hook")


def test_a_second_401_ends_the_run(stored: dict[str, Any], sandbox: Sandbox) -> None:
    client_id = stored["client_id"]
    sandbox.faults("expire_token", client_id=client_id, path="*/users/me")
    with pytest.raises(TapError, match="even with a new access token"):
        sync(stored, "identity")
    sandbox.faults_clear()
    stats = sandbox.stats(client_id)
    assert (stats["refreshes"], stats["spent_refresh_tokens"]) == (2, 0)


def test_an_access_token_that_dies_in_mid_sync_costs_one_refresh(
    stored: dict[str, Any], sandbox: Sandbox
) -> None:
    client_id = stored["client_id"]
    sandbox.faults("expire_token", client_id=client_id, path="*/invoices/invoices", skip=1, times=1)
    messages = sync(stored, "invoices")
    sandbox.faults_clear()
    assert len(messages.records["invoices"]) == sandbox.count("invoices") + sandbox.count(
        "invoices", 2
    )
    stats = sandbox.stats(client_id)
    assert (stats["refreshes"], stats["spent_refresh_tokens"]) == (2, 0)


def test_the_token_that_another_run_has_stored_meanwhile_is_taken_after_a_401(
    stored: dict[str, Any], sandbox: Sandbox
) -> None:
    settings = {
        **QUICK,
        "max_concurrency": 1,
        "request_timeout": 5,
        "max_response_size": 1,
        "max_attempts": 2,
    }
    ours = connection({**settings, **stored})
    first = ours.authenticator.access_token()
    sandbox.expire_tokens(stored["client_id"])
    theirs = connection(stored).authenticator.access_token(rejected=first)
    assert ours.me
    assert ours.authenticator.access_token() == theirs
    assert sandbox.stats(stored["client_id"])["refreshes"] == 2


def test_no_token_is_ever_in_the_state(stored: dict[str, Any]) -> None:
    messages = sync(stored, "invoices", "clients")
    pair = connection(stored).store.read()
    assert pair
    text = json.dumps(messages.state)
    secrets = [pair.refresh_token, pair.access_token, stored["client_secret"]]
    assert all(str(secret) not in text for secret in secrets)
    assert hash_of(stored["refresh_token"]) not in text
