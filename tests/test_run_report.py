"""The report of a run: one line of JSON, however the run ends, and nothing secret in it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import (
    ReauthorizationRequiredError,
    RunInterruptedError,
    SettingsError,
    StreamsFailedError,
)
from tap_freshbooks.storage.report_file import ReportFile
from tap_freshbooks.tap import TapFreshBooks
from tests.conftest import settings_for
from tests.support import Messages, catalog_of, sync
from tests.test_docs import DOCS, first_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.singerlib.encoding.simple import Message

Config = dict[str, Any]


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=10, rate_limit=0, behaviours={"unknown_fields": "taxes"}) as running:
        yield running


@pytest.fixture
def settings(books: Sandbox, tmp_path: Path) -> Iterator[Config]:
    report = str(tmp_path / "runs.jsonl")
    yield {**settings_for(books, tmp_path), "max_attempts": 3, "run_report": report}
    books.faults_clear()


def lines(settings: Config) -> list[dict[str, Any]]:
    text = Path(settings["run_report"]).read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


def report(settings: Config) -> dict[str, Any]:
    [line] = lines(settings)
    return line


def writing(settings: Config, act: Callable[[TapFreshBooks], None]) -> TapFreshBooks:
    """A tap that does something when it writes its first record."""

    class Acting(Messages):
        def write_message(self, message: Message) -> None:
            if message.type == "RECORD" and not self.records:
                act(tap)
            super().write_message(message)

    tap = TapFreshBooks(
        config=settings, catalog=catalog_of("clients", "invoices"), message_writer=Acting()
    )
    return tap


def test_a_run_that_is_done_has_its_figures(books: Sandbox, settings: Config) -> None:
    messages = sync(settings, "clients", "invoices", "invoice_lines", "taxes")
    line = report(settings)
    assert (line["exit_status"], line["reason"]) == (0, None)
    assert (line["failed"], line["skipped"]) == ({}, {})
    delivered = {name: len(records) for name, records in messages.records.items()}
    assert {name: each["rows"] for name, each in line["streams"].items()} == delivered
    assert line["rows"] == sum(delivered.values())
    paths = books.stats(settings["client_id"])["paths"]
    asked = {path: count for path, count in paths.items() if "oauth/token" not in path}
    assert line["requests"] == sum(asked.values())
    of_clients = sum(count for path, count in asked.items() if path.endswith("/users/clients"))
    assert line["streams"]["clients"]["requests"] == of_clients
    assert line["streams"]["invoice_lines"]["requests"] == 0
    assert (line["retries"], line["throttled"], line["paused_seconds"]) == (0, 0, 0)
    assert line["unknown_fields"]["taxes"]
    assert line["connection"] == "default"
    began, ended = (datetime.fromisoformat(line[key]) for key in ("started", "ended"))
    assert 0 < line["seconds"] == pytest.approx((ended - began).total_seconds(), abs=0.01)
    ids = {record["business_id"] for record in sync(settings, "businesses").records["businesses"]}
    assert set(line["business_ids"]) <= ids
    assert len(line["business_ids"]) > 1


def test_each_run_adds_a_line_also_behind_one_that_was_cut(settings: Config) -> None:
    sync(settings, "taxes")
    place = Path(settings["run_report"])
    with place.open("a") as file:
        file.write('{"format": 1, "ta')
    sync(settings, "taxes")
    first, cut, last = place.read_text().splitlines()
    assert json.loads(first)["exit_status"] == json.loads(last)["exit_status"] == 0
    assert cut == '{"format": 1, "ta'


def test_the_page_has_all_keys_and_no_others(settings: Config) -> None:
    sync(settings, "taxes")
    line = report(settings)
    page = DOCS / "run-report.md"
    assert first_cells(page, "## Keys") == line.keys()
    [row] = [row for row in page.read_text().splitlines() if row.startswith("| `streams`")]
    assert set(re.findall(r"`(\w+)`", row)) == {"streams", *line["streams"]["taxes"]}


def test_a_stream_that_failed_has_its_reasons_without_names(
    books: Sandbox, settings: Config
) -> None:
    books.faults("status", status=500, path="*/users/clients", client_id=settings["client_id"])
    with pytest.raises(StreamsFailedError):
        sync(settings, "clients", "taxes")
    line = report(settings)
    assert line["exit_status"] == 1
    assert line["reason"].startswith("1 stream could not be read completely: clients")
    assert line["failed"].keys() == {"clients"}
    assert all("500 Internal Server Error" in each for each in line["failed"]["clients"])
    assert line["streams"]["taxes"]["rows"] > 0
    assert line["retries"] == line["streams"]["clients"]["retries"] > 0
    text = json.dumps(line)
    assert all(business["name"] not in text for business in books.businesses())
    assert f"business {line['business_ids'][0]}" in text


def test_names_that_the_state_knew_are_left_out_too(books: Sandbox, settings: Config) -> None:
    tap = TapFreshBooks(config=settings, catalog=catalog_of("clients"), message_writer=Messages())
    tap.connection.members = TapFreshBooks(config=settings).connection.members
    books.faults("status", status=500, path="*/users/clients", client_id=settings["client_id"])
    with pytest.raises(StreamsFailedError):
        tap.sync()
    assert not tap.connection.has_asked
    text = json.dumps(report(settings))
    assert all(business["name"] not in text for business in books.businesses())


def test_a_stream_that_was_refused_has_its_reasons(books: Sandbox, settings: Config) -> None:
    books.faults("deny", reason="scope", path="*/users/clients", client_id=settings["client_id"])
    sync(settings, "clients", "taxes")
    line = report(settings)
    assert line["exit_status"] == 0
    assert line["failed"] == {}
    assert line["skipped"].keys() == {"clients"}
    assert "its scope is user:clients:read" in line["skipped"]["clients"][0]


def test_rate_limits_are_counted_and_the_pauses_for_them(books: Sandbox, settings: Config) -> None:
    books.faults(
        "rate_limit", retry_after=None, times=2, path="*/taxes", client_id=settings["client_id"]
    )
    sync(settings, "taxes")
    line = report(settings)
    assert line["exit_status"] == 0
    assert line["throttled"] == line["streams"]["taxes"]["throttled"] == 2
    assert line["retries"] == 2
    assert 0 < line["paused_seconds"] < line["seconds"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so(settings: Config, signum: int) -> None:
    tap = writing(settings, lambda tap: tap.on_signal(signum))
    with pytest.raises(RunInterruptedError):
        tap.sync()
    line = report(settings)
    assert line["exit_status"] == 128 + signum
    assert line["reason"] == "interrupted; the state so far is written"
    assert line["rows"] == 0
    assert line["streams"]["clients"]["requests"] > 0


def test_an_account_that_must_be_authorised_again_is_told_apart(settings: Config) -> None:
    with pytest.raises(ReauthorizationRequiredError):
        sync({**settings, "refresh_token": "spent-and-secret"}, "clients")
    line = report(settings)
    assert line["exit_status"] == 3
    assert "tap-freshbooks login" in line["reason"]
    assert line["business_ids"] is None
    assert (line["rows"], line["requests"], line["streams"]) == (0, 0, {})


def test_settings_that_turn_out_to_be_wrong_are_told_apart(settings: Config) -> None:
    with pytest.raises(SettingsError):
        sync({**settings, "business_ids": [99]}, "clients")
    assert report(settings)["exit_status"] == 2
    assert "business_ids names 99" in report(settings)["reason"]


def test_what_is_unforeseen_is_a_failure_without_its_text(
    settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("secret")

    monkeypatch.setattr("tap_freshbooks.sync.note_unreadable", fail)
    with pytest.raises(ValueError, match="secret"):
        sync(settings, "taxes")
    assert report(settings)["exit_status"] == 1
    assert "secret" not in report(settings)["reason"]


def test_the_report_holds_no_secret(books: Sandbox, settings: Config, tmp_path: Path) -> None:
    sync(settings, "clients")
    text = (tmp_path / "runs.jsonl").read_text()
    tokens = json.loads((tmp_path / "tokens.json").read_text())
    secrets = [tokens["refresh_token"], tokens["access_token"], settings["client_secret"]]
    assert not any(secret in text for secret in secrets)
    [client, *_] = [row for row in books.truth("clients") if row["email"]]
    assert client["email"] not in text


def test_a_dash_is_stderr(settings: Config, capsys: pytest.CaptureFixture[str]) -> None:
    sync({**settings, "run_report": "-"}, "taxes")
    output, errors = capsys.readouterr()
    [line] = [line for line in errors.splitlines() if line.startswith('{"format"')]
    assert json.loads(line)["exit_status"] == 0
    assert output == ""


def test_a_stderr_that_is_full_or_closed_changes_nothing(
    settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True) as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        assert sync({**settings, "run_report": "-"}, "taxes").records["taxes"]
    ReportFile("-", "run_report").add({"stderr": "closed"})
    monkeypatch.setattr(sys, "stderr", None)
    ReportFile("-", "run_report").add({"stderr": "none"})


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("nowhere/runs.jsonl", "No such file or directory"),
        ("folder", "Is a directory"),
        ("fifo", "is no file"),
        ("/dev/full", "is no file"),
        ("tokens/runs.jsonl", "Not a directory"),
        ("notes", "it holds something else than reports"),
        ("tokens.json", "it holds something else than reports"),
        ("x" * 300, "File name too long"),
        ("sqlite://secret@host/x", "neither a file path"),
    ],
)
def test_a_place_that_cannot_be_written_ends_the_run_before_it_begins(
    books: Sandbox, settings: Config, tmp_path: Path, place: str, problem: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "tokens").touch()
    (tmp_path / "notes").write_text("of my own\n")
    (tmp_path / "tokens.json").write_text('{\n  "refresh_token": "mine"\n}\n')
    os.mkfifo(tmp_path / "fifo")
    if "://" not in place:
        place = str(tmp_path / place)
    with pytest.raises(SettingsError, match="run_report") as raised:
        sync({**settings, "run_report": place}, "taxes")
    assert problem in str(raised.value)
    assert "secret" not in str(raised.value)
    assert books.stats(settings["client_id"])["paths"] == {}


def test_a_report_does_not_get_among_the_messages(
    settings: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "runs.jsonl").open("w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        with pytest.raises(SettingsError, match="it is standard output"):
            sync(settings, "taxes")
    assert (tmp_path / "runs.jsonl").read_text() == ""


def test_a_place_that_gets_lost_is_a_warning(
    settings: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    place = folder / "runs.jsonl"

    def lose(_: object) -> None:
        place.unlink()
        folder.rmdir()

    writing({**settings, "run_report": str(place)}, lose).sync()
    assert f"The report of this run is not in {place}: No such file or directory" in caplog.text


LOCKING = """
import os, sys
file = os.open(sys.argv[1], os.O_RDWR)
os.lockf(file, os.F_LOCK, 0)
print(flush=True)
sys.stdin.readline()
os.write(file, b'{"format": 1}\\n')
"""


def test_two_runs_add_their_lines_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "runs.jsonl"
    file = ReportFile(str(place), "run_report")
    program = [sys.executable, "-S", "-c", LOCKING, str(place)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(program, **pipes) as other:
        assert other.stdin
        assert other.stdout
        other.stdout.readline()
        release = other.stdin.close
        monkeypatch.setattr(time, "sleep", lambda _: (release(), other.wait()))
        file.add({"second": 2})
    assert place.read_text() == '{"format": 1}\n{"second": 2}\n'


def test_without_the_setting_there_is_no_report(
    settings: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sync({**settings, "run_report": None}, "taxes")
    assert not (tmp_path / "runs.jsonl").exists()
    assert capsys.readouterr().err == ""


def test_a_report_has_the_rights_that_the_umask_leaves(settings: Config, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        sync(settings, "taxes")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "runs.jsonl").stat().st_mode) == 0o640


def test_a_pipe_is_told_from_a_file_that_is_missing() -> None:
    reader, writer = os.pipe()
    with pytest.raises(SettingsError, match=rf"names /dev/fd/{writer}, .* it is no file \(`-`"):
        ReportFile(f"/dev/fd/{writer}", "run_report")
    os.close(reader)
    os.close(writer)
