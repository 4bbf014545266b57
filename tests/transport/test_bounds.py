"""Answers that are too large, too slow, or no text: each has an end, and each end a sentence."""

from __future__ import annotations

import gzip
import json
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import AnswerTooLargeError, FreshBooksError, TransientError
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.transport.response_errors import answer_date
from tap_freshbooks.transport.session import HttpSession
from tests.conftest import settings_for
from tests.support import answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_freshbooks.connection import Connection

BOMB = b64encode(gzip.compress(b" " * 30_000_000)).decode()
"""Forty thousand bytes on the wire."""

CLIENTS = "/accounting/account/{}/users/clients"


@pytest.fixture(scope="module")
def small_sandbox() -> Iterator[Sandbox]:
    with Sandbox(invoices=10, rate_limit=0) as running:
        yield running


@pytest.fixture
def answer(small_sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Orders another answer for the list of clients."""

    def order(**settings: Any) -> None:
        small_sandbox.faults("answer", path="*/users/clients", **settings)

    yield order
    small_sandbox.faults_clear()


@pytest.fixture
def connection(small_sandbox: Sandbox, tmp_path: Path) -> Connection:
    settings = {"request_timeout": 0.3, "max_attempts": 1, "max_response_size": 2}
    config = {**settings_for(small_sandbox, tmp_path), **settings}
    return TapFreshBooks(config=config, setup_mapper=False).connection


def get(connection: Connection) -> Any:
    [business, *_] = connection.businesses
    path = CLIENTS.format(business.account_id)
    return connection.client.get(path, subject="clients of Harbour").body


@pytest.mark.parametrize(
    "settings",
    [
        {"content": " ", "repeat": 3_000_000},
        {"base64": BOMB, "headers": {"Content-Encoding": "gzip"}},
        {"content": " " * 1_000_000, "endless": True},
    ],
    ids=["plain", "gzip bomb", "endless"],
)
def test_an_answer_beyond_the_setting_is_not_read(
    connection: Connection, answer: Callable[..., None], settings: dict[str, Any]
) -> None:
    answer(**settings)
    with pytest.raises(
        AnswerTooLargeError,
        match=r"clients of Harbour: the answer is larger than 2 MB .*; the setting max_response",
    ):
        get(connection)


@pytest.mark.parametrize("members", [1, 3])
def test_a_packed_answer_may_have_several_members(
    connection: Connection, answer: Callable[..., None], members: int
) -> None:
    text = json.dumps({"text": "x" * 600_000}).encode()
    size = -(-len(text) // members)
    parts = [gzip.compress(text[at : at + size]) for at in range(0, len(text), size)]
    content = b64encode(b"".join(parts)).decode()
    answer(base64=content, headers={"Content-Encoding": "gzip"})
    assert get(connection) == json.loads(text)


def test_what_was_left_of_a_packed_answer_counts(
    connection: Connection, answer: Callable[..., None]
) -> None:
    answer(gzip=True, truncated=100)
    with pytest.raises(TransientError, match="the answer ends before its end"):
        get(connection)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_an_answer_that_is_packed_in_another_way_is_not_unpacked(
    connection: Connection, answer: Callable[..., None], encoding: str
) -> None:
    answer(content="{}", headers={"Content-Encoding": encoding})
    with pytest.raises(TransientError, match="packed in a way that was not asked for"):
        get(connection)


def test_what_is_said_to_be_packed_and_is_not_is_a_fault(
    connection: Connection, answer: Callable[..., None]
) -> None:
    answer(content="{}", headers={"Content-Encoding": "gzip"})
    with pytest.raises(TransientError, match="the answer cannot be unpacked"):
        get(connection)


def test_a_body_that_drips_has_an_end(connection: Connection, answer: Callable[..., None]) -> None:
    connection.businesses  # noqa: B018 - asked for before the clock starts
    answer(content=" ", endless=True, pause=0.05)
    began = time.monotonic()
    with pytest.raises(TransientError, match="clients of Harbour: no answer in time"):
        get(connection)
    assert 1.4 < time.monotonic() - began < 5


@pytest.mark.parametrize("head", [b"H", b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["status", "header"])
def test_a_head_that_drips_has_an_end(connection: Connection, head: bytes) -> None:
    session = connection.client.session
    with answering(head, drips=True) as session.url:
        began = time.monotonic()
        with pytest.raises(TransientError, match="no answer in time"):
            session.exchange("GET", "/")
        assert 1.4 < time.monotonic() - began < 5


def test_a_proxy_that_drips_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", drips=True) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        session = HttpSession(
            "http://freshbooks.invalid",
            user_agent="x",
            timeout=0.3,
            max_size=1e6,
        )
        began = time.monotonic()
        with pytest.raises(TransientError, match="no answer in time"):
            session.exchange("GET", "/")
        assert 1.4 < time.monotonic() - began < 5
        session.close()


OK = b"HTTP/1.1 200 OK\r\n"
ODD_HEADS = {
    "no status": b"\x16\x03\x01\x02\r\n\r\n",
    "a status that is none": b"HTTP/1.1 1e1000000 OK\r\n\r\n{}",
    "a long line": OK + b"X-Long: " + b"x" * 70_000 + b"\r\n\r\n{}",
    "many headers": OK + b"X-Many: x\r\n" * 200 + b"\r\n{}",
    "lengths that differ": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length beyond the end": OK + b"Content-Length: 999999999999999999999\r\n\r\n{}",
    "a chunk without a size": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond the end": OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    "nothing": b"",
}


@pytest.mark.parametrize("head", ODD_HEADS.values(), ids=ODD_HEADS)
def test_a_head_that_makes_no_sense_is_a_broken_connection(
    connection: Connection, head: bytes
) -> None:
    session = connection.client.session
    with (
        answering(head) as session.url,
        pytest.raises(TransientError, match=r"the connection broke|no answer in time"),
    ):
        session.exchange("GET", "/")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: -5\r\n",
        b"Content-Length: many\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"No colon\r\n",
        b"X-Odd: \x1b[2J\xff\xfe\x85\r\n",
        b"Date: \xff\r\nRetry-After: \xb2\r\nX-RateLimit-Remaining: \xb2\r\n",
    ],
)
def test_a_head_that_can_be_understood_is(connection: Connection, head: bytes) -> None:
    session = connection.client.session
    with answering(OK + head + b"\r\n", b"{}") as session.url:
        response, content = session.exchange("GET", "/")
    assert content in {b"{}", b"\r\n{}"}
    assert answer_date(response.headers) is None


def test_a_slow_answer_that_goes_on_is_waited_for(
    connection: Connection, answer: Callable[..., None]
) -> None:
    text = json.dumps({"text": "x" * 60})
    answer(content=text, chunk=20, pause=0.15)
    assert get(connection) == json.loads(text)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": "\xff\xfe\x80"}', {"a": "\ufffd\ufffd\ufffd"}),
        (b'{"a\xff": 1}', {"a\ufffd": 1}),
        (b'{"a": "x\ny\x00"}', {"a": "x\ny"}),
        (b'\xef\xbb\xbf{"a": "\xc3\xa9"}', {"a": "é"}),
        (b'{"a": 1e1000000, "b": -1e-1000000}', {"a": "1e1000000", "b": "-1e-1000000"}),
        (b'{"a": 1e99999999999999999999}', {"a": "1e99999999999999999999"}),
        (b'{"a": NaN, "b": [-Infinity]}', {"a": "NaN", "b": ["-Infinity"]}),
        (b'{"a": ' + b"9" * 100_000 + b"}", {"a": "9" * 100_000}),
        (b'{"a": ' + b"9" * 30 + b"}", {"a": int("9" * 30)}),
    ],
)
def test_bytes_and_numbers_that_make_no_sense_cost_no_page(
    connection: Connection, answer: Callable[..., None], content: bytes, expected: Any
) -> None:
    answer(base64=b64encode(content).decode())
    assert get(connection) == expected


def test_bytes_that_are_no_utf8_are_told_once(
    connection: Connection, answer: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    answer(base64=b64encode(b'{"a": "\xff"}').decode())
    for _ in range(2):
        get(connection)
    [line] = [line for line in caplog.messages if "UTF-8" in line]
    assert line.startswith(CLIENTS.format(connection.businesses[0].account_id))
    assert line.endswith(": FreshBooks sends bytes that are no UTF-8: U+FFFD takes their places")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_errors_may_have_bytes_that_are_no_utf8(
    connection: Connection, answer: Callable[..., None], status: int
) -> None:
    answer(base64=b64encode(b'{"message": "No\xff way"}').decode(), status=status)
    with pytest.raises(FreshBooksError, match=f"{status}.*No\ufffd way"):
        get(connection)


def test_nesting_beyond_reason_is_not_tried_again(
    connection: Connection, answer: Callable[..., None]
) -> None:
    connection.client.max_attempts = 8
    answer(content="[" * 100_000 + "]" * 100_000)
    with pytest.raises(FreshBooksError, match=r"clients of Harbour: .*nested too deeply"):
        get(connection)


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "yesterday",
        "Fri, 31 Dec 9999 23:59:59 -1400",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 99 Foo 2024 99:99:99 GMT",
        "0, 0 0 0",
    ],
)
def test_a_date_that_is_none_is_ours(
    connection: Connection, answer: Callable[..., None], date: str | None
) -> None:
    answer(headers={"Date": date})
    [business, *_] = connection.businesses
    response = connection.client.get(CLIENTS.format(business.account_id), subject="clients")
    assert abs(response.date.timestamp() - time.time()) < 60


def test_a_date_of_year_0_is_none_to_fail_over(
    connection: Connection, answer: Callable[..., None]
) -> None:
    answer(headers={"Date": "Mon, 01 Jan 0000 00:00:00 GMT", "Retry-After": "x"}, status=503)
    with pytest.raises(TransientError, match="503 Service Unavailable"):
        get(connection)


@pytest.mark.parametrize("message", [{"a": [1]}, ["x"], "y" * 10_000, 7, None])
def test_the_words_of_an_error_are_short_whatever_they_are(
    connection: Connection, answer: Callable[..., None], message: Any
) -> None:
    for body in (
        {"message": message},
        {"error": message, "error_description": message},
        {"errors": {"message": message}},
        {"response": {"errors": [{"message": message, "field": message, "errno": message}]}},
        {"code": message, "details": [{"reason": message, "metadata": {"message": message}}]},
    ):
        answer(content=json.dumps(body), status=404, times=1)
        with pytest.raises(FreshBooksError, match="404 Not Found") as failure:
            get(connection)
        assert len(str(failure.value)) < 1500
