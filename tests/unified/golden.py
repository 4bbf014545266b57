"""Native records as FreshBooks sends them, made into unified rows without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.unified.streams import CompanyInfo, UnifiedStream

if TYPE_CHECKING:
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.list_stream import ListStream

FOLDER = Path(__file__).parent / "golden"

Row = dict[str, Any]

OF_SCOPE: Row = {"account_id": "ACM123", "business_id": 7712034, "business_uuid": "a-b-c"}
COMPANY = "businesses:7712034"


@cache
def tap_with(folder: str | None = None, *, remote_data: bool = False) -> TapFreshBooks:
    """A tap without a connection, perhaps with a user's mappings."""
    settings = {"unified_mappings": folder} if folder else {}
    config = {"include_deleted": True, "unified_remote_data": remote_data, **settings}
    return TapFreshBooks(config=config, validate_config=False)


def stream_of(name: str, tap: TapFreshBooks | None = None) -> RecordStream:
    """A stream of a tap."""
    return cast("RecordStream", (tap or tap_with()).streams[name])


def rows_of(native: str, sent: Row, tap: TapFreshBooks | None = None) -> dict[str, list[Row]]:
    """The rows that follow from one object of FreshBooks, by unified stream."""
    tap = tap or tap_with()
    if native == "businesses":
        return {"unified_company_info": company_rows(sent, tap)}
    source = cast("ListStream", stream_of(native, tap))
    context = {source.identifier_kind.value: OF_SCOPE[source.identifier_kind.value]}
    record = source.to_record(sent, context, datetime(2026, 1, 1, tzinfo=UTC))
    rows = {}
    for stream in source.child_streams:
        if isinstance(stream, UnifiedStream) and not isinstance(stream, CompanyInfo):
            stream._companies = {context[source.identifier_kind.value]: COMPANY}
            rows[stream.name] = list(stream.derive(record, source))
    return rows


def company_rows(sent: Row, tap: TapFreshBooks) -> list[Row]:
    """The row of a business and its system."""
    stream = cast("CompanyInfo", tap.streams["unified_company_info"])
    record = stream_of("businesses", tap).convert(sent["business"])
    system = sent.get("system") and stream_of("systems", tap).convert(sent["system"])
    return list(stream._rows({**record, "system": system}))


def row_of(native: str, **sent: Any) -> Row:
    """The first unified row of an object that has these fields."""
    key = stream_of(native).key[0]
    first, *_ = next(iter(rows_of(native, {key: 1, "vis_state": 0, **sent}).values()))
    return first


def without_nulls(row: Row) -> Row:
    """The columns that are filled."""
    return {name: value for name, value in row.items() if value is not None}


def cases() -> dict[str, Row]:
    """The records of the folder, with the rows that must follow, by native stream."""
    return {
        file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))
        for file in sorted(FOLDER.glob("*.yaml"))
    }
