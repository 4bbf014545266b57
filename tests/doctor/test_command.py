from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

from tap_freshbooks.doctor.checks import CHECKS, lists
from tap_freshbooks.doctor.questions import QUESTIONS
from tests.doctor.examining import config_file, examine
from tests.support import catalog_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from freshbooks_sandbox import Sandbox
    from tests.support import Command


def test_each_question_has_a_check_or_says_why_reading_cannot_tell() -> None:
    untestable = {question.name for question in QUESTIONS.values() if question.untestable}
    assert sorted([check.name for check in CHECKS] + list(untestable)) == sorted(QUESTIONS)


def test_no_more_requests_are_sent_than_were_said_to_be_needed(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    result = examine(command, sandbox, tmp_path)
    assert "requests, which read and change nothing." in result.said
    assert 50 < result.requests <= result.bound


def test_every_request_reads(own_sandbox: Sandbox, command: Command, tmp_path: Path) -> None:
    before = own_sandbox.truth("clients"), own_sandbox.truth("invoices")
    result = examine(command, own_sandbox, tmp_path)
    stats = own_sandbox.stats()
    assert stats["refreshes"] == 1
    assert stats["requests"] == result.requests + 1
    assert (own_sandbox.truth("clients"), own_sandbox.truth("invoices")) == before


def test_a_limit_is_kept_and_what_does_not_fit_is_not_tested(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    result = examine(command, sandbox, tmp_path, "--limit", "20")
    assert result.requests <= 20
    assert "At most 20 requests of the" in result.said
    left_out = {each["question"] for each in result.findings if each["detail"] == "limit"}
    assert {"envelope", "page_cap", "updated_filter_ignored"} <= left_out
    assert result.status == 0


def test_a_refused_stream_is_told_as_such_and_the_others_go_on(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    scopes = ["user:profile:read", "user:expenses:read"]
    result = examine(command, sandbox, tmp_path, scopes=scopes)
    found = {each["stream"]: each for each in result.findings if each["question"] == "envelope"}
    assert found["expenses"]["outcome"] == "true"
    assert found["invoices"]["outcome"] == "not tested"
    assert found["invoices"]["detail"] == "refused: 403"
    assert result.differing == {}


def test_the_page_for_people_names_each_fact_and_its_place(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    config = config_file(tmp_path, sandbox.config())
    status, output, _ = command("doctor", "--config", config)
    lines = output.splitlines()
    assert status == 0
    assert lines[0] == "Not so here: nothing"
    assert "  page_cap: 100" in lines
    place = lines.index("  missing_scope: no list was refused for want of a scope")
    assert lines[place + 1].endswith("(docs/freshbooks-api/errors-and-limits.md §1)")
    assert re.fullmatch(r"\d+ requests were sent\.", lines[-1])


def test_the_page_names_every_stream_on_which_something_differs(
    own_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    config = config_file(tmp_path, own_sandbox.config())
    headers = [{"edit": "remove", "path": "response.result.per_page"}]
    own_sandbox.faults("answer", path="/accounting/account/*", edits=headers)
    edits = [{"edit": "remove", "path": "response.result.total"}]
    own_sandbox.faults("answer", path="/accounting/account/*", edits=edits)
    streams = ("clients", "expenses", "invoices", "items", "payments", "projects", "taxes", "tasks")
    options = [part for name in streams for part in ("--stream", name)]
    status, output, _ = command("doctor", "--config", config, *options)
    assert status == 1
    [line] = [line for line in output.splitlines() if "page_metadata_missing [" in line][:1]
    assert {name for name in streams if name in line} == {*streams} - {"projects"}


def test_at_a_terminal_the_page_is_a_table(
    sandbox: Sandbox, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_file(tmp_path, sandbox.config())
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True, raising=False)
    monkeypatch.setattr(type(sys.stdin), "isatty", lambda _: False, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    status, output, _ = command("doctor", "--config", config, "--stream", "clients")
    assert status == 0
    assert "what we think" in output
    assert "A list gives 100 rows at once" in output
    assert "Of streams that were left out: " in output


def test_a_stream_or_business_that_is_not_there_is_refused(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    for option, value in (("--stream", "nothing"), ("--business", "1")):
        result = examine(command, sandbox, tmp_path, option, value)
        assert result.status == 2
        assert value in result.said


def test_nothing_is_sent_where_the_user_does_not_want_it(
    sandbox: Sandbox, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sandbox.config()
    config = config_file(tmp_path, settings)
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(type(stream), "isatty", lambda _: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    status, _, said = command("doctor", "--config", config)
    assert (status, said.splitlines()[-1]) == (2, "Error: nothing was sent")
    assert sandbox.stats(settings["client_id"])["requests"] == 0


def test_where_nothing_is_answered_that_is_no_success(
    own_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    config = config_file(tmp_path, {**own_sandbox.config(), "max_attempts": 1})
    for path in ("/accounting/*", "/projects/*"):
        own_sandbox.faults("status", path=path, status=503)
    options = ("--stream", "clients", "--stream", "projects")
    status, output, said = command("doctor", "--config", config, *options)
    assert status == 1
    assert "envelope [clients, projects]: failed: 503" in output
    assert said.splitlines()[-1].startswith("Error: no list was answered, so nothing is known")


def test_names_from_freshbooks_cannot_steer_a_terminal(
    own_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    config = config_file(tmp_path, own_sandbox.config())
    edit = {"edit": "set", "path": "response.result.taxes.0.\x1b[2Jwipe\u202e", "value": 1}
    own_sandbox.faults("answer", path="*/taxes/taxes", edits=[edit])
    status, output, _ = command("doctor", "--config", config, "--stream", "taxes")
    assert status == 1
    assert "unknown_fields [taxes]: more; �[2Jwipe" in output
    assert output.replace("\n", "").isprintable()


def test_a_token_alone_is_enough_and_a_refresh_of_it_is_not_tried(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    store = tmp_path / "tokens.json"
    config = config_file(tmp_path, {**sandbox.config(), "token_store": str(store)})
    assert command("doctor", "--config", config, "--stream", "taxes")[0] == 0
    token = json.loads(store.read_text())["access_token"]
    config = config_file(tmp_path, {"access_token": token, "api_url": sandbox.url})
    options = ("--stream", "taxes", "--spend-a-refresh", "--json")
    status, output, _ = command("doctor", "--config", config, *options)
    found = {each["question"]: each["detail"] for each in json.loads(output)["findings"]}
    assert status == 0
    assert found["old_access_token"] == found["refresh_created_at"] == "there is no refresh token"


def test_the_first_business_is_examined_unless_others_are_named(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    first, second, bare = (business["id"] for business in sandbox.businesses()[:3])

    def examined(*options: str) -> set[tuple[str, int]]:
        streams = ("--stream", "taxes", "--stream", "services")
        result = examine(command, sandbox, tmp_path, *streams, *options)
        wanted = ("repeated_rows",)
        return {
            (each["stream"], each["business"])
            for each in result.findings
            if each["question"] in wanted
        }

    assert examined() == {("taxes", 1), ("services", 1)}
    both = ("--business", str(second), "--business", str(first))
    assert examined(*both) == {("taxes", 1), ("services", 1), ("taxes", 2), ("services", 2)}
    assert examined("--business", str(bare)) == {("services", 3)}  # it has no books


def test_a_catalog_chooses_the_streams(sandbox: Sandbox, command: Command, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(catalog_of("taxes", "staffs")))
    result = examine(command, sandbox, tmp_path, "--catalog", str(catalog))
    streams = {each["stream"] for each in result.findings if each["stream"]}
    assert streams == {"taxes", "staffs"}
    assert result.requests < 20


def test_a_check_that_stumbles_costs_no_other(
    sandbox: Sandbox, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("a text of the account")

    monkeypatch.setattr(lists.Totals, "judge", stumble)
    config = config_file(tmp_path, sandbox.config())
    status, output, _ = command("doctor", "--config", config, "--stream", "taxes")
    assert status == 0
    assert "totals [taxes]: unexpected KeyError in " in output
    assert "; please report this" in output
    assert "a text of the account" not in output
    assert "  repeated_rows [taxes]: unique" in output


def test_a_user_of_no_business_is_told_so(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    bare = sandbox.businesses()[2]["id"]  # a business without books
    config = config_file(tmp_path, {**sandbox.config(), "business_ids": [bare]})
    status, _, said = command("doctor", "--config", config, "--stream", "taxes")
    assert status == 1
    assert "is there a business" in said


def test_at_a_terminal_the_requests_are_counted(
    sandbox: Sandbox, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_file(tmp_path, sandbox.config())
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True, raising=False)
    monkeypatch.setattr(type(sys.stdin), "isatty", lambda _: False, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    status, _, said = command("doctor", "--config", config, "--stream", "taxes")
    assert status == 0
    assert re.search(r"\d+ of at most \d+ requests", said)


def test_lists_that_belong_to_no_business_are_examined_too(
    own_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    edit = {"edit": "set", "path": "data.*.colour", "value": "red"}
    own_sandbox.faults("answer", path="/accounting/ledger_accounts/sub_types", edits=[edit])
    name = "ledger_account_sub_types"
    result = examine(command, own_sandbox, tmp_path, "--stream", name)
    assert result.differing == {"unknown_fields": {("more", name)}}
