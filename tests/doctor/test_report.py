from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.doctor.structure import Shape
from tap_freshbooks.schema.fields import AnyJson, Array, Integer, Object, Text, Word
from tests.doctor.markers import MARKER, marking
from tests.support import QUICK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import Command

SHORT = {**QUICK, "max_attempts": 1}


def test_a_book_full_of_markers_leaves_none_in_the_report(command: Command, tmp_path: Path) -> None:
    path, target = tmp_path / "config.json", tmp_path / "report.json"
    with Sandbox(invoices=10, rate_limit=0) as sandbox, marking(sandbox.url) as (url, markers):
        path.write_text(json.dumps({**sandbox.config(), **SHORT, "api_url": url}))
        options = ("--report", str(target), "--json", "--spend-a-refresh")
        status, output, said = command("doctor", "--config", str(path), *options)
    report = target.read_text()
    assert status == 1
    assert markers.made > 10_000
    assert MARKER.search(output)  # names of unknown fields, for the user
    for text in (report, said.replace(str(target), "")):
        assert [text[m.start() - 40 : m.end() + 40] for m in MARKER.finditer(text)] == []
    streams = {each["stream"]: each for each in json.loads(report)["streams"]}
    assert streams["invoices"]["shape"]["fields"]["amount"]["fields"]["amount"] == {
        "kinds": ["string"],
        "forms": ["decimal"],
        "sizes": ["2-15"],
    }
    assert streams["report_cash_flow"]["shape"]["fields"]["currency_code"]["kinds"] == ["string"]
    found = json.loads(report)["findings"]
    assert {
        each["stream"] for each in found if each["question"] == "envelope" and each["names"]
    } == {"taxes", "services"}
    assert streams["items"]["answers"][0]["error"] == {
        "is_json": True,
        "keys": ["errno", "message"],
        "errno": None,
        "words": ["insufficient_scope"],
        "scopes": [],
    }


def test_the_command_says_what_is_in_the_report_and_that_nothing_was_sent(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    path, target = tmp_path / "config.json", tmp_path / "report.json"
    path.write_text(json.dumps({**sandbox.config(), **SHORT}))
    options = ("--stream", "clients", "--report", str(target))
    status, _, said = command("doctor", "--config", str(path), *options)
    assert status == 0
    assert f"The report is in {target}: names of fields, kinds of values" in said
    assert "Nothing was sent. Read it, and attach it to an issue" in said
    report = json.loads(target.read_text())
    [clients] = report["streams"]
    assert clients["rows"] == "2-15"
    assert clients["beside"] == ["page", "pages", "per_page", "total"]
    assert {each["question"] for each in report["findings"]} > {"envelope", "repeated_rows", "pkce"}


def test_a_report_that_cannot_be_written_is_a_sentence(
    sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    path, target = tmp_path / "config.json", tmp_path / "no" / "report.json"
    settings = sandbox.config()
    path.write_text(json.dumps({**settings, **SHORT}))
    options = ("--stream", "clients", "--report", str(target))
    status, output, said = command("doctor", "--config", str(path), *options)
    assert status == 2
    assert said == f"Error: --report {target} cannot be written: No such file or directory\n"
    assert output == ""
    assert sandbox.stats(settings["client_id"])["requests"] == 0


def test_a_run_that_fails_leaves_the_report_of_before(
    own_sandbox: Sandbox, command: Command, tmp_path: Path
) -> None:
    path, target, new = (tmp_path / name for name in ("config.json", "old.json", "new.json"))
    path.write_text(json.dumps({**own_sandbox.config(), **SHORT}))
    target.write_text("before")
    own_sandbox.faults("status", status=401, path="*/users/me")
    for report in (target, new):
        options = ("--stream", "clients", "--report", str(report))
        status, _, _ = command("doctor", "--config", str(path), *options)
        assert status != 0
    assert target.read_text() == "before"
    assert not new.exists()


FIELDS = Object(
    id=Integer(),
    state=Word("on", "off"),
    flags=AnyJson(),
    lines=Array(Object(name=Text(), qty=Text())),
)


def shape_of(*rows: dict[str, Any]) -> Shape:
    return Shape(FIELDS).see_all(rows)


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([{"id": 1, "new_field": 1}, {"id": 2, "new_field": 2}], ["new_field"]),
        ([{"id": 1, "new_field": 1}, {"id": 2}], ["*"]),
        ([{"anna": 1}, {"anna": 2}], ["*"]),
        ([{"id": 1, "Anna Smith": 1}, {"id": 2, "Anna Smith": 2}], ["*"]),
        ([{"id": 1, "a81f3c9d": 1}, {"id": 2, "a81f3c9d": 2}], ["*"]),
        ([{"id": 1, "map": {"anna": 1}}, {"id": 2, "map": {"anna": 1}}], ["map"]),
        ([{"id": 1, "flags": {"anna": 1}}, {"id": 2, "flags": {"anna": 1}}], []),
        ([{"lines": [{"name": "a", "extra": 1}, {"qty": "1", "extra": 1}]}], ["lines.extra"]),
    ],
)
def test_a_name_that_may_be_data_is_not_shown(rows: list[dict[str, Any]], names: list[str]) -> None:
    shape = shape_of(*rows)
    assert [path if is_shown else "*" for path, is_shown in shape.unknown_paths()] == names
    assert "anna" not in json.dumps(shape.to_dict(len(rows))).lower()


def test_only_known_words_are_shown() -> None:
    shape = shape_of({"state": "on"}, {"state": "secret"}, {})
    assert shape.to_dict(3)["fields"]["state"] == {
        "kinds": ["string"],
        "absent": "sometimes",
        "forms": ["text"],
        "sizes": ["2-15"],
        "words": ["another word", "on"],
    }
