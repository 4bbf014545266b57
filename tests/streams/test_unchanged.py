"""What the target has is not sent again; and it has what FreshBooks has, whatever happened."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from signal import SIGTERM
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import RunInterruptedError
from tap_freshbooks.singer import held_records
from tap_freshbooks.streams import delivery, table_versions
from tap_freshbooks.streams.delivering_stream import DeliveringStream
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.tap import TapFreshBooks
from tests.conftest import settings_for
from tests.streams.tables import Pipeline, activated, versions
from tests.support import Messages, catalog_of, every_stream, failing_sync, sync
from tests.webhooks.fake_receiver import FakeReceiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


Config = dict[str, Any]

EDITED = {
    "invoices": ("invoices", "notes", ("invoice_lines",)),
    "credit_notes": ("credit_notes", "notes", ("credit_note_lines",)),
    "taxes": ("taxes", "name", ("unified_tax_rates",)),
    "services": ("services", "name", ("service_rates",)),
}
"""Streams of each kind: what is edited, which field, and what else is selected."""


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    """Books for all tests here, which may edit them."""
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        yield sandbox


@pytest.fixture
def config(books: Sandbox, tmp_path: Path) -> Config:
    return settings_for(books, tmp_path)


def digests(state: dict[str, Any] | None, stream: str) -> list[str | None]:
    assert state
    entry = state["bookmarks"][stream]
    return [each.get("delivered_digest") for each in entry.get("partitions", [entry])]


def tables(pipeline: Pipeline) -> dict[str, Any]:
    """All rows, without what is nothing but the moment at which they were read."""
    found: dict[str, Any] = {}
    for stream in pipeline.streams:
        rows = pipeline.target.table(stream)
        found[stream] = {
            key: {**row, "read_at": None, "_sdc_deleted_at": bool(row.get("_sdc_deleted_at"))}
            for key, row in rows.items()
        }
    return found


def fresh_tables(config: Config, *streams: str) -> dict[str, Any]:
    fresh = Pipeline(config, *streams)
    fresh.run()
    return tables(fresh)


def is_idle(messages: Messages) -> bool:
    return messages.records == {} and activated(messages) == set()


def test_nothing_new_is_no_record_of_any_stream(books: Sandbox, config: Config) -> None:
    only = [books.businesses()[0]["id"]]
    settings = {**config, "business_ids": only, "report_interval": "year"}
    first = sync(settings, *every_stream())
    assert len(first.records) > 80
    for message in (second := sync(settings, *every_stream(), state=first.state)).all:
        assert message["type"] in {"SCHEMA", "STATE"}
    assert second.state["bookmarks"].keys() == first.state["bookmarks"].keys()


@pytest.mark.parametrize("case", EDITED)
def test_what_changes_arrives_once_and_also_where_it_was_so_before(
    books: Sandbox, config: Config, case: str
) -> None:
    resource, field, others = EDITED[case]
    pipeline = Pipeline(config, case, *others)
    [row] = books.create(resource)
    books.update(resource, row["id"], **{field: "A"})
    pipeline.run()
    assert is_idle(pipeline.run())
    for text in ("B", "A"):
        books.update(resource, row["id"], **{field: text})
        changed = pipeline.run()
        if resource == case:
            assert text in {each[field] for each in changed.records[case]}
        assert activated(changed) == set() or "unified_tax_rates" in others
        assert tables(pipeline) == fresh_tables(config, case, *others)
        assert is_idle(pipeline.run())


@pytest.mark.parametrize("mode", ["activate_version", "tombstones"])
@pytest.mark.parametrize("case", [("services",), ("taxes", "unified_tax_rates")])
def test_rows_that_come_and_go_after_idle_runs_are_noticed(
    books: Sandbox, config: Config, case: tuple[str, ...], mode: str
) -> None:
    pipeline = Pipeline({**config, "hard_deletes": mode}, *case)
    pipeline.run()
    before = pipeline.living()
    [row] = books.create(case[0], name="For a moment")
    new = pipeline.run()
    assert len(pipeline.living()) == len(before) + len(case)
    assert bool(activated(new)) == (mode == "activate_version")
    assert is_idle(pipeline.run())
    books.delete(case[0], row["id"])
    pipeline.run()
    assert pipeline.living() == before
    assert is_idle(pipeline.run())


@pytest.mark.parametrize("stream", ["credit_notes", "other_incomes"])
def test_rows_that_are_deleted_and_come_back_arrive_each_time(
    books: Sandbox, config: Config, stream: str
) -> None:
    """Lists of deleted rows are not read each time, and their rows may have no timestamp."""
    key = "incomeid" if stream == "other_incomes" else "id"
    pipeline = Pipeline(config, stream)
    [row] = books.create(stream)
    pipeline.run()
    for is_deleted in (True, False, True):
        books.update(stream, row[key], vis_state=int(is_deleted))
        changed = pipeline.run()
        [sent] = [each for each in changed.records[stream] if each[key] == row[key]]
        assert bool(sent["_sdc_deleted_at"]) is is_deleted
        assert is_idle(pipeline.run())
    assert tables(pipeline) == fresh_tables(config, stream)


def test_an_old_row_that_is_deleted_is_sent_without_those_that_changed_lately(
    books: Sandbox, config: Config
) -> None:
    alive = [row["id"] for row in books.truth("payments") if row["vis_state"] == 0]
    old, lately = min(alive), max(alive)
    books.update("payments", lately, note="Changed lately")
    pipeline = Pipeline(config, "payments")
    pipeline.run()
    assert is_idle(pipeline.run())
    books.delete("payments", old)
    sent = pipeline.run().records["payments"]
    assert [(row["id"], bool(row["_sdc_deleted_at"])) for row in sent] == [(old, True)]
    assert is_idle(pipeline.run())


def test_a_change_that_leaves_all_rows_is_of_the_version_that_is_active(
    books: Sandbox, config: Config
) -> None:
    pipeline = Pipeline(config, "services")
    active = activated(pipeline.run())
    here, *_ = books.businesses()
    books.update("services", "oldest", name="Renamed")
    changed = pipeline.run()
    assert activated(changed) == set()
    assert versions(changed) == active
    assert {row["business_id"] for row in changed.records["services"]} == {here["id"]}


def test_what_was_sent_in_the_last_day_is_not_sent_again_while_the_day_passes(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    """Rows leave the day before the bookmark, one after the other."""
    names = ("invoices", "invoice_lines")
    now = datetime.now(UTC).replace(microsecond=0)
    first, second = (row["id"] for row in own_sandbox.truth("invoices")[:2])
    pipeline = Pipeline(own_config, *names)
    for hours, edited in ((-40, first), (-30, second)):
        own_sandbox.clock(now=(now + timedelta(hours=hours)).isoformat(), frozen=True)
        own_sandbox.update("invoices", edited, notes="mended")
        messages = pipeline.run()
        assert edited in {row["id"] for row in messages.records["invoices"]}
    for hours in (-18, -7, 0):
        own_sandbox.clock(now=(now + timedelta(hours=hours)).isoformat(), frozen=True)
        assert is_idle(pipeline.run())


def test_a_full_read_of_every_run_sends_nothing_twice_either(
    books: Sandbox, config: Config
) -> None:
    pipeline = Pipeline({**config, "full_refresh_interval": 0}, "invoices", "time_entries", "items")
    pipeline.run()
    assert is_idle(pipeline.run())
    books.update("items", "oldest", name="Renamed")
    changed = pipeline.run()
    assert changed.records.keys() == {"items"}
    assert is_idle(pipeline.run())


def test_an_edit_while_a_list_is_read_arrives_and_is_sent_once(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    own_sandbox.create("invoices", count=150)
    own_sandbox.faults(
        "change",
        action="update",
        resource="invoices",
        which="newest",
        values={"notes": "mended meanwhile"},
        path="*/invoices/invoices",
        times=1,
    )
    pipeline = Pipeline(own_config, "invoices")
    first = pipeline.run()
    [row] = [each for each in first.records["invoices"] if each["notes"] == "mended meanwhile"]
    keys = [each["id"] for each in first.records["invoices"]]
    assert keys.count(row["id"]) == 2
    assert is_idle(pipeline.run())


def test_another_catalog_or_stream_map_sends_again(config: Config) -> None:
    pipeline = Pipeline(config, "services", "identity")
    pipeline.run()
    catalog = catalog_of("services", "identity")
    for entry in catalog["streams"]:
        if entry["stream"] == "services":
            for each in entry["metadata"]:
                if each["breadcrumb"] == ["properties", "billable"]:
                    each["metadata"]["selected"] = False
    state = deepcopy(pipeline.state)
    for sends in (True, False):
        messages = Messages()
        tap = TapFreshBooks(config=config, catalog=catalog, state=state, message_writer=messages)
        tap.sync()
        assert bool(messages.records["services"]) is sends
        assert not messages.records["identity"]
        state = messages.state
    mapped = {**config, "stream_maps": {"services": {"name": "name.upper()"}}}
    upper = sync(mapped, "services", "identity", state=pipeline.state)
    assert upper.records.keys() == {"services"}
    assert is_idle(sync(mapped, "services", "identity", state=upper.state))


def test_a_derived_stream_that_is_selected_later_is_sent(config: Config) -> None:
    first = sync(config, "credit_notes")
    both = sync(config, "credit_notes", "credit_note_lines", state=first.state)
    assert both.records["credit_note_lines"]
    assert is_idle(sync(config, "credit_notes", "credit_note_lines", state=both.state))
    assert is_idle(sync(config, "credit_note_lines", state=both.state))


def test_a_report_and_its_rows_are_of_the_same_reading(books: Sandbox, config: Config) -> None:
    names = ("report_expense_details", "report_expense_details_rows")
    pipeline = Pipeline(config, *names)
    first = pipeline.run()
    assert is_idle(pipeline.run())
    account = books.businesses()[0]["account_id"]
    report = next(each for each in first.records[names[0]] if each["account_id"] == account)
    amount = {"amount": "12.34", "code": report["report_currency"]}
    books.create("expenses", date=datetime.now(UTC).date().isoformat(), amount=amount)
    changed = pipeline.run()
    read = {name: {row["read_at"] for row in changed.records[name]} for name in names}
    assert read[names[1]] <= read[names[0]] != set()
    assert tables(pipeline) == fresh_tables(config, *names)


@pytest.mark.parametrize("stream", ["bill_payments", "services"])
def test_a_reading_that_fails_leaves_nothing_that_would_be_believed(
    books: Sandbox, config: Config, stream: str
) -> None:
    pipeline = Pipeline({**config, "max_attempts": 1}, stream)
    pipeline.run()
    everything = tables(pipeline)
    here, other = books.businesses()[:2]
    words = [str(here[name]) for name in ("id", "account_id")]
    for scope in words:
        books.faults(
            "status", status=500, path=f"*/{scope}/*{stream}", client_id=config["client_id"]
        )
    try:
        messages, _ = failing_sync(pipeline.config, stream, state=pipeline.state)
    finally:
        books.faults_clear()
    pipeline.load(messages)
    assert messages.records == {}
    lost, *kept = digests(pipeline.state, stream)
    if other["account_id"] != here["account_id"]:
        assert kept.count(None) + (lost is None) == 1
    pipeline.run()
    assert tables(pipeline) == everything
    assert is_idle(pipeline.run())


def test_a_derived_stream_that_fails_is_sent_whole_by_the_next_run(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("credit_notes", "credit_note_lines")
    pipeline = Pipeline(config, *names)
    pipeline.run()
    with monkeypatch.context() as patch:
        patch.setattr(LineItems, "lines_of", None)
        messages, _ = failing_sync(config, *names, state=pipeline.state)
    assert messages.records == {}  # the credit notes have not changed
    pipeline.load(messages)
    assert None in digests(pipeline.state, names[1])
    repaired = pipeline.run()
    assert repaired.records[names[1]]
    assert is_idle(pipeline.run())


@pytest.mark.parametrize("stream", ["services", "identity"])
def test_before_the_first_new_record_a_state_says_that_the_digest_is_gone(
    books: Sandbox, config: Config, stream: str
) -> None:
    """A run that is killed afterwards may have changed rows in the target."""
    first = sync(config, stream)
    if stream == "identity":
        renamed = [{"edit": "set", "path": "response.first_name", "json": '"B"'}]
        books.faults("answer", path="*/users/me", edits=renamed, client_id=config["client_id"])
    else:
        books.update(stream, "newest", name="B", note="B")
    try:
        second = sync(config, stream, state=first.state)
    finally:
        books.faults_clear()
    position = [each["type"] for each in second.all].index("RECORD")
    states = [each["value"] for each in second.all[:position] if each["type"] == "STATE"]
    assert digests(states[-1], stream).count(None) == 1
    assert None not in digests(second.state, stream)


def test_a_signal_while_records_are_held_back_leaves_state_and_target_as_they_were(
    books: Sandbox, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**config, "hard_deletes": "tombstones"}
    pipeline = Pipeline(settings, "taxes", "services")
    pipeline.run()
    before = deepcopy(pipeline.state)
    books.create("taxes", name="New")
    books.create("services", name="New")
    messages = Messages()
    tap = TapFreshBooks(
        config=settings,
        catalog=catalog_of(*pipeline.streams),
        state=deepcopy(before),
        message_writer=messages,
    )
    settle = delivery.Delivery.settle

    def interrupted(self: delivery.Delivery) -> None:
        if self.holds:
            tap.on_signal(SIGTERM)
        settle(self)

    with monkeypatch.context() as patch:
        patch.setattr(delivery.Delivery, "settle", interrupted)
        with pytest.raises(RunInterruptedError):
            tap.sync()
    assert messages.records == {}
    pipeline.load(messages)
    assert before
    assert pipeline.state
    for name in pipeline.streams:
        then, now = (state["bookmarks"][name]["partitions"] for state in (before, pipeline.state))
        for each in then:
            each.pop("keys_digest", None)  # of a reading that is over
        assert [{**each, "keys_digest": None} for each in now] == [
            {**each, "keys_digest": None} for each in then
        ]
    pipeline.run()
    assert tables(pipeline) == fresh_tables(settings, *pipeline.streams)


def test_a_signal_between_records_that_were_held_back(
    own_sandbox: Sandbox, own_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are out may vanish, and those that are not may be old: none is forgotten."""
    settings = {**own_config, "hard_deletes": "tombstones"}
    here, *_ = own_sandbox.businesses()
    pipeline = Pipeline(settings, "taxes")
    pipeline.run()
    known = pipeline.living()
    now = datetime.now(UTC)
    own_sandbox.clock(now=(now - timedelta(days=5)).isoformat())
    own_sandbox.create("taxes", count=4, business=here["id"])
    own_sandbox.clock(now=now.isoformat())
    messages = Messages()
    tap = TapFreshBooks(
        config=settings,
        catalog=catalog_of("taxes"),
        state=deepcopy(pipeline.state),
        message_writer=messages,
    )
    write_held = DeliveringStream.write_held

    def interrupted(self: DeliveringStream, lines: Iterable[bytes], rows: int) -> None:
        for position, line in enumerate(lines):
            if position == 2:
                tap.on_signal(SIGTERM)
            write_held(self, [line], rows)

    with monkeypatch.context() as patch:
        patch.setattr(DeliveringStream, "write_held", interrupted)
        with pytest.raises(RunInterruptedError):
            tap.sync()
    pipeline.load(messages)
    (_, (_, vanishing)), _ = pipeline.living() - known
    own_sandbox.delete("taxes", vanishing)
    pipeline.run()
    fresh = Pipeline(settings, "taxes")
    fresh.run()
    assert pipeline.living() == fresh.living()


@pytest.mark.parametrize("names", [("services",), ("taxes", "unified_tax_rates"), ("invoices",)])
def test_what_is_too_much_to_be_held_back_is_sent(
    own_sandbox: Sandbox,
    own_config: Config,
    names: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = Pipeline({**own_config, "full_refresh_interval": 0}, *names)
    [row, *_] = own_sandbox.create(names[0], count=120)
    pipeline.run()
    assert is_idle(pipeline.run())
    monkeypatch.setattr(held_records, "CHUNK", 1)
    monkeypatch.setattr(delivery, "MAX_HELD", 600)
    monkeypatch.setattr(table_versions, "MAX_HELD", 600)
    again = pipeline.run()
    assert row["id"] in {each["id"] for each in again.records[names[0]]}
    assert bool(activated(again)) == (names[0] != "invoices")
    own_sandbox.delete(names[0], row["id"])
    pipeline.run()
    assert tables(pipeline) == fresh_tables(pipeline.config, *names)


def test_objects_that_webhooks_name_end_what_is_known_of_a_list(
    own_sandbox: Sandbox, own_config: Config, tmp_path: Path
) -> None:
    receiver = FakeReceiver(own_sandbox, tmp_path)
    pipeline = Pipeline(receiver.settings(own_config), "credit_notes", "credit_note_lines")
    row = own_sandbox.truth("credit_notes")[0]
    own_sandbox.update("credit_notes", row["id"], notes="A")
    pipeline.run()
    own_sandbox.update("credit_notes", row["id"], notes="B")
    receiver.deliver("credit_note.update", row["id"])
    changed = pipeline.run()
    assert [each["notes"] for each in changed.records["credit_notes"]] == ["B"]
    own_sandbox.update("credit_notes", row["id"], notes="A")  # of which no event comes
    pipeline.run(reconcile_interval=0)
    assert tables(pipeline) == fresh_tables(own_config, *pipeline.streams)
    assert is_idle(pipeline.run(reconcile_interval=0))


def test_rows_in_batch_files_end_it_too(books: Sandbox, config: Config, tmp_path: Path) -> None:
    storage = {"root": (tmp_path / "batches").as_uri()}
    batch = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": storage}
    (tmp_path / "batches").mkdir()
    first = sync(config, "bill_payments")
    books.update("bill_payments", "newest", note="B")
    filed = sync({**config, "batch_config": batch}, "bill_payments", state=first.state)
    assert digests(filed.state, "bill_payments") == [None, None]


def test_what_was_refused_in_between_is_sent_again(books: Sandbox, config: Config) -> None:
    """The row of a company then had no columns of its system."""
    pipeline = Pipeline(config, "unified_company_info")
    pipeline.run()
    everything = tables(pipeline)
    books.faults("deny", path="*/systems/*", client_id=config["client_id"])
    try:
        pipeline.run()
        assert tables(pipeline) != everything
        assert is_idle(pipeline.run())
    finally:
        books.faults_clear()
    pipeline.run()
    assert tables(pipeline) == everything
    assert is_idle(pipeline.run())


def test_a_row_that_a_stream_map_leaves_out_from_now_on_leaves_the_table(
    books: Sandbox, config: Config
) -> None:
    maps = {"taxes": {"__filter__": "name != 'Hidden'"}}
    pipeline = Pipeline({**config, "stream_maps": maps}, "taxes")
    [row] = books.create("taxes", name="Shown")
    pipeline.run()
    before = pipeline.keys()
    books.update("taxes", row["id"], name="Hidden")
    pipeline.run()
    assert len(pipeline.keys()) == len(before) - 1
    assert is_idle(pipeline.run())
