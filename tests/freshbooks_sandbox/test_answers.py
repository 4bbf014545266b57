"""The fault `answer`: other bytes in place of an answer, and edits of a real one."""

from __future__ import annotations

import base64
import gzip
import time
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox, SandboxError
from tests.freshbooks_sandbox.conftest import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

INVOICES = "*/invoices/invoices"
RESULT = "response.result"


@pytest.fixture(scope="module")
def room() -> Iterator[Caller]:
    """One sandbox for all tests here, which leave no fault behind."""
    with Sandbox(invoices=40, rate_limit=0) as running:
        caller = Caller(running)
        yield caller
        caller.session.close()


@pytest.fixture
def victim(room: Caller) -> Iterator[Caller]:
    yield room
    room.sandbox.faults_clear()


def invoices(caller: Caller, **options: Any) -> requests.Response:
    url = f"{caller.url}/accounting/account/{caller.account}/invoices/invoices"
    return caller.session.get(url, timeout=30, **options)


def edit(caller: Caller, *edits: dict[str, Any], path: str = INVOICES) -> Any:
    """The list of invoices with some edits, and how it was without."""
    before = invoices(caller).json()
    caller.sandbox.faults("answer", path=path, edits=list(edits))
    return invoices(caller).json()["response"]["result"], before["response"]["result"]


@pytest.mark.parametrize("path", ["/auth/oauth/token", "/auth/api/v1/users/me", INVOICES])
def test_any_path_can_be_given_another_answer(victim: Caller, path: str) -> None:
    victim.sandbox.faults("answer", path=path, status=418, content="{", times=1)
    if path == "/auth/oauth/token":
        answer = victim.refresh()
    else:
        answer = victim.get(path) if path != INVOICES else invoices(victim)
    assert (answer.status_code, answer.text) == (418, "{")
    assert answer.headers["Content-Type"] == "application/json"


def test_a_token_request_that_is_answered_otherwise_spends_nothing(victim: Caller) -> None:
    victim.sandbox.faults("answer", path="/auth/oauth/token", content="{}", times=1)
    victim.settings |= victim.sandbox.config()
    assert victim.refresh().json() == {}
    assert victim.refresh().status_code == 200


def test_bytes_that_are_no_text(victim: Caller) -> None:
    victim.sandbox.faults("answer", path=INVOICES, base64=base64.b64encode(b"\xff\xfe").decode())
    assert invoices(victim).content == b"\xff\xfe"


def test_headers_are_replaced_added_and_taken_away(victim: Caller) -> None:
    headers = {"Date": "yesterday", "Retry-After": "-1", "X-RateLimit-Limit": None}
    victim.sandbox.faults("answer", path=INVOICES, headers={**headers, "Via": ["a", "b"]})
    answer = invoices(victim)
    assert answer.json()["response"]["result"]["invoices"]
    assert answer.headers["Date"] == "yesterday"
    assert answer.headers["Retry-After"] == "-1"
    assert answer.headers["Via"] == "a, b"
    assert "X-RateLimit-Limit" not in answer.headers


def test_a_drip_arrives_in_pieces(victim: Caller) -> None:
    victim.sandbox.faults("answer", path=INVOICES, content="abcdef", chunk=2, pause=0.05)
    begun = time.perf_counter()
    answer = invoices(victim)
    assert answer.text == "abcdef"
    assert time.perf_counter() - begun >= 0.1


def test_an_endless_answer_goes_on_until_the_caller_leaves(victim: Caller) -> None:
    victim.sandbox.faults("answer", path=INVOICES, content="ab", endless=True, times=1)
    with invoices(victim, stream=True) as answer:
        pieces = answer.iter_content(1)
        assert b"".join(next(pieces) for _ in range(9)) == b"ababababa"
    deadline = time.monotonic() + 10
    while victim.sandbox.stats(victim.client_id)["in_flight"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert victim.sandbox.stats(victim.client_id)["in_flight"] == 0
    assert invoices(victim).status_code == 200


def test_a_little_that_grows_when_it_is_decompressed(victim: Caller) -> None:
    victim.sandbox.faults("answer", path=INVOICES, content="0", repeat=30_000_001, gzip=True)
    answer = invoices(victim, stream=True)
    packed = answer.raw.read(decode_content=False)
    assert len(packed) < 100_000
    assert gzip.decompress(packed) == b"0" * 30_000_001


@pytest.mark.parametrize("status", [204, 304, 599])
def test_any_status_that_http_has(victim: Caller, status: int) -> None:
    victim.sandbox.faults("answer", path=INVOICES, status=status, times=1)
    answer = invoices(victim)
    assert answer.status_code == status
    assert bool(answer.content) == (status == 599)
    assert invoices(victim).status_code == 200


def test_a_real_answer_compressed_or_cut_off(victim: Caller) -> None:
    whole = invoices(victim).content
    victim.sandbox.faults("answer", path=INVOICES, gzip=True, times=1)
    packed = invoices(victim)
    assert (packed.headers["Content-Encoding"], packed.content) == ("gzip", whole)
    victim.sandbox.faults("answer", path=INVOICES, truncated=100)
    assert invoices(victim).content == whole[:100]


def test_one_part_is_set_and_the_rest_stays(victim: Caller) -> None:
    total = {"edit": "set", "path": f"{RESULT}.total", "value": "many"}
    new = {"edit": "set", "path": f"{RESULT}.extra", "value": [1]}
    after, before = edit(victim, total, new)
    assert after == {**before, "total": "many", "extra": [1]}


def test_a_star_is_each_element_and_a_number_one_of_them(victim: Caller) -> None:
    each = {"edit": "set", "path": f"{RESULT}.invoices.*.amount.code", "value": "XXX"}
    last = {"edit": "set", "path": [*RESULT.split("."), "invoices", -1, "id"], "value": []}
    after, before = edit(victim, each, last)
    assert {row["amount"]["code"] for row in after["invoices"]} == {"XXX"}
    assert after["invoices"][-1]["id"] == []
    assert after["invoices"][0]["id"] == before["invoices"][0]["id"]


def test_keys_are_renamed_and_removed_and_rows_repeated(victim: Caller) -> None:
    rename = {"edit": "rename", "path": f"{RESULT}.invoices", "to": "rows"}
    remove = {"edit": "remove", "path": f"{RESULT}.rows.*.updated"}
    repeat = {"edit": "repeat", "path": f"{RESULT}.rows.0", "times": 2}
    after, before = edit(victim, rename, remove, repeat)
    assert "invoices" not in after
    assert not any("updated" in row for row in after["rows"])
    first, second = (row["id"] for row in before["invoices"][:2])
    assert [row["id"] for row in after["rows"][:4]] == [first, first, first, second]


def test_a_later_edit_changes_one_place_and_no_later_answer(victim: Caller) -> None:
    edits: list[dict[str, Any]] = [
        {"edit": "repeat", "path": f"{RESULT}.invoices.0"},
        {"edit": "set", "path": f"{RESULT}.invoices.*.extra", "value": {"a": 1}},
        {"edit": "set", "path": f"{RESULT}.invoices.0.extra.a", "value": 2},
        {"edit": "set", "path": f"{RESULT}.invoices.0.amount.amount", "value": "0"},
    ]
    first, before = edit(victim, *edits)
    again = invoices(victim).json()["response"]["result"]
    assert again == first
    assert [row["extra"]["a"] for row in first["invoices"][:3]] == [2, 1, 1]
    assert first["invoices"][1]["amount"] == before["invoices"][0]["amount"]


def test_all_elements_of_a_list_can_go(victim: Caller) -> None:
    after, before = edit(victim, {"edit": "remove", "path": f"{RESULT}.invoices.*"})
    assert after == {**before, "invoices": []}


@pytest.mark.parametrize("text", ["1e1000000", "Infinity", "NaN", "[" * 50 + "]" * 50])
def test_a_value_can_be_raw_json(victim: Caller, text: str) -> None:
    change = {"edit": "set", "path": f"{RESULT}.pages", "json": text}
    victim.sandbox.faults("answer", path=INVOICES, edits=[change])
    assert f'"pages":{text},' in invoices(victim).text


def test_a_value_can_be_bytes_that_are_no_text(victim: Caller) -> None:
    raw = base64.b64encode(b'"\xff"').decode()
    change = {"edit": "set", "path": f"{RESULT}.invoices.0.notes", "base64": raw}
    victim.sandbox.faults("answer", path=INVOICES, edits=[change])
    assert b'"notes":"\xff"' in invoices(victim).content


def test_the_whole_answer_can_be_edited(victim: Caller) -> None:
    victim.sandbox.faults("answer", path=INVOICES, edits=[{"edit": "set", "path": "", "value": []}])
    assert invoices(victim).json() == []


def test_what_a_path_does_not_find_stays(victim: Caller) -> None:
    edits: list[dict[str, Any]] = [
        {"edit": "remove", "path": f"{RESULT}.nothing.*.here"},
        {"edit": "rename", "path": f"{RESULT}.invoices.500", "to": "x"},
        {"edit": "set", "path": f"{RESULT}.total.deeper", "value": 1},
    ]
    after, before = edit(victim, *edits)
    assert after == before


def test_an_edit_leaves_what_is_no_json_alone(victim: Caller) -> None:
    victim.sandbox.faults("status", path=INVOICES, status=502)
    victim.sandbox.faults("answer", path=INVOICES, edits=[{"edit": "remove", "path": "x"}])
    assert invoices(victim).text.startswith("<html>")


def test_an_edit_of_the_token_answer_comes_after_the_rotation(victim: Caller) -> None:
    victim.settings |= victim.sandbox.config()
    change = {"edit": "remove", "path": "refresh_token"}
    victim.sandbox.faults("answer", path="/auth/oauth/token", edits=[change], times=1)
    answer = victim.refresh().json()
    assert "refresh_token" not in answer
    assert victim.refresh().json()["error"] == "invalid_grant"


def test_an_answer_that_cannot_be_is_refused(victim: Caller) -> None:
    with pytest.raises(SandboxError, match="base64"):
        victim.sandbox.faults("answer", base64="?")
    wrong: list[dict[str, Any]] = [
        {"headers": {"Date": "a\nb"}},
        {"headers": {"Via": "\u2028"}},
        {"chunk": 0},
        {"repeat": -1},
        {"status": 100},
    ]
    for settings in wrong:
        with pytest.raises(SandboxError):
            victim.sandbox.faults("answer", **settings)
    with pytest.raises(SandboxError, match="explode"):
        victim.sandbox.faults("answer", edits=[{"edit": "explode", "path": ""}])
