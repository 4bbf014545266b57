from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_freshbooks import cli
from tap_freshbooks.errors import SettingsError, TapError
from tap_freshbooks.passthrough.jq_filter import JqFilter, jq_filter
from tap_freshbooks.passthrough.paths import resolve
from tests.support import unmeasured

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tap_freshbooks.connection import Connection

Run = Callable[..., tuple[int, str, str]]
CLIENTS = "/accounting/account/{account_id}/users/clients"
INVOICES = "/accounting/account/{account_id}/invoices/invoices"


@pytest.fixture
def run(own_sandbox: Sandbox, own_config: dict[str, Any], tmp_path: Path, capsys: Any) -> Run:
    """The command with a configuration: its exit status, stdout and stderr."""
    assert own_sandbox
    file = tmp_path / "config.json"
    file.write_text(json.dumps(own_config))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(["api", "--config", str(file), *arguments])
        captured = capsys.readouterr()
        return int(status), captured.out, captured.err

    return run


@pytest.fixture
def business(own_sandbox: Sandbox) -> dict[str, Any]:
    found: dict[str, Any] = own_sandbox.businesses()[0]
    return found


def test_identifiers_are_filled_in(run: Run, business: dict[str, Any]) -> None:
    for name in (str(business["id"]), business["account_id"], business["business_uuid"]):
        status, out, error = run(CLIENTS, "--business", name, "-p", "per_page=1")
        assert (status, error) == (0, "")
        [client] = json.loads(out)["response"]["result"]["clients"]
        assert client["accounting_systemid"] == business["account_id"]
    status, out, _ = run("/projects/business/{business_id}/projects", "--business", name)
    assert status == 0
    assert json.loads(out)["projects"]


def test_with_several_businesses_one_must_be_named(run: Run, business: dict[str, Any]) -> None:
    status, out, error = run(CLIENTS)
    assert (status, out) == (2, "")
    assert f"say which one with --business; there are {business['id']} (" in error
    assert "99 is no business of the user; there are " in run(CLIENTS, "--business", "99")[2]
    assert run("/auth/api/v1/users/me")[0] == 0


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/accounting/account/{business_id}/users/clients", "this path wants the account_id, not"),
        ("/projects/business/{account_id}/projects", "write {business_id} there"),
        ("/accounting/account/{id}/users/clients", "{id} in the path is none of account_id, busi"),
        ("accounting", "'accounting' is no path"),
        ("/projects/business/ACCOUNT/projects", "but this path wants its business_id, BUSINESS"),
        ("/accounting/account/BUSINESS/users/clients", "BUSINESS is the business_id of "),
    ],
)
def test_a_wrong_identifier_is_pointed_out_before_anything_is_sent(
    run: Run, own_sandbox: Sandbox, business: dict[str, Any], path: str, sentence: str
) -> None:
    def real(text: str) -> str:
        text = text.replace("BUSINESS", str(business["id"]))
        return text.replace("ACCOUNT", business["account_id"])

    status, out, error = run(real(path))
    assert (status, out) == (2, "")
    assert real(sentence) in error
    asked = own_sandbox.stats()["paths"]
    assert not [each for each in asked if "clients" in each or "projects" in each]


def test_all_pages_are_lines(run: Run, own_sandbox: Sandbox, business: dict[str, Any]) -> None:
    own_sandbox.create("clients", count=130, email="")
    alive = [row for row in own_sandbox.truth("clients") if row["vis_state"] != 1]
    status, out, _ = run(CLIENTS, "--business", str(business["id"]), "--all")
    assert status == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["id"] for row in rows} == {row["id"] for row in alive}
    assert len(rows) == len(alive) > 130
    paths = [
        "/projects/business/{business_id}/projects",
        "/comments/business/{business_id}/services",
    ]
    for path in paths:
        status, out, _ = run(path, "--business", str(business["id"]), "--all", "-p", "per_page=3")
        assert status == 0
        ids = [json.loads(line)["id"] for line in out.splitlines()]
        assert len(ids) == len(set(ids)) > 3


def test_a_list_whose_pages_repeat_is_an_error(
    run: Run, own_sandbox: Sandbox, business: dict[str, Any]
) -> None:
    body = '{"meta": {"pages": 3}, "data": [{"id": 1}]}'
    own_sandbox.faults("status", path="*/projects", status=200, body=body)
    path = "/projects/business/{business_id}/projects"
    status, out, error = run(path, "--business", str(business["id"]), "--all")
    assert (status, out.splitlines()) == (1, ['{"id":1}'])
    assert "repeats page 1 for page 2; the list cannot be read completely" in error


def test_parameters_repeat(run: Run, business: dict[str, Any]) -> None:
    name = str(business["id"])
    _, out, _ = run(
        *(INVOICES, "--business", name, "--all", "-p", "search[v3_status]=overdue"),
        *("-p", "include[]=lines", "-p", "include[]=allowed_gateways"),
    )
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows
    assert all(row["lines"] and row["v3_status"] == "overdue" for row in rows)


def test_jq(run: Run, business: dict[str, Any]) -> None:
    name = str(business["id"])
    _, out, _ = run(INVOICES, "--business", name, "--all", "--jq", ".amount.code")
    assert set(out.split()) <= {"CAD", "USD", "EUR", "GBP"}
    _, out, _ = run(INVOICES, "--business", name, "--jq", ".response.result | {total}")
    assert json.loads(out)["total"] > 50
    status, _, error = run(INVOICES, "--business", name, "--jq", ".[")
    assert status == 2
    assert "is no jq program" in error
    status, _, error = run(INVOICES, "--business", name, "--jq", ".response[0]")
    assert status == 2
    assert "does not fit the answer" in error


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_jq_program_without_an_end_ends_at_a_signal(
    own_sandbox: Sandbox, own_config: dict[str, Any], tmp_path: Path, signum: int, status: int
) -> None:
    assert own_sandbox
    file = tmp_path / "config.json"
    file.write_text(json.dumps(own_config))
    program = '"begun", last(range(1e12))'
    command = [sys.executable, "-m", "tap_freshbooks", "api", "/auth/api/v1/users/me"]
    process = subprocess.Popen(
        [*command, "--config", str(file), "--jq", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=unmeasured(),
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        [worker] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(signum)
        _, error = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == status
    assert error == "Error: interrupted\n"
    assert not Path(f"/proc/{worker}").exists()


def test_the_end_of_jq_itself_is_told() -> None:
    worker = "import os; input(); print('.0', flush=True); input(); os.kill(os.getpid(), 9)"
    command = [sys.executable, "-c", worker]
    with (
        contextlib.suppress(BrokenPipeError),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        jq = JqFilter(".", process)
        for _ in range(2):
            with pytest.raises(TapError, match=r"--jq '.' was ended before its end, by signal 9"):
                list(jq("1"))


def test_a_program_and_a_text_may_be_of_any_size_and_form() -> None:
    text = json.dumps({"a\n": "x\u2028" * 100_000})
    with jq_filter(".[], " + ", ".join(["1"] * 500) + "\n") as jq:
        found = list(jq(f"\n{text}\n"))
    assert found == ["x\u2028" * 100_000, *[1] * 500]


def test_without_its_package_jq_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", sys._base_executable)  # type: ignore[attr-defined] # it has no packages
    with (
        pytest.raises(SettingsError, match=r"pip install 'tap-freshbooks\[api\]'"),
        jq_filter("."),
    ):
        pass


def test_the_answer_is_shown_as_it_came(run: Run, business: dict[str, Any]) -> None:
    path = f"/accounting/account/{business['account_id']}/reports/accounting/profitloss_entity"
    status, out, _ = run(path, "--include", "-p", "start_date=2025-01-01")
    assert status == 0
    head, _, body = out.partition("\n\n")
    assert head.splitlines()[0] == "HTTP 200"
    assert any(line.lower().startswith("content-type: ") for line in head.splitlines())
    assert json.loads(body)["response"]


def test_errors_are_freshbooks_own_words(run: Run, business: dict[str, Any]) -> None:
    base = f"/accounting/account/{business['account_id']}"
    status, out, error = run(f"{base}/invoices/invoices", "-p", "page=x")
    assert (status, out) == (1, "")
    assert error.startswith("Error: FreshBooks answered 422 ")
    assert "(errno " in error
    assert "please report this" not in error
    status, out, again = run(f"{base}/invoices/invoices", "-p", "page=x", "--include")
    assert (status, again) == (1, error)
    head, _, body = out.partition("\n\n")
    assert head.splitlines()[0] == "HTTP 422"
    assert json.loads(body)["response"]["errors"]
    status, _, error = run(f"{base}/nowhere/nothing")
    assert status == 1
    assert "404" in error
    status, _, error = run(f"{base}/users/clients/1", "--all")
    assert status == 1


def test_an_older_answer_is_not_shown_for_one_that_never_came(
    run: Run, own_sandbox: Sandbox, own_config: dict[str, Any], business: dict[str, Any]
) -> None:
    path = f"/accounting/account/{business['account_id']}/users/clients"
    own_sandbox.faults("status", path=path, status=503, times=1)
    own_sandbox.faults("cut", path=path, skip=1)
    status, out, error = run(path, "--include")
    assert (status, out) == (1, "")
    assert "gave up after" in error
    assert own_sandbox.stats(own_config["client_id"])["statuses"]["503"] == 1


def test_writes_are_asked_for(run: Run, own_sandbox: Sandbox, business: dict[str, Any]) -> None:
    here = ["--business", str(business["id"])]
    new = json.dumps({"client": {"email": "new@example.test", "organization": "New"}})
    status, _, error = run(CLIENTS, *here, "--data", new)
    assert status == 2
    assert "there is no terminal to confirm the write at: add --yes" in error
    assert not own_sandbox.stats()["paths"].get(f"POST {CLIENTS}")
    status, out, _ = run(CLIENTS, *here, "--data", new, "--yes")
    assert status == 0
    made = json.loads(out)["response"]["result"]["client"]
    assert made["organization"] == "New"
    single = f"{CLIENTS}/{made['id']}"
    change = json.dumps({"client": {"organization": "Newer"}})
    assert run(single, *here, "-X", "put", "-d", change, "-y")[0] == 0
    row = next(each for each in own_sandbox.truth("clients") if each["id"] == made["id"])
    assert row["organization"] == "Newer"
    callback = own_sandbox.create("callbacks", event="invoice", uri="https://a.test/b")[0]
    path = f"/events/account/{{account_id}}/events/callbacks/{callback['callbackid']}"
    assert run(path, *here, "-X", "DELETE", "-y")[:2] == (0, "")
    # A write whose answer got lost is not repeated; there are no headers to show, either.
    own_sandbox.faults("cut", when="answered", method="POST", times=1)
    status, out, error = run(CLIENTS, *here, "-d", new.replace("new@", "other@"), "--yes", "-i")
    assert (status, out) == (1, "")
    sent = own_sandbox.stats()["paths"]
    assert sent[f"POST /accounting/account/{business['account_id']}/users/clients"] == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--param", "page"], "--param 'page' has no '='"),
        (["--header", "page"], "--header 'page' has no ':'"),
        (["--param", "=2"], "--param '=2' has no name before its '='"),
        (["--header", " : x"], "--header ' : x' has no name before its ':'"),
        (["--header", "Authorization: Bearer x"], "--header 'Authorization' cannot be sent"),
        (["--header", "a b: x"], "--header 'a b' cannot be sent"),
        (["--data", "{"], "--data is not valid JSON"),
        (["--data", "[]"], "--data is no JSON object"),
        (["--data", '{"n": NaN}'], "--data is not valid JSON"),
        (["--data", '{"n": 12345678901234567.89}'], "--data has the number 12345678901234567.89"),
        (["--header", "X: caf\u00e9"], "--header 'X' cannot be sent"),
        (["--all", "--param", "page=2"], "--all reads all pages: leave --param page out"),
        (["--data", "@/nowhere"], "--data @/nowhere cannot be read"),
        (["--data", "{}", "--method", "GET"], "--data is for writing"),
        (["--data", "{}", "--all"], "--all, --param and --header are for reading"),
        (["--all", "--include"], "leave one out"),
    ],
)
def test_mistakes_are_sentences(run: Run, arguments: list[str], sentence: str) -> None:
    status, out, error = run(CLIENTS, *arguments)
    assert (status, out) == (2, "")
    assert sentence in error


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        *((f"/a{each}b", "no path has; parameters belong in --param") for each in "?# \\\n\0é"),
        *((f"/a/{each}/b", "the path has empty parts or dots") for each in ("", ".", "..")),
        ("//evil.example/x", "the path has empty parts or dots"),
    ],
)
def test_a_path_that_is_none_is_refused_before_anything_is_sent(path: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        resolve(cast("Connection", None), path, None)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_colours(
    own_sandbox: Sandbox, own_config: dict[str, Any], tmp_path: Path
) -> None:
    assert own_sandbox
    shown = at_a_terminal(own_config, tmp_path)
    assert b"\x1b[" in shown
    assert b"\n  " in shown


@pytest.mark.parametrize("options", [(), ("--include",), ("--jq", ".")])
def test_an_answer_that_is_hardly_json_is_shown(
    run: Run, own_sandbox: Sandbox, options: tuple[str, ...]
) -> None:
    content = b'{"a": "\xff\xc2\x9b", "b": 1e1000000}'
    own_sandbox.faults("answer", path="*/users/me", base64=b64encode(content).decode())
    status, out, error = run("/auth/api/v1/users/me", *options)
    assert (status, error.count("\n")) == (0, 0 if not error else 1)
    assert "\ufffd" in out


def test_an_error_that_is_no_text_is_shown(run: Run, own_sandbox: Sandbox) -> None:
    content = b64encode(b'{"message": "\xff\x1b[2J\n"}').decode()
    own_sandbox.faults("answer", path="*/users/me", base64=content, status=404)
    status, out, error = run("/auth/api/v1/users/me", "--include")
    assert status == 1
    assert "\ufffd" in out
    assert "404 Not Found: \ufffd\ufffd[2J" in error
    assert "\x1b" not in error


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_an_answer_does_not_steer_a_terminal(
    own_sandbox: Sandbox, own_config: dict[str, Any], tmp_path: Path
) -> None:
    content = '{"a": "\u009b2J\u202e", "b": NaN}'
    own_sandbox.faults("answer", path="*/users/me", content=content)
    shown = at_a_terminal(own_config, tmp_path)
    assert b'"a"' in shown
    assert b"\xc2\x9b" not in shown
    assert "\u202e".encode() not in shown


def at_a_terminal(config: dict[str, Any], folder: Path) -> bytes:
    """What a terminal gets of an answer."""
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tap_freshbooks", "api", "/auth/api/v1/users/me"]
    environment = {**unmeasured(), "PAGER": "cat", "TERM": "xterm-256color"}
    done = subprocess.Popen(
        [*command, "--config", str(file)], stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65_536):
            shown += part
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    assert done.wait() == 0
    return shown
