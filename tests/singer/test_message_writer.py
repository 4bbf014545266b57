from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib import StateMessage

from tap_freshbooks.errors import StreamsFailedError
from tap_freshbooks.singer import message_writer
from tap_freshbooks.singer.message_writer import BufferedMessageWriter
from tap_freshbooks.tap import TapFreshBooks
from tests.support import QUICK, catalog_of

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_a_record_goes_out_at_once_outside_a_block(capfd: pytest.CaptureFixture[str]) -> None:
    BufferedMessageWriter().write_record("items", {"id": 1}, None)
    (message,) = lines(capfd)
    assert message.pop("time_extracted").endswith("Z")
    assert message == {"type": "RECORD", "stream": "items", "record": {"id": 1}}


def test_records_wait_for_the_next_state_and_go_before_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    writer = BufferedMessageWriter()
    with writer.buffered():
        writer.write_record("items", {"id": 1}, 7)
        assert not lines(capfd)
        writer.write_message(StateMessage(value={}))
        assert [line["type"] for line in lines(capfd)] == ["RECORD", "STATE"]


def test_a_block_leaves_nothing_behind_when_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    writer = BufferedMessageWriter()

    def fail() -> None:
        with writer.buffered():
            writer.write_record("items", {"id": 1}, None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(lines(capfd)) == 1


def test_many_bytes_do_not_wait(capfd: pytest.CaptureFixture[str]) -> None:
    writer = BufferedMessageWriter()
    with writer.buffered():
        writer.write_record("items", {"note": "x" * message_writer.MAX_BUFFERED}, None)
        assert len(lines(capfd)) == 1


def test_a_record_takes_old_ones_along(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = BufferedMessageWriter()
    with writer.buffered():
        writer.write_record("items", {"id": 1}, None)
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + message_writer.MAX_DELAY)
        writer.write_record("items", {"id": 2}, None)
        assert len(lines(capfd)) == 2


def test_the_last_rows_are_followed_by_a_state_even_if_it_says_nothing_new(
    own_sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    """A target may keep rows only when it sees a state, also one that it has seen before them."""
    now = datetime.now(UTC).isoformat()
    own_sandbox.clock(now=now, frozen=True)
    business = own_sandbox.businesses()[0]["id"]

    def run(state: dict[str, Any] | None) -> list[dict[str, Any]]:
        TapFreshBooks(
            config={**QUICK, **own_sandbox.config(), "max_attempts": 1, "business_ids": [business]},
            catalog=catalog_of("clients"),
            state=state,
        ).sync()
        return lines(capfd)

    state = run(None)[-1]["value"]
    assert [line["type"] for line in run(state)] == ["STATE", "SCHEMA"]
    own_sandbox.update("clients", "oldest", fname="Ada")
    own_sandbox.faults("status", status=500, path="*/invoices/invoices")  # asked for balances
    with pytest.raises(StreamsFailedError):
        run(state)
    messages = lines(capfd)
    assert [line["type"] for line in messages] == ["STATE", "SCHEMA", "STATE", "RECORD", "STATE"]
    assert messages[-1]["value"] == messages[2]["value"]
