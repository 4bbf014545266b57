"""Reading ahead under fire: the same rows, no more requests at once than allowed, and an end."""

from __future__ import annotations

import json
import math
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS
from tests.conftest import settings_for
from tests.faults.commands import PATIENCE, Command
from tests.support import sync

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.support import Messages, Record

REPORTS = ("report_trial_balance", "report_trial_balance_rows", "report_tax_summary")

FAMILIES = (
    *("/accounting/*", "/projects/*", "/timetracking/*", "/comments/*"),
    *("/events/*", "/payments/*", "/auth/api/*"),
)
"""Everything but the tokens, which have tests of their own."""

OF_THE_MOMENT = ("read_at", "download_token")
"""Fields that say when somebody asked."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with a few lists of many pages."""
    with Sandbox(invoices=60, rate_limit=0) as running:
        invoice = running.truth("invoices", fields="id")[0]["id"]
        running.create("payments", count=900, invoiceid=invoice)
        running.create("credit_notes", count=400)
        running.create("items", count=700)
        yield running


@pytest.fixture(autouse=True)
def _quiet_again(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.faults_clear()


def tables_of(messages: Messages) -> dict[str, dict[tuple[Any, ...], Record]]:
    """Records by stream and key, without what depends on the moment of reading."""
    keys = {
        message["stream"]: message["key_properties"]
        for message in messages.all
        if message["type"] == "SCHEMA"
    }
    return {
        stream: {
            tuple(record[name] for name in keys[stream]): _lasting(record) for record in records
        }
        for stream, records in messages.records.items()
    }


def _lasting(record: Record) -> Record:
    lasting = {name: value for name, value in record.items() if name not in OF_THE_MOMENT}
    if "_sdc_deleted_at" in record:  # of a row without a timestamp, when it was read
        lasting["_sdc_deleted_at"] = record["_sdc_deleted_at"] is not None
    return lasting


def bookmarks_of(messages: Messages) -> set[tuple[str, str, bool]]:
    """Which partitions have been read, and whether there is a bookmark."""
    return {
        (stream, str(partition["context"]), "replication_key_value" in partition)
        for stream, state in messages.state["bookmarks"].items()
        for partition in state.get("partitions", [])
    }


def test_a_sync_of_everything_under_fire_delivers_what_a_quiet_one_does(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    names = [
        stream.name
        for stream in STREAMS
        if not issubclass(stream, Report) and not stream.name.startswith("report_")
    ]
    names += REPORTS
    results = []
    for is_quiet in (True, False):
        folder = tmp_path / ("quiet" if is_quiet else "loud")
        folder.mkdir()
        config = {
            **settings_for(sandbox, folder),
            "max_concurrency": 8,
            "start_date": "2025-08-01T00:00:00Z",
        }
        if not is_quiet:
            _open_fire(sandbox, config["client_id"])
        results.append(sync(config, *names))
    quiet, loud = (tables_of(messages) for messages in results)
    statuses = sandbox.stats(config["client_id"])["statuses"]
    assert min(statuses[status] for status in ("cut", "429", "500", "502", "503")) > 0
    assert len(quiet) > 50
    assert loud.keys() == quiet.keys()
    for stream, rows in quiet.items():
        assert loud[stream] == rows, stream
    assert bookmarks_of(results[1]) == bookmarks_of(results[0])


def _open_fire(sandbox: Sandbox, client_id: str) -> None:
    for number, path in enumerate(FAMILIES):
        shared: dict[str, Any] = {"client_id": client_id, "path": path}
        for status in (500, 502, 503):
            sandbox.faults(
                "status", status=status, probability=0.05 / 3, seed=number * 9 + status, **shared
            )
        for place, when in enumerate(("before", "answered")):
            sandbox.faults(
                "cut", when=when, probability=0.025, seed=number * 7 + place + 1, **shared
            )
        sandbox.faults("cut", when="middle", probability=0.03, seed=number + 50, **shared)
    sandbox.faults("throttle", client_id=client_id, limit=60, window=1)


@pytest.mark.parametrize("concurrency", [1, 2, 4, 8])
def test_no_more_requests_are_in_flight_than_allowed_and_as_many_as_that(
    sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    config = {**settings_for(sandbox, tmp_path), "max_concurrency": concurrency}
    sandbox.faults("latency", seconds=0.03, client_id=config["client_id"])
    sync(config, "payments", "items", "credit_notes", "clients", "time_entries", "projects")
    assert sandbox.stats(config["client_id"])["most_in_flight"] == concurrency


@pytest.mark.parametrize("concurrency", [1, 8])
def test_no_second_sees_more_requests_than_allowed(
    sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    rate = 12
    config = {
        **settings_for(sandbox, tmp_path),
        "max_concurrency": concurrency,
        "requests_per_second": rate,
    }
    began = time.monotonic()
    sync(config, "payments", "items", "credit_notes")
    elapsed = time.monotonic() - began
    stats = sandbox.stats(config["client_id"])
    reads = sum(number for path, number in stats["paths"].items() if path.startswith("GET "))
    assert reads > 2 * rate
    assert elapsed > math.ceil(reads / rate) - 1
    # One request more may fall into a second of the server's: two that left in the right
    # distance arrive in a shorter one. The refresh of the token is not counted as one.
    assert stats["most_in_a_second"] <= rate + 2


def test_a_path_that_is_down_for_good_costs_its_stream_and_is_not_tried_for_long(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = {**sandbox.config(), "max_concurrency": 8, "max_attempts": 3}
    sandbox.faults("status", client_id=settings["client_id"], path="/items/items")
    command = Command(tmp_path, settings, "payments", "items", "credit_notes", "clients")
    with (tmp_path / "output.jsonl").open("wb") as output:
        process = command.start(stdout=output)
        assert process.wait(PATIENCE) == 1
    [sentence] = command.errors
    assert "1 stream could not be read completely: items (" in sentence
    messages = map(json.loads, (tmp_path / "output.jsonl").read_bytes().splitlines())
    delivered = {each["stream"] for each in messages if each["type"] == "RECORD"}
    assert delivered == {"payments", "credit_notes", "clients"}
    paths = sandbox.stats(settings["client_id"])["paths"]
    tries = {path: number for path, number in paths.items() if "/items/items" in path}
    assert set(tries.values()) == {3}


STUCK: dict[str, Callable[[Sandbox, str], Any]] = {
    "an answer that takes a minute": lambda sandbox, client_id: sandbox.faults(
        "latency", seconds=60, skip=1, client_id=client_id, path="/accounting/account/"
    ),
    "a pause of a minute": lambda sandbox, client_id: sandbox.faults(
        "rate_limit", retry_after=60, skip=1, client_id=client_id, path="/payments/payments"
    ),
}


@pytest.mark.parametrize(
    ("kind", "concurrency", "signum"),
    [
        ("an answer that takes a minute", 1, signal.SIGTERM),
        ("an answer that takes a minute", 4, signal.SIGINT),
        ("a pause of a minute", 1, signal.SIGINT),
        ("a pause of a minute", 4, signal.SIGTERM),
    ],
)
def test_a_signal_ends_a_run_whose_workers_all_wait_at_once(
    sandbox: Sandbox, tmp_path: Path, kind: str, concurrency: int, signum: signal.Signals
) -> None:
    settings = {**sandbox.config(), "max_concurrency": concurrency}
    client_id = settings["client_id"]
    STUCK[kind](sandbox, client_id)
    command = Command(tmp_path, settings, "clients", "payments")
    output = tmp_path / "output.jsonl"
    with output.open("wb") as file:
        process = command.start(stdout=file)
    try:
        if "answer" in kind:
            _wait_until(lambda: sandbox.stats(client_id)["in_flight"] == concurrency, process)
        else:
            _wait_until(lambda: _is_paused(sandbox.stats(client_id)), process)
        began = time.monotonic()
        process.send_signal(signum)
        process.wait(PATIENCE)
        elapsed = time.monotonic() - began
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 128 + signum
    assert elapsed < 5
    assert command.errors == ["Error: interrupted; the state so far is written"]
    assert json.loads(output.read_bytes().splitlines()[-1])["type"] == "STATE"


def _is_paused(stats: Mapping[str, Any]) -> bool:
    return "429" in stats["statuses"] and not stats["in_flight"]


def _wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
