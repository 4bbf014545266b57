from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import re
import socket
import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tap_freshbooks.errors import RunCancelledError, SettingsError
from tap_freshbooks.webhooks import connections
from tap_freshbooks.webhooks.callbacks import presence as presence_module
from tap_freshbooks.webhooks.callbacks.presence import ReceiverPresence
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.connections import InboxError
from tap_freshbooks.webhooks.inbox import GAP, Event, Inbox
from tap_freshbooks.webhooks.server import asgi, readiness, receiver
from tap_freshbooks.webhooks.server.maintenance import ReceiverMaintenance
from tap_freshbooks.webhooks.server.metrics import Metrics
from tests.support import unmeasured
from tests.webhooks.receivers import (
    ACCOUNT,
    SECRET,
    TAP,
    ReceiverThread,
    add_verified_callback,
    event_fields,
    signed,
)
from tests.webhooks.server import fuzz

if TYPE_CHECKING:
    from tap_freshbooks.webhooks.callbacks.store import Callback


def stored(inbox: Inbox) -> list[Event]:
    _, last = inbox.extent()
    found = inbox.read(ACCOUNT, ["invoice", "payment"], 0, last)
    return [each for each in found if each.name != GAP]


def test_a_delivery_is_stored(running: ReceiverThread, inbox: Inbox, callback: Callback) -> None:
    assert running.post(callback.path, event_fields()) == 200
    assert stored(inbox) == [Event(ACCOUNT, "invoice.create", "904417", "7712034")]
    known = CallbackStore(inbox).find(callback.path)
    assert known
    assert known.events == 1
    assert known.last_event_at
    # Sent again it is one more entry, and later one request.
    assert running.post(f"below/a/proxy/{callback.path}", event_fields()) == 200
    assert len(stored(inbox)) == 2
    assert running.count("taken") == 2


@pytest.mark.parametrize("reverse", [False, True])
def test_fields_may_come_in_any_order(
    running: ReceiverThread, callback: Callback, reverse: bool
) -> None:
    fields = event_fields()
    assert (
        running.post(
            callback.path, {name: fields[name] for name in sorted(fields, reverse=reverse)}
        )
        == 200
    )


def test_what_is_not_signed_with_the_verifier_is_rejected_and_not_stored(
    running: ReceiverThread, inbox: Inbox, callback: Callback
) -> None:
    assert running.post(callback.path, event_fields(), SECRET[::-1]) == 401
    body, headers = signed(event_fields())
    url = f"{running.url}/{callback.path}"
    assert requests.post(url, body + b"0", headers=headers, timeout=9).status_code == 401
    del headers["X-FreshBooks-Hmac-SHA256"]
    assert requests.post(url, body, headers=headers, timeout=9).status_code == 401
    assert stored(inbox) == []
    assert running.count("forged") == 3


def test_each_callback_has_its_own_verifier(
    running: ReceiverThread, inbox: Inbox, callback: Callback
) -> None:
    other = add_verified_callback(inbox, "http://other.example", "another" * 5)
    assert running.post(other.path, event_fields()) == 401
    assert running.post(callback.path, event_fields(), "another" * 5) == 401
    assert running.post(other.path, event_fields(), "another" * 5) == 200


def test_other_accounts_unknown_paths_and_malformed_deliveries_are_rejected(
    running: ReceiverThread, inbox: Inbox, callback: Callback
) -> None:
    assert running.post(callback.path, {**event_fields(), "account_id": "else"}) == 400
    assert running.post("tap-freshbooks-guessed", event_fields()) == 404
    assert running.post("", event_fields()) == 404
    url = f"{running.url}/{callback.path}"
    assert running.session.post(url, b"{").status_code == 400
    assert running.session.post(url, b"").status_code == 400
    for method in ("GET", "PUT", "DELETE"):
        assert running.session.request(method, url, allow_redirects=False).status_code == 405
    assert stored(inbox) == []


@pytest.mark.parametrize("path", ["/healthz/", "//", "/metrics/", "/x/", "/readyz//", "/healthz"])
def test_nothing_is_ever_redirected(running: ReceiverThread, path: str) -> None:
    answer = running.session.post(running.url + path, b"a=b", allow_redirects=False)
    assert answer.status_code in {404, 405}


def test_a_body_has_a_limit(running: ReceiverThread, callback: Callback) -> None:
    url = f"{running.url}/{callback.path}"
    assert running.session.post(url, b"x" * 16_384).status_code == 400
    assert running.session.post(url, b"x" * 16_385).status_code == 413
    chunks = (b"x" * 1000 for _ in range(100_000))
    try:
        status = requests.post(url, chunks, timeout=9).status_code
    except requests.ConnectionError:  # closed before all was sent
        status = 413
    assert status == 413
    # What says that it is large is not read at all.
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=9) as raw:
        head = f"POST /{callback.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
        raw.sendall(head.encode())
        assert b" 413 " in raw.recv(1000)


def test_a_slow_sender_is_disconnected(
    running: ReceiverThread, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi, "BODY_TIMEOUT", 0.2)
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=9) as raw:
        raw.sendall(
            f"POST /{callback.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na".encode()
        )
        assert b" 408 " in raw.recv(1000)


def test_foreign_requests_are_limited_and_those_of_freshbooks_are_not(
    inbox: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "MAX_REJECTED_PER_SECOND", 2)
    with ReceiverThread(inbox) as running:
        assert running.post(callback.path, event_fields()) == 200
        answers = {running.post(f"guess-{number}", event_fields()) for number in range(30)}
        assert answers == {404, 429}
    with ReceiverThread(inbox) as running:
        answers = {running.post(callback.path, event_fields(), "wrong") for _ in range(30)}
        assert answers == {401, 429}
        assert {running.post(callback.path, event_fields()) for _ in range(30)} == {200}
    assert len(stored(inbox)) == 31


def test_while_the_inbox_is_locked_deliveries_are_answered_with_503(
    running: ReceiverThread, inbox: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert running.post(callback.path, event_fields()) == 200
    inbox.close()
    monkeypatch.setattr(connections, "LOCK_TIMEOUT", 0.2)
    monkeypatch.setattr(readiness, "MIN_INTERVAL", 0.0)
    monkeypatch.setattr(inbox.database, "lock_timeout", 0.2)
    blocker = sqlite3.connect(inbox.database.url.database or "", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        assert running.post(callback.path, event_fields()) == 503
        answer = running.session.get(f"{running.url}/readyz")
        assert answer.status_code == 503
        assert (
            answer.text == "the webhook inbox cannot be written; the log of the receiver says why"
        )
        assert running.session.get(f"{running.url}/healthz").status_code == 200
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    assert running.post(callback.path, event_fields()) == 200
    assert running.session.get(f"{running.url}/readyz").status_code == 200
    assert len(stored(inbox)) == 2


def test_a_write_that_fails_answers_all_that_wait_for_it(
    inbox: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FreshBooks waits ten seconds, and a lock is waited for eight: there is time for one."""
    entered, end = threading.Event(), threading.Event()

    def fail(*_: object) -> None:
        entered.set()
        assert end.wait(9)
        end.clear()
        raise InboxError("locked")

    async def deliver() -> list[int]:
        taking = receiver.Receiver(inbox, Metrics(), lambda: None)
        monkeypatch.setattr(taking.store, "append_events", fail)
        body, headers = signed(event_fields())
        arguments = callback.path, headers["X-FreshBooks-Hmac-SHA256"], body
        first = asyncio.create_task(taking.receive(*arguments))
        assert await asyncio.to_thread(entered.wait, 9)
        others = [asyncio.create_task(taking.receive(*arguments)) for _ in range(3)]
        for _ in range(10):  # each of them knows the callback and has only to queue
            await asyncio.sleep(0)
        end.set()
        return await asyncio.wait_for(asyncio.gather(first, *others), 8)

    assert asyncio.run(deliver()) == [503] * 4


def test_many_deliveries_at_once_share_commits(
    running: ReceiverThread, inbox: Inbox, callback: Callback
) -> None:
    def deliver(number: int) -> int:
        body, headers = signed(event_fields(object_id=number))
        url = f"{running.url}/{callback.path}"
        return requests.post(url, body, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(deliver, range(300))) == {200}
    assert {each.object_id for each in stored(inbox)} == set(map(str, range(300)))
    text = running.session.get(f"{running.url}/metrics").text
    assert "freshbooks_webhooks_commit_deliveries_sum 300.0" in text
    assert "freshbooks_webhooks_answer_seconds_bucket" in text


# Verification


def verification(secret: str, callbackid: int = 2417) -> dict[str, str]:
    return {
        "name": "callback.verify",
        "object_id": str(callbackid),
        "account_id": ACCOUNT,
        "user_id": "1",
        "verifier": secret,
    }


def test_the_verifier_of_a_verification_is_stored_and_does_not_count_yet(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "VERIFIER_TIMEOUT", 0.3)
    store = CallbackStore(inbox)
    callback = store.add(ACCOUNT, "invoice", "http://127.0.0.1")
    with ReceiverThread(inbox) as running:
        assert running.post(callback.path, verification(SECRET), "another") == 401
        assert store.pending_verifiers() == []
        assert running.post("unknown", verification(SECRET)) == 404
        assert running.post(callback.path, verification(SECRET)) == 200
        [pending] = store.pending_verifiers()
        assert (pending.verifier, pending.callbackid, pending.accepted) == (SECRET, 2417, False)
        # FreshBooks may have taken it back, and we not yet noted it.
        assert running.post(callback.path, event_fields()) == 503
        assert stored(inbox) == []
        store.accept_verifier(pending)
        assert running.post(callback.path, event_fields()) == 200


def test_a_delivery_that_overtakes_the_acceptance_of_its_verifier_waits_for_it(
    inbox: Inbox,
) -> None:
    store = CallbackStore(inbox)
    callback = store.add(ACCOUNT, "invoice", "http://127.0.0.1")
    store.add_verifier(callback.path, SECRET, 2417)
    with ReceiverThread(inbox) as running:
        accepting = threading.Timer(
            0.3, lambda: store.accept_verifier(store.pending_verifiers()[0])
        )
        accepting.start()
        assert running.post(callback.path, event_fields()) == 200
        accepting.join()


@pytest.mark.parametrize("signer", [SECRET, "renewed" * 5])
def test_both_verifiers_count_after_a_verification_was_sent_again(
    inbox: Inbox, signer: str
) -> None:
    callback = add_verified_callback(inbox)
    store = CallbackStore(inbox)
    with ReceiverThread(inbox) as running:
        assert running.post(callback.path, verification("renewed" * 5), signer) == 200
        store.accept_verifier(store.pending_verifiers()[0])
        assert running.post(callback.path, event_fields()) == 200
        assert running.post(callback.path, event_fields(), "renewed" * 5) == 200


def test_a_verification_of_another_callback_is_rejected(inbox: Inbox) -> None:
    callback = add_verified_callback(inbox)
    with ReceiverThread(inbox) as running:
        assert running.post(callback.path, verification("other" * 7, 9)) == 400
    assert CallbackStore(inbox).pending_verifiers() == []


def test_a_path_cannot_be_filled_with_verifiers(inbox: Inbox) -> None:
    callback = add_verified_callback(inbox)
    with ReceiverThread(inbox) as running:
        answers = [
            running.post(callback.path, verification(secret), secret)
            for secret in (f"secret-{number}" for number in range(50))
        ]
    assert answers[0] == 200
    assert set(answers) == {200, 429}
    assert len(CallbackStore(inbox).pending_verifiers()) == receiver.MAX_VERIFICATIONS_PER_MINUTE


def test_no_verifier_and_no_path_is_logged(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    callback = add_verified_callback(inbox)
    with ReceiverThread(inbox) as running:
        running.post(callback.path, verification("renewed" * 5), "renewed" * 5)
        running.post(callback.path, event_fields())
        running.post(callback.path, event_fields(), "wrong")
        running.session.get(f"{running.url}/metrics")
    own = [each for each in caplog.records if not each.name.startswith(("urllib3", "asyncio"))]
    text = "\n".join(each.getMessage() for each in own)
    assert "asks to be verified" in text
    for secret in (SECRET, "renewed", callback.path):
        assert secret not in text


# Maintenance, pruning, and requests that are none of FreshBooks'


def test_the_first_heartbeat_after_a_long_silence_leaves_a_gap(inbox: Inbox) -> None:
    with ReceiverThread(inbox):
        pass
    with ReceiverThread(inbox):
        pass
    assert inbox.read(ACCOUNT, ["invoice"], 0, 99) == []  # a restart costs nothing
    with sqlite3.connect(inbox.database.url.database or "") as database:
        database.execute("UPDATE tap_freshbooks_receivers SET seen_at = seen_at - 100")
    database.close()
    with ReceiverThread(inbox):
        pass
    [gap] = inbox.read(ACCOUNT, ["invoice"], 0, 99)
    assert gap.name == GAP
    assert gap.object_id.startswith("no receiver ran from ")


def test_the_application_that_the_docs_name_needs_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="set TAP_FRESHBOOKS_WEBHOOK_INBOX"):
        asgi.app()
    monkeypatch.setenv("TAP_FRESHBOOKS_WEBHOOK_INBOX", str(tmp_path / "inbox.db"))
    documented = re.search(r"'([\w.]+):app\(\)'", Path("docs/webhooks.md").read_text())
    assert documented
    assert importlib.import_module(documented[1]).app()


def test_entries_are_pruned_by_age(inbox: Inbox) -> None:
    inbox.append([Event(ACCOUNT, "invoice.update", str(number)) for number in range(5)])
    with sqlite3.connect(inbox.database.url.database or "") as database:
        database.execute(
            "UPDATE tap_freshbooks_inbox_events SET received_at = 9 WHERE position <= 3"
        )
    database.close()
    assert inbox.prune(100.0) == 3
    assert inbox.extent() == (3, 5)
    assert inbox.prune(100.0) == 0
    assert [each.object_id for each in stored(inbox)] == ["3", "4"]


@pytest.mark.skipif(os.name != "posix", reason="of POSIX")
def test_the_inbox_is_only_for_its_owner(inbox: Inbox) -> None:
    inbox.append([Event(ACCOUNT, "invoice.update", "1")])
    path = Path(inbox.database.url.database or "")
    assert path.stat().st_mode & 0o077 == 0


def test_nothing_but_genuine_deliveries_is_stored(
    inbox: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "MAX_REJECTED_PER_SECOND", 10**9)
    with ReceiverThread(inbox) as running:
        sender = fuzz.Sender(running.url)
        fuzz.fuzz(callback.path, sender, 400)
        sender.close()
    genuine = sender.answers[True, 200]
    assert genuine > 0
    assert fuzz.stored(inbox) == genuine


@pytest.mark.parametrize("path", ["a%00b", "tap-freshbooks-%00", "x" * 5_000])
def test_odd_paths_are_not_found(running: ReceiverThread, path: str) -> None:
    body, headers = signed(event_fields())
    answer = running.session.post(f"{running.url}/{path}", body, headers=headers)
    assert answer.status_code == 404


def test_after_a_restart_foreign_requests_do_not_keep_freshbooks_out(
    inbox: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "MAX_REJECTED_PER_SECOND", 1)
    with ReceiverThread(inbox) as running:
        assert {running.post(f"guess-{number}", event_fields()) for number in range(9)} == {
            404,
            429,
        }
        assert running.post(callback.path, event_fields()) == 200


def test_heartbeats_do_not_wait_for_freshbooks(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_module, "HEARTBEAT_INTERVAL", 0.02)
    waiting, ended = threading.Event(), threading.Event()

    def check() -> list[str]:
        waiting.set()
        ended.wait(30)
        return []

    maintenance = ReceiverMaintenance(
        inbox, Metrics(), retention=9e9, check=check, check_interval=60, interrupt=ended.set
    )
    maintenance.start()
    assert waiting.wait(30)
    presence = ReceiverPresence(inbox)
    first = presence.last_heartbeat()
    while presence.last_heartbeat() == first:
        pass
    maintenance.close()  # and ends the waiting


def test_maintenance_whose_connection_is_closed_ends_without_a_traceback(
    inbox: Inbox, capfd: pytest.CaptureFixture[str]
) -> None:
    begun = threading.Event()

    def check() -> list[str]:
        begun.set()
        raise RunCancelledError

    maintenance = ReceiverMaintenance(inbox, Metrics(), retention=9e9, check=check)
    maintenance.start()
    assert begun.wait(30)
    maintenance.close()
    assert "Traceback" not in capfd.readouterr().err


def test_a_clock_that_was_wrong_hides_no_gap(inbox: Inbox) -> None:
    presence = ReceiverPresence(inbox)
    presence.heartbeat("ahead")
    with sqlite3.connect(inbox.database.url.database or "") as database:
        database.execute("UPDATE tap_freshbooks_receivers SET seen_at = seen_at + 900000")
    database.close()
    assert presence.last_heartbeat() is None
    presence.heartbeat("right")
    [gap] = inbox.read(ACCOUNT, ["invoice"], 0, 99)
    assert gap.object_id.startswith("no receiver ran from an unknown moment to ")
    assert presence.last_heartbeat() is not None


def test_a_locked_inbox_is_a_sentence_of_serve(tmp_path: Path) -> None:
    inbox = Inbox(str(tmp_path / "inbox.db"))
    inbox.append([Event(ACCOUNT, "invoice.update", "1")])
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"webhook_inbox": str(tmp_path / "inbox.db")}))
    blocker = sqlite3.connect(inbox.database.url.database or "", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    done = subprocess.run(
        [*TAP, "webhooks", "serve", "--config", str(file), "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        env=unmeasured(),
    )
    blocker.execute("ROLLBACK")
    blocker.close()
    assert done.returncode == 1
    assert "has been locked by another process for 8 seconds" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
