"""Where the facts leave a question open, streams cope with each answer that is possible."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.conftest import settings_for
from tests.support import sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["usual", "other"], scope="module")
def room(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    other = {"line_dates": "timed", "late_fee_value": "text", "late_reminder_id": "text"}
    behaviours = other if request.param == "other" else {}
    with Sandbox(invoices=30, rate_limit=0, behaviours=behaviours) as running:
        yield running


def values(rows: list[dict[str, Any]], part: str, name: str) -> list[Any]:
    """The values of a field in the parts of rows, without nulls."""
    parts = [each for row in rows for each in _list(row.get(part)) if each]
    return [each[name] for each in parts if each.get(name) is not None]


def _list(part: Any) -> list[Any]:
    return part if isinstance(part, list) else [part]


def test_dates_of_lines_fees_and_reminders(
    room: Sandbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
) -> None:
    is_other = request.node.callspec.params["room"] == "other"
    records = sync(settings_for(room, tmp_path), "invoices", "invoice_lines").records
    invoices = records["invoices"]
    dates = values(invoices, "lines", "date")
    assert dates
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in dates)
    assert dates == [line["date"] for line in records["invoice_lines"] if line["date"]]
    fees = values(invoices, "late_fee", "value")
    assert fees
    assert all(re.fullmatch(r"\d+(\.\d+)?", fee) for fee in fees)
    reminders = values(invoices, "late_reminders", "id")
    assert reminders
    assert all(isinstance(reminder, str) for reminder in reminders)
    assert not [line for line in caplog.messages if "does not fit" in line]
    told = [line for line in caplog.messages if "held a time behind its date" in line]
    assert [line.split()[2] for line in told] == (["lines.date"] if is_other else [])


@pytest.mark.parametrize(
    ("stream", "behaviour", "envelopes"),
    [
        ("project_threads", "threads_envelope", ("threads", "data", "list")),
        (
            "checkout_links",
            "checkout_links_envelope",
            ("checkout_links", "checkout-links", "list"),
        ),
    ],
)
def test_a_list_is_read_wherever_an_answer_has_it(
    tmp_path: Path, stream: str, behaviour: str, envelopes: tuple[str, ...]
) -> None:
    read = []
    for envelope in envelopes:
        behaviours = {behaviour: envelope}
        with Sandbox(invoices=5, rate_limit=0, behaviours=behaviours) as sandbox:
            config = settings_for(sandbox, tmp_path / envelope)
            config["business_ids"] = [sandbox.businesses()[0]["id"]]
            read.append([row["id"] for row in sync(config, stream).records[stream]])
            truth = {row["id"] for row in sandbox.truth(stream)}
    assert read[0]
    assert set(read[0]) <= truth
    assert read == [read[0]] * 3


LONG = ("time_entries", "journal_entry_details")
"""Streams with several pages."""


def keys_of(sandbox: Sandbox, folder: Path) -> dict[str, list[str]]:
    """Ids of the rows that a first sync delivers, in their order."""
    config = settings_for(sandbox, folder)
    records = sync(config, *LONG, "invoices", "taxes", "team_members").records
    return {
        stream: sorted(str(row.get("id") or row.get("uuid")) for row in rows)
        for stream, rows in records.items()
    }


@pytest.fixture(scope="module")
def usual_keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    with Sandbox(invoices=60, rate_limit=0) as sandbox:
        keys = keys_of(sandbox, tmp_path_factory.mktemp("usual"))
    assert all(len(keys[stream]) > 100 for stream in LONG)
    return keys


@pytest.mark.parametrize(
    ("behaviour", "value"),
    [
        ("page_metadata_missing", "all"),
        ("small_pages", "all"),
        ("page_cap", "none"),
        ("per_page_echo", "asked"),
        ("past_the_end", "last"),
        ("oldest_first", "all"),
        ("totals", "all"),
        ("repeated_rows", "all"),
        ("default_per_page", "all"),
        ("rate_limit_headers", "absent"),
        ("rate_limit_windows", "several"),
    ],
)
def test_however_lists_come_each_row_is_delivered_once(
    usual_keys: dict[str, list[str]], tmp_path: Path, behaviour: str, value: str
) -> None:
    with Sandbox(invoices=60, rate_limit=0, behaviours={behaviour: value}) as sandbox:
        assert keys_of(sandbox, tmp_path) == usual_keys


def warnings_of(
    behaviours: dict[str, str], folder: Path, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """What a first sync warns of."""
    with Sandbox(invoices=60, rate_limit=0, behaviours=behaviours) as sandbox:
        caplog.clear()
        streams = ("invoices", "invoice_lines", "projects", "bill_lines", "billable_items")
        sync(settings_for(sandbox, folder), *streams)
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]


def test_what_was_asked_for_and_did_not_come_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert warnings_of({}, tmp_path / "usual", caplog) == []
    [line] = warnings_of({"includes_ignored": "invoices"}, tmp_path / "includes", caplog)
    assert "rows of invoices has the field lines, of which this stream is made" in line
    [line] = warnings_of({"deleted_filter_ignored": "invoices"}, tmp_path / "accounting", caplog)
    assert line.startswith("FreshBooks ignores the filter search[vis_state]=1 on invoices: ")
    [line] = warnings_of({"deleted_projects": "ignored"}, tmp_path / "projects", caplog)
    assert line.startswith("FreshBooks ignores the filter active=false on projects: ")
