"""Webhooks as FreshBooks sends them, and as they go wrong."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import pytest

from freshbooks_sandbox import Sandbox, SandboxError
from freshbooks_sandbox.webhooks.post import post
from freshbooks_sandbox.webhooks.signature import forge, sign
from tests.freshbooks_sandbox.conftest import Caller
from tests.freshbooks_sandbox.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

# Worked out apart from this code (docs/freshbooks-api/webhooks.md §5).
SECRET = "tR7vQ2mXk9LbZ4cWn8HdYp3sJfG6uAe1Vo"
WHO = "account_id=Qx7Lm2&business_id=7712034&identity_id=5120883&user_id=1"
CREATED = f"name=invoice.create&object_id=904417&{WHO}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture
def hooks(writer: Caller, receiver: Receiver) -> Hooks:
    writer.sandbox.webhooks.settings(scale=0.0)
    return Hooks(writer, receiver)


class Hooks:
    """An application that registers callbacks and takes what they bring."""

    def __init__(self, caller: Caller, receiver: Receiver) -> None:
        self.caller = caller
        self.sandbox = caller.sandbox
        self.receiver = receiver

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        whole = f"/events/account/{self.caller.account}/events/callbacks{path}"
        answer = self.caller.request(method, whole, body and {"callback": body})
        return answer.json()["response"]["result"]["callback"]

    def register(self, event: str) -> int:
        """A callback that is not verified yet."""
        body = {"event": event, "uri": self.receiver.url}
        key: int = self.call("POST", "", body)["callbackid"]
        return key

    def verifier(self) -> str:
        """Of the verification that came last."""
        self.sandbox.webhooks.settle()
        return next(
            message.fields["verifier"]
            for message in reversed(self.receiver.messages)
            if message.name == "callback.verify"
        )

    def subscribe(self, event: str) -> tuple[int, str]:
        """A callback that was verified, and its verifier; the receiver has forgotten it all."""
        key = self.register(event)
        verifier = self.verifier()
        assert self.call("PUT", f"/{key}", {"verifier": verifier})["verified"] is True
        self.receiver.messages.clear()
        self.sandbox.webhooks.deliveries_clear()
        return key, verifier

    def arrived(self) -> list[str]:
        """The names of all that arrived, when nothing is on its way any more."""
        self.sandbox.webhooks.settle()
        return self.receiver.names

    def mine(self, key: int) -> list[dict[str, Any]]:
        return self.sandbox.webhooks.deliveries(callback=key)


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (CREATED, "zcA8PVtd3znV0ntQtXM70fN7fFFMNwtv6FihHLsWUyU="),
        (
            f"name=time_entry.update&object_id=88120456&{WHO}",
            "yjIG8pKBXdEfoU9uFDZr+AtQBLjRswM3KK29NlNL9rI=",
        ),
        (
            f"name=callback.verify&object_id=2417&account_id=Qx7Lm2&user_id=1&verifier={SECRET}",
            "B9mxhsPJTECKx/QT1u+132mYbtPt3vxbL23AVJJRwOw=",
        ),
    ],
)
def test_the_signature_is_the_one_worked_out_by_hand(body: str, signature: str) -> None:
    assert sign(SECRET, dict(parse_qsl(body))) == signature


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.0 500\r\nContent-Length: 9\r\n\r\ncut", 500),
        (b"", httpx.RemoteProtocolError),
        (b"nonsense\r\n", httpx.RemoteProtocolError),
    ],
)
def test_an_answer_is_read_as_far_as_it_goes(answer: bytes, outcome: int | type) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nbody")
        writer.write(answer)
        writer.close()

    async def asked() -> int | type:
        async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            try:
                return await post(f"http://127.0.0.1:{port}", b"body", {})
            except httpx.TransportError as problem:
                return type(problem)

    assert asyncio.run(asked()) == outcome


def test_a_message_has_the_headers_that_are_given_and_no_others() -> None:
    heads: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        assert await reader.readexactly(4) == b"body"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def sent() -> int:
        async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Signed": "aGk="}
            status = await post(f"http://user:word@127.0.0.1:{port}/a%20b?c=d", b"body", headers)
            assert sorted(heads[0].decode().split("\r\n")) == [
                *("", "", "Connection: close", "Content-Length: 4"),
                "Content-Type: application/x-www-form-urlencoded",
                f"Host: 127.0.0.1:{port}",
                *("POST /a%20b?c=d HTTP/1.1", "X-Signed: aGk="),
            ]
            return status

    assert asyncio.run(sent()) == 200


@pytest.mark.parametrize(
    "uri", ["nowhere", "ftp://127.0.0.1/", "http://127.0.0.1:1/", "http://:99999/"]
)
def test_a_message_that_cannot_be_sent_is_an_error(uri: str) -> None:
    with pytest.raises((httpx.TransportError, httpx.InvalidURL)):
        asyncio.run(post(uri, b"body", {}))


def test_forgeries_are_the_mistakes_that_are_common() -> None:
    fields = dict(parse_qsl(CREATED))
    assert forge("raw", SECRET, fields) == "eIr9sNdiqmnK78MJQG2whlMzR+uqXH6B+I8YdoHyfVs="
    assert forge("compact", SECRET, fields) == "ldUjMen2pZ4YMOz3uKBfeksMxwilBU1FPxJrlBfNFCE="
    assert forge("missing", SECRET, fields) is None
    assert forge("secret", SECRET, fields) != sign(SECRET, fields)


def test_a_new_callback_is_asked_to_verify_itself(hooks: Hooks) -> None:
    key = hooks.register("invoice.create")
    assert hooks.arrived() == ["callback.verify"]
    (message,) = hooks.receiver.messages
    assert message.path == "/hook?from=freshbooks"
    assert message.headers["content-type"] == "application/x-www-form-urlencoded"
    assert list(message.fields) == ["name", "object_id", "account_id", "user_id", "verifier"]
    assert message.fields["object_id"] == str(key)
    assert message.fields["account_id"] == hooks.caller.account
    assert message.is_signed_by(message.fields["verifier"])


def test_nothing_is_sent_before_the_verifier_came_back(hooks: Hooks) -> None:
    key = hooks.register("client")
    hooks.sandbox.create("clients")
    assert hooks.arrived() == ["callback.verify"]
    hooks.call("PUT", f"/{key}", {"verifier": hooks.verifier()})
    assert hooks.arrived() == ["callback.verify"]
    made = hooks.sandbox.create("clients")[0]
    assert hooks.arrived() == ["callback.verify", "client.create"]
    assert hooks.receiver.messages[-1].fields["object_id"] == str(made["id"])


def test_every_callback_has_a_verifier_of_its_own(hooks: Hooks) -> None:
    _, first = hooks.subscribe("client")
    _, second = hooks.subscribe("client.create")
    assert first != second
    hooks.sandbox.create("clients")
    assert hooks.arrived() == ["client.create"] * 2
    signers = [
        [message.is_signed_by(verifier) for message in hooks.receiver.messages]
        for verifier in (first, second)
    ]
    assert sorted(signers) == [[False, True], [True, False]]


def test_writes_with_a_token_are_told_with_six_fields(hooks: Hooks) -> None:
    _, verifier = hooks.subscribe("client")
    path = "users/clients"
    body = {"client": {"organization": "Harbour Refit"}}
    key = hooks.caller.write("POST", path, body).json()["response"]["result"]["client"]["id"]
    hooks.sandbox.webhooks.settle()
    hooks.caller.write("PUT", f"{path}/{key}", {"client": {"note": "later"}})
    hooks.sandbox.webhooks.settle()
    hooks.caller.write("PUT", f"{path}/{key}", {"client": {"note": "later"}})
    hooks.caller.write("PUT", f"{path}/{key}", {"client": {"vis_state": 1}})
    hooks.sandbox.webhooks.settle()
    hooks.caller.write("PUT", f"{path}/{key}", {"client": {"vis_state": 0}})
    assert hooks.arrived() == [
        f"client.{verb}" for verb in ("create", "update", "delete", "update")
    ]
    assert all(message.is_signed_by(verifier) for message in hooks.receiver.messages)
    assert hooks.receiver.messages[0].fields == {
        "name": "client.create",
        "object_id": str(key),
        "account_id": hooks.caller.account,
        "business_id": str(hooks.caller.business),
        "identity_id": str(hooks.sandbox.state.identity["id"]),
        "user_id": "1",
    }


@pytest.mark.parametrize(
    ("noun", "resource"),
    [
        *[("bill", "bills"), ("bill_vendor", "bill_vendors"), ("category", "expense_categories")],
        *[("client", "clients"), ("credit_note", "credit_notes"), ("estimate", "estimates")],
        *[("expense", "expenses"), ("invoice", "invoices"), ("item", "items")],
        *[("payment", "payments"), ("project", "projects"), ("recurring", "invoice_profiles")],
        *[("service", "services"), ("tax", "taxes"), ("time_entry", "time_entries")],
    ],
)
def test_every_noun_is_told_of(own: Sandbox, noun: str, resource: str) -> None:
    uri = "http://hooks.example.test/"
    key = own.create("callbacks", event=noun, uri=uri)[0]["callbackid"]
    own.webhooks.verify(key)
    made = own.create(resource)[0]
    identifier = made["id"] if "id" in made else made["vendorid"]
    own.delete(resource, identifier)
    sent = [each["fields"] for each in own.webhooks.deliveries(callback=key)[1:]]
    assert [(each["name"], each["object_id"]) for each in sent] == [
        (f"{noun}.create", str(identifier)),
        (f"{noun}.delete", str(identifier)),
    ]


def test_only_the_event_that_was_asked_for_is_sent(hooks: Hooks) -> None:
    hooks.subscribe("client.delete")
    made = hooks.sandbox.create("clients")[0]
    hooks.sandbox.create("invoices")
    hooks.sandbox.delete("clients", made["id"])
    hooks.sandbox.delete("clients", "oldest", business=2)
    assert hooks.arrived() == ["client.delete"]


def test_a_document_sent_by_email_is_an_event_of_its_own(hooks: Hooks) -> None:
    hooks.subscribe("invoice.sendByEmail")
    key = hooks.sandbox.create("invoices")[0]["id"]
    for _ in range(2):
        hooks.caller.write("PUT", f"invoices/invoices/{key}", {"invoice": {"action_email": True}})
    assert hooks.arrived() == ["invoice.sendByEmail"] * 2


def test_a_change_in_the_middle_of_a_read_is_sent(hooks: Hooks) -> None:
    hooks.subscribe("client.update")
    hooks.sandbox.faults(
        "change", action="update", resource="clients", values={"note": "meanwhile"}, times=1
    )
    hooks.caller.accounting("users/clients")
    assert hooks.arrived() == ["client.update"]


def test_a_verification_is_sent_again_when_asked_for(hooks: Hooks) -> None:
    key, verifier = hooks.subscribe("client")
    before = hooks.call("GET", f"/{key}")
    assert hooks.call("PUT", f"/{key}", {"resend": True}) == before
    assert hooks.arrived() == ["callback.verify"]
    assert hooks.verifier() == verifier


def test_another_uri_has_to_be_verified(hooks: Hooks) -> None:
    key, verifier = hooks.subscribe("client")
    moved = hooks.call("PUT", f"/{key}", {"uri": f"{hooks.receiver.url}&moved"})
    assert moved["verified"] is False
    hooks.sandbox.create("clients")
    assert hooks.arrived() == ["callback.verify"]
    assert hooks.receiver.messages[0].path.endswith("&moved")
    assert hooks.call("PUT", f"/{key}", {"verifier": verifier})["verified"] is True


def test_a_failed_message_is_tried_again(hooks: Hooks) -> None:
    key, verifier = hooks.subscribe("client")
    hooks.receiver.answers = [500, 302, 204]
    hooks.sandbox.create("clients")
    assert hooks.arrived() == ["client.create"] * 3
    assert all(message.is_signed_by(verifier) for message in hooks.receiver.messages)
    (delivery,) = hooks.mine(key)
    assert delivery["status"] == "delivered"
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 302, 204]


def test_a_message_that_fails_too_often_is_given_up(hooks: Hooks) -> None:
    key, _ = hooks.subscribe("client")
    hooks.sandbox.webhooks.settings(retries=1)
    hooks.receiver.answers = [500] * 2
    hooks.sandbox.create("clients")
    hooks.sandbox.webhooks.settle()
    hooks.sandbox.create("clients")
    assert hooks.arrived() == ["client.create"] * 3
    assert [each["status"] for each in hooks.mine(key)] == ["given_up", "delivered"]


def test_pauses_between_attempts_grow(hooks: Hooks) -> None:
    hooks.subscribe("client")
    hooks.sandbox.webhooks.settings(scale=0.001, first_retry=100, growth=3, retries=2)
    hooks.receiver.answers = [500] * 2
    begun = time.monotonic()
    hooks.sandbox.create("clients")
    hooks.sandbox.webhooks.settle()
    assert time.monotonic() - begun >= 0.4
    assert len(hooks.receiver.messages) == 3


def test_a_slow_receiver_fails_and_holds_up_nobody(hooks: Hooks) -> None:
    key, _ = hooks.subscribe("client")
    hooks.sandbox.webhooks.settings(timeout=1.0, retries=0)
    hooks.receiver.seconds = 2.0
    hooks.sandbox.create("clients")
    hooks.caller.accounting("users/clients")
    assert [each["status"] for each in hooks.mine(key)] == ["waiting"]
    hooks.sandbox.webhooks.settle()
    (delivery,) = hooks.mine(key)
    assert delivery["status"] == "given_up"
    assert delivery["attempts"][0]["error"] == "no answer in time"


def test_nobody_at_the_address_is_a_failure(hooks: Hooks) -> None:
    with Receiver() as gone:
        uri = gone.url
    hooks.sandbox.webhooks.settings(retries=1)
    key = hooks.sandbox.create("callbacks", event="client", uri=uri)[0]["callbackid"]
    hooks.sandbox.webhooks.settle()
    (delivery,) = hooks.mine(key)
    assert delivery["status"] == "given_up"
    assert [attempt["status"] for attempt in delivery["attempts"]] == [None, None]


def test_a_callback_that_fails_for_long_is_disabled_until_it_is_verified_again(
    hooks: Hooks,
) -> None:
    key, _ = hooks.subscribe("client")
    hooks.sandbox.webhooks.settings(retries=0, disable_after=3)
    hooks.receiver.answers = [500, 500, 200, 500, 500, 500]
    for verified in (True, True, True, True, True, False, False):
        hooks.sandbox.create("clients")
        hooks.sandbox.webhooks.settle()
        assert hooks.call("GET", f"/{key}")["verified"] is verified
    assert len(hooks.receiver.messages) == 6
    hooks.call("PUT", f"/{key}", {"resend": True})
    hooks.call("PUT", f"/{key}", {"verifier": hooks.verifier()})
    hooks.sandbox.create("clients")
    assert hooks.arrived()[6:] == ["callback.verify", "client.create"]


def test_a_callback_is_disabled_without_a_word(hooks: Hooks) -> None:
    key, _ = hooks.subscribe("client")
    before = hooks.call("GET", f"/{key}")
    hooks.sandbox.webhooks.disable(key)
    assert hooks.call("GET", f"/{key}") == {**before, "verified": False}
    hooks.sandbox.create("clients")
    assert hooks.arrived() == []
    hooks.sandbox.webhooks.verify(key)
    hooks.sandbox.create("clients")
    assert hooks.arrived() == ["client.create"]


def test_a_deleted_callback_gets_nothing_more(hooks: Hooks) -> None:
    key, _ = hooks.subscribe("client")
    hooks.sandbox.faults("shuffle", count=2, event="client.*")
    hooks.sandbox.create("clients")
    hooks.caller.request("DELETE", f"/events/account/{hooks.caller.account}/events/callbacks/{key}")
    hooks.sandbox.create("clients")
    assert hooks.arrived() == []
    assert [each["status"] for each in hooks.mine(key)] == ["dropped"]


def test_a_message_is_lost(hooks: Hooks) -> None:
    key, _ = hooks.subscribe("client")
    hooks.sandbox.faults("lose", event="client.*", skip=1, times=1)
    made = hooks.sandbox.create("clients", count=3)
    hooks.sandbox.webhooks.settle()
    arrived = {message.fields["object_id"] for message in hooks.receiver.messages}
    assert arrived == {str(made[0]["id"]), str(made[2]["id"])}
    assert [each["status"] for each in hooks.mine(key)] == ["delivered", "lost", "delivered"]


def test_a_message_comes_twice(hooks: Hooks) -> None:
    hooks.subscribe("client")
    hooks.sandbox.faults("duplicate", copies=2, times=1)
    hooks.sandbox.create("clients")
    hooks.sandbox.create("clients")
    hooks.sandbox.webhooks.settle()
    bodies = [message.body for message in hooks.receiver.messages]
    assert sorted(bodies.count(body) for body in set(bodies)) == [1, 3]


def test_a_message_comes_late(hooks: Hooks) -> None:
    hooks.subscribe("client")
    hooks.sandbox.webhooks.settings(scale=0.01)
    hooks.sandbox.faults("delay", seconds=30, times=1)
    first, second = hooks.sandbox.create("clients", count=2)
    hooks.sandbox.webhooks.settle()
    arrived = [message.fields["object_id"] for message in hooks.receiver.messages]
    assert arrived == [str(second["id"]), str(first["id"])]


def test_messages_come_in_the_wrong_order(hooks: Hooks) -> None:
    hooks.subscribe("client")
    hooks.sandbox.faults("shuffle", count=3)
    made = [row["id"] for row in hooks.sandbox.create("clients", count=3)]
    hooks.sandbox.webhooks.settle()
    arrived = [int(message.fields["object_id"]) for message in hooks.receiver.messages]
    assert arrived == made[::-1]


def test_what_is_held_back_is_sent_when_faults_end(hooks: Hooks) -> None:
    key, _ = hooks.subscribe("client")
    hooks.sandbox.faults("shuffle", count=3)
    hooks.sandbox.create("clients")
    assert [each["status"] for each in hooks.mine(key)] == ["waiting"]
    hooks.sandbox.faults_clear()
    assert hooks.arrived() == ["client.create"]


@pytest.mark.parametrize("how", ["secret", "raw", "compact", "missing"])
def test_a_signature_is_wrong(hooks: Hooks, how: str) -> None:
    _, verifier = hooks.subscribe("client")
    hooks.sandbox.faults("forge", how=how, times=1)
    hooks.sandbox.create("clients")
    hooks.sandbox.webhooks.settle()
    hooks.sandbox.create("clients")
    hooks.sandbox.webhooks.settle()
    assert [m.is_signed_by(verifier) for m in hooks.receiver.messages] == [False, True]
    header = "x-freshbooks-hmac-sha256"
    assert (header in hooks.receiver.messages[0].headers) is (how != "missing")


def test_a_fault_hits_one_callback_only(hooks: Hooks) -> None:
    first, _ = hooks.subscribe("client")
    second, _ = hooks.subscribe("client")
    added = hooks.sandbox.faults("lose", callback=first)
    assert (added["seen"], added["fired"]) == (0, 0)
    hooks.sandbox.create("clients")
    hooks.sandbox.webhooks.settle()
    assert [each["status"] for each in hooks.mine(first)] == ["lost"]
    assert [each["status"] for each in hooks.mine(second)] == ["delivered"]


def test_faults_of_requests_leave_deliveries_alone(hooks: Hooks) -> None:
    hooks.subscribe("client")
    hooks.sandbox.faults("status", status=503)
    hooks.sandbox.create("clients")
    assert hooks.arrived() == ["client.create"]


def test_names_that_cannot_exist_are_not_looked_for(own: Sandbox) -> None:
    own.create("clients")
    sent = own.webhooks.deliveries(business=1, name="client.create", status="nowhere")
    assert [each["uri"] for each in sent] == ["https://hooks.example.test/freshbooks/1"]
    assert own.webhooks.deliveries(business=2) == []
    own.webhooks.deliveries_clear()
    assert own.webhooks.deliveries() == []


def test_settings_that_make_no_sense_are_refused(own: Sandbox) -> None:
    assert own.webhooks.settings()["timeout"] == 10
    with pytest.raises(SandboxError, match="speed"):
        own.webhooks.settings(speed=2)
    with pytest.raises(SandboxError, match="99"):
        own.webhooks.disable(99)


def test_settling_gives_up_after_a_while(hooks: Hooks) -> None:
    hooks.subscribe("client")
    hooks.sandbox.webhooks.settings(scale=1.0)
    hooks.receiver.answers = [500]
    hooks.sandbox.create("clients")
    with pytest.raises(SandboxError, match=r"within 0\.2 seconds"):
        hooks.sandbox.webhooks.settle(timeout=0.2)


def test_everything_ends_with_the_sandbox(
    receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())
    with Sandbox(invoices=10) as sandbox:
        for host in ("127.0.0.1", "localhost"):
            uri = receiver.url.replace("127.0.0.1", host)
            key = sandbox.create("callbacks", event="client", uri=uri)[0]["callbackid"]
            sandbox.webhooks.verify(key)
        sandbox.webhooks.settle()
        assert receiver.names == ["callback.verify"] * 2
        receiver.answers = [500]
        receiver.seconds = 5.0
        sandbox.create("clients", count=2)
        while len(receiver.messages) == 2:
            time.sleep(0.01)
        begun = time.monotonic()
    assert time.monotonic() - begun < 4
    left = [thread for thread in set(threading.enumerate()) - before if "asyncio" in thread.name]
    assert left == []
    assert capfd.readouterr().err == ""


def test_a_sandbox_that_starts_again_sends_again(receiver: Receiver) -> None:
    sandbox = Sandbox(invoices=10)
    for _ in range(2):
        with sandbox:
            sandbox.create("callbacks", event="client", uri=receiver.url)
            sandbox.webhooks.settle()
    assert receiver.names == ["callback.verify"] * 2


@pytest.mark.parametrize("caused", ["silent", "sent"])
def test_a_row_that_moves_with_another_may_be_told_of(caused: str) -> None:
    with Sandbox(invoices=40, rate_limit=0, behaviours={"caused_events": caused}) as sandbox:
        caller = Caller(sandbox)
        for noun in ("invoice", "payment", "credit_note", "bill", "service", "time_entry"):
            uri = "http://hooks.example.test/all"
            key = sandbox.create("callbacks", event=noun, uri=uri)[0]["callbackid"]
            sandbox.webhooks.verify(key)
        sandbox.webhooks.deliveries_clear()
        sandbox.create("bill_payments")
        sandbox.create("payments", amount={"amount": "900000.00", "code": "CAD"})
        sandbox.create("tasks")
        timers = f"/timetracking/business/{caller.business}/timers"
        timer = caller.request("POST", timers, {"timer": {}}).json()["timer"]
        caller.request("DELETE", f"{timers}/{timer['id']}")
        caller.session.close()
        found = sandbox.webhooks.deliveries()
        sent = sorted(each["fields"]["name"] for each in found if each["uri"] == uri)
    moved = ["bill.update", "credit_note.create", "invoice.update", "payment.create"]
    moved += ["service.create", "time_entry.create", "time_entry.delete"]
    assert sent == sorted(["payment.create", *(moved if caused == "sent" else [])])


def test_callbacks_may_belong_to_the_application(receiver: Receiver) -> None:
    with Sandbox(invoices=10, behaviours={"callbacks_of": "application"}) as sandbox:
        callers = [Caller(sandbox) for _ in range(2)]
        mine, theirs = (Hooks(caller, receiver) for caller in callers)
        key = mine.register("client")
        path = f"/events/account/{mine.caller.account}/events/callbacks"
        for hooks, keys in ((mine, [key]), (theirs, [])):
            found = hooks.caller.get(path).json()["response"]["result"]
            assert [row["callbackid"] for row in found["callbacks"]] == keys
        assert mine.call("GET", f"/{key}")["event"] == "client"
        for method in ("GET", "DELETE"):
            assert theirs.caller.request(method, f"{path}/{key}").status_code == 404
        for caller in callers:
            caller.session.close()


def test_behaviours_where_the_facts_are_open(receiver: Receiver) -> None:
    behaviours = {
        "message_fields": "recorded",
        "resent_verifier": "new",
        "changed_uri": "verified",
        "caused_events": "sent",
    }
    with Sandbox(invoices=40, rate_limit=0, behaviours=behaviours) as sandbox:
        caller = Caller(sandbox)
        sandbox.webhooks.settings(scale=0.0)
        hooks = Hooks(caller, receiver)
        key, first = hooks.subscribe("invoice.update")
        hooks.call("PUT", f"/{key}", {"resend": True})
        second = hooks.verifier()
        assert second != first
        order = ["user_id", "name", "verifier", "object_id", "account_id", "system"]
        assert list(receiver.messages[-1].fields) == order
        moved = hooks.call("PUT", f"/{key}", {"uri": f"{receiver.url}&moved"})
        assert moved["verified"] is True
        receiver.messages.clear()
        payment = sandbox.create("payments")[0]
        assert hooks.arrived() == ["invoice.update"]
        (message,) = receiver.messages
        order = ["name", "object_id", "user_id", "identity_id", "business_id", "account_id"]
        assert list(message.fields) == order
        assert message.fields["object_id"] == str(payment["invoiceid"])
        assert message.is_signed_by(second)
        caller.session.close()
