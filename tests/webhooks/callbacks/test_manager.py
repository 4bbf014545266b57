from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks import cli
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.webhooks.callbacks.api import CallbackApi
from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
from tap_freshbooks.webhooks.callbacks.store import CALLBACK_PATH, CallbackStore, new_path
from tap_freshbooks.webhooks.inbox import GAP, Inbox
from tests.conftest import settings_for
from tests.support import sync
from tests.webhooks.fake_receiver import NOUN_BY_STREAM
from tests.webhooks.receivers import ReceiverProcess, ReceiverThread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_freshbooks.webhooks.callbacks.api import RemoteCallback
    from tap_freshbooks.webhooks.callbacks.store import Callback

Config = dict[str, Any]
Run = Callable[..., tuple[int, str, str]]
NOUNS = ["expense", "invoice", "payment"]


@pytest.fixture
def settings(own_sandbox: Sandbox, own_config: Config, tmp_path: Path) -> Config:
    """One business, and an inbox."""
    own_sandbox.webhooks.settings(scale=0.01)
    business = own_sandbox.businesses()[0]["id"]
    location = str(tmp_path / "inbox.db")
    return {**own_config, "business_ids": [business], "webhook_inbox": location}


@pytest.fixture
def inbox(settings: Config) -> Inbox:
    return Inbox(settings["webhook_inbox"])


@pytest.fixture
def manager(settings: Config, inbox: Inbox) -> CallbackManager:
    return make_manager(settings, inbox)


@pytest.fixture
def running(inbox: Inbox, manager: CallbackManager) -> Iterator[ReceiverThread]:
    with ReceiverThread(inbox, manager) as running:
        yield running


def make_manager(settings: Config, inbox: Inbox) -> CallbackManager:
    return CallbackManager(TapFreshBooks(config=settings).connection, CallbackStore(inbox), {})


def at_freshbooks(sandbox: Sandbox, base_url: str = "http://127.0.0.1") -> list[dict[str, Any]]:
    """Callbacks of the first business that lead to the loopback device."""
    rows: list[dict[str, Any]] = sandbox.truth("callbacks")
    return [row for row in rows if row["uri"].startswith(base_url)]


def gaps(inbox: Inbox, callback: Callback) -> list[str]:
    _, last = inbox.extent()
    events = inbox.read(callback.account_id, [callback.noun], 0, last)
    return [each.object_id for each in events if each.name == GAP]


def test_callbacks_are_registered_and_verified(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread, inbox: Inbox
) -> None:
    others = own_sandbox.truth("callbacks")
    assert manager.register(running.url, NOUNS) == []
    assert manager.wait(20) == []
    mine = at_freshbooks(own_sandbox)
    assert sorted(row["event"] for row in mine) == NOUNS
    assert all(row["verified"] for row in mine)
    paths = [row["uri"].removeprefix(f"{running.url}/") for row in mine]
    assert all(CALLBACK_PATH.fullmatch(path) for path in paths)
    assert len(set(paths)) == 3
    for callback in manager.callbacks:
        assert callback.callbackid in {row["callbackid"] for row in mine}
        assert gaps(inbox, callback) == ["events flow since the callback was verified"]
    # Twice, nothing is doubled and nothing asked for again.
    sent = len(own_sandbox.webhooks.settle())
    assert manager.register(running.url, NOUNS) == []
    assert manager.check() == []
    assert at_freshbooks(own_sandbox) == mine
    assert len(own_sandbox.webhooks.settle()) == sent
    assert [row for row in own_sandbox.truth("callbacks") if row not in mine] == others
    # And events come.
    own_sandbox.update("invoices", own_sandbox.truth("invoices")[0]["id"], notes="changed")
    own_sandbox.webhooks.settle()
    assert next(each for each in manager.callbacks if each.noun == "invoice").events == 1


def test_the_first_verification_of_each_of_30_callbacks_is_taken(
    own_sandbox: Sandbox, own_config: Config, tmp_path: Path
) -> None:
    own_sandbox.webhooks.settings(scale=1)  # a refusal would cost a minute
    businesses = [each["id"] for each in own_sandbox.businesses() if each["account_id"]][:2]
    inbox = Inbox(str(tmp_path / "inbox.db"))
    manager = make_manager({**own_config, "business_ids": businesses}, inbox)
    began = time.monotonic()
    with ReceiverThread(inbox, manager) as running:
        running.post(new_path(), {})  # the paths were read a moment ago
        assert manager.register(running.url, sorted(map(str, NOUN_BY_STREAM.values()))) == []
        assert manager.wait(10) == []
    assert time.monotonic() - began < 10
    sent = [each for each in own_sandbox.webhooks.deliveries() if running.url in each["uri"]]
    assert [[attempt["status"] for attempt in each["attempts"]] for each in sent] == [[200]] * 30


def test_all_paths_are_stored_before_the_first_callback_is_registered(
    own_sandbox: Sandbox, settings: Config, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    businesses = [each["id"] for each in own_sandbox.businesses() if each["account_id"]][:2]
    manager = make_manager({**settings, "business_ids": businesses}, inbox)
    stored = []
    create = CallbackApi.create

    def watched(api: CallbackApi, event: str, uri: str) -> RemoteCallback:
        stored.append(len(manager.store.paths()))
        return create(api, event, uri)

    monkeypatch.setattr(CallbackApi, "create", watched)
    manager.register("http://127.0.0.1:1", NOUNS)
    assert stored == [2 * len(NOUNS)] * 2 * len(NOUNS)


def test_an_account_that_does_not_answer_keeps_the_others_from_nothing(
    own_sandbox: Sandbox, settings: Config, inbox: Inbox
) -> None:
    first, second = [each for each in own_sandbox.businesses() if each["account_id"]][:2]
    ids = [first["id"], second["id"]]
    manager = make_manager({**settings, "business_ids": ids, "max_attempts": 1}, inbox)
    path = f"*/{first['account_id']}/events/callbacks"
    own_sandbox.faults("status", status=500, method="GET", path=path)
    [problem] = manager.register("http://127.0.0.1:1", ["invoice"])
    assert str(first["id"]) in problem
    assert [each.account_id for each in manager.callbacks] == [second["account_id"]]


def test_stale_callbacks_are_removed_and_those_of_other_programs_stay(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    others = own_sandbox.truth("callbacks")
    foreign = f"{running.url}/another-program"
    own_sandbox.create("callbacks", event="invoice", uri=foreign)
    manager.register("http://127.0.0.1:1/old", NOUNS)
    lost = f"{running.url}/tap-freshbooks-{'x' * 32}"  # of an inbox that is no more
    own_sandbox.create("callbacks", event="invoice", uri=lost)
    assert len(at_freshbooks(own_sandbox)) == 5
    assert manager.register(running.url, ["invoice"]) == []
    mine = at_freshbooks(own_sandbox)
    assert sorted(row["event"] for row in mine if row["uri"] != foreign) == ["invoice"]
    assert foreign in {row["uri"] for row in mine}
    assert lost not in {row["uri"] for row in mine}
    assert [each.noun for each in manager.callbacks] == ["invoice"]
    assert manager.delete() == 1
    assert [row["uri"] for row in at_freshbooks(own_sandbox)] == [foreign]
    assert manager.callbacks == []
    assert all(row in own_sandbox.truth("callbacks") for row in others)


def test_all_pages_of_callbacks_are_read(own_sandbox: Sandbox, manager: CallbackManager) -> None:
    uri = "https://hooks.example.test/other"
    for _ in range(4):
        own_sandbox.create("callbacks", count=60, event="invoice", uri=uri)
    account = next(iter(manager.accounts))
    assert len(manager.api(account).list()) == len(own_sandbox.truth("callbacks")) > 200


def test_a_missing_scope_is_named_and_the_others_are_registered(
    own_sandbox: Sandbox, settings: Config, inbox: Inbox
) -> None:
    narrow = own_sandbox.config(scopes=["user:profile:read", "user:invoices:read"])
    manager = make_manager({**settings, **narrow}, inbox)
    manager.scopes = {"expense": "user:expenses:read"}
    [problem] = manager.register("http://127.0.0.1:1", ["expense", "invoice"])
    assert problem.startswith("expense of ")
    assert "the token may not register it; it needs user:expenses:read" in problem
    assert [each.noun for each in manager.callbacks] == ["invoice"]


@pytest.mark.parametrize("when", ["before", "answered", "middle"])
def test_a_lost_answer_doubles_no_callback(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread, when: str
) -> None:
    own_sandbox.faults("cut", when=when, method="POST", path="*/callbacks", times=2)
    own_sandbox.faults("cut", when=when, method="PUT", path="*/callbacks/*", times=2)
    assert manager.register(running.url, NOUNS) == []
    assert manager.wait(20) == []
    assert sorted(row["event"] for row in at_freshbooks(own_sandbox)) == NOUNS
    own_sandbox.faults("cut", when=when, method="DELETE", times=2)
    manager.delete()
    assert at_freshbooks(own_sandbox) == []


def test_a_registration_that_failed_is_repeated_by_the_next(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    own_sandbox.faults("status", status=500, method="POST", path="*/callbacks")
    problems = manager.register(running.url, ["invoice"])
    assert "the callback for invoice of" in problems[0]
    assert "what was done is not done twice" in problems[0]
    own_sandbox.faults_clear()
    assert manager.register(running.url, ["invoice"]) == []
    assert manager.wait(20) == []
    assert len(at_freshbooks(own_sandbox)) == 1


def test_two_that_register_at_once_share_the_callbacks(
    own_sandbox: Sandbox, settings: Config, inbox: Inbox, running: ReceiverThread
) -> None:
    first, second = (make_manager(settings, inbox) for _ in range(2))
    account = next(iter(first.accounts))
    mine = first.store.add(account, "invoice", running.url)
    assert second.store.add(account, "invoice", running.url) == mine
    for each in (first, second):
        each.api(account).create(mine.noun, mine.uri)
    assert len(at_freshbooks(own_sandbox)) == 2
    first.register(running.url, ["invoice"])
    assert len(at_freshbooks(own_sandbox)) == 1
    assert first.wait(20) == []


@pytest.mark.parametrize("reading", ["same", "new"])
def test_a_callback_that_freshbooks_switched_off_is_verified_again(
    tmp_path: Path, reading: str
) -> None:
    with Sandbox(invoices=20, rate_limit=0, behaviours={"resent_verifier": reading}) as sandbox:
        sandbox.webhooks.settings(scale=0.01)
        config = {
            **settings_for(sandbox, tmp_path),
            "business_ids": [sandbox.businesses()[0]["id"]],
        }
        inbox = Inbox(str(tmp_path / "inbox.db"))
        manager = make_manager(config, inbox)
        with ReceiverThread(inbox, manager) as running:
            manager.register(running.url, ["invoice"])
            assert manager.wait(20) == []
            [callback] = manager.callbacks
            manager.store.update(callback.path, asked_at=1.0)
            sandbox.webhooks.disable(callback.callbackid or 0)
            [problem] = manager.check()
            assert problem.endswith("FreshBooks is asked to send the verification again")
            assert manager.wait(20) == []
            assert at_freshbooks(sandbox)[0]["verified"]
            assert gaps(inbox, callback) == [
                "events flow since the callback was verified",
                "FreshBooks had switched the callback off",
                "events flow since the callback was verified",
            ]
            sandbox.update("invoices", sandbox.truth("invoices")[0]["id"], notes="changed")
            sandbox.webhooks.settle()
            assert manager.callbacks[0].events == 1


def test_a_lost_verification_is_asked_for_again_after_an_interval(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    own_sandbox.faults("lose", event="callback.verify", times=1)
    manager.register(running.url, ["invoice"])
    assert manager.wait(0) != []
    [problem] = manager.check()
    assert problem.endswith("its verification has not come yet")
    [problem] = manager.check(resend_interval=0)
    assert problem.endswith("FreshBooks is asked to send the verification again")
    assert manager.wait(20) == []
    assert manager.check() == []


def test_a_callback_that_is_gone_is_registered_anew(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    manager.register(running.url, ["invoice"])
    manager.wait(20)
    [old] = manager.callbacks
    own_sandbox.delete("callbacks", old.callbackid or 0)
    [problem] = manager.check()
    assert problem.endswith("was gone; it is registered anew")
    assert manager.wait(20) == []
    assert [each.path for each in manager.callbacks] != [old.path]
    assert len(at_freshbooks(own_sandbox)) == 1


def test_a_callback_whose_verifier_is_lost_is_registered_anew(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    manager.register("http://127.0.0.1:1", ["invoice"])
    [callback] = manager.callbacks
    own_sandbox.webhooks.verify(callback.callbackid or 0)
    assert not manager.check()[0].endswith("anew")  # its verifier may be on the way
    manager.store.update(callback.path, asked_at=1.0)
    [problem] = manager.check()
    assert problem.endswith("was verified with a verifier that is lost; it is registered anew")
    assert len(at_freshbooks(own_sandbox)) == 1
    assert manager.register(running.url, ["invoice"]) == []
    assert manager.wait(20) == []


def test_a_verifier_that_freshbooks_did_not_send_never_counts(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    manager.register(running.url, ["invoice"])
    manager.wait(20)
    [callback] = manager.callbacks
    forged = {
        "name": "callback.verify",
        "object_id": str(callback.callbackid),
        "account_id": callback.account_id,
        "verifier": "forged" * 6,
    }
    assert running.post(callback.path, forged, "forged" * 6) == 200
    manager.confirm_pending()
    assert [each.accepted for each in manager.store.verifiers(callback.path)] == [True]
    assert manager.callbacks[0].verified
    assert at_freshbooks(own_sandbox)[0]["verified"]


def test_a_verifier_outlives_a_receiver_that_dies_before_it_was_given_back(
    own_sandbox: Sandbox, settings: Config, inbox: Inbox, manager: CallbackManager
) -> None:
    with ReceiverThread(inbox) as silent:  # stores verifiers, and gives none back
        manager.register(silent.url, ["invoice"])
        own_sandbox.webhooks.settle()
    assert len(manager.store.pending_verifiers()) == 1
    # The next sync of the same connection makes it good.
    sync(settings, "invoices")
    assert manager.store.pending_verifiers() == []
    assert at_freshbooks(own_sandbox)[0]["verified"]


def test_while_freshbooks_is_down_verifiers_are_kept(
    own_sandbox: Sandbox, settings: Config, inbox: Inbox
) -> None:
    manager = make_manager({**settings, "max_attempts": 1}, inbox)
    with ReceiverThread(inbox) as silent:
        manager.register(silent.url, ["invoice"])
        own_sandbox.webhooks.settle()
    own_sandbox.faults("status", status=503, method="PUT")
    [problem] = manager.confirm_pending()
    assert problem.endswith("(the verifier is stored, and given back later)")
    own_sandbox.faults_clear()
    assert manager.confirm_pending() == []
    assert manager.wait(0) == []


# The commands


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The console script: its exit status, stdout and stderr."""

    def run(config_file: Path, *arguments: str) -> tuple[int, str, str]:
        status = cli.run([*arguments, "--config", str(config_file)])
        captured = capsys.readouterr()
        return int(status), captured.out, captured.err

    return run


def test_the_commands_register_list_verify_and_delete(
    run: Run, own_sandbox: Sandbox, settings: Config, tmp_path: Path
) -> None:
    running = ReceiverProcess(settings, tmp_path)
    file = running.config_file
    try:
        status, out, error = run(file, "webhooks", "list")
        assert status == 1
        assert "is registered: run `tap-freshbooks webhooks register`." in error
        status, out, error = run(file, "webhooks", "register", "--url", running.url + "/")
        assert (status, error) == (0, "")
        assert f"{len(NOUN_BY_STREAM)} callbacks" in out
        assert "invoice      callback " in out
        assert out.count("verified since") == len(NOUN_BY_STREAM)
        row = next(each for each in at_freshbooks(own_sandbox) if each["event"] == "invoice")
        own_sandbox.update("invoices", own_sandbox.truth("invoices")[0]["id"], notes="changed")
        own_sandbox.webhooks.settle()
        own_sandbox.webhooks.disable(row["callbackid"])
        inbox = Inbox(settings["webhook_inbox"])
        CallbackStore(inbox).update(row["uri"].rpartition("/")[2], asked_at=1.0)
        status, out, error = run(file, "webhooks", "list")
        assert status == 1
        assert "is not verified; FreshBooks is asked to send the verification again" in error
        assert "1 events, the last at " in out
        status, out, error = run(file, "webhooks", "verify")
        assert (status, error) == (0, "")
        assert run(file, "webhooks", "list")[0] == 0
        status, out, error = run(file, "status")
        assert status == 0
        assert "Webhooks:" in out
        assert running.end() == 0
        log = running.log.read_text()
        assert "Ended; every delivery that was answered is in the inbox" in log
        for row in at_freshbooks(own_sandbox):
            assert row["uri"].rpartition("/")[2] not in log
        with inbox.writing() as connection:
            connection.exec_driver_sql("UPDATE tap_freshbooks_receivers SET seen_at = 1000")
        status, out, error = run(file, "webhooks", "list")
        assert status == 1
        assert "No receiver runs: start `tap-freshbooks webhooks serve`." in error
        assert run(file, "status")[0] == 1
        status, out, error = run(file, "webhooks", "delete")
        assert (status, out) == (
            0,
            f"Deleted {len(NOUN_BY_STREAM)} callbacks; FreshBooks sends no more events.\n",
        )
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list"], "Error: the setting webhook_inbox is missing: name a file for it"),
        (["register", "--url", "hooks"], "Error: --url 'hooks' is no address of a receiver"),
        (["register", "--url", "https://a.test/?b"], "is no address of a receiver"),
        (["serve", "--port", "1", "--host", "192.0.2.1"], "webhook_inbox is missing"),
    ],
)
def test_mistakes_of_users_are_sentences(
    run: Run, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"access_token": "a"}))
    status, _, error = run(file, "webhooks", *arguments)
    assert status == 2
    assert sentence in error


# Races, and answers that are incomplete


def test_an_answer_without_a_list_is_not_an_empty_list(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    manager.register(running.url, NOUNS)
    manager.wait(20)
    before = at_freshbooks(own_sandbox)
    own_sandbox.faults(
        "status",
        status=200,
        body='{"response": {}}',
        content_type="application/json",
        method="GET",
        path="*/callbacks",
    )
    [problem] = manager.check()
    assert "the answer has no list" in problem
    own_sandbox.faults_clear()
    assert manager.check() == []
    assert at_freshbooks(own_sandbox) == before


def test_a_refusal_of_one_does_not_keep_the_others_from_being_repaired(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    manager.register(running.url, NOUNS)
    manager.wait(20)
    for row in at_freshbooks(own_sandbox):
        own_sandbox.delete("callbacks", row["callbackid"])
    own_sandbox.faults("deny", method="POST", path="*/callbacks", times=1)
    assert len(manager.check()) == 3
    assert len(at_freshbooks(own_sandbox)) == 2
    assert len(manager.callbacks) == 3
    assert all(
        each.checked_at for each in manager.callbacks
    )  # so no sync checks them again at once
    manager.store.update(
        next(each.path for each in manager.callbacks if each.callbackid is None), asked_at=1.0
    )
    manager.check()
    assert manager.wait(20) == []
    assert sorted(row["event"] for row in at_freshbooks(own_sandbox)) == NOUNS


def test_a_check_leaves_what_is_being_registered_alone(
    own_sandbox: Sandbox,
    settings: Config,
    inbox: Inbox,
    manager: CallbackManager,
    running: ReceiverThread,
) -> None:
    account = next(iter(manager.accounts))
    begun = manager.store.add(account, "invoice", running.url)
    [problem] = make_manager(settings, inbox).check()
    assert problem.endswith("is being registered")
    assert manager.register(running.url, ["invoice"]) == []
    assert [each.path for each in manager.callbacks] == [begun.path]
    assert len(at_freshbooks(own_sandbox)) == 1


def test_only_one_of_two_renews(manager: CallbackManager, running: ReceiverThread) -> None:
    manager.register(running.url, ["invoice"])
    manager.wait(20)
    [old] = manager.callbacks
    assert manager.store.renew(old) is not None
    assert manager.store.renew(old) is None
    [new] = manager.callbacks
    assert (new.noun, new.callbackid, new.verified) == ("invoice", None, False)
    assert manager.store.verifiers(old.path) == []


def test_a_verifier_counts_only_if_freshbooks_says_that_the_callback_is_verified(
    own_sandbox: Sandbox, manager: CallbackManager, inbox: Inbox
) -> None:
    with ReceiverThread(inbox) as silent:
        manager.register(silent.url, ["invoice"])
        own_sandbox.webhooks.settle()
    own_sandbox.faults("status", status=200, body="{}", method="PUT")
    [problem] = manager.confirm_pending()
    assert problem.endswith("FreshBooks does not say that it is verified; tried again later")
    own_sandbox.faults_clear()
    assert manager.confirm_pending() == []
    assert manager.wait(0) == []


def test_a_verifier_that_two_processes_gave_back_stays_accepted(inbox: Inbox) -> None:
    store = CallbackStore(inbox)
    callback = store.add("a", "invoice", "http://127.0.0.1")
    store.add_verifier(callback.path, "secret", 1)
    [pending] = store.pending_verifiers()
    store.reject_verifier(pending)
    store.accept_verifier(pending)
    assert [each.accepted for each in store.verifiers(callback.path)] == [True]


def test_a_move_that_fails_leaves_the_old_callback(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    manager.register(running.url, ["invoice"])
    manager.wait(20)
    [old] = manager.callbacks
    own_sandbox.faults("status", status=500, method="POST", path="*/callbacks")
    assert len(manager.register("http://127.0.0.1:1/new", ["invoice"])) == 1
    own_sandbox.faults_clear()
    assert old.callbackid in {row["callbackid"] for row in at_freshbooks(own_sandbox)}
    assert manager.store.find(old.path) is not None
    assert manager.register("http://127.0.0.1:1/new", ["invoice"]) == []
    [moved] = at_freshbooks(own_sandbox)
    assert moved["uri"].startswith("http://127.0.0.1:1/new/")
    assert manager.store.find(old.path) is None


def test_a_callback_that_the_list_leaves_out_is_asked_for_by_its_id(
    own_sandbox: Sandbox, manager: CallbackManager, running: ReceiverThread
) -> None:
    manager.register(running.url, ["invoice"])
    manager.wait(20)
    own_sandbox.faults(
        "status",
        status=200,
        body='{"response": {"result": {"callbacks": [], "total": 0}}}',
        content_type="application/json",
        method="GET",
        path="*/events/callbacks",
    )
    assert manager.check() == []
    assert manager.wait(0) == []
    assert len(at_freshbooks(own_sandbox)) == 1
