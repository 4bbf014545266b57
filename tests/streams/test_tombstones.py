"""With `hard_deletes: tombstones`, rows that vanish are sent as keys and `_sdc_deleted_at`."""

from __future__ import annotations

from signal import SIGTERM
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import RunInterruptedError
from tap_freshbooks.extraction.completeness import ConsistentListReader
from tap_freshbooks.extraction.pagination import ListGrowsError
from tap_freshbooks.records import Tombstone
from tap_freshbooks.singer.record_writer import RecordWriter
from tap_freshbooks.streams.deletion_marks import MarkedStream
from tap_freshbooks.streams.key_book import KEYS
from tap_freshbooks.streams.resources.ledger import JournalEntryLines
from tap_freshbooks.tap import TapFreshBooks
from tests.conftest import settings_for
from tests.faults.target import Target
from tests.streams.tables import Pipeline, activated, tombstones, versions
from tests.support import Messages, catalog_of, failing_sync, sync
from tests.webhooks.fake_receiver import FakeReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from singer_sdk.singerlib.encoding.simple import Message

Config = dict[str, Any]

TOMBSTONES = {"hard_deletes": "tombstones"}
CUSTOM = {
    "custom_streams": [
        {
            "name": "my_services",
            "path": "/comments/business/{business_id}/services",
            "records_path": "services",
            "primary_keys": ["id"],
            "deletions": "hard_deletes",
            "schema": {"id": {"type": "integer"}, "name": {"type": "string"}},
        }
    ]
}


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    """Books for all tests here: each looks at rows that it has made itself."""
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        yield sandbox


@pytest.fixture
def config(books: Sandbox, tmp_path: Path) -> Config:
    return {**settings_for(books, tmp_path), **TOMBSTONES}


def new_tax(books: Sandbox, business: int | str = 1, **values: Any) -> int:
    """The id of a tax that is made for a test."""
    [row] = books.create("taxes", business, name="Short-lived", amount="3", **values)
    return int(row["id"])


def ids(messages: Messages, stream: str = "taxes") -> list[Any]:
    return [row["id"] for row in tombstones(messages, stream)]


def partitions(pipeline: Pipeline, stream: str = "taxes") -> list[dict[str, Any]]:
    assert pipeline.state
    found: list[dict[str, Any]] = pipeline.state["bookmarks"][stream]["partitions"]
    return found


@pytest.mark.parametrize(
    "streams",
    [
        ("taxes", "unified_tax_rates"),
        ("unified_tax_rates",),
        ("services",),
        ("ledger_accounts",),
        ("journal_entries", "journal_entry_lines"),
        ("journal_entry_lines",),
    ],
    ids="+".join,
)
def test_rows_that_vanish_are_sent_with_their_keys_and_the_time_once(
    books: Sandbox, config: Config, streams: tuple[str, ...]
) -> None:
    pipeline = Pipeline(config, *streams)
    first = pipeline.run()
    before = pipeline.living()
    resource = {"unified_tax_rates": "taxes", "journal_entry_lines": "journal_entries"}
    books.delete(resource.get(streams[0], streams[0]), "newest")

    second = pipeline.run()
    fresh = Pipeline(config, *streams)
    fresh.run()
    assert pipeline.living() == fresh.living() < before
    for messages in (first, second):
        assert activated(messages) == set()
        assert {version for _, version in versions(messages)} == {None}
    for schema in (message for message in second.all if message["type"] == "SCHEMA"):
        gone = tombstones(second, schema["stream"])
        assert gone
        flags = {"remote_deleted"} if schema["stream"].startswith("unified") else set()
        assert {frozenset(row) for row in gone} == {
            frozenset({*schema["key_properties"], "_sdc_deleted_at", *flags})
        }
        assert schema["schema"]["properties"]["_sdc_deleted_at"]["format"] == "date-time"
    # What lives says so, too: a row that comes back must not stay marked.
    living = [row for stream in streams for row in first.records[stream]]
    assert {row["_sdc_deleted_at"] for row in living} == {None}
    third = pipeline.run()
    assert all(tombstones(third, stream) == [] for stream in streams)


def test_two_connections_in_one_schema_touch_only_their_own_rows(
    books: Sandbox, config: Config
) -> None:
    here, there = (business["id"] for business in books.businesses()[:2])
    table = Target()
    names = ("taxes", "unified_tax_rates", "services")
    one = Pipeline({**config, "business_ids": [here]}, *names, target=table)
    other = Pipeline({**config, "business_ids": [there]}, *names, target=table)
    gone, stays = new_tax(books, here), new_tax(books, there)
    one.run()
    other.run()
    everything = one.living()
    books.delete("taxes", gone, here)
    assert ids(one.run()) == [gone]
    assert ids(other.run()) == []
    lost = {key for _, key in everything - one.living()}
    assert {key[-1] for key in lost} == {gone, f"taxes:{gone}"}
    books.delete("taxes", stays, there)
    assert ids(one.run()) == []
    assert ids(other.run()) == [stays]


def test_partitions_that_a_run_does_not_read_keep_their_rows_and_keys(
    books: Sandbox, config: Config
) -> None:
    here, there = (business["id"] for business in books.businesses()[:2])
    gone = new_tax(books, there)
    pipeline = Pipeline(config, "taxes")
    pipeline.run(business_ids=[here, there])
    books.delete("taxes", gone, there)
    kept = partitions(pipeline)[1][KEYS]
    assert ids(pipeline.run(business_ids=[here])) == []
    assert partitions(pipeline)[1][KEYS] == kept
    account = books.businesses()[1]["account_id"]
    found = tombstones(pipeline.run(business_ids=[here, there]), "taxes")
    assert [(row["account_id"], row["id"]) for row in found] == [(account, gone)]


@pytest.mark.parametrize("fault", ["deny", "status", "answer"])
def test_a_partition_that_cannot_be_read_to_its_end_declares_nothing_gone(
    books: Sandbox, config: Config, fault: str
) -> None:
    gone = new_tax(books)
    pipeline = Pipeline({**config, "max_attempts": 1}, "taxes", "unified_tax_rates")
    pipeline.run()
    books.delete("taxes", gone)
    path = f"*/{books.businesses()[0]['account_id']}/taxes/*"
    body = {"content": "{}"} if fault == "answer" else {}
    books.faults(fault, path=path, client_id=config["client_id"], **body)
    if fault == "deny":
        messages = pipeline.run()
    else:
        messages, _ = failing_sync(pipeline.config, *pipeline.streams, state=pipeline.state)
        pipeline.load(messages)
    books.faults_clear()
    assert ids(messages) == ids(messages, "unified_tax_rates") == []
    messages = pipeline.run()
    assert ids(messages) == [gone]
    assert ids(messages, "unified_tax_rates") == [f"taxes:{gone}"]


def test_rows_of_a_reading_that_failed_half_way_are_known(
    books: Sandbox, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(config, "taxes")
    pipeline.run()
    sent, refused = sorted(new_tax(books) for _ in range(2))
    write = RecordWriter.write

    def fail(self: RecordWriter, record: Any, *take: Any) -> bool:
        if record["id"] == min(refused, sent):
            raise ArithmeticError
        return write(self, record, *take)

    with monkeypatch.context() as patch:
        patch.setattr(RecordWriter, "write", fail)
        messages, _ = failing_sync(config, "taxes", state=pipeline.state)
    pipeline.load(messages)
    [arrived] = [row["id"] for row in messages.records["taxes"]]
    books.delete("taxes", arrived)
    assert ids(pipeline.run()) == [arrived]


def test_a_derived_stream_that_fails_declares_nothing_gone(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("journal_entries", "journal_entry_lines")
    pipeline = Pipeline(config, *names)
    pipeline.run()
    everything = pipeline.living()
    with monkeypatch.context() as patch:
        patch.setattr(JournalEntryLines, "lines_of", None)
        messages, sentence = failing_sync(config, *names, state=pipeline.state)
    assert ": journal_entry_lines (" in sentence
    pipeline.load(messages)
    pipeline.run()
    assert pipeline.living() == everything
    assert tombstones(messages, names[1]) == []


def test_rows_that_were_sent_before_a_signal_are_known(books: Sandbox, config: Config) -> None:
    class Impatient(Messages):
        def write_message(self, message: Message) -> None:
            super().write_message(message)
            if len(self.records["taxes"]) == 2 and message.to_dict()["type"] == "RECORD":
                tap.on_signal(SIGTERM)

    messages = Impatient()
    last = new_tax(books)  # comes first
    tap = TapFreshBooks(config=config, catalog=catalog_of("taxes"), message_writer=messages)
    with pytest.raises(RunInterruptedError):
        tap.sync()
    assert messages.records["taxes"][0]["id"] == last
    books.delete("taxes", last)
    assert ids(sync(config, "taxes", state=messages.state)) == [last]


def test_tombstones_whose_state_was_lost_are_sent_again(books: Sandbox, config: Config) -> None:
    gone = new_tax(books)
    first = sync(config, "taxes")
    books.delete("taxes", gone)
    assert ids(sync(config, "taxes", state=first.state)) == [gone]
    assert ids(sync(config, "taxes", state=first.state)) == [gone]


def test_what_a_target_cannot_have_is_sent_whatever_its_timestamp_is(
    books: Sandbox, config: Config
) -> None:
    settings = {**config, "start_date": "2999-01-01T00:00:00Z"}
    pipeline = Pipeline(settings, "taxes")
    pipeline.run()
    fresh = Pipeline(config, "taxes")
    fresh.run()
    assert pipeline.keys() == fresh.keys()
    old = new_tax(books, updated="2020-01-01 00:00:00")
    messages = pipeline.run()
    assert [row["id"] for row in messages.records["taxes"]] == [old]
    assert pipeline.run().records["taxes"] == []
    books.delete("taxes", old)
    assert ids(pipeline.run()) == [old]


def test_a_row_that_comes_back_lives(books: Sandbox, config: Config) -> None:
    pipeline = Pipeline(config, "taxes")
    pipeline.run()
    everything = pipeline.living()
    path = f"*/{books.businesses()[0]['account_id']}/taxes/*"
    edits = [{"edit": "remove", "path": "response.result.taxes.0"}]
    edits.append({"edit": "remove", "path": "response.result.total"})
    books.faults("answer", path=path, client_id=config["client_id"], edits=edits)
    [gone] = ids(pipeline.run())
    assert {key[-1] for _, key in everything - pipeline.living()} == {gone}
    books.faults_clear()
    pipeline.run()
    assert pipeline.living() == everything


def test_above_the_bound_nothing_is_declared_gone_and_a_sentence_says_so(
    books: Sandbox, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    business = books.businesses()[0]
    gone = [new_tax(books) for _ in range(4)]
    small = {"max_state_keys": 3, "business_ids": [business["id"]]}
    pipeline = Pipeline(config, "taxes")
    first = pipeline.run(**small)
    assert partitions(pipeline)[0][KEYS] == {"too_many": True}
    subject = f"taxes of {business['name']} (business {business['id']}) has more than 3 rows"
    assert subject in caplog.text
    assert "needs a schema of its own" in caplog.text
    books.delete("taxes", gone[0])
    messages = pipeline.run(**small)
    assert ids(messages) == []
    assert len(messages.records["taxes"]) < len(first.records["taxes"])  # the old ones are known

    pipeline.run(business_ids=[business["id"]])
    books.delete("taxes", gone[1])
    assert ids(pipeline.run(business_ids=[business["id"]])) == [gone[1]]
    books.delete("taxes", gone[2])
    assert ids(pipeline.run(**small)) == []


def test_keys_that_somebody_has_damaged_declare_nothing_gone(
    books: Sandbox, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = new_tax(books), new_tax(books)
    pipeline = Pipeline(config, "taxes")
    pipeline.run()
    everything = pipeline.keys()
    partitions(pipeline)[0][KEYS]["columns"][0]["data"] = "damaged"
    books.delete("taxes", first)
    assert ids(pipeline.run()) == []
    assert "the state has under `keys` something else than keys" in caplog.text
    books.delete("taxes", second)
    assert ids(pipeline.run()) == [second]
    assert pipeline.keys() == everything


def test_no_way_back_to_versions_removes_rows_of_others(
    books: Sandbox, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = (business["id"] for business in books.businesses()[:2])
    table, names = Target(), ("taxes", "services")
    activating = {**config, "hard_deletes": "activate_version", "business_ids": [here]}
    one = Pipeline(activating, *names, target=table)
    assert activated(one.run())
    gone, later = new_tax(books, here), new_tax(books, here)
    assert activated(one.run(**TOMBSTONES)) == set()
    other = Pipeline({**config, "business_ids": [there]}, *names, target=table)
    other.run()
    books.delete("taxes", gone, here)
    assert ids(one.run(**TOMBSTONES)) == [gone]
    everything = one.keys()

    books.delete("taxes", later, here)
    back = one.run()
    assert activated(back) == set()
    assert {version for _, version in versions(back)} <= {None}
    assert one.keys() >= everything
    assert "last filled with hard_deletes: tombstones" in caplog.text
    assert ids(one.run(**TOMBSTONES)) == [later]

    assert one.state
    for name in names:  # as the sentence says, for a table that is this connection's alone
        del one.state["bookmarks"][name]["hard_deletes"]
    assert {stream for stream, _ in activated(one.run())} == set(names)


def test_with_keep_nothing_is_sent_and_no_way_back_removes_rows(
    books: Sandbox, config: Config
) -> None:
    gone = new_tax(books)
    pipeline = Pipeline({**config, "hard_deletes": "keep"}, "taxes", "services")
    pipeline.run()
    everything = pipeline.keys()
    books.delete("taxes", gone)
    books.delete("services", "newest")
    for settings in ({}, {"hard_deletes": "activate_version"}):
        messages = pipeline.run(**settings)
        assert activated(messages) == set()
        assert {version for _, version in versions(messages)} <= {None}
        assert ids(messages) == ids(messages, "services") == []
        assert pipeline.keys() == everything


def test_deletions_that_events_report_are_told_once_or_not_at_all(
    books: Sandbox, config: Config, tmp_path: Path
) -> None:
    names = ("taxes", "unified_tax_rates")
    receiver = FakeReceiver(books, tmp_path)
    settings = receiver.settings(config)
    pipeline = Pipeline(settings, *names)
    keeping = Pipeline({**settings, "hard_deletes": "keep"}, *names)
    gone = new_tax(books)
    pipeline.run()
    keeping.run()
    came = new_tax(books)
    receiver.deliver("tax.create", came)
    assert [row["id"] for row in pipeline.run().records["taxes"]] == [came]
    books.delete("taxes", gone)
    books.delete("taxes", came)
    receiver.deliver("tax.delete", gone)  # that of the other one is lost

    messages = pipeline.run()
    lists = pipeline.run(reconcile_interval=0)
    assert (ids(messages), ids(lists)) == ([gone], [came])
    assert ids(messages, names[1]) == [f"taxes:{gone}"]
    assert ids(lists, names[1]) == [f"taxes:{came}"]
    messages = keeping.run()
    assert ids(messages) == messages.records["unified_tax_rates"] == []


def test_the_mark_is_there_with_any_catalog_and_under_stream_maps(
    books: Sandbox, config: Config
) -> None:
    gone = new_tax(books)
    maps = {
        "taxes": {
            "__filter__": "float(amount) > 0",
            "label": "record['name']",
            "loud": "name.upper()",
            "double": "2 * id",
        }
    }
    catalog = catalog_of("taxes")  # of a discovery that knows nothing of tombstones
    [entry] = [each for each in catalog["streams"] if each["stream"] == "taxes"]
    assert "_sdc_deleted_at" in entry["schema"]["properties"]  # by its webhooks
    entry["metadata"].append(
        {"breadcrumb": ["properties", "_sdc_deleted_at"], "metadata": {"selected": False}}
    )

    def run(state: dict[str, Any] | None) -> Messages:
        messages = Messages()
        settings = {**config, "stream_maps": maps}
        TapFreshBooks(config=settings, catalog=catalog, state=state, message_writer=messages).sync()
        return messages

    first = run(None)
    books.delete("taxes", gone)
    second = run(first.state)
    [schema] = [message["schema"] for message in second.all if message["type"] == "SCHEMA"]
    assert {"label", "_sdc_deleted_at"} <= set(schema["properties"])
    [row] = tombstones(second, "taxes")
    assert (row["id"], row["double"], row["label"], row["loud"]) == (gone, 2 * gone, None, None)


@pytest.mark.parametrize("mode", ["tombstones", "activate_version"])
def test_rows_that_are_counted_and_not_shown_are_not_declared_gone(
    books: Sandbox, config: Config, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    # What a user sees who has lost a role: no refusal, and a total of all rows.
    pipeline = Pipeline({**config, "hard_deletes": mode}, "taxes", "unified_tax_rates")
    pipeline.run()
    before = pipeline.living()
    account = books.businesses()[0]["account_id"]
    hidden: list[dict[str, Any]] = []
    edits = [{"edit": "set", "path": "response.result.taxes", "value": hidden}]
    books.faults("answer", path=f"*/{account}/taxes/taxes*", edits=edits)
    gone = new_tax(books, 2)
    pipeline.run()
    books.delete("taxes", gone, 2)
    messages = pipeline.run()
    books.faults_clear()
    assert pipeline.living() >= before
    assert "FreshBooks counts rows, and shows none of them to this user" in caplog.text
    assert activated(messages) == set()
    assert ids(messages) == ([gone] if mode == "tombstones" else [])
    assert not ids(pipeline.run())
    assert pipeline.living() == before


def test_a_list_that_is_empty_has_lost_its_last_row(books: Sandbox, config: Config) -> None:
    pipeline = Pipeline(config, "taxes")
    first = pipeline.run()
    result = {"taxes": [], "total": 0, "pages": 0}
    edits = [
        {"edit": "set", "path": f"response.result.{name}", "value": value}
        for name, value in result.items()
    ]
    books.faults("answer", path="*/taxes/taxes*", edits=edits)
    messages = pipeline.run()
    books.faults_clear()
    assert len(ids(messages)) == len(first.records["taxes"])


MARK = "2026-02-03T14:15:00Z"


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"__filter__": "name == 'GST'"}, {"id": 7, "_sdc_deleted_at": MARK}),
        ({"id": "'tax-' + str(id)", "name": "name.upper()"}, {"id": "tax-7", "name": None}),
        ({"gone": "_sdc_deleted_at", "_sdc_deleted_at": None}, {"id": 7, "gone": MARK}),
        ({"row": "str(id)", "__key_properties__": ["row"]}, {"row": "7"}),
        ({"__key_properties__": None}, {"id": 7, "_sdc_deleted_at": MARK}),
        ({"_sdc_deleted_at": None}, None),
        ({"name": "name", "__else__": None}, None),
        ({"__key_properties__": ["name"]}, None),
        ({"row": "name + str(id)", "__key_properties__": ["row"]}, None),
    ],
    ids=str,
)
def test_a_stream_map_keeps_no_tombstone_back_and_makes_no_empty_row_of_it(
    caplog: pytest.LogCaptureFixture, fields: dict[str, Any], written: dict[str, Any] | None
) -> None:
    settings = {**TOMBSTONES, "stream_maps": {"taxes": fields}}
    tap = TapFreshBooks(config=settings, validate_config=False, catalog=catalog_of("taxes"))
    stream = tap.streams["taxes"]
    assert isinstance(stream, MarkedStream)
    gone = stream.tombstone({"account_id": "A", "id": 7, "_sdc_deleted_at": MARK})
    rows = [message.record for message in stream.record_messages(gone)]
    assert [{name: row[name] for name in written or ()} for row in rows] == (
        [] if written is None else [written]
    )
    assert ("taxes: rows that are gone stay in the target" in caplog.text) is (written is None)


@pytest.mark.parametrize(
    ("fields", "is_written"),
    [
        ({"__filter__": "name == 'Harbour Refit'"}, True),
        ({"remote_deleted": None}, False),
        ({"_sdc_deleted_at": None}, True),
        ({"remote_deleted": None, "_sdc_deleted_at": None}, False),
    ],
    ids=str,
)
def test_a_unified_row_without_its_flag_is_no_empty_row(
    caplog: pytest.LogCaptureFixture, fields: dict[str, Any], is_written: bool
) -> None:
    # By webhooks, so it has no mark; and flags that say something else.
    settings = {"stream_maps": {"unified_contacts": fields}}
    tap = TapFreshBooks(
        config=settings, validate_config=False, catalog=catalog_of("unified_contacts")
    )
    gone = Tombstone(company_id="c", id="clients:7", remote_deleted=True, is_customer=True)
    stream = tap.streams["unified_contacts"]
    assert isinstance(stream, MarkedStream)
    assert bool([*stream.record_messages(gone)]) is is_written
    assert ("unified_contacts: rows that are gone stay" in caplog.text) is not is_written


def test_a_tombstone_without_its_mark_is_no_empty_row(
    caplog: pytest.LogCaptureFixture, config: Config
) -> None:
    # By webhooks: in this stream the mark is a field like others, which can be deselected.
    catalog = catalog_of("clients")
    [entry] = [each for each in catalog["streams"] if each["stream"] == "clients"]
    entry["metadata"].append(
        {"breadcrumb": ["properties", "_sdc_deleted_at"], "metadata": {"selected": False}}
    )
    tap = TapFreshBooks(config=config, catalog=catalog)
    stream = tap.streams["clients"]
    assert isinstance(stream, MarkedStream)
    gone = stream.tombstone({"account_id": "A", "id": 7, "_sdc_deleted_at": MARK})
    assert not [*stream.record_messages(gone)]
    assert "clients: rows that are gone stay in the target" in caplog.text


def test_custom_streams_that_lose_rows_have_tombstones(books: Sandbox, config: Config) -> None:
    messages = []
    state = None
    for _ in range(2):
        writer = Messages()
        tap = TapFreshBooks(config={**config, **CUSTOM}, state=state, message_writer=writer)
        for name in list(tap.streams):
            if name != "my_services":
                tap.streams.pop(name)
        tap.sync()
        messages.append(writer)
        state = writer.state
        books.delete("services", "newest")
    [row] = tombstones(messages[1], "my_services")
    assert set(row) == {"business_id", "id", "_sdc_deleted_at"}


def test_a_list_that_kept_moving_declares_nothing_gone(
    books: Sandbox,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = new_tax(books)
    pipeline = Pipeline(config, "taxes")
    pipeline.run()
    books.delete("taxes", gone)
    read = ConsistentListReader._read

    def read_in_vain(self: ConsistentListReader, *queries: Any) -> Iterator[Any]:
        yield from read(self, *queries)
        raise ListGrowsError("it grows")

    with monkeypatch.context() as patch:
        patch.setattr(ConsistentListReader, "_read", read_in_vain)
        assert ids(pipeline.run()) == []
    assert "kept moving while it was read" in caplog.text
    assert ids(pipeline.run()) == [gone]
