"""All streams, from the list of streams: a first run, edits everywhere, a second run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from freshbooks_sandbox.server import SandboxError
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS
from tests.conftest import settings_for
from tests.support import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Messages

LISTS = [
    stream
    for stream in STREAMS
    if issubclass(stream, ListStream)
    and not issubclass(stream, Report)
    and stream.name != "project_threads"  # whose rows do not say in FreshBooks which project
]
Truth = dict[str, dict[Any, dict[str, Any]]]

TEXT = {
    **dict.fromkeys(("clients", "payments", "other_incomes", "staffs", "bill_vendors"), "note"),
    **dict.fromkeys(("items", "tasks", "taxes", "services", "ledger_accounts"), "name"),
    **dict.fromkeys(("bill_payments", "time_entries", "checkout_links"), "note"),
    **dict.fromkeys(("gateways", "payment_options"), "gateway_name"),
    **dict.fromkeys(("service_rates", "team_member_rates"), "rate"),
    "systems": "name",
    "journal_entries": "description",
    "business_group_members": "company",
    "projects": "title",
    "expense_categories": "category",
    "team_members": "job_title",
    "bills": "bill_number",
    "callbacks": "uri",
    "expense_profiles": "notes",
    "retainers": "fee",
}
"""A field to edit, where it is not `notes`."""

NO_TEXT = {"timers"}
"""Streams without a field to edit."""

SINGLE = {"systems", "invoice_presentation", "payment_gateways", "payment_options"}
"""Streams of one record per account, which can only change."""

NEW: dict[str, dict[str, Any]] = {
    "ledger_accounts": {
        "name": "Reserve",
        "number": "1999",
        "type": "asset",
        "sub_type": "Cash & Bank",
    }
}
"""What a new row needs to make sense."""

WHOLE_ENTRY = {"is_logged": True, "started_at": "2026-01-05T10:00:00Z", "duration": 600}


def value_for(field: str) -> str:
    return {"uri": "https://hooks.example/changed", "fee": "321.00", "rate": "321.00"}.get(
        field, "changed"
    )


def truth_of(sandbox: Sandbox) -> Truth:
    found: Truth = {}
    for stream in LISTS:
        rows = sandbox.truth(stream.name)
        found[stream.name] = {tuple(row[key] for key in stream.key): row for row in rows}
    return found


class TwoRuns:
    """Two runs with edits in between, and what FreshBooks held before and after."""

    def __init__(self, sandbox: Sandbox, config: dict[str, Any]) -> None:
        names = [stream.name for stream in LISTS]
        self.account = sandbox.businesses()[0]
        config = {**config, "max_attempts": 2}
        self.first = sync(config, *names)
        self.before = truth_of(sandbox)
        self.edited: set[str] = set()
        for stream in LISTS:
            self._edit(sandbox, stream)
        self.after = truth_of(sandbox)
        self.second = sync(config, *names, state=self.first.state)

    def _edit(self, sandbox: Sandbox, stream: type[ListStream]) -> None:
        rows = [
            row[stream.key[0]]
            for row in sandbox.truth(stream.name)
            if stream.key
            and row.get("vis_state", 0) == 0
            and row.get("active", True)
            and not row.get("complete")
            and row.get("is_logged", True)
        ]
        whole: dict[str, Any] = WHOLE_ENTRY if stream.name == "time_entries" else {}
        field = TEXT.get(stream.name, "notes")
        actions = ("update",) if stream.name in SINGLE else ("create", "update", "delete")
        for action in actions:
            try:
                if action == "create":
                    sandbox.create(stream.name, **NEW.get(stream.name, {}))
                elif action == "update":
                    value = value_for(field)
                    row = sandbox.update(stream.name, rows[0], **whole, **{field: value})
                    assert row.get(field) == value or stream.name in NO_TEXT, (
                        f"{stream.name} was not changed, for want of a field {field}: name one of "
                        "its fields in TEXT of this file"
                    )
                else:
                    sandbox.delete(stream.name, rows[-1])
                self.edited.add(stream.name)
            except (SandboxError, IndexError):
                continue  # this resource cannot be edited in this way

    def delivered(self, messages: Messages, stream: type[ListStream]) -> list[Any]:
        own = (self.account["account_id"], self.account["id"], self.account["business_uuid"])
        return [
            tuple(record[key] for key in stream.key)
            for record in messages.records[stream.name]
            if record[stream.identifier_kind.value] in own
        ]

    def changed_keys(self, name: str) -> set[Any]:
        [stream] = [stream for stream in LISTS if stream.name == name]
        return self.changed(stream)

    def changed(self, stream: type[ListStream]) -> set[Any]:
        """Keys of the rows that were created, changed or marked as deleted."""
        timestamp = stream.timestamp_field or "updated_at"
        before, after = self.before[stream.name], self.after[stream.name]
        return {
            key
            for key, row in after.items()
            if key not in before
            or row.get(timestamp) != before[key].get(timestamp)
            or row.get("vis_state") != before[key].get("vis_state")
        }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoRuns]:
    with Sandbox(invoices=60, rate_limit=0) as sandbox:
        yield TwoRuns(sandbox, settings_for(sandbox, tmp_path_factory.mktemp("tokens")))


def test_most_streams_were_edited(runs: TwoRuns) -> None:
    assert len(runs.edited) > 30


@pytest.mark.parametrize("stream", LISTS, ids=[stream.name for stream in LISTS])
def test_the_second_run_delivers_what_changed_and_only_that(
    runs: TwoRuns, stream: type[ListStream]
) -> None:
    keys = runs.delivered(runs.second, stream)
    assert len(keys) == len(set(keys))
    vanished = set(runs.before[stream.name]) - set(runs.after[stream.name])
    if stream.replication is Replication.FULL_TABLE:
        assert set(keys) <= set(runs.after[stream.name])
        return
    changed = runs.changed(stream)
    assert changed <= set(keys) | hidden(runs, stream)
    if issubclass(stream, HardDeleteStream):
        activated = {m["stream"] for m in runs.second.all if m["type"] == "ACTIVATE_VERSION"}
        assert (stream.name in activated) == bool(
            vanished or changed - set(runs.before[stream.name])
        )
        assert not vanished & set(keys)
    elif stream.name == "other_incomes":  # the deleted are sent each time
        rows = runs.after[stream.name]
        assert all(key in changed or rows[key]["vis_state"] == 1 for key in keys)
    elif stream.name == "clients":  # so are clients whose balances moved with their invoices
        rows = runs.after["invoices"]
        moved = {(rows[key]["customerid"],) for key in runs.changed_keys("invoices")}
        assert set(keys) - changed <= moved
    elif stream.name == "bills":  # so are bills that have just become overdue
        assert len(set(keys) - changed) <= len(changed)
    else:
        assert set(keys) == changed - hidden(runs, stream)


def hidden(runs: TwoRuns, stream: type[ListStream]) -> set[Any]:
    """Deleted rows that no list shows."""
    if stream.name != "retainers":
        return set()
    rows = runs.after[stream.name]
    return {key for key, row in rows.items() if row.get("active") is False}


def test_activation_comes_after_the_records(runs: TwoRuns) -> None:
    for messages in (runs.first, runs.second):
        for number, message in enumerate(messages.all):
            if message["type"] == "ACTIVATE_VERSION":
                later = messages.all[number + 1 :]
                assert not [
                    each
                    for each in later
                    if each["type"] == "RECORD" and each["stream"] == message["stream"]
                ]
