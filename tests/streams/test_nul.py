"""PostgreSQL refuses a text with a NUL, and each load after it: none reaches a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_freshbooks.tap import TapFreshBooks
from tests.support import Messages, sync

if TYPE_CHECKING:
    import pytest

    from freshbooks_sandbox import Sandbox

TYPED = r"C:\u0000"
"""Six letters that somebody has typed; no NUL."""


def has_nul(value: Any) -> bool:
    """Whether there is a NUL in a value, at any depth."""
    if isinstance(value, dict):
        return has_nul([*value, *value.values()])
    if isinstance(value, list):
        return any(map(has_nul, value))
    return isinstance(value, str) and "\0" in value


def serve(sandbox: Sandbox, path: str, body: Any) -> None:
    sandbox.faults(
        "status", status=200, path=path, body=json.dumps(body), content_type="application/json"
    )


def discover_and_sync(config: dict[str, Any], *streams: str) -> Messages:
    """Run the tap with a catalog of these very settings."""
    catalog = TapFreshBooks(config=config).catalog_dict
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["stream"] in streams
    messages = Messages()
    TapFreshBooks(config=config, catalog=catalog, message_writer=messages).sync()
    return messages


def told(caplog: pytest.LogCaptureFixture, stream: str) -> list[str]:
    return [line for line in caplog.messages if line.startswith(f"{stream}: the character NUL")]


def test_a_note_arrives_without_it_in_all_streams_that_are_made_of_its_row(
    own_sandbox: Sandbox, own_config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    note = f"one\0 and {TYPED}\0"
    client = own_sandbox.update("clients", "newest", note=note, organization="A\0cme")
    own_sandbox.update("clients", "oldest", note=note)
    assert "\0" in client["note"]
    config = {**own_config, "unified_remote_data": True}
    messages = discover_and_sync(config, "clients", "invoices", "unified_contacts")
    assert not has_nul(messages.all)
    account = own_sandbox.businesses()[0]["account_id"]
    [record] = [
        record
        for record in messages.records["clients"]
        if (record["account_id"], record["id"]) == (account, client["id"])
    ]
    assert (record["note"], record["organization"]) == (f"one and {TYPED}", "Acme")
    [unified] = [
        record
        for record in messages.records["unified_contacts"]
        if record["remote_stream"] == "clients"
        and record["remote_data"]["account_id"] == account
        and record["remote_data"]["id"] == client["id"]
    ]
    assert unified["remote_data"]["note"] == record["note"]
    [line] = told(caplog, "clients")
    assert "response.result.clients.note" in line
    assert not told(caplog, "invoices")
    assert "one" not in line.split()


def test_lines_and_fields_without_a_fixed_shape_arrive_without_it(
    own_sandbox: Sandbox, own_config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    info = {"k\0ey": ["a\0", {"deep\0er": {"\0": f"{TYPED}\0"}}], "text": '{"b": "\\u0000"}'}
    options = {"entity_type": "in\0voice", "entity_id": "1\0", "gateway_info": info}
    serve(own_sandbox, "*/payment_options", {"payment_options": options})
    invoice = {"id": 7, "lines": [{"lineid": 1, "name": "\0line", "unknown\0": 1}]}
    result = {"invoices": [invoice], "page": 1, "pages": 1, "total": 1}
    serve(own_sandbox, "*/invoices/invoices", {"response": {"result": result}})
    messages = sync(own_config, "payment_options", "invoices", "invoice_lines")
    assert not has_nul(messages.all)
    for record in messages.records["payment_options"]:
        assert (record["entity_type"], record["entity_id"]) == ("invoice", "1")
        assert record["gateway_info"] == {
            "key": ["a", {"deeper": {"": TYPED}}],
            "text": '{"b": "\\u0000"}',
        }
    assert {line["name"] for line in messages.records["invoice_lines"]} == {"line"}
    [line] = told(caplog, "payment_options")
    assert "payment_options.gateway_info.key.deeper" in line
    assert len(told(caplog, "invoices")) == 1


def test_a_custom_stream_has_none_in_its_keys_fields_and_names(
    own_sandbox: Sandbox, own_config: dict[str, Any]
) -> None:
    rows = [{"uu\0id": "\0a", "more\0": {"x\0": "y\0"}}]
    serve(own_sandbox, "*/ledger_accounts/accounts", {"data": rows})
    stream = {
        "name": "my_accounts",
        "path": "/accounting/businesses/{business_uuid}/ledger_accounts/accounts",
        "records_path": "data",
        "primary_keys": ["uuid"],
    }
    config = {**own_config, "custom_streams": [stream]}
    messages = discover_and_sync(config, "my_accounts")
    assert not has_nul(messages.all)
    for record in messages.records["my_accounts"]:
        assert (record["uuid"], record["more"]) == ("a", {"x": "y"})
    assert messages.records["my_accounts"]
