from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from freshbooks_sandbox import Sandbox, SandboxError
from tests.freshbooks_sandbox.conftest import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

INVOICES = "/accounting/*/invoices/invoices"


@pytest.fixture
def victim(own: Sandbox) -> Iterator[Caller]:
    caller = Caller(own)
    yield caller
    caller.session.close()


def invoices(caller: Caller, query: str = "") -> requests.Response:
    return caller.get(f"/accounting/account/{caller.account}/invoices/invoices{query}")


def test_latency(victim: Caller) -> None:
    victim.sandbox.faults("latency", seconds=0.2, path=INVOICES, times=1)
    begun = time.perf_counter()
    assert invoices(victim).status_code == 200
    assert time.perf_counter() - begun >= 0.2


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_429_with_retry_after_in_both_forms(victim: Caller, form: str) -> None:
    victim.sandbox.faults("rate_limit", retry_after=7, form=form, times=1)
    answer = invoices(victim)
    assert (answer.status_code, answer.json()) == (429, {"message": "Rate limit exceeded."})
    value = answer.headers["Retry-After"]
    if form == "seconds":
        assert value == "7"
    else:
        assert 0 <= parsedate_to_datetime(value).timestamp() - time.time() <= 8
    assert invoices(victim).status_code == 200


def test_a_throttle_refuses_by_rate(victim: Caller) -> None:
    victim.sandbox.faults("throttle", limit=3, window=60, path=INVOICES)
    assert [invoices(victim).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_the_rate_limit_of_the_whole_sandbox() -> None:
    with Sandbox(invoices=40, rate_limit=4) as sandbox:
        caller, other = Caller(sandbox), Caller(sandbox)
        codes = [invoices(caller).status_code for _ in range(4)]
        assert codes == [200, 200, 200, 429]  # the refresh was the first of four
        refused = invoices(caller)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert invoices(other).status_code == 200
        caller.session.close()
        other.session.close()


def test_5xx_with_an_html_body(victim: Caller) -> None:
    victim.sandbox.faults("status", status=502, times=1)
    answer = invoices(victim)
    assert answer.status_code == 502
    assert answer.text.startswith("<html>")
    victim.sandbox.faults("status", status=503, body="", retry_after=3, times=1)
    answer = invoices(victim)
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, "", "3")


@pytest.mark.parametrize("when", ["before", "answered"])
def test_a_connection_cut_without_an_answer(victim: Caller, when: str) -> None:
    victim.sandbox.faults("cut", when=when, times=1)
    with pytest.raises(requests.ConnectionError):
        invoices(victim)
    assert invoices(victim).status_code == 200


def test_a_connection_cut_in_the_middle_of_an_answer(victim: Caller) -> None:
    victim.sandbox.faults("cut", when="middle", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        invoices(victim, "?per_page=100&include[]=lines")
    assert invoices(victim).status_code == 200
    assert victim.sandbox.stats(victim.client_id)["statuses"] == {"200": 2, "cut": 1}


def test_a_token_answer_lost_after_the_rotation(victim: Caller) -> None:
    victim.sandbox.faults("cut", when="answered", path="/auth/oauth/token", times=1)
    living = victim.tokens["refresh_token"]
    with pytest.raises(requests.ConnectionError):
        victim.refresh(living)
    assert victim.refresh(living).json()["error"] == "invalid_grant"


def test_a_token_request_cut_before_it_is_read_spends_nothing(victim: Caller) -> None:
    victim.sandbox.faults("cut", when="before", path="/auth/oauth/token", times=1)
    living = victim.tokens["refresh_token"]
    with pytest.raises(requests.ConnectionError):
        victim.refresh(living)
    assert victim.refresh(living).status_code == 200


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_rows_change_after_the_nth_request(victim: Caller, action: str) -> None:
    victim.sandbox.faults(
        "change",
        action=action,
        resource="invoices",
        which="oldest",
        values={} if action == "delete" else {"notes": "meanwhile"},
        path=INVOICES,
        skip=1,
        times=1,
    )
    before = [invoices(victim).json() for _ in range(2)]
    assert before[0] == before[1]
    after = invoices(victim, "?per_page=100").json()["response"]["result"]
    total = before[0]["response"]["result"]["total"]
    if action == "update":
        assert [r["id"] for r in after["invoices"] if r["notes"] == "meanwhile"] == [5001]
    else:
        assert after["total"] == total + (1 if action == "create" else -1)


def test_a_permission_is_denied_per_resource(victim: Caller) -> None:
    victim.sandbox.faults("deny", reason="feature", path=INVOICES)
    answer = invoices(victim)
    assert answer.status_code == 401
    assert answer.json()["response"]["errors"][0]["errno"] == 1003
    assert victim.accounting("users/clients")["total"] > 0


def test_a_scope_is_denied_in_the_words_that_were_captured(victim: Caller) -> None:
    victim.sandbox.faults("deny", reason="scope", path=INVOICES)
    answer = invoices(victim)
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("insufficient_scope: The request requires higher")
    assert "Required: ['user:invoices:read']." in answer.json()["message"]


def test_a_plan_without_the_feature_is_an_error_inside_a_200(victim: Caller) -> None:
    victim.sandbox.faults("deny", reason="plan", path="*/items/items")
    answer = victim.get(f"/accounting/account/{victim.account}/items/items")
    assert answer.status_code == 200
    assert answer.json()["response"]["errors"][0]["errno"] == 12001


def test_tokens_expire_in_the_middle(victim: Caller) -> None:
    victim.sandbox.faults("expire_token", path=INVOICES, skip=1, times=1)
    codes = [invoices(victim).status_code for _ in range(3)]
    assert codes == [200, 401, 401]
    tokens = victim.refresh(victim.tokens["refresh_token"]).json()
    victim.authorize(tokens["access_token"])
    assert invoices(victim).status_code == 200


def test_faults_hit_only_whom_they_name(victim: Caller) -> None:
    other = Caller(victim.sandbox)
    victim.sandbox.faults("status", client_id=other.client_id, method="GET")
    assert invoices(victim).status_code == 200
    assert invoices(other).status_code == 503
    other.session.close()


def test_a_probability_is_drawn_from_a_seed(victim: Caller) -> None:
    def codes() -> list[int]:
        victim.sandbox.faults("status", probability=0.5, seed=7)
        found = [invoices(victim).status_code for _ in range(20)]
        victim.sandbox.faults_clear()
        return found

    first = codes()
    assert set(first) == {200, 503}
    assert codes() == first


def test_the_list_of_faults_counts_what_they_did(victim: Caller) -> None:
    added = victim.sandbox.faults("status", path="invoices", skip=1)
    assert (added["seen"], added["fired"]) == (0, 0)
    invoices(victim)
    invoices(victim)
    listed: Any = requests.get(f"{victim.url}/_sandbox/faults", timeout=30).json()["faults"]
    assert [(f["fault"], f["seen"], f["fired"]) for f in listed] == [("status", 2, 1)]
    victim.sandbox.faults_clear()
    assert invoices(victim).status_code == 200


def test_an_order_that_makes_no_sense_is_refused(own: Sandbox) -> None:
    with pytest.raises(SandboxError, match="explode"):
        own.faults("explode")
    with pytest.raises(SandboxError, match="chance"):
        own.faults("cut", chance=1)


def test_cuts_leave_nothing_on_stderr(victim: Caller, capfd: pytest.CaptureFixture[str]) -> None:
    for when in ("before", "answered", "middle"):
        victim.sandbox.faults("cut", when=when, times=1)
        with pytest.raises(requests.RequestException):
            invoices(victim, "?per_page=100&include[]=lines")
    assert invoices(victim).status_code == 200
    assert capfd.readouterr().err == ""
