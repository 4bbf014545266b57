"""Events of a stream that fails count as unread; those of the others are done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.streams.resources.invoices import InvoiceLines
from tests.support import failing_sync, sync
from tests.webhooks.fake_receiver import FakeReceiver

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Messages

Config = dict[str, Any]


@pytest.fixture
def fake_receiver(own_sandbox: Sandbox, tmp_path: Path) -> FakeReceiver:
    return FakeReceiver(own_sandbox, tmp_path)


@pytest.fixture
def settings(fake_receiver: FakeReceiver, own_config: Config) -> Config:
    return {**fake_receiver.settings(own_config), "max_attempts": 2}


def cursors(messages: Messages, stream: str) -> list[Any]:
    """How far each partition of a stream has read the inbox."""
    return [each["inbox"] for each in messages.state["bookmarks"][stream]["partitions"]]


@pytest.mark.parametrize("breaks", ["the object", "what is made of it"])
def test_an_event_whose_object_fails_is_read_again(
    own_sandbox: Sandbox,
    settings: Config,
    fake_receiver: FakeReceiver,
    breaks: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("invoices", "invoice_lines", "bills")
    first = sync(settings, *names)
    invoice, bill = (own_sandbox.truth(name)[0]["id"] for name in ("invoices", "bills"))
    own_sandbox.update("invoices", invoice, notes="changed")
    fake_receiver.deliver("invoice.update", invoice)
    fake_receiver.deliver("bill.update", bill)

    with monkeypatch.context() as patch:
        if breaks == "the object":
            own_sandbox.faults("status", status=500, path=f"*/invoices/{invoice}")
        else:
            patch.setattr(InvoiceLines, "lines_of", None)
        second, sentence = failing_sync(settings, *names, state=first.state)
        own_sandbox.faults_clear()
    failed = {"invoices", "invoice_lines"} if breaks == "the object" else {"invoice_lines"}
    assert f": {', '.join(sorted(failed, key=len))} (" in sentence
    assert [row["id"] for row in second.records["bills"]] == [bill]
    for stream in names:
        is_unread = cursors(second, stream)[0] == cursors(first, stream)[0]
        assert is_unread == (stream in failed), stream

    own_sandbox.stats_clear()
    third = sync(settings, *names, state=second.state)
    assert [row["id"] for row in third.records["invoices"]] == [invoice]
    assert {row["invoiceid"] for row in third.records["invoice_lines"]} == {invoice}
    assert third.records["bills"] == []
    own_sandbox.stats_clear()
    assert sync(settings, *names, state=third.state).records == {}
    assert own_sandbox.stats()["requests"] == 0


def test_lists_that_fail_are_read_again_and_not_left_to_events(
    own_sandbox: Sandbox, settings: Config
) -> None:
    """Of a stream with webhooks, and of one that is asked after `poll_interval`."""
    names = ("invoices", "team_members", "bills")
    own_sandbox.faults("answer", path="*/invoices/invoices", content="{}")
    own_sandbox.faults("answer", path="*/team_members", content="{}")
    first, sentence = failing_sync(settings, *names)
    assert "2 streams could not be read completely: invoices, team_members (" in sentence
    own_sandbox.faults_clear()
    second = sync(settings, *names, state=first.state)
    assert len(second.records["invoices"]) >= 60
    assert second.records["team_members"]
    assert second.records["bills"] == []


def test_a_refusal_beside_streams_that_are_idle_is_no_failure(
    own_sandbox: Sandbox, settings: Config
) -> None:
    first = sync(settings, "invoices", "team_members")
    own_sandbox.faults("deny", path="*/team_members")
    state = first.state
    for partition in state["bookmarks"]["team_members"]["partitions"]:
        del partition["polled_at"]
    second = sync(settings, "invoices", "team_members", state=state)
    assert second.records == {}
