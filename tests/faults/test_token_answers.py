"""Token answers that are cut, late, wrong or missing.

A request whose outcome is unknown is repeated once in all, over all runs that follow until one
is answered; the pending refresh in the store says so.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_freshbooks.errors import ReauthorizationRequiredError, RefreshFailedError
from tap_freshbooks.oauth import rotation
from tests.support import unmeasured

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.account import Account

UNKNOWN = "whether the refresh token is spent is unknown; the next run tries it once more"
NOT_SPENT = "the refresh token was not spent"


@dataclass(frozen=True)
class Case:
    """A fault of the token endpoint, and what the user reads of it when it lasts."""

    name: str
    settings: dict[str, Any]
    says: str
    is_unknown: bool = True
    requests: int = field(default=2, kw_only=True)


def status(code: int, body: str | None = None, **more: Any) -> dict[str, Any]:
    return {"fault": "status", "status": code, "body": body, **more}


HTML = "<!doctype html><title>Maintenance</title>"
NO_REFRESH_TOKEN = json.dumps({"access_token": "only", "expires_in": 43200})

NOT_ROTATED = [
    Case("cut before", {"fault": "cut", "when": "before"}, "got no complete answer"),
    Case("500", status(500), "500"),
    Case("502", status(502), "502"),
    Case("503", status(503, retry_after=0), "503"),
    Case("HTML", status(200, HTML), "an HTML page of a proxy or firewall"),
    Case("no refresh token", status(200, NO_REFRESH_TOKEN), "holds no refresh token"),
    Case(
        "429",
        {"fault": "rate_limit", "retry_after": 7},
        "429",
        is_unknown=False,
        requests=3,
    ),
]
ROTATED = [
    Case("cut when answered", {"fault": "cut", "when": "answered"}, "got no complete answer"),
    Case("cut in the middle", {"fault": "cut", "when": "middle"}, "got no complete answer"),
]


def name_of(case: Case) -> str:
    return case.name


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds between the tries, for which these tests do not wait."""
    waited: list[float] = []

    class Hurried(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            waited.append(timeout)
            return self.is_set()

    monkeypatch.setattr(rotation, "Event", Hurried)
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.fixture
def dead(file_account: Account, waits: list[float]) -> str:
    """The access token of a connection, which is to be refreshed."""
    assert not waits
    return file_account.connected()


@pytest.mark.parametrize("case", NOT_ROTATED, ids=name_of)
def test_a_fault_that_passes_costs_a_second_request(
    file_account: Account, dead: str, waits: list[float], case: Case
) -> None:
    requests = file_account.requests
    file_account.fault(**case.settings, times=1)
    assert file_account.accepts(file_account.new().access_token(rejected=dead))
    assert (file_account.requests - requests, file_account.spent) == (2, 0)
    assert not file_account.stored.pending_refresh
    assert len(waits) == 1
    assert waits[0] < 1 or waits[0] == case.settings["retry_after"]


@pytest.mark.parametrize("case", NOT_ROTATED, ids=name_of)
def test_a_fault_that_lasts_ends_the_run_and_keeps_the_token(
    file_account: Account, dead: str, case: Case
) -> None:
    requests = file_account.requests
    file_account.fault(**case.settings)
    with pytest.raises(RefreshFailedError) as failure:
        file_account.new().access_token(rejected=dead)
    assert failure.value.exit_status == 1
    assert case.says in str(failure.value)
    assert (UNKNOWN if case.is_unknown else NOT_SPENT) in str(failure.value)
    assert file_account.requests - requests == case.requests
    assert bool(file_account.stored.pending_refresh) == case.is_unknown

    # What an earlier run has left open is asked once more in each run, not twice.
    with pytest.raises(RefreshFailedError, match=case.says):
        file_account.new().access_token(rejected=dead)
    again = 1 if case.is_unknown else case.requests
    assert file_account.requests - requests == case.requests + again
    assert bool(file_account.stored.pending_refresh) == case.is_unknown

    file_account.sandbox.faults_clear()
    token = file_account.new().access_token(rejected=dead)
    assert file_account.accepts(token)
    assert not file_account.stored.pending_refresh
    assert file_account.requests - requests == case.requests + again + 1
    assert file_account.spent == 0


@pytest.mark.parametrize("case", ROTATED, ids=name_of)
def test_an_answer_that_is_lost_with_the_new_token_is_explained(
    file_account: Account, dead: str, case: Case
) -> None:
    requests = file_account.requests
    file_account.fault(**case.settings, times=1)
    for _ in range(2):  # the second run makes no request
        with pytest.raises(
            ReauthorizationRequiredError,
            match=r"spent or revoked, after a refresh whose answer never arrived.*login",
        ):
            file_account.new().access_token(rejected=dead)
        assert (file_account.requests - requests, file_account.spent) == (2, 1)
        assert file_account.stored.own_rejection
        assert not file_account.stored.pending_refresh
    file_account.authorise_anew()
    assert file_account.accepts(file_account.new().access_token(rejected=dead))
    assert file_account.spent == 1


@pytest.mark.parametrize("case", ROTATED, ids=name_of)
def test_answers_that_are_lost_again_and_again_are_no_loop(
    file_account: Account, dead: str, case: Case
) -> None:
    requests = file_account.requests
    file_account.fault(**case.settings)
    for expected in (2, 3, 4):
        with pytest.raises(RefreshFailedError, match=UNKNOWN):
            file_account.new().access_token(rejected=dead)
        assert file_account.requests - requests == expected
        assert file_account.stored.pending_refresh
    file_account.sandbox.faults_clear()
    with pytest.raises(ReauthorizationRequiredError, match=r"never arrived \(it began at 20"):
        file_account.new().access_token(rejected=dead)
    assert file_account.requests - requests == 5


def test_a_long_pause_that_freshbooks_asks_for_is_cut_short(
    file_account: Account, dead: str, waits: list[float]
) -> None:
    file_account.fault("rate_limit", retry_after=3600, times=1)
    assert file_account.accepts(file_account.new().access_token(rejected=dead))
    assert waits == [20]


def test_an_answer_that_is_not_waited_for_leaves_the_outcome_open(
    file_account: Account, dead: str
) -> None:
    account = file_account
    requests = account.requests
    account.client = replace(account.client, timeout=0.2)
    account.fault("latency", seconds=0.6)
    with pytest.raises(RefreshFailedError, match=UNKNOWN) as failure:
        account.new().access_token(rejected=dead)
    assert "got no complete answer (no answer in time)" in str(failure.value)
    assert account.requests - requests == 2
    assert account.stored.pending_refresh

    # FreshBooks has worked on both, late: the first was taken, its answer is lost.
    assert account.refreshes == 2
    account.sandbox.faults_clear()
    account.client = replace(account.client, timeout=60)
    with pytest.raises(ReauthorizationRequiredError, match=r"never arrived \(it began at 20"):
        account.new().access_token(rejected=dead)
    assert account.requests - requests == 3


def test_an_address_where_no_server_answers_costs_no_token_and_leaves_nothing_pending(
    file_account: Account, dead: str
) -> None:
    api_url = file_account.client.api_url
    file_account.client = replace(file_account.client, api_url="http://127.0.0.1:9")
    with pytest.raises(RefreshFailedError, match=NOT_SPENT):
        file_account.new().access_token(rejected=dead)
    assert not file_account.stored.pending_refresh
    file_account.client = replace(file_account.client, api_url=api_url)
    assert file_account.accepts(file_account.new().access_token(rejected=dead))
    assert file_account.spent == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"content": " ", "endless": True, "pause": 0.05},
        {"content": " " * 100_000, "endless": True},
    ],
    ids=["drip", "endless"],
)
def test_an_answer_without_an_end_is_a_lost_one(
    file_account: Account, dead: str, settings: dict[str, Any]
) -> None:
    account = file_account
    account.client = replace(account.client, timeout=0.5)
    account.fault("answer", **settings)
    began = time.monotonic()
    with pytest.raises(RefreshFailedError, match=f"got no complete answer.*{UNKNOWN}"):
        account.new().access_token(rejected=dead)
    assert time.monotonic() - began < 10
    assert account.stored.pending_refresh
    account.sandbox.faults_clear()
    account.client = replace(account.client, timeout=60)
    assert account.accepts(account.new().access_token(rejected=dead))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("access_token", " \r\n"),
        ("access_token", "two\nlines"),
        ("access_token", "schlüssel"),
        ("access_token", ["a"]),
        ("expires_in", "1e1000000"),
        ("scope", {"a": 1}),
    ],
)
def test_the_new_refresh_token_is_kept_whatever_else_the_answer_has(
    file_account: Account, dead: str, field: str, value: Any
) -> None:
    edit = {"edit": "set", "path": field, "value": value}
    before = file_account.stored.refresh_token
    file_account.fault("answer", edits=[edit], times=1)
    if field == "access_token":
        with pytest.raises(RefreshFailedError, match=r"holds no access token.*Run again later"):
            file_account.new().access_token(rejected=dead)
    else:
        file_account.new().access_token(rejected=dead)
    assert file_account.stored.refresh_token != before
    assert file_account.accepts(file_account.new().access_token(rejected=dead))
    assert file_account.spent == 0


def test_a_line_end_behind_tokens_is_none_of_them(file_account: Account, dead: str) -> None:
    edits = [
        {"edit": "set", "path": name, "value": f"{name}-of-test\r\n"}
        for name in ("access_token", "refresh_token")
    ]
    file_account.fault("answer", edits=edits, times=1)
    assert file_account.new().access_token(rejected=dead) == "access_token-of-test"
    assert file_account.stored.refresh_token == "refresh_token-of-test"
    assert file_account.new().access_token() == "access_token-of-test"


def test_bytes_that_are_no_utf8_beside_the_tokens_cost_none(
    file_account: Account, dead: str
) -> None:
    edit = {"edit": "set", "path": "note", "base64": "Iv8i"}
    file_account.fault("answer", edits=[edit], times=1)
    assert file_account.accepts(file_account.new().access_token(rejected=dead))
    assert file_account.spent == 0


RUN = """
import sys
from tap_freshbooks import cli
from tap_freshbooks.oauth import token_endpoint

token_endpoint.PATIENCE = 1
sys.exit(cli.run(sys.argv[1:]))
"""


def _has_fired(account: Account) -> bool:
    """Whether a request has met the account's fault: the note is in the store by then."""
    url = f"{account.sandbox.url}/_sandbox/faults"
    faults = requests.get(url, timeout=5).json()["faults"]
    return any(fault["fired"] for fault in faults if fault["client_id"] == account.client.client_id)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_that_waits_for_a_token_answer_without_an_end(
    file_account: Account, tmp_path: Path, number: signal.Signals
) -> None:
    account = file_account
    client = account.client
    settings = {
        "api_url": client.api_url,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "refresh_token": client.seed,
        "token_store": client.place,
    }
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(settings))
    account.fault("answer", content=" ", endless=True, pause=0.05)
    with subprocess.Popen(
        [sys.executable, "-c", RUN, "--config", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=unmeasured(),
    ) as run:
        deadline = time.monotonic() + 60
        while not _has_fired(account):
            assert time.monotonic() < deadline
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(number)
        _, errors = run.communicate(timeout=30)
    assert run.returncode == 128 + number, errors.decode()
    assert account.stored.pending_refresh
    account.sandbox.faults_clear()
    assert account.accepts(account.new().access_token())
