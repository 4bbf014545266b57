"""Values that no database takes: keys, numbers, counts of pages, words for terminals."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import ConnectionFailedError, SettingsError
from tap_freshbooks.extraction import pagination
from tap_freshbooks.printable import printable
from tap_freshbooks.tap import TapFreshBooks
from tests.conftest import settings_for
from tests.support import Messages, catalog_of, failing_sync, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support import Command

Config = dict[str, Any]

RESULT = "response.result"
INT64 = 2**63 - 1


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=130, rate_limit=0) as running:
        yield running


@pytest.fixture
def settings(books: Sandbox, tmp_path: Path) -> Config:
    account = books.businesses()[0]["id"]
    return {**settings_for(books, tmp_path), "business_ids": [account], "max_attempts": 2}


@pytest.fixture
def edit(books: Sandbox) -> Iterator[Callable[..., None]]:
    """Changes one value in the answers of a path."""

    def order(path: str, place: str | list[str], value: Any, **options: Any) -> None:
        kind = "json" if isinstance(value, Json) else "value"
        change = {"edit": "set", "path": place, kind: str(value) if kind == "json" else value}
        books.faults("answer", path=path, edits=[change], **options)

    yield order
    books.faults_clear()


class Json(str):
    """A value as it stands in the JSON of an answer."""

    __slots__ = ()


HUGE = [
    Json("1e1000000"),
    Json("-1e-1000000"),
    Json("1e99999999999999999999"),
    Json("NaN"),
    Json("-Infinity"),
    Json("9" * 100_000),
    "1e1000000",
    "1e999999999",
    "9" * 100_000,
    "0." + "9" * 100_000,
    "NaN",
    "Infinity",
    "sNaN",
]


def name_of(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:20]}"


@pytest.mark.parametrize("value", HUGE, ids=name_of)
def test_a_number_that_no_database_takes_is_null_and_costs_no_row(
    books: Sandbox,
    settings: Config,
    edit: Callable[..., None],
    value: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    edit("*/invoices/invoices", f"{RESULT}.invoices.0.amount.amount", value, times=1)
    edit("*/payments/payments", f"{RESULT}.payments.0.invoiceid", value, times=1)
    messages = sync({**settings, "max_concurrency": 1}, "invoices", "payments", "unified_invoices")
    [business] = settings["business_ids"]
    count = books.count("invoices", business=str(business))
    assert len(messages.records["invoices"]) == count
    assert len([each for each in messages.records["invoices"] if not each["amount"]["amount"]]) == 1
    assert [each["invoiceid"] for each in messages.records["payments"]].count(None) == 1
    told = [line for line in caplog.messages if "does not fit" in line]
    assert any("The field amount.amount held" in line for line in told)
    assert any("The field invoiceid held" in line for line in told)


@pytest.mark.parametrize("value", [INT64 + 1, -(2**70), Json("1e19"), "9" * 30])
def test_an_integer_that_fits_no_column_of_integers_is_null(
    settings: Config, edit: Callable[..., None], value: Any
) -> None:
    edit("*/payments/payments", f"{RESULT}.payments.*.invoiceid", value)
    messages = sync(settings, "payments")
    assert {each["invoiceid"] for each in messages.records["payments"]} == {None}


def test_the_largest_integer_is_one(settings: Config, edit: Callable[..., None]) -> None:
    edit("*/payments/payments", f"{RESULT}.payments.*.invoiceid", INT64)
    messages = sync(settings, "payments")
    assert {each["invoiceid"] for each in messages.records["payments"]} == {INT64}


KEYS = [
    *(None, "", "seven", {"id": 7}, [7], 10**30),
    *(Json("1e1000000"), Json("NaN"), Json("9" * 100_000), "1e1000000"),
]


@pytest.mark.parametrize("value", KEYS, ids=name_of)
def test_a_key_that_is_none_costs_the_stream_and_says_so(
    settings: Config, edit: Callable[..., None], value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    edit("*/payments/payments", f"{RESULT}.payments.3.id", value)
    messages, sentence = failing_sync(settings, "payments", "taxes")
    assert "payments" in sentence
    assert all(type(each["id"]) is int for each in messages.records["payments"])
    assert messages.records["taxes"]
    [line] = [each.getMessage() for each in caplog.records if each.getMessage()[:6] == "Failed"]
    assert "id" in line
    assert "told from others" in line
    assert "unexpected" not in line
    [state] = messages.state["bookmarks"]["payments"]["partitions"]
    assert "replication_key_value" not in state


@pytest.mark.parametrize("value", ["", {"a": 1}, None])
def test_a_key_of_text_is_not_empty_either(
    settings: Config, edit: Callable[..., None], value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    edit("*/ledger_accounts/accounts", "data.0.uuid", value)
    messages, sentence = failing_sync(settings, "ledger_accounts", "taxes")
    assert "ledger_accounts" in sentence
    assert messages.records["taxes"]
    assert "uuid" in caplog.text
    assert "unexpected" not in caplog.text


@pytest.mark.parametrize("value", [[1], {"a": 1}, Json("1e1000000"), "../../x", None])
def test_an_id_that_leads_elsewhere_is_part_of_no_path(
    books: Sandbox,
    settings: Config,
    edit: Callable[..., None],
    value: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Threads are read by the ids of projects."""
    edit("*/projects", "projects.*.id", value)
    failing_sync(settings, "project_threads")
    assert "a project has no number as its id" in caplog.text
    assert not [
        path for path in books.stats(settings["client_id"])["paths"] if path.endswith("/threads")
    ]


@pytest.mark.parametrize("field", ["updated", "due_date", "customerid"])
@pytest.mark.parametrize("value", [7, [1], {"a": 1}, Json("1e1000000"), "soon", None])
def test_what_invoices_tell_of_clients_may_make_no_sense(
    settings: Config, edit: Callable[..., None], field: str, value: Any
) -> None:
    """The balances of clients are read again where their invoices have changed."""
    state = sync(settings, "clients").state
    edit("*/invoices/invoices", f"{RESULT}.invoices.*.{field}", value)
    edit("*/users/clients", f"{RESULT}.clients.0.updated", value)
    messages = sync(settings, "clients", state=state)
    assert all(messages.state["bookmarks"]["clients"]["partitions"])


@pytest.mark.parametrize("value", ["", None, {"a": 1}])
def test_a_key_of_a_list_that_is_for_everybody_is_not_empty_either(
    settings: Config, edit: Callable[..., None], value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    edit("*/ledger_accounts/types", "data.0.name", value)
    messages, _ = failing_sync(settings, "ledger_account_types", "taxes")
    assert messages.records["taxes"]
    assert "a row has nothing in name, by which it is told from others" in caplog.text


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\x1b\nb", ""])
def test_a_field_of_any_name_is_left_out_and_told(
    settings: Config, edit: Callable[..., None], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    edit("*/taxes/taxes", ["response", "result", "taxes", "*", name], 1)
    records = sync(settings, "taxes").records["taxes"]
    assert len(records) > 2
    assert not any(name in record for record in records)
    assert any(printable(name) in line for line in caplog.messages if "unknown" in line)


# Counts of pages


@pytest.mark.parametrize("key", ["page", "pages", "total"])
@pytest.mark.parametrize("value", [*HUGE, [1], {"a": 1}, -3, True], ids=name_of)
def test_counts_that_make_no_sense_are_a_sentence_of_the_stream(
    settings: Config,
    edit: Callable[..., None],
    key: str,
    value: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    edit("*/taxes/taxes", f"{RESULT}.{key}", value)
    messages, _ = failing_sync(settings, "taxes", "payments")
    assert messages.records["payments"]
    [line] = [each.getMessage() for each in caplog.records if each.getMessage()[:6] == "Failed"]
    assert f"`{key}` of its page metadata is no count" in line


def test_more_pages_than_rows_cost_one_request_more(
    books: Sandbox, settings: Config, edit: Callable[..., None]
) -> None:
    edit("*/payments/payments", f"{RESULT}.pages", 1_000_000)
    messages = sync({**settings, "max_concurrency": 1}, "payments")
    [state] = messages.state["bookmarks"]["payments"]["partitions"]
    assert state["replication_key_value"]
    requests = books.stats(settings["client_id"])["paths"]
    assert sum(n for path, n in requests.items() if path.endswith("/payments/payments")) < 20


def test_empty_pages_without_an_end_fail_the_stream(
    settings: Config,
    edit: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pagination, "MAX_EMPTY_PAGES", 10)
    edit("*/payments/payments", f"{RESULT}.pages", 1_000_000)
    edit("*/payments/payments", f"{RESULT}.total", 100_000_000)
    messages, _ = failing_sync(settings, "payments", "taxes")
    assert messages.records["payments"]
    assert messages.records["taxes"]
    assert "there are 1000000 pages of" in caplog.text


def test_a_list_that_grows_with_each_answer_is_read_to_a_bound_and_not_settled(
    own_sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pagination, "MAX_GROWTH", 3)
    own_sandbox.create("taxes", count=110)
    [business, *_] = own_sandbox.businesses()
    own_sandbox.faults(
        "change", action="create", resource="taxes", count=150, path="*/taxes/taxes", times=30
    )
    settings = settings_for(own_sandbox, tmp_path)
    messages = sync({**settings, "business_ids": [business["id"]]}, "taxes")
    assert len(messages.records["taxes"]) > 300
    paths = own_sandbox.stats(settings["client_id"])["paths"]
    assert sum(count for path, count in paths.items() if "/taxes/taxes" in path) < 15
    states = messages.state["bookmarks"]["taxes"].get("partitions", [])
    assert not any("replication_key_value" in state for state in states)
    assert "taxes of " in caplog.text
    assert "the bookmark stays where it was" in caplog.text


# Who we are


@pytest.mark.parametrize("value", ["../../x", "a\r\nHost: b", ["DVPi6E"], {"id": 1}, 7.5])
def test_an_identifier_that_leads_elsewhere_is_never_used(
    books: Sandbox,
    settings: Config,
    edit: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    value: Any,
) -> None:
    first, second = books.businesses()[:2]
    edit("*/users/me", "response.business_memberships.0.business.account_id", value)
    both = {**settings, "business_ids": [first["id"], second["id"]]}
    messages, _ = failing_sync(both, "taxes")
    assert {row["account_id"] for row in messages.records["taxes"]} == {second["account_id"]}
    assert "as its account_id something that no path" in caplog.text
    paths = books.stats(settings["client_id"])["paths"]
    used = [path for path in paths if "/accounting" in path or "/x" in path]
    assert used
    assert all(f"/accounting/account/{second['account_id']}/" in path for path in used)
    messages = sync({**settings, "business_ids": [second["id"]]}, "taxes")
    assert messages.records["taxes"]


@pytest.mark.parametrize("value", [[7], "seven", Json("1e1000000"), Json("NaN"), 1.5])
def test_a_business_without_a_number_is_not_overlooked(
    settings: Config, edit: Callable[..., None], caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    edit("*/users/me", "response.business_memberships.1.business.id", value)
    assert sync(settings, "taxes").records["taxes"]  # business_ids names another
    everything = {name: value for name, value in settings.items() if name != "business_ids"}
    messages, _ = failing_sync(everything, "taxes")
    assert messages.records["taxes"]
    assert "a business whose id is no whole number" in caplog.text


@pytest.mark.parametrize(
    "content", ["[" * 100_000, "\xff", '{"response": NaN}', "[]", '{"response": {"a": 1e1000000}}']
)
def test_an_identity_that_is_none_is_a_sentence_of_the_connection(
    books: Sandbox, settings: Config, content: str
) -> None:
    books.faults("answer", path="*/users/me", content=content)
    try:
        with pytest.raises(ConnectionFailedError) as failure:
            sync({**settings, "max_attempts": 1}, "taxes")
    finally:
        books.faults_clear()
    assert "unexpected" not in str(failure.value)


def test_line_ends_of_settings_and_tokens_reach_no_request(
    books: Sandbox, settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sync_token(settings)
    url = settings["api_url"]
    static = {"access_token": f"{token}\r\n", "business_ids": settings["business_ids"]}
    for name in ("FRESHBOOKS_API_URL", "FRESHBOOKS_AUTH_URL"):
        monkeypatch.setenv(name, f"{url}\n")
    assert sync(static, "taxes").records["taxes"]
    monkeypatch.setenv("FRESHBOOKS_API_URL", f"{url}\n/x")
    with pytest.raises(SettingsError, match="FRESHBOOKS_API_URL must be a URL"):
        sync(static, "taxes")
    for name in ("access_token", "user_agent", "client_id", "api_url"):
        with pytest.raises(SettingsError, match=f"{name} must be plain printable text"):
            sync({**static, "api_url": url, name: "http://x/\r\nX-Other: 1"}, "taxes")
    file = Path(settings["token_store"])
    stored = json.loads(file.read_text())
    file.write_text(json.dumps({**stored, "access_token": f"{token}\n"}))
    refreshes = books.stats(settings["client_id"])["refreshes"]
    assert sync(settings, "taxes").records["taxes"]
    file.write_text(json.dumps({**stored, "access_token": "a\nb"}))
    assert sync(settings, "taxes").records["taxes"]
    assert books.stats(settings["client_id"])["refreshes"] == refreshes + 1


def sync_token(settings: Config) -> str:
    """The access token of a run."""
    sync(settings, "taxes")
    token: str = json.loads(Path(settings["token_store"]).read_text())["access_token"]
    return token


# Words in messages

EVIL = "Har\x1b[31mbour\u202e\u2066\nERROR forged\r\u009b2J\x07\u2028 & Söhne"
SHOWN = "Har\N{REPLACEMENT CHARACTER}[31mbour ERROR forged"
FORBIDDEN = ("\x1b", "\u202e", "\u2066", "\u009b", "\x07", "\u2028", "\r")


@pytest.fixture
def evil(edit: Callable[..., None], books: Sandbox) -> None:
    """A business, an error and a field whose names steer a terminal."""
    edit("*/users/me", "response.business_memberships.*.business.name", EVIL)
    error = {"response": {"errors": [{"errno": 1003, "message": EVIL, "field": EVIL}]}}
    books.faults("answer", path="*/estimates/estimates", status=401, content=json.dumps(error))
    edit("*/taxes/taxes", ["response", "result", "taxes", "*", EVIL], 1)


@pytest.mark.usefixtures("evil")
def test_what_freshbooks_sends_steers_no_terminal_and_forges_no_line(
    settings: Config, tmp_path: Path, command: Command
) -> None:
    files = {"config": settings, "catalog": catalog_of("taxes", "estimates", "businesses")}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    args = [f"--{name}={tmp_path / name}" for name in files]
    for call in (args, ["status", args[0]], ["api", "/{nonsense}", args[0]]):
        _, output, errors = command(*call)
        messages = errors if call is args else output + errors
        for character in FORBIDDEN:
            assert character not in messages, (call, character)
        assert not [line for line in messages.split("\n") if line.startswith("ERROR")]
        if call is args:
            assert SHOWN in messages
            names = {
                message["record"]["name"]
                for message in map(json.loads, filter(None, output.split("\n")))
                if message.get("stream") == "businesses" and message["type"] == "RECORD"
            }
            assert names == {EVIL}  # a record has the text as it is


# BATCH files


def test_files_of_batches_have_neither_fields_nor_rows_that_messages_would_not(
    settings: Config, tmp_path: Path
) -> None:
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
    }
    catalog = catalog_of("clients")
    [entry] = [each for each in catalog["streams"] if each["stream"] == "clients"]
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] == ["properties", "email"]:
            metadata["metadata"]["selected"] = False
    messages = Messages()
    config = {**settings, "batch_config": batches}
    TapFreshBooks(config=config, catalog=catalog, message_writer=messages).sync()
    paths = [
        url2pathname(urlsplit(file).path)
        for message in messages.all
        if message["type"] == "BATCH"
        for file in message["manifest"]
    ]
    rows = [
        json.loads(line)
        for path in paths
        for line in gzip.decompress(Path(path).read_bytes()).splitlines()
    ]
    assert rows
    assert all("organization" in row and "email" not in row for row in rows)


@pytest.mark.parametrize(
    "more",
    [
        {"stream_maps": {"clients": {"email": "md5(email)"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
)
def test_batches_and_maps_exclude_each_other(
    settings: Config, tmp_path: Path, command: Command, more: Config
) -> None:
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": (tmp_path / "files").as_uri()},
    }
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({**settings, "batch_config": batches, **more}))
    status, output, error = command("--config", str(file))
    assert status == 2
    assert f"batch_config and {next(iter(more))} exclude each other" in error
    assert not output
    assert not (tmp_path / "files").exists()
