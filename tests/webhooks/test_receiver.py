from __future__ import annotations

import json
import logging
import os
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
from tap_freshbooks.webhooks import inbox
from tap_freshbooks.webhooks.callbacks import store
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import GAP, Event, Inbox
from tap_freshbooks.webhooks.server import asgi, receiver
from tap_freshbooks.webhooks.server.maintenance import ReceiverMaintenance
from tap_freshbooks.webhooks.server.metrics import Metrics
from tests.support import unmeasured
from tests.webhooks import fuzz
from tests.webhooks.serving import ACCOUNT, SECRET, TAP, Serving, event, signed, verified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.webhooks.callbacks.store import Callback


@pytest.fixture
def place(tmp_path: Path) -> Inbox:
    return Inbox(str(tmp_path / "inbox.db"))


@pytest.fixture
def callback(place: Inbox) -> Callback:
    return verified(place)


@pytest.fixture
def serving(place: Inbox, callback: Callback) -> Iterator[Serving]:
    assert callback
    with Serving(place) as running:
        yield running


def stored(place: Inbox) -> list[Event]:
    _, last = place.extent()
    found = place.read(ACCOUNT, ["invoice", "payment"], 0, last)
    return [each for each in found if each.name != GAP]


def test_a_delivery_is_stored(serving: Serving, place: Inbox, callback: Callback) -> None:
    assert serving.post(callback.path, event()) == 200
    assert stored(place) == [Event(ACCOUNT, "invoice.create", "904417", "7712034")]
    known = CallbackStore(place).at(callback.path)
    assert known
    assert known.events == 1
    assert known.last_event_at
    # Sent again it is one more entry, and later one look.
    assert serving.post(f"below/a/proxy/{callback.path}", event()) == 200
    assert len(stored(place)) == 2
    assert serving.counted("taken") == 2


@pytest.mark.parametrize("reverse", [False, True])
def test_fields_may_come_in_any_order(serving: Serving, callback: Callback, reverse: bool) -> None:
    fields = event()
    assert (
        serving.post(
            callback.path, {name: fields[name] for name in sorted(fields, reverse=reverse)}
        )
        == 200
    )


def test_what_is_not_signed_with_the_secret_is_refused_and_not_stored(
    serving: Serving, place: Inbox, callback: Callback
) -> None:
    assert serving.post(callback.path, event(), SECRET[::-1]) == 401
    body, headers = signed(event())
    url = f"{serving.url}/{callback.path}"
    assert requests.post(url, body + b"0", headers=headers, timeout=9).status_code == 401
    del headers["X-FreshBooks-Hmac-SHA256"]
    assert requests.post(url, body, headers=headers, timeout=9).status_code == 401
    assert stored(place) == []
    assert serving.counted("forged") == 3


def test_each_callback_has_its_own_secret(
    serving: Serving, place: Inbox, callback: Callback
) -> None:
    other = verified(place, "http://other.example", "another" * 5)
    assert serving.post(other.path, event()) == 401
    assert serving.post(callback.path, event(), "another" * 5) == 401
    assert serving.post(other.path, event(), "another" * 5) == 200


def test_other_accounts_unknown_paths_and_nonsense(
    serving: Serving, place: Inbox, callback: Callback
) -> None:
    assert serving.post(callback.path, {**event(), "account_id": "else"}) == 400
    assert serving.post("tap-freshbooks-guessed", event()) == 404
    assert serving.post("", event()) == 404
    url = f"{serving.url}/{callback.path}"
    assert serving.session.post(url, b"{").status_code == 400
    assert serving.session.post(url, b"").status_code == 400
    for method in ("GET", "PUT", "DELETE"):
        assert serving.session.request(method, url, allow_redirects=False).status_code == 405
    assert stored(place) == []


@pytest.mark.parametrize("path", ["/healthz/", "//", "/metrics/", "/x/", "/readyz//", "/healthz"])
def test_nothing_is_ever_redirected(serving: Serving, path: str) -> None:
    answer = serving.session.post(serving.url + path, b"a=b", allow_redirects=False)
    assert answer.status_code in {404, 405}


def test_a_body_has_a_limit(serving: Serving, callback: Callback) -> None:
    url = f"{serving.url}/{callback.path}"
    assert serving.session.post(url, b"x" * 16_384).status_code == 400
    assert serving.session.post(url, b"x" * 16_385).status_code == 413
    chunks = (b"x" * 1000 for _ in range(100_000))
    try:
        status = requests.post(url, chunks, timeout=9).status_code
    except requests.ConnectionError:  # closed before all was sent
        status = 413
    assert status == 413
    # What says that it is large is not read at all.
    host, port = serving.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=9) as raw:
        head = f"POST /{callback.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
        raw.sendall(head.encode())
        assert b" 413 " in raw.recv(1000)


def test_who_sends_slowly_is_let_go(
    serving: Serving, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi, "SLOWEST", 0.2)
    host, port = serving.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=9) as raw:
        raw.sendall(
            f"POST /{callback.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na".encode()
        )
        assert b" 408 " in raw.recv(1000)


def test_strangers_are_limited_and_freshbooks_is_not(
    place: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "WRONG_PER_SECOND", 2)
    with Serving(place) as serving:
        assert serving.post(callback.path, event()) == 200
        answers = {serving.post(f"guess-{number}", event()) for number in range(30)}
        assert answers == {404, 429}
    with Serving(place) as serving:
        answers = {serving.post(callback.path, event(), "wrong") for _ in range(30)}
        assert answers == {401, 429}
        assert {serving.post(callback.path, event()) for _ in range(30)} == {200}
    assert len(stored(place)) == 31


def test_while_the_inbox_is_locked_deliveries_are_turned_away(
    serving: Serving, place: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert serving.post(callback.path, event()) == 200
    place.close()
    monkeypatch.setattr(inbox, "LOCK_TIMEOUT", 0.2)
    monkeypatch.setattr(place.database, "patience", 0.2)
    blocker = sqlite3.connect(place.database.url.database or "", isolation_level=None)
    place.__dict__.pop("_engine")
    place.database.__dict__.pop("engine", None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        assert serving.post(callback.path, event()) == 503
        answer = serving.session.get(f"{serving.url}/readyz")
        assert answer.status_code == 503
        assert answer.text == "the webhook inbox cannot be written"
        assert serving.session.get(f"{serving.url}/healthz").status_code == 200
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    assert serving.post(callback.path, event()) == 200
    assert serving.session.get(f"{serving.url}/readyz").status_code == 200
    assert len(stored(place)) == 2


def test_many_deliveries_at_once_share_commits(
    serving: Serving, place: Inbox, callback: Callback
) -> None:
    def deliver(number: int) -> int:
        body, headers = signed(event(object_id=number))
        url = f"{serving.url}/{callback.path}"
        return requests.post(url, body, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(deliver, range(300))) == {200}
    assert {each.object_id for each in stored(place)} == set(map(str, range(300)))
    text = serving.session.get(f"{serving.url}/metrics").text
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


def test_the_secret_of_a_verification_is_kept_and_does_not_count_yet(
    place: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "PENDING_PATIENCE", 0.3)
    book = CallbackStore(place)
    callback = book.add(ACCOUNT, "invoice", "http://127.0.0.1")
    with Serving(place) as serving:
        assert serving.post(callback.path, verification(SECRET), "another") == 401
        assert book.pending() == []
        assert serving.post("unknown", verification(SECRET)) == 404
        assert serving.post(callback.path, verification(SECRET)) == 200
        [pending] = book.pending()
        assert (pending.verifier, pending.callbackid, pending.accepted) == (SECRET, 2417, False)
        # FreshBooks may have taken it back, and we not yet noted it.
        assert serving.post(callback.path, event()) == 503
        assert stored(place) == []
        book.accept(pending)
        assert serving.post(callback.path, event()) == 200


def test_a_delivery_that_is_quicker_than_the_note_waits_for_it(place: Inbox) -> None:
    book = CallbackStore(place)
    callback = book.add(ACCOUNT, "invoice", "http://127.0.0.1")
    book.keep(callback.path, SECRET, 2417)
    with Serving(place) as serving:
        accepting = threading.Timer(0.3, lambda: book.accept(book.pending()[0]))
        accepting.start()
        assert serving.post(callback.path, event()) == 200
        accepting.join()


@pytest.mark.parametrize("signer", [SECRET, "renewed" * 5])
def test_both_secrets_count_after_a_verification_was_sent_again(place: Inbox, signer: str) -> None:
    callback = verified(place)
    book = CallbackStore(place)
    with Serving(place) as serving:
        assert serving.post(callback.path, verification("renewed" * 5), signer) == 200
        book.accept(book.pending()[0])
        assert serving.post(callback.path, event()) == 200
        assert serving.post(callback.path, event(), "renewed" * 5) == 200


def test_a_verification_of_another_callback_is_refused(place: Inbox) -> None:
    callback = verified(place)
    with Serving(place) as serving:
        assert serving.post(callback.path, verification("other" * 7, 9)) == 400
    assert CallbackStore(place).pending() == []


def test_a_path_can_not_be_filled_with_secrets(place: Inbox) -> None:
    callback = verified(place)
    with Serving(place) as serving:
        answers = [
            serving.post(callback.path, verification(secret), secret)
            for secret in (f"secret-{number}" for number in range(50))
        ]
    assert answers[0] == 200
    assert set(answers) == {200, 429}
    assert len(CallbackStore(place).pending()) == receiver.VERIFICATIONS_PER_MINUTE


def test_no_secret_and_no_path_is_logged(place: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    callback = verified(place)
    with Serving(place) as serving:
        serving.post(callback.path, verification("renewed" * 5), "renewed" * 5)
        serving.post(callback.path, event())
        serving.post(callback.path, event(), "wrong")
        serving.session.get(f"{serving.url}/metrics")
    own = [each for each in caplog.records if not each.name.startswith(("urllib3", "asyncio"))]
    text = "\n".join(each.getMessage() for each in own)
    assert "asks to be verified" in text
    for secret in (SECRET, "renewed", callback.path):
        assert secret not in text


# Around it


def test_a_receiver_after_a_long_silence_leaves_a_gap(place: Inbox) -> None:
    with Serving(place):
        pass
    with Serving(place):
        pass
    assert place.read(ACCOUNT, ["invoice"], 0, 99) == []  # a restart costs nothing
    with sqlite3.connect(place.database.url.database or "") as database:
        database.execute("UPDATE tap_freshbooks_receivers SET seen_at = seen_at - 100")
    database.close()
    with Serving(place):
        pass
    [gap] = place.read(ACCOUNT, ["invoice"], 0, 99)
    assert gap.name == GAP
    assert gap.object_id.startswith("no receiver ran from ")


def test_the_application_for_any_server_needs_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="set TAP_FRESHBOOKS_WEBHOOK_INBOX"):
        asgi.app()
    monkeypatch.setenv("TAP_FRESHBOOKS_WEBHOOK_INBOX", str(tmp_path / "inbox.db"))
    assert asgi.app()


def test_entries_are_pruned_by_age(place: Inbox) -> None:
    place.append([Event(ACCOUNT, "invoice.update", str(number)) for number in range(5)])
    with sqlite3.connect(place.database.url.database or "") as database:
        database.execute(
            "UPDATE tap_freshbooks_inbox_events SET received_at = 9 WHERE position <= 3"
        )
    database.close()
    assert place.prune(100.0) == 3
    assert place.extent() == (3, 5)
    assert place.prune(100.0) == 0
    assert [each.object_id for each in stored(place)] == ["3", "4"]


@pytest.mark.skipif(os.name != "posix", reason="of POSIX")
def test_the_inbox_is_only_for_its_owner(place: Inbox) -> None:
    place.append([Event(ACCOUNT, "invoice.update", "1")])
    path = Path(place.database.url.database or "")
    assert path.stat().st_mode & 0o077 == 0


def test_what_is_not_freshbooks_never_gets_in(
    place: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "WRONG_PER_SECOND", 10**9)
    with Serving(place) as serving:
        sender = fuzz.Sender(serving.url)
        fuzz.fuzz(callback.path, sender, 400)
        sender.close()
    genuine = sender.answers[True, 200]
    assert genuine > 0
    assert fuzz.stored(place) == genuine


@pytest.mark.parametrize("path", ["a%00b", "tap-freshbooks-%00", "x" * 5_000])
def test_odd_paths_are_unknown(serving: Serving, path: str) -> None:
    body, headers = signed(event())
    answer = serving.session.post(f"{serving.url}/{path}", body, headers=headers)
    assert answer.status_code == 404


def test_after_a_restart_strangers_do_not_keep_freshbooks_out(
    place: Inbox, callback: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "WRONG_PER_SECOND", 1)
    with Serving(place) as serving:
        assert {serving.post(f"guess-{number}", event()) for number in range(9)} == {404, 429}
        assert serving.post(callback.path, event()) == 200


def test_signs_of_life_do_not_wait_for_freshbooks(
    place: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BEAT", 0.02)
    waiting, ended = threading.Event(), threading.Event()

    def check() -> list[str]:
        waiting.set()
        ended.wait(30)
        return []

    keeper = ReceiverMaintenance(
        place, Metrics(), keep_for=9e9, check=check, check_every=60, interrupt=ended.set
    )
    keeper.start()
    assert waiting.wait(30)
    book = CallbackStore(place)
    first = book.last_presence()
    while book.last_presence() == first:
        pass
    keeper.close()  # and ends the waiting


def test_a_keeper_whose_connection_is_closed_ends_in_silence(
    place: Inbox, capfd: pytest.CaptureFixture[str]
) -> None:
    begun = threading.Event()

    def check() -> list[str]:
        begun.set()
        raise RunCancelledError

    keeper = ReceiverMaintenance(place, Metrics(), keep_for=9e9, check=check)
    keeper.start()
    assert begun.wait(30)
    keeper.close()
    assert "Traceback" not in capfd.readouterr().err


def test_a_clock_that_was_wrong_hides_no_silence(place: Inbox) -> None:
    book = CallbackStore(place)
    book.present("ahead")
    with sqlite3.connect(place.database.url.database or "") as database:
        database.execute("UPDATE tap_freshbooks_receivers SET seen_at = seen_at + 900000")
    database.close()
    assert book.last_presence() is None
    book.present("right")
    [gap] = place.read(ACCOUNT, ["invoice"], 0, 99)
    assert gap.object_id.startswith("no receiver ran from an unknown moment to ")
    assert book.last_presence() is not None


def test_a_locked_inbox_is_a_sentence_of_serve(tmp_path: Path) -> None:
    place = Inbox(str(tmp_path / "inbox.db"))
    place.append([Event(ACCOUNT, "invoice.update", "1")])
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"webhook_inbox": str(tmp_path / "inbox.db")}))
    blocker = sqlite3.connect(place.database.url.database or "", isolation_level=None)
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
    assert "cannot be written" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
