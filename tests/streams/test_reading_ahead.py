"""What reading ahead does to the requests, seen from FreshBooks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.errors import ConnectionFailedError
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.transport import decoding
from tests.conftest import settings_for
from tests.support import Messages, catalog_of, sync

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

STREAMS = ["clients", "invoices", "expenses", "payments", "items", "projects", "taxes", "services"]


def test_the_same_is_asked_and_delivered_with_and_without(sandbox: Sandbox, tmp_path: Path) -> None:
    requests, records = [], []
    for number in (1, 4):
        folder = tmp_path / str(number)
        folder.mkdir()
        config = {**settings_for(sandbox, folder), "max_concurrency": number}
        records.append(dict(sync(config, *STREAMS).records))
        requests.append(sandbox.stats(config["client_id"])["paths"])
    assert requests[0] == requests[1]
    assert records[0] == records[1]
    assert list(records[0]) == list(records[1])


def test_a_small_account_keeps_all_workers_busy(sandbox: Sandbox, config: dict[str, Any]) -> None:
    sandbox.faults("latency", seconds=0.05, client_id=config["client_id"])
    sync({**config, "max_concurrency": 4}, *STREAMS)
    assert sandbox.stats(config["client_id"])["most_in_flight"] == 4
    sandbox.faults_clear()


def test_pages_of_one_list_are_read_at_once(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    own_sandbox.create("payments", count=900)
    own_sandbox.clock(advance=60)
    own_sandbox.faults("latency", seconds=0.05, client_id=own_config["client_id"])
    business = own_sandbox.businesses()[0]["id"]
    config = {**own_config, "business_ids": [business], "max_concurrency": 3}
    records = sync(config, "payments").records["payments"]
    ids = [record["id"] for record in records if record["_sdc_deleted_at"] is None]
    assert ids == sorted(ids, reverse=True)  # delivered in the order of the list
    assert own_sandbox.stats(own_config["client_id"])["most_in_flight"] == 3


def test_a_row_is_decoded_once_where_it_is_written(
    sandbox: Sandbox, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[tuple[Any, str]] = []
    decode = decoding._decode_part

    def noted(text: bytes) -> Any:
        found = decode(text)
        if isinstance(found, dict):
            decoded.append((found["id"], threading.current_thread().name))
        return found

    monkeypatch.setattr(decoding, "_decode_part", noted)
    business = sandbox.businesses()[0]["id"]
    own = {**config, "business_ids": [business], "include_deleted": False}
    ids = [record["id"] for record in sync(own, "invoices").records["invoices"]]
    assert len(ids) > 100  # more than a page
    assert decoded == [(each, threading.current_thread().name) for each in ids]


def test_an_outage_ends_the_requests_of_all_streams(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    own_sandbox.faults("status", status=500, path="*/clients")
    own_sandbox.faults("status", status=500, path="*/users/me", skip=1)
    own_sandbox.faults("latency", seconds=0.05)
    own_config["max_attempts"] = 1
    with pytest.raises(ConnectionFailedError, match=r"clients of .* say who we are"):
        sync({**own_config, "max_concurrency": 2}, "clients", "time_entries", "taxes", "projects")
    asked = own_sandbox.stats(own_config["client_id"])["requests"]
    own_sandbox.faults_clear()
    # Who am I, the token, the list that fails, who am I once more, and the first pages of those
    # that come next.
    assert asked <= 25


def test_a_connection_test_reads_one_page_of_a_list(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    own_sandbox.create("payments", count=900)
    tap = TapFreshBooks(
        config=own_config,
        catalog=catalog_of("payments"),
        message_writer=Messages(),
    )
    payments = [stream for stream in tap.streams.values() if stream.name == "payments"]
    assert isinstance(payments[0], ListStream)
    assert tap.run_sync_dry_run(1, payments)
    paths = own_sandbox.stats(own_config["client_id"])["paths"]
    account = own_sandbox.businesses()[0]["account_id"]
    assert paths[f"GET /accounting/account/{account}/payments/payments"] == 1


def test_what_a_stream_cost_is_tallied(own_sandbox: Sandbox, own_config: dict[str, Any]) -> None:
    own_sandbox.create("payments", count=150)
    own_sandbox.clock(advance=60)
    messages = Messages()
    tap = TapFreshBooks(config=own_config, catalog=catalog_of("payments"), message_writer=messages)
    own_sandbox.faults("status", status=503, path="*/payments", times=2)
    tap.sync()
    [stats] = [each for each in tap.run_state.stats.all() if each.stream == "payments"]
    paths = own_sandbox.stats(own_config["client_id"])["paths"]
    asked = sum(count for path, count in paths.items() if path.endswith("/payments"))
    assert stats.requests == asked
    assert stats.retries == 2
    assert stats.pages == asked - 2
    assert stats.throttled == 0
    assert stats.rows == len(messages.records["payments"]) <= stats.total
