"""What a user finds on stderr: a run says in ten lines what it does, and hides no warning."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.conftest import settings_for
from tests.support import Command, catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 10
"""Lines of a run in which nothing goes wrong."""

LINE = re.compile(r"\S+ \S+ \| (?P<level>\w+) +\| (?P<logger>\S+) +\| (?P<text>.*)")


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=10, rate_limit=0) as running:
        yield running


@pytest.fixture
def run(command: Command) -> Command:
    """Runs a command line whose handlers of the log end with it, as those of a process do."""

    def run(*args: str) -> tuple[int, str, str]:
        root = logging.getLogger()
        before = root.handlers[:]
        try:
            return command(*args)
        finally:
            root.handlers[:] = before

    return run


@pytest.fixture
def settings(books: Sandbox, tmp_path: Path) -> Iterator[dict[str, Any]]:
    yield settings_for(books, tmp_path)
    books.faults_clear()


def written(folder: Path, **contents: Any) -> list[str]:
    """The options that name files with such contents."""
    options = []
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        options += [f"--{name}", str(path)]
    return options


def lines(errors: str) -> list[tuple[str, str]]:
    """The level and text of each line; that of a stray one is empty."""
    found = [(LINE.fullmatch(line), line) for line in errors.splitlines()]
    return [(match["level"], match["text"]) if match else ("", line) for match, line in found]


def test_a_default_run_and_an_idle_one_say_in_ten_lines_what_they_do(
    run: Command, settings: dict[str, Any], tmp_path: Path
) -> None:
    state: dict[str, Any] = {}
    for is_first in (True, False):
        options = written(tmp_path, config=settings, **({"state": state} if state else {}))
        status, output, errors = run(*options)
        found = lines(errors)
        assert status == 0
        assert {level for level, _ in found} == {"INFO"}
        assert len(found) <= MOST
        messages = [json.loads(line) for line in output.splitlines()]
        rows = sum(message["type"] == "RECORD" for message in messages)
        streams = {message["stream"] for message in messages if message["type"] == "SCHEMA"}
        [total] = [text for _, text in found if text.startswith("Total: ")]
        assert total.startswith(f"Total: {rows:,} rows, " if rows else "Total: no rows, ")
        assert any(text.endswith(f" reads {len(streams)} streams") for _, text in found)
        assert is_first or "streams without new rows" in total
        [state] = [message["value"] for message in messages if message["type"] == "STATE"][-1:]


def test_discovery_and_a_command_say_nothing(
    run: Command, settings: dict[str, Any], tmp_path: Path
) -> None:
    options = written(tmp_path, config=settings)
    for args in ((*options, "--discover"), ("--about",), ("status", *options)):
        status, output, errors = run(*args)
        assert (status, errors) == (0, "")
        assert output


def test_a_test_of_the_connection_that_succeeds_names_no_error(
    run: Command, settings: dict[str, Any], tmp_path: Path
) -> None:
    options = written(tmp_path, config=settings, catalog=catalog_of("items", "taxes"))
    status, _, errors = run(*options, "--test")
    assert status == 0
    assert "ERROR" not in errors


def test_debug_shows_what_the_sdk_says_and_what_each_stream_has_cost(
    run: Command,
    settings: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAP_FRESHBOOKS_LOGLEVEL", "DEBUG")
    catalog = catalog_of("invoices", "invoice_lines")
    _, _, errors = run(*written(tmp_path, config=settings, catalog=catalog))
    said = [text for level, text in lines(errors) if level == "DEBUG"]
    for beginning in (
        "Skipping parse of env var settings",
        "Added 'invoice_lines' as child stream to 'invoices'",
        "Beginning sync of 'invoices'",
        "Skipping deselected stream 'taxes'",
        'METRIC: {"type":"counter","metric":"record_count"',
        "invoices: ",
    ):
        assert any(text.startswith(beginning) for text in said), beginning


def test_metrics_go_where_a_log_configuration_wants_them(
    run: Command,
    settings: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place, configuration = tmp_path / "metrics.log", tmp_path / "logging.yaml"
    handler = {"class": "logging.FileHandler", "filename": str(place), "formatter": "metrics"}
    formatter = {"()": "singer_sdk.logging.StructuredFormatter"}
    logger = {"level": "INFO", "handlers": ["metrics"], "propagate": False}
    configuration.write_text(
        json.dumps(  # which is YAML, too
            {
                "version": 1,
                "disable_existing_loggers": False,
                "formatters": {"metrics": formatter},
                "handlers": {"metrics": handler},
                "loggers": {"singer_sdk.metrics": logger},
            }
        )
    )
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(configuration))
    metrics = logging.getLogger("singer_sdk.metrics")
    monkeypatch.setattr(metrics, "handlers", [])  # as it is after the test
    monkeypatch.setattr(metrics, "propagate", True)
    _, _, errors = run(*written(tmp_path, config=settings, catalog=catalog_of("taxes")))
    for each in metrics.handlers:
        each.close()
    assert "METRIC" not in errors
    points = [json.loads(line)["metric_info"] for line in place.read_text().splitlines()]
    assert {point["metric"] for point in points} == {"record_count", "sync_duration"}


def test_what_goes_wrong_is_told_among_the_few_lines(
    run: Command, settings: dict[str, Any], books: Sandbox, tmp_path: Path
) -> None:
    client = settings["client_id"]
    books.faults("deny", reason="scope", path="*/users/clients", client_id=client)
    books.faults("status", status=500, path="*/taxes/taxes", client_id=client)
    catalog = catalog_of("clients", "items", "taxes")
    options = written(tmp_path, config={**settings, "max_attempts": 2, "typo": 1}, catalog=catalog)
    status, _, errors = run(*options)
    found = lines(errors)
    assert status == 1
    warnings = [text for level, text in found if level == "WARNING"]
    failures = [text for level, text in found if level == "ERROR"]
    assert any("typo" in text for text in warnings)
    assert any(text.startswith("Skipped clients") for text in warnings)
    assert any(text.startswith("Failed: taxes of ") for text in failures)
    assert any(text.startswith("Not read completely: taxes of ") for text in failures)
    [again] = [text for _, text in found if text.startswith("Requests sent again: ")]
    assert re.fullmatch(r"Requests sent again: taxes \d+", again)
