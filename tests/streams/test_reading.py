"""Every stream: complete, each row once, keys unique over businesses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS
from tests.conftest import settings_for
from tests.support import failing_sync, sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Messages, Record


def _is_hidden(stream: str, row: dict[str, Any]) -> bool:
    """Whether no list of FreshBooks shows a row, so that nobody can read it."""
    match stream:
        case "services" | "billable_items":
            return bool(row["vis_state"] == 1)
        case "retainers":
            return row["active"] is False
        case "time_entry_details":
            return not row["active"] or not row["is_logged"]
        case "invitation_rates":
            return True  # only an empty list was ever seen
        case _:
            return False


FOLLOWING = {
    *("billable_items", "expense_vendors", "expense_summaries", "chart_of_accounts", "abilities"),
    *("journal_entry_accounts", "journal_entry_details", "time_entry_details"),
}
"""Streams whose rows follow from those of others."""

FEW = FOLLOWING | {
    *("systems", "invoice_presentation", "payment_gateways", "payment_options", "timers"),
    *("team_member_rates", "invitation_rates", "project_threads"),
}
"""Streams that never have many rows of their own."""

LISTS = [
    stream
    for stream in STREAMS
    if issubclass(stream, ListStream) and not issubclass(stream, Report)
]
MANY = 1_450
NAMES = [stream.name for stream in LISTS]
MANIFOLD = [name for name in NAMES if name not in FEW]


@pytest.fixture(scope="module")
def everything(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Messages:
    """One sync of all streams."""
    names = [stream.name for stream in STREAMS if not stream.name.startswith("report_")]
    return sync(settings_for(sandbox, tmp_path_factory.mktemp("tokens")), *names)


@pytest.fixture(scope="module")
def large() -> Iterator[Sandbox]:
    """A sandbox whose first business has more than 1,450 rows of everything."""
    with Sandbox(rate_limit=0) as running:
        invoice = running.truth("invoices", fields="id")[0]["id"]
        for name in MANIFOLD:
            values = {"invoiceid": invoice} if name == "payments" else {}
            running.create(name, count=MANY, **values)
        running.clock(advance=60)  # what was just created is delivered twice, rightly
        yield running


def visible(sandbox: Sandbox, stream: type[ListStream]) -> set[tuple[Any, ...]]:
    """Keys of all rows that FreshBooks shows in some list."""
    keys = set()
    for business in sandbox.businesses():
        if business["role"] in {"client", "none"}:
            continue
        identifier = business[
            "id"
            if stream.identifier_kind is IdentifierKind.BUSINESS
            else stream.identifier_kind.value
        ]
        if identifier is None:
            continue
        for row in sandbox.truth(stream.name, identifier):
            if not _is_hidden(stream.name, row):
                keys.add((identifier, *(row[name] for name in stream.key)))
    return keys


def keys_of(records: list[Record], stream: type[ListStream]) -> list[tuple[Any, ...]]:
    return [tuple(record[name] for name in stream.record_keys()) for record in records]


@pytest.mark.parametrize("stream", LISTS, ids=NAMES)
def test_every_row_of_every_business_is_delivered_once(
    everything: Messages, sandbox: Sandbox, stream: type[ListStream]
) -> None:
    keys = keys_of(everything.records[stream.name], stream)
    assert len(keys) == len(set(keys))
    match stream.name:
        case "timers":  # those of the token's own user
            assert set(keys) < visible(sandbox, stream)
        case "project_threads":
            threads = sum(sandbox.count("project_threads", n) for n in (1, 2, 3))
            assert threads / 2 < len(keys) < threads  # deleted projects do not show theirs
        case _:
            assert set(keys) == visible(sandbox, stream)


@pytest.mark.parametrize(
    "stream", [stream for stream in LISTS if stream.name in MANIFOLD], ids=MANIFOLD
)
def test_1450_rows_and_more_are_delivered(
    large: Sandbox, tmp_path: Any, stream: type[ListStream]
) -> None:
    records = sync(settings_for(large, tmp_path), stream.name).records[stream.name]
    keys = keys_of(records, stream)
    assert len(keys) > MANY
    assert len(keys) == len(set(keys))
    assert set(keys) == visible(large, stream)


def test_lines_are_those_of_their_documents(everything: Messages) -> None:
    lines = [stream for stream in STREAMS if issubclass(stream, LineItems)]
    assert len(lines) >= 9
    for stream in lines:
        documents = everything.records[stream.source.name]
        scope, key = stream.source.identifier_kind.value, stream.source.key[0]
        expected = sum(len(document.get(stream.list_field) or []) for document in documents)
        records = everything.records[stream.name]
        keys = [tuple(record[name] for name in stream.record_keys()) for record in records]
        assert len(records) == expected > 0, stream.name
        assert len(set(keys)) == len(keys), stream.name
        by_id = {(document[scope], document[key]): document for document in documents}
        for record in records:
            document = by_id[record[scope], record[stream.document]]
            if stream.source.timestamp_field:
                assert record["document_updated"] == document[stream.source.timestamp_field]
            assert record.get("_sdc_deleted_at") == document.get("_sdc_deleted_at")


def test_lines_without_their_documents_cost_the_same_requests(
    sandbox: Sandbox, tmp_path: Any
) -> None:
    counts = {}
    for number, streams in enumerate((["invoices"], ["invoice_lines"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        config = settings_for(sandbox, folder)
        messages = sync(config, *streams)
        assert set(messages.records) == set(streams)
        counts[streams[0]] = sandbox.stats(config["client_id"])["requests"]
    assert counts["invoices"] == counts["invoice_lines"]


def test_lines_that_are_selected_later_are_complete(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    first = sync(own_config, "invoices")
    second = sync(own_config, "invoices", "invoice_lines", state=first.state)
    lines = sum(len(record["lines"]) for record in first.records["invoices"])
    assert len(second.records["invoice_lines"]) == lines
    third = sync(own_config, "invoices", "invoice_lines", state=second.state)
    assert third.records == {}
    own_sandbox.update("invoices", "newest", notes="mended")
    fourth = sync(own_config, "invoice_lines", state=third.state)
    assert set(fourth.records) == {"invoice_lines"}
    assert len({line["invoiceid"] for line in fourth.records["invoice_lines"]}) == 1


def test_ids_that_two_businesses_share_stay_apart(everything: Messages) -> None:
    for stream in ("clients", "invoices"):
        records = everything.records[stream]
        ids = [record["id"] for record in records]
        assert len(set(ids)) < len(ids)  # else the sandbox would not test anything
        assert len({(record["account_id"], record["id"]) for record in records}) == len(ids)


def test_businesses_link_the_three_identifiers(everything: Messages, sandbox: Sandbox) -> None:
    links = {
        (record["business_id"], record["account_id"], record["business_uuid"])
        for record in everything.records["businesses"]
    }
    assert links == {
        (entry["id"], entry["account_id"], entry["business_uuid"])
        for entry in sandbox.businesses()
        if entry["role"] != "none"
    }
    assert all(
        record["membership_id"] != record["business_id"]
        for record in everything.records["businesses"]
    )


def test_the_identity_is_one_record_without_credentials(everything: Messages) -> None:
    [identity] = everything.records["identity"]
    assert identity["email"]
    assert "business_memberships" not in identity
    assert "fasttrack_token" not in str(everything.all)


def test_nothing_is_read_of_a_business_where_the_user_is_only_a_client(
    everything: Messages, sandbox: Sandbox
) -> None:
    [foreign] = [entry for entry in sandbox.businesses() if entry["role"] == "client"]
    for name in NAMES:
        for record in everything.records[name]:
            assert record.get("account_id") != foreign["account_id"]
            assert record.get("business_id") != foreign["id"]


def test_a_business_without_an_account_still_has_its_projects(
    everything: Messages, sandbox: Sandbox
) -> None:
    [bare] = [entry for entry in sandbox.businesses() if entry["account_id"] is None]
    owners = {record["business_id"] for record in everything.records["projects"]}
    assert bare["id"] in owners


def test_business_ids_narrow_what_is_read(sandbox: Sandbox, config: dict[str, Any]) -> None:
    second = sandbox.businesses()[1]
    messages = sync({**config, "business_ids": [second["id"]]}, "invoices", "projects")
    assert {r["account_id"] for r in messages.records["invoices"]} == {second["account_id"]}
    assert {r["business_id"] for r in messages.records["projects"]} == {second["id"]}


def test_an_account_with_nothing_in_it_is_an_empty_list(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    body = '{"response": {"result": {"invoices": [], "page": 1, "pages": 0, "total": 0}}}'
    sandbox.faults(
        "status",
        status=200,
        body=body,
        content_type="application/json",
        client_id=config["client_id"],
        path="*/invoices/*",
    )
    messages = sync(config, "invoices", "payments")
    sandbox.faults_clear()
    assert messages.records["invoices"] == []
    assert messages.records["payments"]


def test_an_answer_without_the_list_is_an_error_and_not_an_empty_account(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults(
        "status",
        status=200,
        body='{"response": {"result": {"bills": [], "page": 1, "pages": 0, "total": 0}}}',
        content_type="application/json",
        client_id=config["client_id"],
        path="*/invoices/*",
    )
    failing_sync(config, "invoices")
    sandbox.faults_clear()
    assert re.search(r"invoices of .*no list at response.result.invoices", caplog.text)


def test_a_row_without_its_key_is_an_error_and_not_lost_in_silence(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults(
        "status",
        status=200,
        body='{"response": {"result": {"invoices": [{"invoiceid": 1}], "page": 1, "pages": 1}}}',
        content_type="application/json",
        client_id=config["client_id"],
        path="*/invoices/*",
    )
    failing_sync(config, "invoices")
    sandbox.faults_clear()
    assert "a row without id" in caplog.text


@pytest.mark.parametrize("reason", ["scope", "feature", "plan"])
def test_a_stream_that_the_token_may_not_read_is_skipped_and_the_others_go_on(
    sandbox: Sandbox, config: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = sandbox.businesses()[0]
    sandbox.faults(
        "deny",
        reason=reason,
        client_id=config["client_id"],
        path=f"*/{first['account_id']}/invoices/*",
    )
    messages = sync(config, "invoices", "payments")
    sandbox.faults_clear()
    accounts = {record["account_id"] for record in messages.records["invoices"]}
    assert accounts == {sandbox.businesses()[1]["account_id"]}
    assert len(messages.records["payments"]) == sum(sandbox.count("payments", n) for n in (1, 2))
    [skipped] = [line for line in caplog.messages if line.startswith("Skipped")]
    assert f"Skipped invoices of {first['name']} (business {first['id']})" in skipped
    assert "user:invoices:read" in skipped
    [summary] = [line for line in caplog.messages if line.startswith("Not read: ")]
    assert f"invoices of {first['name']} (business {first['id']})" in summary
    assert sandbox.stats(config["client_id"])["refreshes"] == 1


def test_a_permission_lost_in_the_middle_of_a_read_is_a_failure(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults("deny", client_id=config["client_id"], path="*/invoices/*", skip=1)
    _, sentence = failing_sync(config, "invoices")
    sandbox.faults_clear()
    assert "403" in caplog.text
    assert "could not be read completely: invoices" in sentence


def test_a_scope_that_was_not_granted_skips_its_streams(
    sandbox: Sandbox, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = sandbox.config(scopes=["user:profile:read", "user:invoices:read"])
    settings["token_store"] = str(tmp_path / "tokens.json")
    messages = sync(settings)
    assert {"identity", "businesses", "invoices", "invoice_lines"} <= set(messages.records)
    assert not {"clients", "payments", "projects", "bills"} & set(messages.records)
    skipped = {line.split()[1] for line in caplog.messages if line.startswith("Skipped")}
    assert skipped >= {"clients", "payments", "projects", "ledger_accounts", "bills"}
    # The token lacks the scopes of a stream for every business: told once, here and at the end.
    told = [line for line in caplog.messages if line.startswith("Skipped ")]
    assert len(told) == len(skipped)
    [summary] = [line for line in caplog.messages if line.startswith("Not read: ")]
    assert summary.count("FreshBooks answered 403") == len(skipped)
