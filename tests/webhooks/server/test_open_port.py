"""What anybody can send to an open port: it is let go in seconds, counted, and fills no log."""

from __future__ import annotations

import contextlib
import itertools
import socket
import sqlite3
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from freshbooks_sandbox.webhooks.signature import sign
from tap_freshbooks.connection import Connection
from tap_freshbooks.webhooks.inbox import Inbox
from tap_freshbooks.webhooks.server import asgi, http_connection, http_server, serve
from tests.webhooks.receivers import SECRET, ReceiverThread, add_verified_callback, event_fields
from tests.webhooks.receivers import signed as signed_delivery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    inbox = Inbox(str(tmp_path / "inbox.db"))
    yield inbox
    inbox.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverThread]:
    """A receiver for tests that look at one connection of their own."""
    inbox = Inbox(str(tmp_path_factory.mktemp("shared") / "inbox.db"))
    with ReceiverThread(inbox) as running:
        yield running


def seconds_until_closed(raw: socket.socket, drip: bytes = b"") -> float:
    """How long the server keeps a connection to which something is sent now and then."""
    began = time.monotonic()
    raw.settimeout(0.05)
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - began < 9:
            if drip:
                raw.send(drip)
            with contextlib.suppress(TimeoutError):
                while raw.recv(65_536):
                    pass
                break
    return time.monotonic() - began


# Connections that take their time


POST = b"POST /a HTTP/1.1\r\nHost: x\r\n"
SLOW = {
    "silent": (b"", b""),
    "half a word": (b"G", b""),
    "head byte by byte": (GET + b"X: ", b"x"),
    "empty lines": (b"", b"\r\n"),
    "head byte by byte after an answer": (GET + b"\r\n" + GET, b"x"),
    "nonsense after an answer": (GET + b"\r\n", b"x"),
    "body byte by byte after the answer": (GET + b"Content-Length: 9999\r\n\r\n", b"x"),
    "half a body": (POST + b"Content-Length: 99\r\n\r\na", b""),
    "body byte by byte": (POST + b"Content-Length: 99\r\n\r\na", b"x"),
    "chunk byte by byte": (POST + b"Transfer-Encoding: chunked\r\n\r\n9999\r\n", b"x"),
    "no chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b""),
    "body after a refusal": (POST + b"Content-Length: 999999\r\n\r\n", b"x" * 50),
    "no body after 100": (POST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", b""),
}


@pytest.mark.parametrize("case", SLOW)
def test_a_slow_or_silent_connection_is_let_go(
    shared: ReceiverThread, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setattr(http_connection, "HEAD_TIMEOUT", 0.2)
    monkeypatch.setattr(asgi, "BODY_TIMEOUT", 0.2)
    first, drip = SLOW[case]
    with shared.connect() as raw:
        raw.sendall(first)
        assert seconds_until_closed(raw, drip) < 2


def test_a_connection_is_kept_for_another_request_but_not_for_ever(
    shared: ReceiverThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "HEAD_TIMEOUT", 0.1)
    with shared.connect() as raw:
        for _ in range(3):
            raw.sendall(GET + b"\r\n")
            while not raw.recv(1000).endswith(b"alive"):
                pass
            time.sleep(0.15)  # longer than the head may take
        monkeypatch.setattr(http_connection, "KEEP_ALIVE", -0.9)
        raw.sendall(GET + b"\r\n")
        assert seconds_until_closed(raw) < 2


def test_a_delivery_may_take_longer_than_its_head(
    shared: ReceiverThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "HEAD_TIMEOUT", 0.1)
    callback = add_verified_callback(shared.inbox)
    file = str(shared.inbox.database.url.database)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            delivery = pool.submit(shared.post, callback.path, event_fields())
            with pytest.raises(TimeoutError):
                delivery.result(0.5)
            blocker.execute("ROLLBACK")
            assert delivery.result() == 200


def test_a_sender_that_never_reads_is_let_go(
    shared: ReceiverThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "ANSWER_TIMEOUT", 0.2)
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(9)
        raw.connect(("127.0.0.1", shared.port))
        endless = itertools.repeat(get(b"/metrics").replace(b"close", b"keep-alive") * 100)
        with pytest.raises(ConnectionError):
            deque(map(raw.sendall, endless), maxlen=0)


# Bytes that make no sense


CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(200))


def get(target: bytes, more: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + more + b"\r\n"


GARBAGE = {
    "TLS": (CLIENT_HELLO, 400),
    "zeros": (b"\0" * 100 + b"\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", 400),
    "SSH": (b"SSH-2.0-x\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404),
    "long header": (GET + b"X: " + b"x" * 100_000, 400),
    "long target": (b"GET /" + b"x" * 100_000, 400),
    "many headers": (GET + b"X: x\r\n" * 20_000, 400),
    "no header": (GET + b"X: \x1b[31mred\r\nno header\r\n\r\n", 400),
    "two lengths": (GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "negative length": (GET + b"Content-Length: -1\r\n\r\n", 400),
    "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    "absolute target": (get(b"http://x/healthz"), 404),
    "HEAD": (get(b"/healthz").replace(b"GET", b"HEAD"), 200),
    "OPTIONS": (get(b"/a").replace(b"GET", b"OPTIONS"), 405),
    "OPTIONS *": (get(b"*").replace(b"GET", b"OPTIONS"), 404),
    "CONNECT": (get(b"a:1").replace(b"GET", b"CONNECT"), 404),
    "line break": (get(b"/%0d%0aERROR"), 404),
    "websocket": (get(b"/healthz", b"Upgrade: websocket\r\nConnection: Upgrade\r\n"), 200),
    "h2c": (get(b"/healthz", b"Upgrade: h2c\r\nConnection: Upgrade\r\n"), 200),
    "path upwards": (get(b"/../../etc/passwd").replace(b"GET", b"POST"), 404),
    "escaped upwards": (get(b"/%2e%2e%2f%00").replace(b"GET", b"POST"), 404),
    "no chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "no next request": (get(b"/healthz").replace(b"close", b"x") + b"zz\r\n\r\n", 200),
    "no chunk that is waited for": (
        get(b"/healthz", b"Transfer-Encoding: chunked\r\n") + b"zz\r\n",
        400,
    ),
    "no chunk after one": (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\nz\r\n", 400),
    "gzip": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
    "endless": (POST + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n", 413),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_what_is_no_delivery_gets_its_status_and_no_traceback(
    shared: ReceiverThread, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    raw, status = GARBAGE[case]
    with shared.connect() as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(raw)
        answer = connection.recv(1000)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert shared.session.get(f"{shared.url}/healthz").ok  # what came of it is logged by now
    assert not any(each.exc_info for each in caplog.records)
    assert all(each.getMessage().isprintable() for each in caplog.records)


def test_requests_in_a_row_are_answered_in_their_order(shared: ReceiverThread) -> None:
    callback = add_verified_callback(shared.inbox)
    fields = event_fields()
    body, _ = signed_delivery(fields)
    signature = sign(SECRET, fields)
    delivery = (
        f"POST /{callback.path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        f"X-FreshBooks-Hmac-SHA256: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    with shared.connect() as raw:
        raw.sendall((GET + b"\r\n" + delivery) * 10)
        answers = b""
        while answers.count(b"HTTP/1.1 200 ") < 20:
            more = raw.recv(65_536)
            assert more, answers
            answers += more


# Where it listens


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", False), ("127.0.0.9", False), ("0.0.0.0", True)],  # noqa: S104 - says so
)
def test_an_address_that_others_reach_is_told(
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    host: str,
    is_open: bool,
) -> None:
    monkeypatch.setattr(serve, "_run", lambda *_: None)
    with contextlib.closing(http_server.listen(host, 0)) as sock:
        connection = Connection({}, None, "1")
        serve.serve(connection, inbox, sock, retention=9, check_interval=9)
    warning = "Warning: other machines reach this address"
    assert (warning in capsys.readouterr().err) == is_open


@pytest.mark.parametrize(
    ("address", "is_open"),
    [("::1", False), ("::ffff:127.0.0.1", False), ("::", True), ("fe80::1%eth0", True)],
)
def test_addresses_of_ipv6_are_known(address: str, is_open: bool) -> None:
    assert serve.is_open(address) == is_open
