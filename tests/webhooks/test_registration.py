from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks import cli
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
from tap_freshbooks.webhooks.callbacks.store import OURS, CallbackStore
from tap_freshbooks.webhooks.inbox import GAP, Inbox
from tests.conftest import settings_for
from tests.support import sync
from tests.webhooks.serving import Serving, ServingProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_freshbooks.webhooks.callbacks.store import Callback

Config = dict[str, Any]
Run = Callable[..., tuple[int, str, str]]
NOUNS = ["expense", "invoice", "payment"]


@pytest.fixture
def settings(own_sandbox: Sandbox, own_config: Config, tmp_path: Path) -> Config:
    """One business, and an inbox."""
    own_sandbox.webhooks.settings(scale=0.01)
    business = own_sandbox.businesses()[0]["id"]
    place = str(tmp_path / "inbox.db")
    return {**own_config, "business_ids": [business], "webhook_inbox": place}


@pytest.fixture
def place(settings: Config) -> Inbox:
    return Inbox(settings["webhook_inbox"])


@pytest.fixture
def registrar(settings: Config, place: Inbox) -> CallbackManager:
    return make_registrar(settings, place)


@pytest.fixture
def serving(place: Inbox, registrar: CallbackManager) -> Iterator[Serving]:
    with Serving(place, registrar) as running:
        yield running


def make_registrar(settings: Config, place: Inbox) -> CallbackManager:
    return CallbackManager(TapFreshBooks(config=settings).connection, CallbackStore(place), {})


def at_freshbooks(sandbox: Sandbox, base_url: str = "http://127.0.0.1") -> list[dict[str, Any]]:
    """Callbacks of the first business that lead to the loopback device."""
    rows: list[dict[str, Any]] = sandbox.truth("callbacks")
    return [row for row in rows if row["uri"].startswith(base_url)]


def gaps(place: Inbox, callback: Callback) -> list[str]:
    _, last = place.extent()
    events = place.read(callback.account_id, [callback.noun], 0, last)
    return [each.object_id for each in events if each.name == GAP]


def test_callbacks_are_registered_and_verified(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving, place: Inbox
) -> None:
    others = own_sandbox.truth("callbacks")
    assert registrar.register(serving.url, NOUNS) == []
    assert registrar.wait(20) == []
    mine = at_freshbooks(own_sandbox)
    assert sorted(row["event"] for row in mine) == NOUNS
    assert all(row["verified"] for row in mine)
    paths = [row["uri"].removeprefix(f"{serving.url}/") for row in mine]
    assert all(OURS.fullmatch(path) for path in paths)
    assert len(set(paths)) == 3
    for callback in registrar.callbacks:
        assert callback.callbackid in {row["callbackid"] for row in mine}
        assert gaps(place, callback) == ["events flow since the callback was verified"]
    # Twice, nothing is doubled and nothing asked for again.
    sent = len(own_sandbox.webhooks.settle())
    assert registrar.register(serving.url, NOUNS) == []
    assert registrar.check() == []
    assert at_freshbooks(own_sandbox) == mine
    assert len(own_sandbox.webhooks.settle()) == sent
    assert [row for row in own_sandbox.truth("callbacks") if row not in mine] == others
    # And events flow.
    own_sandbox.update("invoices", own_sandbox.truth("invoices")[0]["id"], notes="mended")
    own_sandbox.webhooks.settle()
    assert next(each for each in registrar.callbacks if each.noun == "invoice").events == 1


def test_stale_ones_are_removed_and_those_of_others_stay(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    others = own_sandbox.truth("callbacks")
    foreign = f"{serving.url}/somebody-else"
    own_sandbox.create("callbacks", event="invoice", uri=foreign)
    registrar.register("http://127.0.0.1:1/old", NOUNS)
    lost = f"{serving.url}/tap-freshbooks-{'x' * 32}"  # of an inbox that is no more
    own_sandbox.create("callbacks", event="invoice", uri=lost)
    assert len(at_freshbooks(own_sandbox)) == 5
    assert registrar.register(serving.url, ["invoice"]) == []
    mine = at_freshbooks(own_sandbox)
    assert sorted(row["event"] for row in mine if row["uri"] != foreign) == ["invoice"]
    assert foreign in {row["uri"] for row in mine}
    assert lost not in {row["uri"] for row in mine}
    assert [each.noun for each in registrar.callbacks] == ["invoice"]
    assert registrar.delete() == 1
    assert [row["uri"] for row in at_freshbooks(own_sandbox)] == [foreign]
    assert registrar.callbacks == []
    assert all(row in own_sandbox.truth("callbacks") for row in others)


def test_many_pages_of_callbacks(own_sandbox: Sandbox, registrar: CallbackManager) -> None:
    uri = "https://hooks.example.test/other"
    for _ in range(4):
        own_sandbox.create("callbacks", count=60, event="invoice", uri=uri)
    account = next(iter(registrar.accounts))
    assert len(registrar.at(account).list()) == len(own_sandbox.truth("callbacks")) > 200


def test_a_missing_scope_is_named_and_the_others_are_registered(
    own_sandbox: Sandbox, settings: Config, place: Inbox
) -> None:
    narrow = own_sandbox.config(scopes=["user:profile:read", "user:invoices:read"])
    registrar = make_registrar({**settings, **narrow}, place)
    registrar.scopes = {"expense": "user:expenses:read"}
    [problem] = registrar.register("http://127.0.0.1:1", ["expense", "invoice"])
    assert problem.startswith("expense of ")
    assert "the token may not register it; it needs user:expenses:read" in problem
    assert [each.noun for each in registrar.callbacks] == ["invoice"]


@pytest.mark.parametrize("when", ["before", "answered", "middle"])
def test_an_answer_that_is_lost_doubles_nothing(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving, when: str
) -> None:
    own_sandbox.faults("cut", when=when, method="POST", path="*/callbacks", times=2)
    own_sandbox.faults("cut", when=when, method="PUT", path="*/callbacks/*", times=2)
    assert registrar.register(serving.url, NOUNS) == []
    assert registrar.wait(20) == []
    assert sorted(row["event"] for row in at_freshbooks(own_sandbox)) == NOUNS
    own_sandbox.faults("cut", when=when, method="DELETE", times=2)
    registrar.delete()
    assert at_freshbooks(own_sandbox) == []


def test_a_registration_that_fails_is_made_good_by_the_next(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    own_sandbox.faults("status", status=500, method="POST", path="*/callbacks")
    problems = registrar.register(serving.url, ["invoice"])
    assert "the callback for invoice of" in problems[0]
    assert "what was done is not done twice" in problems[0]
    own_sandbox.faults_clear()
    assert registrar.register(serving.url, ["invoice"]) == []
    assert registrar.wait(20) == []
    assert len(at_freshbooks(own_sandbox)) == 1


def test_two_that_register_at_once_share_the_callbacks(
    own_sandbox: Sandbox, settings: Config, place: Inbox, serving: Serving
) -> None:
    first, second = (make_registrar(settings, place) for _ in range(2))
    account = next(iter(first.accounts))
    mine = first.book.add(account, "invoice", serving.url)
    assert second.book.add(account, "invoice", serving.url) == mine
    for each in (first, second):
        each._create(mine)
    assert len(at_freshbooks(own_sandbox)) == 2
    first.register(serving.url, ["invoice"])
    assert len(at_freshbooks(own_sandbox)) == 1
    assert first.wait(20) == []


@pytest.mark.parametrize("reading", ["same", "new"])
def test_a_callback_that_freshbooks_switched_off_is_verified_again(
    tmp_path: Path, reading: str
) -> None:
    with Sandbox(invoices=20, rate_limit=0, readings={"resent_verifier": reading}) as sandbox:
        sandbox.webhooks.settings(scale=0.01)
        config = {
            **settings_for(sandbox, tmp_path),
            "business_ids": [sandbox.businesses()[0]["id"]],
        }
        place = Inbox(str(tmp_path / "inbox.db"))
        registrar = make_registrar(config, place)
        with Serving(place, registrar) as serving:
            registrar.register(serving.url, ["invoice"])
            assert registrar.wait(20) == []
            [callback] = registrar.callbacks
            registrar.book.update(callback.path, asked_at=1.0)
            sandbox.webhooks.disable(callback.callbackid or 0)
            [problem] = registrar.check()
            assert problem.endswith("FreshBooks is asked to send the verification again")
            assert registrar.wait(20) == []
            assert at_freshbooks(sandbox)[0]["verified"]
            assert gaps(place, callback) == [
                "events flow since the callback was verified",
                "FreshBooks had switched the callback off",
                "events flow since the callback was verified",
            ]
            sandbox.update("invoices", sandbox.truth("invoices")[0]["id"], notes="mended")
            sandbox.webhooks.settle()
            assert registrar.callbacks[0].events == 1


def test_a_lost_verification_is_asked_for_now_and_then(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    own_sandbox.faults("lose", event="callback.verify", times=1)
    registrar.register(serving.url, ["invoice"])
    assert registrar.wait(0) != []
    [problem] = registrar.check()
    assert problem.endswith("its verification has not come yet")
    [problem] = registrar.check(resend_every=0)
    assert problem.endswith("FreshBooks is asked to send the verification again")
    assert registrar.wait(20) == []
    assert registrar.check() == []


def test_a_callback_that_is_gone_is_registered_anew(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    registrar.register(serving.url, ["invoice"])
    registrar.wait(20)
    [old] = registrar.callbacks
    own_sandbox.delete("callbacks", old.callbackid or 0)
    [problem] = registrar.check()
    assert problem.endswith("was gone; it is registered anew")
    assert registrar.wait(20) == []
    assert [each.path for each in registrar.callbacks] != [old.path]
    assert len(at_freshbooks(own_sandbox)) == 1


def test_a_callback_whose_secret_is_lost_is_registered_anew(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    registrar.register("http://127.0.0.1:1", ["invoice"])
    [callback] = registrar.callbacks
    own_sandbox.webhooks.verify(callback.callbackid or 0)
    assert not registrar.check()[0].endswith("anew")  # its secret may be on the way
    registrar.book.update(callback.path, asked_at=1.0)
    [problem] = registrar.check()
    assert problem.endswith("was verified with a secret that is lost; it is registered anew")
    assert len(at_freshbooks(own_sandbox)) == 1
    assert registrar.register(serving.url, ["invoice"]) == []
    assert registrar.wait(20) == []


def test_a_secret_that_freshbooks_did_not_send_never_counts(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    registrar.register(serving.url, ["invoice"])
    registrar.wait(20)
    [callback] = registrar.callbacks
    forged = {
        "name": "callback.verify",
        "object_id": str(callback.callbackid),
        "account_id": callback.account_id,
        "verifier": "forged" * 6,
    }
    assert serving.post(callback.path, forged, "forged" * 6) == 200
    registrar.confirm_pending()
    assert [each.accepted for each in registrar.book.verifiers(callback.path)] == [True]
    assert registrar.callbacks[0].verified
    assert at_freshbooks(own_sandbox)[0]["verified"]


def test_a_secret_outlives_a_receiver_that_dies_before_it_was_given_back(
    own_sandbox: Sandbox, settings: Config, place: Inbox, registrar: CallbackManager
) -> None:
    with Serving(place) as mute:  # keeps secrets, and gives none back
        registrar.register(mute.url, ["invoice"])
        own_sandbox.webhooks.settle()
    assert len(registrar.book.pending()) == 1
    # The next sync of the same connection makes it good.
    sync(settings, "invoices")
    assert registrar.book.pending() == []
    assert at_freshbooks(own_sandbox)[0]["verified"]


def test_while_freshbooks_is_down_secrets_are_kept(
    own_sandbox: Sandbox, settings: Config, place: Inbox
) -> None:
    registrar = make_registrar({**settings, "max_attempts": 1}, place)
    with Serving(place) as mute:
        registrar.register(mute.url, ["invoice"])
        own_sandbox.webhooks.settle()
    own_sandbox.faults("status", status=503, method="PUT")
    [problem] = registrar.confirm_pending()
    assert problem.endswith("(the secret is kept, and given back later)")
    own_sandbox.faults_clear()
    assert registrar.confirm_pending() == []
    assert registrar.wait(0) == []


# The commands


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The console script: its exit status, stdout and stderr."""

    def run(config_file: Path, *arguments: str) -> tuple[int, str, str]:
        status = cli.run([*arguments, "--config", str(config_file)])
        captured = capsys.readouterr()
        return int(status), captured.out, captured.err

    return run


def test_the_commands(run: Run, own_sandbox: Sandbox, settings: Config, tmp_path: Path) -> None:
    serving = ServingProcess(settings, tmp_path)
    file = serving.config_file
    try:
        status, out, error = run(file, "webhooks", "list")
        assert status == 1
        assert "is registered: run `tap-freshbooks webhooks register`." in error
        status, out, error = run(file, "webhooks", "register", "--url", serving.url + "/")
        assert (status, error) == (0, "")
        assert "15 callbacks" in out
        assert "invoice      callback " in out
        assert out.count("verified since") == 15
        row = next(each for each in at_freshbooks(own_sandbox) if each["event"] == "invoice")
        own_sandbox.update("invoices", own_sandbox.truth("invoices")[0]["id"], notes="mended")
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
        assert serving.end() == 0
        log = serving.log.read_text()
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
            "Deleted 15 callbacks; FreshBooks tells nothing any more.\n",
        )
    finally:
        serving.kill()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list"], "Error: the setting webhook_inbox is missing: name a file for it"),
        (["register", "--url", "hooks"], "Error: --url 'hooks' is no address of a receiver"),
        (["register", "--url", "https://a.test/?b"], "is no address of a receiver"),
        (["serve", "--port", "1", "--host", "192.0.2.1"], "webhook_inbox is missing"),
    ],
)
def test_mistakes_are_sentences(
    run: Run, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"access_token": "a"}))
    status, _, error = run(file, "webhooks", *arguments)
    assert status == 2
    assert sentence in error


# What a second look found


def test_an_answer_without_a_list_is_not_an_empty_list(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    registrar.register(serving.url, NOUNS)
    registrar.wait(20)
    before = at_freshbooks(own_sandbox)
    own_sandbox.faults(
        "status",
        status=200,
        body='{"response": {}}',
        content_type="application/json",
        method="GET",
        path="*/callbacks",
    )
    [problem] = registrar.check()
    assert "the answer has no list" in problem
    own_sandbox.faults_clear()
    assert registrar.check() == []
    assert at_freshbooks(own_sandbox) == before


def test_a_refusal_of_one_does_not_keep_the_others_from_being_mended(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    registrar.register(serving.url, NOUNS)
    registrar.wait(20)
    for row in at_freshbooks(own_sandbox):
        own_sandbox.delete("callbacks", row["callbackid"])
    own_sandbox.faults("status", status=403, method="POST", path="*/callbacks", times=1)
    assert len(registrar.check()) == 3
    assert len(at_freshbooks(own_sandbox)) == 2
    assert len(registrar.callbacks) == 3
    assert all(each.checked_at for each in registrar.callbacks)  # so no sync asks again at once
    registrar.book.update(
        next(each.path for each in registrar.callbacks if each.callbackid is None), asked_at=1.0
    )
    registrar.check()
    assert registrar.wait(20) == []
    assert sorted(row["event"] for row in at_freshbooks(own_sandbox)) == NOUNS


def test_a_check_leaves_what_is_being_registered_alone(
    own_sandbox: Sandbox,
    settings: Config,
    place: Inbox,
    registrar: CallbackManager,
    serving: Serving,
) -> None:
    account = next(iter(registrar.accounts))
    begun = registrar.book.add(account, "invoice", serving.url)
    [problem] = make_registrar(settings, place).check()
    assert problem.endswith("is being registered")
    assert registrar.register(serving.url, ["invoice"]) == []
    assert [each.path for each in registrar.callbacks] == [begun.path]
    assert len(at_freshbooks(own_sandbox)) == 1


def test_only_one_of_two_renews(registrar: CallbackManager, serving: Serving) -> None:
    registrar.register(serving.url, ["invoice"])
    registrar.wait(20)
    [old] = registrar.callbacks
    assert registrar.book.renew(old) is not None
    assert registrar.book.renew(old) is None
    [new] = registrar.callbacks
    assert (new.noun, new.callbackid, new.verified) == ("invoice", None, False)
    assert registrar.book.verifiers(old.path) == []


def test_a_secret_counts_only_if_freshbooks_says_that_the_callback_is_verified(
    own_sandbox: Sandbox, registrar: CallbackManager, place: Inbox
) -> None:
    with Serving(place) as mute:
        registrar.register(mute.url, ["invoice"])
        own_sandbox.webhooks.settle()
    own_sandbox.faults("status", status=200, body="<html>", method="PUT")
    [problem] = registrar.confirm_pending()
    assert problem.endswith("FreshBooks does not say that it is verified; tried again later")
    own_sandbox.faults_clear()
    assert registrar.confirm_pending() == []
    assert registrar.wait(0) == []


def test_a_secret_that_two_gave_back_stays_accepted(place: Inbox) -> None:
    book = CallbackStore(place)
    callback = book.add("a", "invoice", "http://127.0.0.1")
    book.keep(callback.path, "secret", 1)
    [pending] = book.pending()
    book.refuse(pending)
    book.accept(pending)
    assert [each.accepted for each in book.verifiers(callback.path)] == [True]


def test_a_move_that_fails_leaves_the_old_callback(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    registrar.register(serving.url, ["invoice"])
    registrar.wait(20)
    [old] = registrar.callbacks
    own_sandbox.faults("status", status=500, method="POST", path="*/callbacks")
    assert len(registrar.register("http://127.0.0.1:1/new", ["invoice"])) == 1
    own_sandbox.faults_clear()
    assert old.callbackid in {row["callbackid"] for row in at_freshbooks(own_sandbox)}
    assert registrar.book.at(old.path) is not None
    assert registrar.register("http://127.0.0.1:1/new", ["invoice"]) == []
    [moved] = at_freshbooks(own_sandbox)
    assert moved["uri"].startswith("http://127.0.0.1:1/new/")
    assert registrar.book.at(old.path) is None


def test_a_callback_that_the_list_leaves_out_is_asked_for_by_its_id(
    own_sandbox: Sandbox, registrar: CallbackManager, serving: Serving
) -> None:
    registrar.register(serving.url, ["invoice"])
    registrar.wait(20)
    own_sandbox.faults(
        "status",
        status=200,
        body='{"response": {"result": {"callbacks": [], "total": 0}}}',
        content_type="application/json",
        method="GET",
        path="*/events/callbacks",
    )
    assert registrar.check() == []
    assert registrar.wait(0) == []
    assert len(at_freshbooks(own_sandbox)) == 1
