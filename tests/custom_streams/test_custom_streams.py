"""Streams that the user defines behave like those that are built in."""

from __future__ import annotations

import json
import logging
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.errors import FreshBooksError, SettingsError, StreamsFailedError
from tap_freshbooks.tap import TapFreshBooks
from tests.support import Messages

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox

Config = dict[str, Any]

CLIENTS = {
    "name": "my_clients",
    "path": "/accounting/account/{account_id}/users/clients",
    "records_path": "response.result.clients",
    "replication_key": "updated",
    "filter": "search[updated_min]",
}
PROJECTS = {
    "name": "my_projects",
    "path": "/projects/business/{business_id}/projects",
    "records_path": "projects",
    "replication_key": "updated_at",
    "filter": "updated_since",
}
TAXES = {
    "name": "my_taxes",
    "path": "/accounting/account/{account_id}/taxes/taxes",
    "records_path": "response.result.taxes",
    "deletions": "hard_deletes",
}
LEDGER = {
    "name": "my_accounts",
    "path": "/accounting/businesses/{business_uuid}/ledger_accounts/accounts",
    "records_path": "data",
    "primary_keys": ["uuid"],
}


def run(
    config: Config, *custom: Config, state: Any = None, catalog: Any = None
) -> tuple[Messages, dict[str, Any]]:
    """Sync the custom streams and their built-in twins; the messages, and the catalog."""
    messages = Messages()
    settings = {**config, "custom_streams": list(custom)}
    if catalog is None:
        catalog = TapFreshBooks(config=settings).catalog_dict
        for entry in catalog["streams"]:
            for metadata in entry["metadata"]:
                if not metadata["breadcrumb"]:
                    wanted = {each["name"] for each in custom}
                    metadata["metadata"]["selected"] = entry["stream"] in wanted | {
                        "clients",
                        "projects",
                        "taxes",
                        "ledger_accounts",
                    }
    tap = TapFreshBooks(
        config=settings, catalog=catalog, state=deepcopy(state), message_writer=messages
    )
    tap.sync()
    return messages, catalog


def identities(records: list[dict[str, Any]], *key: str) -> set[tuple[Any, ...]]:
    return {tuple(record[name] for name in key) for record in records}


def test_rows_deletions_and_changes_are_those_of_the_built_in_streams(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    first, catalog = run(own_config, CLIENTS, PROJECTS, TAXES, LEDGER)
    pairs = [
        ("my_clients", "clients", ("account_id", "id", "_sdc_deleted_at", "updated")),
        ("my_projects", "projects", ("business_id", "id", "updated_at", "title")),
        ("my_taxes", "taxes", ("account_id", "id", "name")),
        ("my_accounts", "ledger_accounts", ("business_uuid", "uuid", "name")),
    ]
    for mine, theirs, key in pairs:
        there = first.records[theirs]
        if theirs == "projects":  # the family does not know of archived projects
            there = [row for row in there if not row["complete"]]
        assert identities(first.records[mine], *key) == identities(there, *key), mine
        assert first.records[mine]
    client = own_sandbox.truth("clients")[0]
    own_sandbox.update("clients", client["id"], note="mended")
    own_sandbox.delete("taxes", "newest")
    own_sandbox.stats_clear()
    second, _ = run(
        own_config, CLIENTS, PROJECTS, TAXES, LEDGER, state=first.state, catalog=catalog
    )
    assert client["id"] in {row["id"] for row in second.records["my_clients"]}
    assert len(second.records["my_clients"]) < len(first.records["my_clients"])
    assert {"my_taxes"} <= {m["stream"] for m in second.all if m["type"] == "ACTIVATE_VERSION"}


def test_queries_together_show_every_row(own_sandbox: Sandbox, own_config: Config) -> None:
    queries = [
        {"active": active, "complete": done} for active in ("", "false") for done in ("", "true")
    ]
    mine = {**PROJECTS, "queries": [{k: v for k, v in each.items() if v} for each in queries]}
    key = ("business_id", "id", "title", "complete")
    first, catalog = run(own_config, mine)
    assert identities(first.records["my_projects"], *key) == identities(
        first.records["projects"], *key
    )
    project = next(
        row for row in own_sandbox.truth("projects") if row["active"] and not row["complete"]
    )
    own_sandbox.delete("projects", project["id"])
    for custom in (mine, PROJECTS):
        second, _ = run(own_config, custom, state=first.state, catalog=catalog)
        deleted = {row["id"] for row in second.records["my_projects"] if row["_sdc_deleted_at"]}
        assert project["id"] in deleted


def test_a_schema_is_inferred_from_the_businesses_that_may_be_read(
    own_sandbox: Sandbox, own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    account = own_sandbox.businesses()[0]["account_id"]
    own_sandbox.faults("deny", reason="scope", path=f"*/{account}/users/*")
    messages, _ = run(own_config, CLIENTS)
    assert messages.records["my_clients"]
    assert account not in {row["account_id"] for row in messages.records["my_clients"]}
    assert "No schema can be inferred from my_clients of " in caplog.text


def test_a_schema_is_inferred_with_a_warning_and_taken_from_the_catalog_afterwards(
    own_sandbox: Sandbox, own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    first, catalog = run(own_config, CLIENTS)
    assert "custom_streams, my_clients: its schema is inferred from " in caplog.text
    [entry] = [each for each in catalog["streams"] if each["stream"] == "my_clients"]
    properties = entry["schema"]["properties"]
    assert properties["updated"]["format"] == "date-time"
    assert properties["id"] == {"type": ["integer"]}
    assert properties["allow_late_fees"]["type"] == ["boolean", "null"]
    twins = {row["id"]: row for row in first.records["clients"]}
    for row in first.records["my_clients"]:  # Eastern time, as in the built-in stream
        assert row["updated"].endswith("Z")
        assert (
            row["fname"] == twins[row["id"]]["fname"]
            or row["account_id"] != twins[row["id"]]["account_id"]
        )
    caplog.clear()
    own_sandbox.stats_clear()
    TapFreshBooks(config={**own_config, "custom_streams": [CLIENTS]}, catalog=catalog).streams  # noqa: B018 - makes them
    assert "inferred" not in caplog.text
    assert own_sandbox.stats()["requests"] == 0


def test_a_credential_is_no_field_unless_it_is_declared(
    own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    staffs = {
        "name": "my_staffs",
        "path": "/accounting/account/{account_id}/users/staffs",
        "records_path": "response.result.staff|staffs",
    }
    messages, catalog = run({**own_config, "unknown_fields": "keep"}, staffs)
    [schema] = [each["schema"] for each in catalog["streams"] if each["stream"] == "my_staffs"]
    assert "email" in schema["properties"]
    assert "api_token" not in schema["properties"]
    assert messages.records["my_staffs"]
    assert not any("api_token" in row for row in messages.records["my_staffs"])
    assert any("withheld" in line and "api_token" in line for line in caplog.messages)
    declared = {"id": {"type": "integer"}, "api_token": {"type": "string"}}
    messages, _ = run(own_config, {**staffs, "schema": declared})
    assert any(row["api_token"] for row in messages.records["my_staffs"])


def test_keys_that_do_not_tell_rows_apart_lose_none_in_silence(
    own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    sentence = (
        "one answer has two different rows with currency_code .*add to `primary_keys` what tells"
    )
    with pytest.raises(StreamsFailedError, match="my_clients"):
        run(own_config, {**CLIENTS, "primary_keys": ["currency_code"]})
    assert re.search(f"my_clients of .*: {sentence}", caplog.text)


def test_keys_of_a_built_in_stream_can_be_mended(
    own_sandbox: Sandbox, own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    taxes = [{"id": 7, "name": name} for name in ("GST", "PST")]
    body = json.dumps({"response": {"result": {"taxes": taxes, "pages": 1, "total": 2}}})
    own_sandbox.faults("status", status=200, path="*/taxes/taxes", body=body)
    with pytest.raises(StreamsFailedError, match="taxes"):
        run(own_config)
    assert re.search(r"taxes of .* rows with id 7, .*`override: true`", caplog.text)
    messages, _ = run(
        own_config, {"name": "taxes", "override": True, "primary_keys": ["id", "name"]}
    )
    assert {row["name"] for row in messages.records["taxes"]} == {"GST", "PST"}


def test_a_row_that_comes_twice_in_one_answer_is_one(
    own_sandbox: Sandbox, own_config: Config
) -> None:
    own = {**TAXES, "path": TAXES["path"] + "/", "records_path": "taxes", "deletions": "none"}
    tax = {"id": 7, "name": "GST"}
    own_sandbox.faults(
        "status", status=200, path="*/taxes/", body=json.dumps({"taxes": [tax, tax]})
    )
    messages, _ = run(own_config, own)
    rows = messages.records["my_taxes"]
    assert {row["id"] for row in rows} == {7}
    assert len({row["account_id"] for row in rows}) == len(rows)


def test_a_schema_of_the_user_is_what_comes(own_config: Config) -> None:
    schema = {
        "id": {"type": "integer"},
        "updated": {"type": "string", "format": "date-time"},
        "amount": {"type": "object", "properties": {"amount": {}, "code": {}}},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"qty": {"type": "number"}}},
        },
    }
    mine = {
        "name": "my_invoices",
        "path": "/accounting/account/{account_id}/invoices/invoices",
        "records_path": "response.result.invoices",
        "query": {"include[]": ["lines"]},
        "replication_key": "updated",
        "schema": schema,
    }
    messages, _ = run(own_config, mine)
    for row in messages.records["my_invoices"]:
        assert row.keys() == {"account_id", *schema}
        assert row["updated"].endswith("Z")
        assert all(isinstance(line["qty"], str) for line in row["lines"])
        assert row["amount"].keys() == {"amount", "code"}


def test_a_built_in_stream_can_be_overridden(own_config: Config) -> None:
    mine = {
        "name": "clients",
        "override": True,
        "query": {"search[vis_state]": "2"},
        "schema": {"house_rule": {"type": "string"}},
    }
    messages, catalog = run(own_config, mine)
    [entry] = [each for each in catalog["streams"] if each["stream"] == "clients"]
    assert "house_rule" in entry["schema"]["properties"]
    living = [row for row in messages.records["clients"] if row["_sdc_deleted_at"] is None]
    assert {row["vis_state"] for row in living} == {2}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"path": None}, "custom_streams, my_clients: path is missing"),
        ({"records_path": None}, "custom_streams, my_clients: records_path is missing"),
        ({"path": "/accounting/account/7/users/clients"}, "its path needs one of account_id, "),
        ({"path": "/accounting/account/{id}/users/clients"}, "{id} in its path is none of acc"),
        (
            {"path": "/accounting/account/{business_id}/users/clients"},
            "its path wants the account_id, not {business_id}; write {account_id} there",
        ),
        (
            {"identifier": "account"},
            "its identifier 'account' is none of account_id, busi",
        ),
        (
            {"identifier": "business_id"},
            "its identifier is business_id, but its path has {acc",
        ),
        ({"replication_key": None}, "with a filter it needs a replication_key too"),
        ({"name": "clients"}, "custom_streams, clients: a stream of this name is built in"),
        ({"override": True}, "there is no stream of this name to override"),
        ({"path": "/accounting/account/{account_id}/a{b"}, "{} in its path is none of"),
        ({"path": "/accounting/{account_id}/{account_id.x}"}, "{account_id.x} in its path is none"),
        ({"path": "/accounting/{account_id}/{account_id}"}, "its path needs one of account_id"),
        ({"path": "accounting/{account_id}"}, "custom_streams.0.path is not allowed: pattern ^/"),
        ({"headers": {"x": "a\nb"}}, "custom_streams.0.headers.x is not allowed: pattern"),
        ({"primary_keys": "id"}, "custom_streams.0.primary_keys must be of type array"),
        ({"query": "a=b"}, "custom_streams.0.query must be of type object"),
        ({"name": None}, "custom_streams.0 needs name"),
        (
            {"stamp": "x"},
            "custom_streams.0 has stamp, which means nothing there; known are name, override, path",
        ),
        (
            {"schema": {"o": {"type": "object", "properties": [1]}}},
            "o has properties that are no object",
        ),
        ({"name": "unified_contacts"}, "names with unified_ belong to the unified model"),
        ({"schema": {"id": {}}}, "its schema does not fit: id needs one type"),
        ({"schema": {"id": {"type": "integer"}}}, "its rows have no field updated, which primary"),
        ({"schema": {}}, "its schema does not fit: it has no properties"),
        ({"deletions": "active"}, "deletions by active are not those of paths with a account_id"),
        (
            {"primary_keys": ["uid"]},
            "its rows have no field uid, which primary_keys, replicat",
        ),
    ],
)
def test_mistakes_are_sentences(config: Config, changes: Config, sentence: str) -> None:
    mine = {**CLIENTS, **changes}
    given = {name: value for name, value in mine.items() if value is not None}
    with pytest.raises(SettingsError) as caught:
        # As in a discovery, which looks at no setting before.
        TapFreshBooks(config={**config, "custom_streams": [given]}, validate_config=False).streams  # noqa: B018
    assert sentence in str(caught.value)


def test_mistakes_of_two(config: Config) -> None:
    for custom, sentence in (
        ([CLIENTS, CLIENTS], "two entries have this name"),
        ([{"name": "invoice_lines", "override": True}], "this stream is derived from another"),
        ([{"name": "businesses", "override": True}], "this stream is no list of a business"),
        (
            [{"name": "invoices", "override": True, "schema": {"amount": {"type": "string"}}}],
            "its schema can add fields; amount is there already",
        ),
        (
            [{"name": "clients", "override": True, "replication_key": "x"}],
            "replication_key of a built-in",
        ),
        ([{"name": "My"}], "custom_streams.0.name is not allowed"),
    ):
        with pytest.raises(SettingsError) as caught:
            TapFreshBooks(config={**config, "custom_streams": custom}).streams  # noqa: B018
        assert sentence in str(caught.value)


def test_a_schema_is_inferred_from_the_businesses_that_can_be_read(
    own_sandbox: Sandbox, own_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    account = own_sandbox.businesses()[0]["account_id"]
    own_sandbox.faults("answer", path=f"*/{account}/users/clients", content="{}")
    tap = TapFreshBooks(config={**own_config, "custom_streams": [CLIENTS]})
    assert "email" in tap.streams["my_clients"].schema["properties"]
    assert "No schema can be inferred from my_clients of" in caplog.text


def test_records_that_are_nowhere(config: Config) -> None:
    mine = {**CLIENTS, "records_path": "response.result.customers"}
    with pytest.raises(FreshBooksError) as caught:
        TapFreshBooks(config={**config, "custom_streams": [mine]}).streams  # noqa: B018
    assert (
        "the answer has no list at response.result.customers; it has one at "
        "response.result.clients. In custom_streams, mend `records_path`" in str(caught.value)
    )


def test_a_stream_without_a_filter_is_read_when_its_interval_is_over(config: Config) -> None:
    settings = {**config, "full_table_interval": {"my_*": 24}}
    first, catalog = run(settings, LEDGER)
    assert first.records["my_accounts"]
    second, _ = run(settings, LEDGER, state=first.state, catalog=catalog)
    assert "my_accounts" not in {message.get("stream") for message in second.all}
    state = second.state
    for partition in state["bookmarks"]["my_accounts"]["partitions"]:
        del partition["polled_at"]
    third, _ = run(settings, LEDGER, state=state, catalog=catalog)
    assert "my_accounts" in {message.get("stream") for message in third.all}
    assert all(
        "polled_at" in each for each in third.state["bookmarks"]["my_accounts"]["partitions"]
    )
