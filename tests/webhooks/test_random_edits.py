from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.commands.webhooks import nouns_needed
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import Inbox
from tests.conftest import settings_for
from tests.faults.target import Target
from tests.support import Record, sync
from tests.webhooks.random_edits import RandomEdits, disturb_deliveries
from tests.webhooks.receivers import ReceiverThread

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

WITH_EVENTS = {stream.name: stream for stream in STREAMS if stream.webhook_noun}


def load(target: Target, settings: dict[str, Any]) -> None:
    for message in sync(settings, *WITH_EVENTS, state=target.state).all:
        target.apply(message)


def living(target: Target, stream: str) -> dict[Any, Record]:
    """What a target has, without what it knows to be deleted."""
    rows = target.table(stream).items()
    return {key: record for key, record in rows if record.get("_sdc_deleted_at") is None}


COPIES = {
    "expenses": {"category", "isduplicate", "status"},
}
"""Values of other objects, which FreshBooks shows in a row without a change of its timestamp."""


def own_values(stream: str, record: Record) -> Record:
    """A record without copies, which come with `full_refresh_interval` only."""
    return {name: value for name, value in record.items() if name not in COPIES.get(stream, ())}


def differences(one: Record, other: Record) -> dict[str, tuple[Any, Any]]:
    return {name: (one[name], other[name]) for name in other if one[name] != other[name]}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_the_reconcile_pass_the_target_has_what_freshbooks_has(
    own_sandbox: Sandbox, tmp_path: Path, seed: int
) -> None:
    own_sandbox.webhooks.settings(scale=0.002, disable_after=5)
    business = {"business_ids": [own_sandbox.businesses()[0]["id"]]}
    settings = {**settings_for(own_sandbox, tmp_path), **business}
    settings["webhook_inbox"] = str(tmp_path / "inbox.db")
    inbox = Inbox(settings["webhook_inbox"])
    tap = TapFreshBooks(config=settings)
    manager = CallbackManager(tap.connection, CallbackStore(inbox))
    target, edits = Target(), RandomEdits(own_sandbox, seed)
    port = 0
    with ReceiverThread(inbox, manager) as running:
        port = running.port
        assert manager.register(running.url, sorted(nouns_needed(tap))) == []
        assert manager.wait(30) == []
        load(target, settings)
        disturb_deliveries(own_sandbox, seed)
        edits.apply(40)
        load(target, settings)
    edits.apply(20)  # while no receiver runs
    with ReceiverThread(inbox, manager, port):
        edits.apply(40)
        load(target, settings)
        own_sandbox.webhooks.settle()
        own_sandbox.faults_clear()
        load(target, {**settings, "reconcile_interval": 0})
    fresh = Target()
    for message in sync({**settings, "webhook_inbox": ""}, *WITH_EVENTS).all:
        fresh.apply(message)
    for stream in WITH_EVENTS:
        there = living(fresh, stream)
        here = living(target, stream)
        if "document_updated" in next(iter(there.values()), {}):  # lines outlive their document's
            here = {key: row for key, row in here.items() if key in there}
        assert here.keys() == there.keys(), stream
        for key, record in there.items():
            one, other = own_values(stream, here[key]), own_values(stream, record)
            assert one == other, (stream, differences(one, other))
