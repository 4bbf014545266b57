"""A stream fails alone: of one business, with what is made of it, and nothing else."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import ConnectionFailedError
from tap_freshbooks.singer.record_writer import RecordWriter
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.transport.outage import CHECKS
from tap_freshbooks.transport.retry_budget import MAX_RETRIES_OF_STREAM
from tap_freshbooks.unified.streams import UnifiedStream
from tests.conftest import settings_for
from tests.faults.target import Target
from tests.support import catalog_of, failing_sync, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import Command, Messages

Config = dict[str, Any]

CONSUMERS = ("invoices", "invoice_lines", "unified_invoices")
BYSTANDERS = (
    *("identity", "businesses", "clients", "client_contacts", "payments", "projects", "taxes"),
    *("ledger_accounts", "unified_payments", "ledger_account_sub_types"),
)
"""Streams of each family, before and after invoices."""

STREAMS = (*CONSUMERS, *BYSTANDERS)


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=130, rate_limit=0) as running:
        yield running


@pytest.fixture
def settings(books: Sandbox, tmp_path: Path) -> Config:
    return {**settings_for(books, tmp_path), "max_attempts": 2}


@pytest.fixture(scope="module")
def whole(books: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Messages:
    """What a run delivers that nothing disturbs."""
    return sync(settings_for(books, tmp_path_factory.mktemp("whole")), *STREAMS)


@contextmanager
def fault(books: Sandbox, kind: str, **options: Any) -> Iterator[None]:
    """Disturb the requests of a block."""
    books.faults(kind, **options)
    try:
        yield
    finally:
        books.faults_clear()


def rows(messages: Messages, stream: str, **values: Any) -> list[str]:
    """The records of a stream with these values, as text, in an order of their own."""
    records = (each for each in messages.records[stream] if values.items() <= each.items())
    moments = ("_sdc_extracted_at", "read_at")
    return sorted(
        json.dumps({k: v for k, v in each.items() if k not in moments}) for each in records
    )


def bookmarks(messages: Messages, stream: str) -> dict[Any, str | None]:
    """The bookmark of each partition of a stream."""
    state = messages.state["bookmarks"][stream]
    return {
        next(iter(each["context"].values())): each.get("replication_key_value")
        for each in state["partitions"]
    }


class Answer(NamedTuple):
    """An answer that makes no sense, and a part of the sentence about it."""

    fault: dict[str, Any]
    says: str


def page(**result: Any) -> str:
    return json.dumps({"response": {"result": result}})


HTML = "<html><body>Access denied by policy</body></html>"
ANSWERS = {
    "another list key": Answer(
        {"content": page(manualInvoices=[], page=1, pages=0, total=0)},
        "no list at response.result.invoices; it has one at response.result.manualInvoices",
    ),
    "rows that are no objects": Answer(
        {"content": page(invoices=[1, 2], page=1, pages=1)}, "objects"
    ),
    "a row without its key": Answer(
        {"content": page(invoices=[{"a": 1}], page=1, pages=1)}, "without id"
    ),
    "another page": Answer(
        {"content": page(invoices=[], page=7, pages=9, total=900)}, "page 7 when asked for page 1"
    ),
    "HTML of a firewall": Answer(
        {"content": HTML, "status": 403}, "an HTML page of a proxy or firewall"
    ),
    "HTML that is not found": Answer(
        {"content": HTML, "status": 404}, "404 Not Found with an HTML page"
    ),
    "HTML for JSON": Answer({"content": HTML, "status": 200}, "200 OK with an HTML page"),
    "an empty refusal": Answer({"content": "", "status": 403}, "403 Forbidden with an empty body"),
    "a gateway's 401": Answer(
        {"content": HTML, "status": 401}, "401 Unauthorized with an HTML page"
    ),
    "a gateway's JSON": Answer(
        {"content": '{"message": "Forbidden"}', "status": 403}, "JSON of a proxy or gateway"
    ),
    "a wrong request": Answer(
        {
            "content": '{"response": {"errors": [{"errno": 1014, "message": "page"}]}}',
            "status": 400,
        },
        "400 Bad Request: page (errno 1014)",
    ),
    "a broken server": Answer({"content": "oops", "status": 500}, "gave up after 2 attempts"),
    "half an answer": Answer({"content": '{"response": {"result"'}, "not complete JSON"),
    "a list": Answer({"content": "[]"}, "no list at response.result.invoices"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_whatever_a_list_is_answered_costs_that_stream_of_that_business(
    books: Sandbox,
    settings: Config,
    whole: Messages,
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer, says = ANSWERS[kind]
    broken, *others = books.businesses()[:2]
    path = f"*/{broken['account_id']}/invoices/invoices"
    with fault(books, "answer", path=path, **answer):
        messages, sentence = failing_sync(settings, *STREAMS)

    for stream in BYSTANDERS:
        assert rows(messages, stream) == rows(whole, stream), stream
        if "partitions" in whole.state["bookmarks"].get(stream, {}):
            there = {key: bool(value) for key, value in bookmarks(messages, stream).items()}
            assert there == {key: bool(value) for key, value in bookmarks(whole, stream).items()}
    for stream in CONSUMERS:
        for business in others:
            own = "company_id" if stream.startswith("unified_") else "account_id"
            value = (
                f"businesses:{business['id']}" if own == "company_id" else business["account_id"]
            )
            assert rows(messages, stream, **{own: value}) == rows(whole, stream, **{own: value})
            assert rows(messages, stream, **{own: value})
            assert bookmarks(messages, stream)[business["account_id"]], stream
        assert bookmarks(messages, stream)[broken["account_id"]] is None

    name = f"{broken['name']} (business {broken['id']})"
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    [first, *at_the_end] = errors
    assert first.startswith(f"Failed: invoices of {name}: ")
    assert says in first
    assert first.count("invoices of ") == 1
    assert ": invoices: " not in first
    assert first.endswith(f"The bookmark of {', '.join(CONSUMERS)} stays where it was")
    assert at_the_end == [f"Not read completely: {stream} of {name}" for stream in CONSUMERS]
    assert sentence.startswith(f"3 streams could not be read completely: {', '.join(CONSUMERS)} (")
    assert books.stats(settings["client_id"])["refreshes"] == 1


def test_what_had_arrived_is_delivered_and_read_again_by_the_next_run(
    books: Sandbox, settings: Config, whole: Messages
) -> None:
    account = books.businesses()[0]["account_id"]
    with fault(books, "status", status=500, path=f"*/{account}/invoices/invoices", skip=1):
        first, _ = failing_sync({**settings, "max_concurrency": 1}, *STREAMS)
    assert len(first.records["invoices"]) >= 100
    assert bookmarks(first, "invoices")[account] is None
    second = sync(settings, *STREAMS, state=first.state)
    for stream in CONSUMERS:
        assert {*rows(first, stream), *rows(second, stream)} >= set(rows(whole, stream))
        assert all(bookmarks(second, stream).values())


def test_the_state_of_a_good_business_is_out_before_the_next_stream_begins(
    books: Sandbox, settings: Config
) -> None:
    """The business before the one that fails, and the one after it."""
    first, second = (each["account_id"] for each in books.businesses()[:2])
    for broken, good in ((first, second), (second, first)):
        with fault(books, "status", status=500, path=f"*/{broken}/invoices/invoices"):
            messages, _ = failing_sync(settings, "invoices", "payments")
        kinds = [(each["type"], each.get("stream")) for each in messages.all]
        done = messages.all[: kinds.index(("SCHEMA", "payments"))]
        state = [each["value"] for each in done if each["type"] == "STATE"][-1]
        assert [
            each["context"]["account_id"]
            for each in state["bookmarks"]["invoices"]["partitions"]
            if each.get("replication_key_value")
        ] == [good]


def test_a_stream_that_may_lose_rows_activates_no_version_when_it_fails(
    own_sandbox: Sandbox, own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    own_sandbox.create("taxes", count=150)
    target = Target()
    names = ("taxes", "services", "unified_tax_rates")
    for message in sync(own_config, *names).all:
        target.apply(message)
    lossy = ("taxes", "unified_tax_rates")
    before = {name: set(target.table(name)) for name in lossy}
    account = own_sandbox.businesses()[0]["account_id"]
    own_sandbox.delete("taxes", "newest")
    own_config = {**own_config, "max_attempts": 1, "max_concurrency": 1}

    for skip in (0, 1):  # the first page, and one after rows have arrived
        path = f"*/{account}/taxes/taxes"
        own_sandbox.create("services", name=f"New {skip}")
        with fault(own_sandbox, "status", status=500, path=path, skip=skip):
            messages, sentence = failing_sync(own_config, *names, state=target.state)
        assert "2 streams could not be read completely: taxes, unified_tax_rates" in sentence
        activated = [each["stream"] for each in messages.all if each["type"] == "ACTIVATE_VERSION"]
        assert activated == ["services"]
        for message in messages.all:
            target.apply(message)
        assert {name: set(target.table(name)) for name in lossy} == before

    assert "no ACTIVATE_VERSION is sent" in caplog.text
    for message in sync(own_config, *names, state=target.state).all:
        target.apply(message)
    assert len(target.table("taxes")) == len(before["taxes"]) - 1
    assert len(target.table("unified_tax_rates")) == len(before["unified_tax_rates"]) - 1


class CannotTellError(Exception):
    """An error that nobody foresaw; its text quotes a value."""


@pytest.mark.parametrize("source", ["clients", "taxes"])
def test_a_derived_stream_fails_alone_too(
    own_sandbox: Sandbox,
    own_config: Config,
    source: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    derived = {"clients": "unified_contacts", "taxes": "unified_tax_rates"}[source]
    other = {"clients": "client_contacts", "taxes": "services"}[source]
    names = (source, derived, other)
    target = Target()
    whole = sync(own_config, *names)
    for message in whole.all:
        target.apply(message)
    broken = own_sandbox.businesses()[0]
    if source == "taxes":
        own_sandbox.create("taxes", name="New")
        own_sandbox.create("services", name="New")
    else:
        own_sandbox.clock(advance=3 * 86_400)
        own_sandbox.update("clients", own_sandbox.truth("clients")[0]["id"], note="New")
    with monkeypatch.context() as patch:
        derive = UnifiedStream.derive

        def fail(self: UnifiedStream, record: Any, source: Any) -> Any:
            if record["account_id"] == broken["account_id"]:
                raise CannotTellError(record["id"])
            return derive(self, record, source)

        patch.setattr(UnifiedStream, "derive", fail)
        messages, sentence = failing_sync(own_config, *names, state=target.state)
    assert f"1 stream could not be read completely: {derived} (" in sentence
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    name = f"{broken['name']} (business {broken['id']})"
    assert re.fullmatch(
        rf"Failed: {source} of {re.escape(name)}: unexpected CannotTellError in "
        rf"\S+\.py, line \d+; please report this. The bookmark of {derived} stays where it was",
        errors[0],
    )
    assert errors[1:] == [f"Not read completely: {derived} of {name}"]
    activated = {each["stream"] for each in messages.all if each["type"] == "ACTIVATE_VERSION"}
    if source == "taxes":
        assert activated == {source, other}
    else:
        before, after = bookmarks(whole, source), bookmarks(messages, source)
        assert all(before[key] != after[key] for key in before)
        own = {"account_id": broken["account_id"], "source": source}
        kept = [
            [
                each
                for each in run.state["bookmarks"][derived]["partitions"]
                if each["context"] == own
            ]
            for run in (whole, messages)
        ]
        del kept[0][0]["keys_digest"]  # rows have come that no complete reading knows of
        assert kept[0][0].pop("delivered_digest")  # and what the target has is not certain
        kept[0][0].pop("deleted_digest", None)
        assert kept[0] == kept[1]
        assert kept[0][0]["replication_key_value"]
    for message in messages.all:
        target.apply(message)
    repaired = sync(own_config, *names, state=target.state)
    for message in repaired.all:
        target.apply(message)
    fresh = sync(own_config, *names)
    assert len(target.table(derived)) == len(fresh.records[derived])
    if source == "taxes":
        assert {source, derived} <= {
            each["stream"] for each in repaired.all if each["type"] == "ACTIVATE_VERSION"
        }


def test_of_a_stream_with_two_sources_the_one_that_fails_keeps_its_bookmark(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    [broken, other, *_] = [each["account_id"] for each in own_sandbox.businesses()]
    config = {**own_config, "max_attempts": 1}
    with fault(own_sandbox, "status", status=500, path=f"*/{broken}/bill_vendors/bill_vendors"):
        messages, sentence = failing_sync(config, "unified_contacts", "clients")
    assert "1 stream could not be read completely: unified_contacts (" in sentence
    booked = {
        (each["context"]["account_id"], each["context"]["source"]): "replication_key_value" in each
        for each in messages.state["bookmarks"]["unified_contacts"]["partitions"]
    }
    assert booked == {
        (broken, "clients"): True,
        (broken, "bill_vendors"): False,
        (other, "clients"): True,
        (other, "bill_vendors"): True,
    }
    fresh = sync(own_config, "unified_contacts", "clients")
    second = sync(own_config, "unified_contacts", "clients", state=messages.state)
    arrived = {row["id"] for run in (messages, second) for row in run.records["unified_contacts"]}
    assert arrived == {row["id"] for row in fresh.records["unified_contacts"]}


@pytest.mark.parametrize("step", ["begin", "finish"])
def test_what_comes_before_and_after_the_rows_fails_alone_too(
    settings: Config, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: HardDeleteStream) -> None:
        raise CannotTellError

    monkeypatch.setattr(HardDeleteStream, step, fail)
    messages, sentence = failing_sync(settings, "taxes", "payments", "projects")
    assert "1 stream could not be read completely: taxes (" in sentence
    assert messages.records["payments"]
    assert messages.records["projects"]
    assert not [each for each in messages.all if each["type"] == "ACTIVATE_VERSION"]


def test_a_record_that_cannot_be_written_costs_its_stream_and_ends_its_requests(
    own_sandbox: Sandbox, own_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_sandbox.create("payments", count=2_000)
    business = own_sandbox.businesses()[0]["id"]
    write = RecordWriter.write

    def fail(self: RecordWriter, record: Any, *take: Any) -> bool:
        if self._stream.name == "payments":
            raise CannotTellError
        return write(self, record, *take)

    monkeypatch.setattr(RecordWriter, "write", fail)
    config = {**own_config, "business_ids": [business], "max_concurrency": 2}
    messages, sentence = failing_sync(config, "payments", "invoices", "projects")
    assert "1 stream could not be read completely: payments (" in sentence
    assert messages.records["projects"]
    paths = own_sandbox.stats(own_config["client_id"])["paths"]
    [asked] = [number for path, number in paths.items() if path.endswith("/payments/payments")]
    assert asked < 12  # of more than 20 pages


def test_a_company_whose_system_fails_keeps_its_columns(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    whole = sync(own_config, "unified_company_info").records["unified_company_info"]
    broken = own_sandbox.businesses()[0]["id"]
    own_config["max_attempts"] = 1
    with fault(own_sandbox, "status", status=500, path=f"*/systems/{broken}"):
        messages, sentence = failing_sync(own_config, "unified_company_info")
    assert "unified_company_info" in sentence
    left = {row["id"]: row for row in messages.records["unified_company_info"]}
    assert left == {row["id"]: row for row in whole if row["id"] != f"businesses:{broken}"}


def test_a_list_that_belongs_to_no_business_fails_alone(
    books: Sandbox, settings: Config, caplog: pytest.LogCaptureFixture
) -> None:
    with fault(books, "answer", path="*/ledger_accounts/sub_types", content="{}"):
        messages, sentence = failing_sync(settings, "ledger_account_sub_types", "invoices")
    assert "1 stream could not be read completely: ledger_account_sub_types (" in sentence
    assert messages.records["invoices"]
    assert "Failed: ledger_account_sub_types: the answer has no list at data" in caplog.text
    with fault(books, "deny", path="*/ledger_accounts/sub_types"):
        sync(settings, "ledger_account_sub_types", "invoices")
    assert "Skipped ledger_account_sub_types: " in caplog.text


def test_batches_fail_alone_too(books: Sandbox, settings: Config, tmp_path: Path) -> None:
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
    }
    account = books.businesses()[0]["account_id"]
    with fault(books, "answer", path=f"*/{account}/payments/payments", content="{}"):
        messages, sentence = failing_sync(
            {**settings, "batch_config": batches}, "payments", "projects"
        )
    assert "1 stream could not be read completely: payments (" in sentence
    assert {each["stream"] for each in messages.all if each["type"] == "BATCH"} == {
        "payments",
        "projects",
    }
    assert bookmarks(messages, "payments")[account] is None


def test_a_test_of_the_connection_tells_of_the_first_failure(
    books: Sandbox, settings: Config, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings))
    with fault(books, "answer", path="*/users/clients", content="{}"):
        status, _, error = command("--config", str(file), "--test")
    assert status == 1
    assert error.splitlines()[-1].startswith("Error: clients of ")


# FreshBooks as a whole


def test_one_endpoint_that_is_broken_for_ever_takes_no_retries_from_the_others(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    """Here it fails in each business, and each other stream has trouble, too."""
    own_sandbox.faults("status", status=500, path="*/time_entries")
    own_sandbox.faults("status", status=503, path="*/projects", times=6)
    own_sandbox.faults("status", status=502, path="*/clients", times=6)
    messages, sentence = failing_sync(own_config, "time_entries", "projects", "clients", "taxes")
    assert "1 stream could not be read completely: time_entries (" in sentence
    assert all(messages.records[name] for name in ("projects", "clients", "taxes"))
    paths = own_sandbox.stats(own_config["client_id"])["paths"]
    asked = sum(number for path, number in paths.items() if "time_entries" in path)
    businesses = len([each for each in own_sandbox.businesses() if each["role"] != "client"])
    assert asked <= MAX_RETRIES_OF_STREAM + businesses


def test_an_outage_ends_the_run_and_does_not_fail_stream_after_stream(
    own_sandbox: Sandbox, own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    own_config = {**own_config, "max_attempts": 3, "max_concurrency": 2}
    own_sandbox.faults("status", status=503, skip=8)
    with pytest.raises(
        ConnectionFailedError, match=r"nor does FreshBooks say who we are"
    ) as raised:
        sync(own_config)
    assert raised.value.exit_status == 1
    assert "Failed: " not in caplog.text
    # The partitions that were begun ahead, and not all that there are.
    assert own_sandbox.stats(own_config["client_id"])["requests"] <= 8 + 8 * (3 + CHECKS)


def test_freshbooks_is_there_whatever_users_me_says(books: Sandbox, settings: Config) -> None:
    books.faults("deny", path="*/users/me", skip=1)
    with fault(books, "status", status=500, path="*/payments/payments"):
        messages, sentence = failing_sync(settings, "payments", "invoices")
    assert "payments" in sentence
    assert messages.records["invoices"]


def test_broken_streams_use_up_no_retries_of_one_that_has_trouble_later(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    broken = ("bills", "clients", "invoices", "payments", "items", "expenses")
    for stream in broken:
        own_sandbox.faults("status", status=500, path=f"*/{stream}/{stream}")
    own_sandbox.faults("status", status=500, path="*/users/clients")
    own_sandbox.faults("status", status=503, path="*/time_entries", times=6)
    messages, sentence = failing_sync(own_config, *broken, "time_entries")
    assert sentence.startswith(f"{len(broken)} streams could not be read completely: ")
    assert messages.records["time_entries"]


def test_a_stream_map_that_fails_is_a_setting_and_ends_the_run(
    books: Sandbox, settings: Config, command: Command, tmp_path: Path
) -> None:
    assert books
    settings["stream_maps"] = {"payments": {"share": "nowhere"}}
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings))
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(catalog_of("payments", "projects")))
    status, output, error = command("--config", str(file), "--catalog", str(catalog))
    assert status == 2
    assert error.splitlines()[-1].startswith("Error: stream_maps of payments: share ")
    assert '"stream":"projects"' not in output


def test_a_firewall_before_all_of_freshbooks_ends_the_run_without_a_word_on_the_account(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    own_sandbox.faults("answer", status=401, content=HTML, content_type="text/html", skip=3)
    own_config["max_attempts"] = 2
    with pytest.raises(
        ConnectionFailedError, match="an HTML page of a proxy or firewall"
    ) as raised:
        sync(own_config, "invoices", "payments")
    assert raised.value.exit_status == 1
    assert own_sandbox.stats(own_config["client_id"])["refreshes"] == 1


def test_a_good_token_that_one_endpoint_rejects_is_no_dead_account(
    books: Sandbox, settings: Config, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"error": "unauthenticated", "error_description": "This action requires …"}
    options = {"status": 401, "content": json.dumps(body)}
    settings["max_concurrency"] = 1
    with fault(books, "answer", path="*/payments/payments", **options):
        messages, sentence = failing_sync(settings, "payments", "invoices")
    assert "payments" in sentence
    assert messages.records["invoices"]
    assert "though users/me accepts the token" in caplog.text
    assert books.stats(settings["client_id"])["refreshes"] == 2  # one was in vain


# Refusals

ALL_REFUSED = "FreshBooks refused every stream that was to be read: invoices, payments. "


def test_a_run_in_which_every_stream_is_refused_has_failed(
    books: Sandbox, settings: Config
) -> None:
    books.faults("deny", path="*/invoices/invoices")
    with fault(books, "deny", path="*/payments/payments", reason="feature"):
        messages, sentence = failing_sync(
            settings, "businesses", "identity", "invoices", "payments"
        )
        assert sentence.startswith(ALL_REFUSED)
        assert messages.records["businesses"]
    account = books.businesses()[0]["account_id"]
    books.faults("deny", path="*/invoices/invoices")
    with fault(books, "deny", path=f"*/{account}/payments/payments"):
        sync(settings, "businesses", "invoices", "payments")  # one business may be read


def test_each_refusal_is_a_failure_where_that_is_wanted(
    books: Sandbox, settings: Config, whole: Messages, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**settings, "fail_on_skipped": True}
    account = books.businesses()[0]["account_id"]
    with fault(books, "deny", path=f"*/{account}/payments/payments"):
        messages, sentence = failing_sync(settings, "payments", "invoices")
    assert "1 stream could not be read completely: payments (" in sentence
    assert rows(messages, "invoices") == rows(whole, "invoices")
    assert bookmarks(messages, "payments")[account] is None
    assert "Skipped" not in caplog.text
    assert "its scope is user:payments:read" in caplog.text


SCOPES = (
    "insufficient_scope: The request requires higher privileges than provided by the access token. "
    "Provided: ['user:profile:read user:expenses:read']. "
    "Required: ['user:account:read', 'user:expenses:read', 'user:payments:read']."
)


@pytest.mark.parametrize(
    "body",
    [
        {"message": SCOPES},
        {"error": {"message": SCOPES}},
        {"response": {"errors": [{"errno": 1003, "message": SCOPES}]}},
        {"code": 7, "message": SCOPES, "details": []},
        {"errors": {"message": SCOPES, "status": 403}},
    ],
)
def test_the_scopes_that_are_missing_are_named(
    books: Sandbox, settings: Config, body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with fault(books, "answer", path="*/payments/payments", status=403, content=json.dumps(body)):
        sync(settings, "payments", "invoices")
    [line, *_] = [each for each in caplog.messages if each.startswith("Skipped payments of ")]
    assert "the token lacks user:account:read and user:payments:read: enable" in line
    assert "connect again with `tap-freshbooks login`" in line
    assert "user:expenses:read" not in line


@pytest.mark.parametrize(
    ("flags", "status", "says"),
    [
        (
            {"accounts_payable.access": False},
            "active",
            "; the plan has no accounts payable (users/me:",
        ),
        (
            {"accounts_payable.access": True},
            "cancelled",
            "; the subscription of this business is canc",
        ),
        (
            {"retainers_feature.access": False},
            "trial_expired",
            "; the trial of this business has ended",
        ),
        ([], None, ""),
        ({"accounts_payable.access": None}, ["cancelled"], ""),
    ],
)
def test_a_refusal_is_explained_by_the_plan_and_the_flags_alone_leave_nothing_out(
    books: Sandbox,
    settings: Config,
    flags: Any,
    status: Any,
    says: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    account = books.businesses()[0]["account_id"]
    edits = [
        {"edit": "set", "path": f"response.permissions.{account}", "value": flags},
        {"edit": "set", "path": f"response.subscription_statuses.{account}", "value": status},
    ]
    books.faults("answer", path="*/users/me", edits=edits)
    allowed = sync(settings, "bills", "retainers")
    assert {row["account_id"] for row in allowed.records["bills"]} >= {account}
    assert "Skipped" not in caplog.text
    with fault(books, "deny", path=f"*/{account}/bills/bills", reason="plan"):
        sync(settings, "bills", "retainers")
    [line] = [each for each in caplog.messages if each.startswith("Skipped bills of ")]
    assert says in line
    assert ("users/me" in line) == bool(says)
