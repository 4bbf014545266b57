from __future__ import annotations

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.errors import (
    BadRequestError,
    ConnectionFailedError,
    NotFoundError,
    PermissionDeniedError,
    ReauthorizationRequiredError,
    RunCancelledError,
    TransientError,
)
from tap_freshbooks.singer.stats import StreamStats
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.transport.decoding import Oddities, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freshbooks_sandbox import Sandbox
    from tap_freshbooks.connection import Connection

ME = "/auth/api/v1/users/me"


@pytest.fixture
def connection(config: dict[str, Any]) -> Connection:
    tap = TapFreshBooks(config={**config, "max_attempts": 4}, setup_mapper=False)
    return tap.connection


@pytest.fixture
def invoices(connection: Connection) -> str:
    """Path of a list, asked for by a connection whose token is fresh."""
    [business, *_] = connection.businesses
    return f"/accounting/account/{business.account_id}/invoices/invoices"


class FaultsOfThisTest:
    """Orders faults for one application, so that other tests go undisturbed."""

    def __init__(self, sandbox: Sandbox, client_id: str) -> None:
        self.sandbox = sandbox
        self.client_id = client_id

    def __call__(self, fault: str, **settings: Any) -> None:
        self.sandbox.faults(fault, client_id=self.client_id, path="*/invoices/*", **settings)

    def requests(self) -> int:
        paths = self.sandbox.stats(self.client_id)["paths"]
        return sum(count for path, count in paths.items() if "/invoices/" in path)


@pytest.fixture
def fault(sandbox: Sandbox, config: dict[str, Any]) -> Iterator[FaultsOfThisTest]:
    yield FaultsOfThisTest(sandbox, config["client_id"])
    sandbox.faults_clear()


def get(connection: Connection, path: str, **query: Any) -> Any:
    return connection.client.get(path, query, subject="invoices of Harbour").body


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 502}),
        ("status", {"status": 503, "retry_after": 0}),
        ("status", {"status": 200, "body": "<html>maintenance</html>"}),
        ("status", {"status": 200, "body": '{"response": {"resu'}),
        ("rate_limit", {"retry_after": None}),
        ("rate_limit", {"retry_after": 0}),
        ("cut", {"when": "before"}),
        ("cut", {"when": "answered"}),
        ("cut", {"when": "middle"}),
    ],
)
def test_a_passing_fault_is_overcome(
    connection: Connection,
    invoices: str,
    fault: FaultsOfThisTest,
    name: str,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault(name, times=2, **settings)
    assert get(connection, invoices)["response"]["result"]["invoices"]
    assert fault.requests() == 3
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert all(text.startswith("invoices of Harbour: ") for text in warnings)


def test_an_outage_ends_in_one_sentence(
    connection: Connection, invoices: str, fault: FaultsOfThisTest
) -> None:
    fault("status", status=503)
    with pytest.raises(TransientError) as raised:
        get(connection, invoices)
    assert fault.requests() == 4
    assert str(raised.value).startswith(
        "invoices of Harbour: FreshBooks answered 503 Service Unavailable; gave up after 4 attempts"
    )


def test_a_late_response_is_a_fault(
    connection: Connection, invoices: str, fault: FaultsOfThisTest
) -> None:
    connection.client.session.timeout = 0.2
    fault("latency", seconds=1, times=1)
    assert get(connection, invoices)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(
    connection: Connection, invoices: str, fault: FaultsOfThisTest, form: str
) -> None:
    fault("rate_limit", retry_after=2, form=form, times=1)
    began = time.monotonic()
    assert get(connection, invoices)
    assert time.monotonic() - began >= 1  # a date has whole seconds only


def test_retry_after_on_a_success_is_ignored(
    connection: Connection, invoices: str, sandbox: Sandbox
) -> None:
    assert sandbox
    began = time.monotonic()
    for _ in range(3):
        get(connection, invoices)
    assert time.monotonic() - began < 5  # the sandbox sends up to 60 on each of them


def test_an_invalid_token_is_refreshed_once(
    connection: Connection, invoices: str, sandbox: Sandbox, config: dict[str, Any]
) -> None:
    sandbox.expire_tokens(config["client_id"])
    assert get(connection, invoices)
    stats = sandbox.stats(config["client_id"])
    assert stats["refreshes"] == 2
    assert stats["spent_refresh_tokens"] == 0


def test_a_second_401_ends_the_run(
    connection: Connection, invoices: str, fault: FaultsOfThisTest, sandbox: Sandbox
) -> None:
    fault("expire_token")
    with pytest.raises(ReauthorizationRequiredError, match="even with a new access token"):
        get(connection, invoices)
    assert sandbox.stats(fault.client_id)["refreshes"] == 2


def get_at_once(connection: Connection, path: str, threads: int) -> list[Any]:
    """Ask from many threads in the same moment."""
    barrier = Barrier(threads)

    def ask(_: int) -> Any:
        barrier.wait(10)
        return get(connection, path)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(ask, range(threads)))


@pytest.mark.parametrize("body", [None, "ambiguous"])
def test_many_threads_with_an_invalid_token_cause_one_refresh(
    config: dict[str, Any],
    fault: FaultsOfThisTest,
    sandbox: Sandbox,
    body: str | None,
    recwarn: pytest.WarningsRecorder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tap = TapFreshBooks(config={**config, "max_concurrency": 12}, setup_mapper=False)
    [business, *_] = tap.connection.businesses
    path = f"/accounting/account/{business.account_id}/invoices/invoices"
    sandbox.expire_tokens(fault.client_id)
    fault("latency", seconds=0.1)  # so that all of them have left before the first response
    if body:
        refused = {"status": 401, "body": AMBIGUOUS, "content_type": "application/json"}
        fault("status", times=12, **refused)
    assert all(get_at_once(tap.connection, path, threads=12))
    stats = sandbox.stats(fault.client_id)
    assert (stats["refreshes"], stats["spent_refresh_tokens"]) == (2, 0)
    assert stats["most_in_flight"] == 12
    assert not recwarn
    assert not [record for record in caplog.records if record.name.startswith("urllib3")]


def test_a_token_that_others_have_replaced_meanwhile_does_not_end_the_run(
    connection: Connection, invoices: str, sandbox: Sandbox, fault: FaultsOfThisTest
) -> None:
    real, others = connection.authenticator.access_token, iter([True])

    def access_token(*, rejected: str | None = None) -> str:
        token = real(rejected=rejected)
        if rejected and next(others, False):  # before it is sent, it has been replaced
            sandbox.expire_tokens(fault.client_id)
            real(rejected=token)
        return token

    sandbox.expire_tokens(fault.client_id)
    connection.authenticator.access_token = access_token  # type: ignore[method-assign]
    assert get(connection, invoices)
    assert sandbox.stats(fault.client_id)["refreshes"] == 3


def test_after_a_close_nothing_is_sent(
    connection: Connection, invoices: str, sandbox: Sandbox, fault: FaultsOfThisTest
) -> None:
    connection.close()
    with pytest.raises(RunCancelledError):
        get(connection, invoices)
    assert fault.requests() == 0
    sandbox.expire_tokens(fault.client_id)
    token = connection.authenticator.access_token()
    with pytest.raises(RunCancelledError):
        connection.authenticator.access_token(rejected=token)
    assert sandbox.stats(fault.client_id)["refreshes"] == 1


def test_requests_retries_and_429s_are_counted(
    connection: Connection, invoices: str, fault: FaultsOfThisTest
) -> None:
    fault("status", status=500, times=1)
    fault("rate_limit", skip=1, times=2, retry_after=0)
    stats = StreamStats("invoices")
    connection.client.get(invoices, subject="invoices", stats=stats)
    assert (stats.requests, stats.retries, stats.throttled) == (4, 3, 2)


def test_a_response_has_the_times_of_the_attempt_that_succeeded(
    connection: Connection, invoices: str, fault: FaultsOfThisTest
) -> None:
    fault("latency", seconds=0.3, times=1)
    fault("status", status=500, times=1)
    began = time.monotonic()
    response = connection.client.get(invoices, subject="invoices")
    assert began + 0.3 < response.sent < response.received < time.monotonic()


def test_the_proxy_of_the_environment_is_used(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", config["api_url"])
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    elsewhere = {**config, "api_url": "http://freshbooks.invalid", "max_attempts": 1}
    elsewhere |= {"access_token": "a", "refresh_token": None}
    tap = TapFreshBooks(config=elsewhere, setup_mapper=False)
    with pytest.raises(ConnectionFailedError, match="404"):  # of the sandbox, who is no proxy
        get(tap.connection, ME)
    monkeypatch.setenv("NO_PROXY", "freshbooks.invalid")
    tap = TapFreshBooks(config=elsewhere, setup_mapper=False)
    with pytest.raises(ConnectionFailedError, match="cannot be reached"):
        get(tap.connection, ME)


@pytest.mark.parametrize("reason", ["scope", "feature", "plan"])
def test_a_missing_permission_causes_no_refresh(
    connection: Connection, invoices: str, fault: FaultsOfThisTest, sandbox: Sandbox, reason: str
) -> None:
    fault("deny", reason=reason)
    with pytest.raises(PermissionDeniedError):
        get(connection, invoices)
    assert fault.requests() == 1
    assert sandbox.stats(fault.client_id)["refreshes"] == 1


AMBIGUOUS = (
    '{"message": "The server could not verify that you are authorized to access the URL '
    'requested. You either supplied the wrong credentials."}'
)


def test_an_ambiguous_401_is_a_missing_permission_while_the_token_is_valid(
    connection: Connection, invoices: str, fault: FaultsOfThisTest, sandbox: Sandbox
) -> None:
    fault("status", status=401, body=AMBIGUOUS, content_type="application/json")
    with pytest.raises(PermissionDeniedError):
        get(connection, invoices)
    assert sandbox.stats(fault.client_id)["refreshes"] == 1


def test_an_ambiguous_401_of_an_invalid_token_causes_a_refresh(
    connection: Connection, invoices: str, fault: FaultsOfThisTest, sandbox: Sandbox
) -> None:
    sandbox.expire_tokens(fault.client_id)
    fault("status", status=401, body=AMBIGUOUS, content_type="application/json", times=1)
    assert get(connection, invoices)
    assert sandbox.stats(fault.client_id)["refreshes"] == 2


def test_a_wrong_identifier_fails_loudly(connection: Connection) -> None:
    [business, *_] = connection.businesses
    with pytest.raises(NotFoundError, match="invoices of Harbour: FreshBooks answered 404"):
        get(connection, f"/accounting/account/{business.business_id}/invoices/invoices")


def test_a_bad_request_is_not_repeated(
    connection: Connection, invoices: str, fault: FaultsOfThisTest
) -> None:
    with pytest.raises(BadRequestError, match="errno 1014"):
        get(connection, invoices, page="abc")
    assert fault.requests() == 1


def test_money_with_a_fraction_is_decoded_exactly(
    connection: Connection, invoices: str, fault: FaultsOfThisTest
) -> None:
    body = '{"response": {"result": {"amount": 0.10000000000000000555}}}'
    fault("status", status=200, body=body, content_type="application/json", times=1)
    assert str(get(connection, invoices)["response"]["result"]["amount"]) == (
        "0.10000000000000000555"
    )


def test_half_an_emoji_does_not_cost_a_page(
    connection: Connection, invoices: str, fault: FaultsOfThisTest
) -> None:
    body = '{"response": {"result": {"note": "\\ud83d!", "amount": 0.10}}}'
    fault("status", status=200, body=body, content_type="application/json", times=1)
    result = get(connection, invoices)["response"]["result"]
    assert (result["note"], str(result["amount"])) == ("?!", "0.10")


def test_half_an_emoji_that_is_not_escaped_does_not_cost_a_page_either() -> None:
    assert decode(b'{"note": "\xed\xa0\xbd!", "amount": 0.10}') == {
        "note": "?!",
        "amount": Decimal("0.10"),
    }


@pytest.mark.parametrize(
    ("sent", "expected", "places"),
    [
        (r'{"a": "x\u0000y"}', {"a": "xy"}, {"a"}),
        (r'{"a": "x\\u0000y"}', {"a": r"x\u0000y"}, set()),
        (r'{"a": "x\\\u0000y"}', {"a": r"x\y"}, {"a"}),
        (r'{"a": "\u0000\ud83d"}', {"a": "?"}, {"a"}),
        (
            r'{"a": [{"b": ["\u0000", 1, null]}]}',
            {"a": [{"b": ["", 1, None]}]},
            {"a.b"},
        ),
        (r'{"a": {"b\u0000": "x"}}', {"a": {"b": "x"}}, {"a.b"}),
        (r'{"b\u0000": 1, "b": 2}', {"b": 2}, {"b"}),
        (r'{"b": 2, "b\u0000": 1}', {"b": 2}, {"b"}),
        (r'"\u0000"', "", {""}),
    ],
)
def test_no_text_has_a_nul(sent: str, expected: Any, places: set[str]) -> None:
    oddities = Oddities()
    assert decode(sent.encode(), oddities) == expected
    assert oddities.nul_paths == places


@pytest.mark.parametrize("depth", [250, 700, 100_000])
@pytest.mark.parametrize("text", [b"0", b'"\\u0000"', b'"[[["', b'"}"'])
def test_what_is_nested_too_deeply_is_not_decoded(depth: int, text: bytes) -> None:
    oddities = Oddities()
    assert (
        decode(b'[{"a":' * (depth // 2) + b"[" + text + b"]" + b"}]" * (depth // 2), oddities)
        is None
    )
    assert oddities.is_too_deep


@pytest.mark.parametrize("text", ["", "[" * 200, "{[(" * 200, "]" * 200, "[" * 200 + "]" * 200])
def test_brackets_in_texts_are_no_depth(text: str) -> None:
    body = [[[[{"a": text, text: [[]]}]]]]
    assert decode(json.dumps(body).encode()) == body


def test_a_netrc_file_does_not_replace_the_token(
    connection: Connection, invoices: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert get(connection, invoices)


def test_a_cap_on_requests_per_second_is_kept(config: dict[str, Any]) -> None:
    tap = TapFreshBooks(config={**config, "requests_per_second": 20}, setup_mapper=False)
    assert tap.connection.me
    began = time.monotonic()
    for _ in range(10):
        get(tap.connection, ME)
    assert time.monotonic() - began >= 9 / 20
