"""Fields that the tap does not know are named once, wherever they stand; or kept in `_extra`."""

from __future__ import annotations

import logging
import re
import signal
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import RunInterruptedError
from tap_freshbooks.records import EXTRA
from tap_freshbooks.streams.constant_list import ConstantList
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.tap import TapFreshBooks
from tests.conftest import settings_for
from tests.support import QUICK, Messages, catalog_of, sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from singer_sdk.singerlib.encoding.simple import Message

    from tap_freshbooks.streams.base import RecordStream

SINGLE = {"systems", "invoice_presentation", "payment_options"}
"""Streams whose answer is one object."""

REFUSED = {"report_accounts_payable_aging"}

NEW = "newly_added"
NESTED = "added_inside"

ASKED = [stream for stream in STREAMS if not issubclass(stream, DerivedStream)]
LINES = [stream for stream in STREAMS if issubclass(stream, LineItems)]
ROWS = [stream for stream in STREAMS if issubclass(stream, ReportRows)]
KEPT_WHOLE = {"report_bank_reconciliation_summary", "report_revenue_by_client_rows"}
"""Streams that keep a part of the answer as it is, so that no field of it is unknown."""


def added(path: list[str]) -> dict[str, Any]:
    """An edit that adds a field; its value names the way to it."""
    return {"edit": "set", "path": path, "value": {"is": ".".join(path)}}


def paths_of(stream: type[RecordStream]) -> tuple[str, list[list[str]]]:
    """Where a stream is read, and where a field can be added to each of its rows."""
    if issubclass(stream, ConstantList):
        return stream.path, [["data", "*", NEW]]
    if not issubclass(stream, ListStream):
        return "/auth/api/v1/users/me", [
            ["response", NEW],
            ["response", "business_memberships", "*", NEW],
        ]
    path = re.sub(r"\{[^}]*\}", "*", stream.path)
    last = stream.records[-1]
    ways = [[*stream.records[:-1], *filter(None, [key])] for key in last.split("|")]
    if issubclass(stream, Report):
        inner = [[name, "*", NEW] for name in stream.lists]
        return path, [[*way, *more] for way in ways for more in ([NEW], *inner)]
    star = [] if stream.name in SINGLE else ["*"]
    found = [[*way, *star, NEW] for way in ways]
    for lines in LINES:
        if lines.source is stream:
            found += [[*way, *star, lines.list_field, "*", NESTED] for way in ways]
    return path, found


def surprise(sandbox: Sandbox, streams: Iterable[type[RecordStream]] = ASKED) -> None:
    """Let every row of some streams have a field more, and lines of documents one of their own."""
    edits: dict[str, list[dict[str, Any]]] = {}
    for stream in streams:
        path, ways = paths_of(stream)
        edits.setdefault(path, []).extend(added(way) for way in ways)
    for path, each in edits.items():
        sandbox.faults("answer", path=path, edits=each)


def named(caplog: pytest.LogCaptureFixture) -> dict[str, list[str]]:
    """The unknown fields that each stream named."""
    found: dict[str, list[str]] = {}
    for record in caplog.records:
        match = re.match(r"Fields unknown .*?: (.*); please report", record.getMessage())
        if match:
            stream = record.name.removeprefix("tap-freshbooks.")
            found.setdefault(stream, []).extend(match[1].split(", "))
    return found


@pytest.fixture(scope="module")
def room() -> Iterator[Sandbox]:
    behaviours = {"invitation_rates": "filled"}
    with Sandbox(invoices=15, rate_limit=0, behaviours=behaviours) as running:
        yield running


@pytest.fixture
def sandbox(room: Sandbox) -> Iterator[Sandbox]:
    yield room
    room.faults_clear()


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    first = sandbox.businesses()[0]["id"]
    settings = {**settings_for(sandbox, tmp_path), "business_ids": [first]}
    return {**settings, "start_date": "2024-01-01", "report_interval": "year"}


def everything() -> list[str]:
    return [stream.name for stream in STREAMS if stream.name not in REFUSED]


def test_every_unknown_field_is_named_once_wherever_it_stands(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    surprise(sandbox)
    records = sync(config, *everything()).records
    found = named(caplog)
    for stream in [*ASKED, *ROWS]:
        if records[stream.name] and stream.name not in KEPT_WHOLE:
            names = [name for name in found[stream.name] if name.endswith(NEW)]
            assert names, stream.name
            assert NEW in names or stream in ROWS  # there beside what a group says
    for stream in LINES:
        if records[stream.name]:
            assert f"{stream.list_field}.{NESTED}" in found[stream.source.name]
    for names in found.values():
        assert len(names) == len(set(names))
    assert len(found) > 60
    for rows in records.values():
        assert all(EXTRA not in row and NEW not in row for row in rows)


def test_a_line_stream_alone_names_them_too(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    surprise(sandbox)
    assert sync(config, "invoice_lines", "report_cash_flow_rows").records["invoice_lines"]
    found = named(caplog)
    assert sorted(found["invoices"]) == [f"lines.{NESTED}", NEW]
    assert [name for name in found["report_cash_flow_rows"] if NEW in name]


def test_they_are_named_when_the_stream_fails_later(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    businesses = [business["id"] for business in sandbox.businesses()[:2]]
    second = sandbox.businesses()[1]["account_id"]
    surprise(sandbox)
    path = f"/accounting/account/{second}/items/items"
    sandbox.faults("answer", path=path, content='{"response": {"result": {}}}')
    with pytest.raises(Exception, match="items"):
        sync({**config, "business_ids": businesses}, "items")
    assert named(caplog)["items"] == [NEW]


def test_kept_fields_stand_in_a_column_of_every_stream_by_their_paths(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    surprise(sandbox)
    settings = {**config, "unknown_fields": "keep"}
    records = sync(settings, *everything()).records
    for stream in ASKED:
        for row in records[stream.name]:
            if stream.name not in KEPT_WHOLE:
                assert row[EXTRA][NEW]["is"].endswith(NEW), stream.name
    for stream in ROWS:
        kept = [name for row in records[stream.name] for name in row[EXTRA] or ()]
        if records[stream.name] and stream.name not in KEPT_WHOLE:
            assert any(name.endswith(NEW) for name in kept), stream.name
    for lines in LINES:
        for row in records[lines.name]:
            way = f"{lines.list_field}.*.{NESTED}"
            assert list(row[EXTRA]) == [NESTED], lines.name
            assert row[EXTRA][NESTED]["is"].endswith(way)
    [first, *_] = [row for row in records["invoices"] if len(row["lines"]) > 1]
    places = [f"lines[{position}].{NESTED}" for position in range(len(first["lines"]))]
    assert list(first[EXTRA]) == [*places, NEW]
    assert "came in the column _extra" in caplog.text
    assert "were dropped" not in caplog.text


def test_nothing_unknown_is_null(config: dict[str, Any]) -> None:
    records = sync({**config, "unknown_fields": "keep"}, "invoices", "invoice_lines").records
    assert records["invoices"]
    assert {row[EXTRA] for rows in records.values() for row in rows} == {None}


def test_the_catalog_has_the_column_only_where_it_is_wanted() -> None:
    for setting in ("warn", "keep"):
        tap = TapFreshBooks(config={"unknown_fields": setting}, setup_mapper=False)
        having = {
            entry["stream"]
            for entry in tap.catalog_dict["streams"]
            if EXTRA in entry["schema"]["properties"]
        }
        assert having == ({stream.name for stream in STREAMS} if setting == "keep" else set())


@pytest.mark.parametrize("selected", [True, False])
def test_the_column_is_there_with_an_older_catalog_unless_it_is_deselected(
    sandbox: Sandbox, config: dict[str, Any], *, selected: bool
) -> None:
    surprise(sandbox)
    catalog = catalog_of("invoices", "invoice_lines")  # of a tap that keeps nothing
    for entry in catalog["streams"]:
        metadata = {"breadcrumb": ["properties", EXTRA], "metadata": {"selected": False}}
        if not selected:
            entry["metadata"].append(metadata)
    messages = Messages()
    settings = {**QUICK, **config, "unknown_fields": "keep"}
    TapFreshBooks(config=settings, catalog=catalog, message_writer=messages).sync()
    schemas = {m["stream"]: m["schema"] for m in messages.all if m["type"] == "SCHEMA"}
    for stream in ("invoices", "invoice_lines"):
        assert messages.records[stream]
        assert (EXTRA in schemas[stream]["properties"]) == selected
        assert all((EXTRA in row) == selected for row in messages.records[stream])


def test_a_catalog_with_the_column_does_no_harm_when_nothing_is_kept(
    config: dict[str, Any],
) -> None:
    keeping = TapFreshBooks(config={"unknown_fields": "keep"}, setup_mapper=False)
    catalog = deepcopy(keeping.catalog_dict)
    for entry in catalog["streams"]:
        [whole] = [each for each in entry["metadata"] if not each["breadcrumb"]]
        whole["metadata"]["selected"] = entry["stream"] == "taxes"
    messages = Messages()
    settings = {**QUICK, **config}
    TapFreshBooks(config=settings, catalog=catalog, message_writer=messages).sync()
    assert messages.records["taxes"]
    assert all(EXTRA not in row for row in messages.records["taxes"])


def test_credentials_are_withheld_and_named(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    marker = "s3cr3t-marker"
    row = ["response", "result", "staff", "*"]
    new = {
        "session_token": marker,
        "apiKey": marker,
        "client_secret": {"a": marker},
        "has_password": True,
        "settings": {"deep": [{"publishable_key": marker, "name": "kept"}]},
        "api_token": marker,
    }
    edits = [{"edit": "set", "path": [*row, name], "value": each} for name, each in new.items()]
    sandbox.faults("answer", path="*/users/staffs", edits=edits)
    records = sync({**config, "unknown_fields": "keep"}, "staffs").records["staffs"]
    assert [record[EXTRA] for record in records] == [
        {"has_password": True, "settings": {"deep": [{"name": "kept"}]}} for _ in records
    ]
    assert records
    assert marker not in str(records)
    assert marker not in caplog.text
    [withheld] = [line for line in caplog.messages if "look like credentials" in line]
    assert "apiKey, client_secret, session_token, settings.publishable_key;" in withheld
    assert named(caplog)["staffs"] == ["has_password", "settings"]


def test_credentials_are_withheld_inside_of_what_has_no_fixed_fields(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    info = {"user_publishable_key": "pk_live_1", "more": {"Access-Token": "t", "id": 7}}
    edits = [{"edit": "set", "path": "payment_options.gateway_info", "value": info}]
    sandbox.faults("answer", path="*/payment_options", edits=edits)
    [record] = sync(config, "payment_options").records["payment_options"]
    assert record["gateway_info"] == {"more": {"id": 7}}
    assert "gateway_info.Access-Token, gateway_info.user_publishable_key;" in caplog.text
    assert "pk_live_1" not in caplog.text


def test_names_that_are_data_neither_flood_the_log_nor_slow_the_run_down(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    many = {f"field_{number}": number for number in range(5000)}
    edits = [
        {"edit": "set", "path": ["response", "result", "taxes", "*", name], "value": value}
        for name, value in many.items()
    ]
    sandbox.faults("answer", path="*/taxes/taxes", edits=edits)
    records = sync({**config, "unknown_fields": "keep"}, "taxes").records["taxes"]
    assert all(record[EXTRA] == many for record in records)
    assert len(named(caplog)["taxes"]) == 100


class Interrupting(Messages):
    """Output that is interrupted after a few records."""

    def write_message(self, message: Message) -> None:
        super().write_message(message)
        if len(self.records["items"]) == 3:
            raise RunInterruptedError(signal.SIGTERM, has_state=True)


def test_they_are_named_when_the_run_is_interrupted(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    surprise(sandbox)
    messages = Interrupting()
    catalog = catalog_of("items")
    tap = TapFreshBooks(config={**QUICK, **config}, catalog=catalog, message_writer=messages)
    with pytest.raises(RunInterruptedError):
        tap.sync()
    assert len(messages.records["items"]) == 3
    assert named(caplog)["items"] == [NEW]


@pytest.mark.parametrize("setting", ["warn", "keep"])
def test_the_users_own_streams_have_unknown_fields_too(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture, setting: str
) -> None:
    surprise(sandbox)
    own = {
        "name": "my_taxes",
        "path": "/accounting/account/{account_id}/taxes/taxes",
        "records_path": "response.result.taxes",
        "schema": {"id": {"type": "integer"}, "name": {"type": "string"}},
    }
    settings = {**QUICK, **config, "custom_streams": [own], "unknown_fields": setting}
    catalog = TapFreshBooks(config=settings, setup_mapper=False).catalog_dict
    for entry in catalog["streams"]:
        [whole] = [each for each in entry["metadata"] if not each["breadcrumb"]]
        whole["metadata"]["selected"] = entry["stream"] == "my_taxes"
    del settings["custom_streams"][0]["schema"]  # then it is taken from the catalog
    messages = Messages()
    TapFreshBooks(config=settings, catalog=catalog, message_writer=messages).sync()
    names = {"account_id", "id", "name"} | ({EXTRA} if setting == "keep" else set())
    assert messages.records["my_taxes"]
    for record in messages.records["my_taxes"]:
        assert set(record) == names
        assert setting == "warn" or record[EXTRA][NEW]["is"].endswith(NEW)
    assert NEW in named(caplog)["my_taxes"]


def test_the_unified_model_has_them_in_the_native_record_only(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    surprise(sandbox)
    settings = {**config, "unknown_fields": "keep", "unified_remote_data": True}
    tap = TapFreshBooks(config={**QUICK, **settings}, setup_mapper=False)
    catalog = tap.catalog_dict
    for entry in catalog["streams"]:
        [whole] = [each for each in entry["metadata"] if not each["breadcrumb"]]
        whole["metadata"]["selected"] = entry["stream"] == "unified_tax_rates"
    messages = Messages()
    TapFreshBooks(config={**QUICK, **settings}, catalog=catalog, message_writer=messages).sync()
    for record in messages.records["unified_tax_rates"]:
        assert EXTRA not in record
        assert NEW in str(record["remote_data"])
    assert messages.records["unified_tax_rates"]


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
