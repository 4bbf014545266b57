"""Answers with reports that are not as expected: a sentence, and never rows that are missing."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.tap import TapFreshBooks
from tests.streams.reports.answers import ANSWERS, LISTS
from tests.streams.reports.reading import REPORTS, read, serve
from tests.support import failing_sync, sync

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Command

TOTALS = {
    "profit_loss": ("total_income", "total_expenses", "net_profit"),
    "balance_sheet": ("assets_total", "liabilities_and_equity_total"),
    "tax_summary": ("total_invoiced",),
    "accounts_aging": ("totals",),
    "payments_collected": ("totals",),
    "revenue_by_client": ("total_sales",),
    "invoice_details": ("summary",),
    "general_ledger": ("summary",),
    "cash_flow": ("summary",),
}
NEEDED = {
    name: [*TOTALS.get(name, ()), *(part for part in lists if part != "closing row")]
    for name, lists in LISTS.items()
}
UNHARMED = "report_bank_reconciliation_summary"


def failures(
    settings: dict[str, Any], caplog: pytest.LogCaptureFixture, *names: str
) -> dict[str, str]:
    """What the run says of reports that fail; nothing of them is delivered, and no other fails."""
    caplog.clear()
    tables = [f"report_{name}{end}" for name in names for end in ("", "_rows")]
    messages, _ = failing_sync(settings, *tables, UNHARMED)
    assert messages.records.keys() == {UNHARMED}
    assert not any("read_until" in str(messages.state["bookmarks"].get(each)) for each in tables)
    year = datetime.now(UTC).date().year
    place = rf"report_(\w+) of .+, {year}-01-01 to {year}-12-31: (.*); please report this"
    return dict(re.findall(place, caplog.text))


def failure(settings: dict[str, Any], name: str, caplog: pytest.LogCaptureFixture) -> str:
    """What the run says of a report that fails."""
    return failures(settings, caplog, name)[name]


@pytest.mark.parametrize("value", ["missing", None, "text", 7])
def test_a_report_without_a_total_or_a_list_is_a_sentence(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    for turn in range(max(map(len, NEEDED.values()))):
        broken = {name: parts[turn] for name, parts in NEEDED.items() if turn < len(parts)}
        answers = {}
        for name, part in broken.items():
            answers[name] = {**ANSWERS[name], part: value}
            if value == "missing":
                del answers[name][part]
            elif part in {"total_invoiced", "total_sales"} and value is not None:
                answers[name][part] = []  # a bare number or text is an amount
        serve(books, answers)
        said = failures(settings, caplog, *broken)
        for name, part in broken.items():
            assert part in said[name]
            assert ("has no" if value == "missing" else "not a") in said[name]
        books.faults_clear()


@pytest.mark.parametrize("way", ["data.0", "data.0.accounts", "data.0.accounts.0.sub_accounts.0"])
@pytest.mark.parametrize("value", ["text", 7, True])
def test_a_part_that_is_no_object_is_a_sentence(
    books: Sandbox,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    way: str,
    value: Any,
) -> None:
    path = f"response.result.balance_sheet.{way}"
    serve(books, {"balance_sheet": ANSWERS["balance_sheet"]})
    edits = [{"edit": "set", "path": path, "value": value}]
    books.faults("answer", path="*/balance_sheet", edits=edits)
    said = failure(settings, "balance_sheet", caplog)
    assert re.search(
        r"(data|accounts|sub_accounts) (holds|is) (a text|a number|true or false)", said
    )


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ({}, "has no taxsummary, but nothing"),
        ({"tax_summary": {}}, "has no taxsummary, but tax_summary"),
        ({"taxsummary": None}, "taxsummary is null, not an object"),
        ({"taxsummary": []}, "taxsummary is a list, not an object"),
        ({"taxsummary": "none"}, "taxsummary is a text, not an object"),
        ([], "response.result is a list, not an object"),
    ],
)
def test_an_answer_without_the_report_is_a_sentence(
    books: Sandbox,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    result: Any,
    sentence: str,
) -> None:
    serve(books, {"tax_summary": None}, response={"result": result})
    assert sentence in failure(settings, "tax_summary", caplog)


@pytest.mark.parametrize(
    ("name", "echo"),
    [
        ("tax_summary", {"start_date": "2019-06-01"}),
        ("accounts_aging", {"end_date": "2019-06-01"}),
        ("balance_sheet", {"dates": ["2019-06-01"]}),
        ("balance_sheet", {"dates": []}),
    ],
)
def test_a_report_of_another_period_is_a_sentence(
    books: Sandbox,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    name: str,
    echo: dict[str, Any],
) -> None:
    serve(books, {name: {**ANSWERS[name], **echo}})
    assert "answered for another period" in failure(settings, name, caplog)


def test_balances_of_several_days_are_a_sentence(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = deepcopy(ANSWERS["balance_sheet"])
    answer["data"][2]["balances"] *= 2
    serve(books, {"balance_sheet": answer})
    assert "balances has several days" in failure(settings, "balance_sheet", caplog)


def test_a_report_of_unknown_shape_is_delivered_whole_under_any_key(
    books: Sandbox, settings: dict[str, Any]
) -> None:
    report = {"vendors": [{"owed": 1}], "download_token": "a.b.c"}
    name = "accounts_payable_aging"
    serve(books, {name: None}, response={"result": {"payables": report}})
    record, *_ = read(settings, name).records[f"report_{name}"]
    assert record["report"] == {"vendors": [{"owed": 1}]}
    assert record["report_currency"] == "default"


def test_the_key_of_a_report_can_be_mended_by_the_user(
    books: Sandbox, settings: dict[str, Any]
) -> None:
    answer = {**ANSWERS["tax_summary"], "basis": "accrual"}
    serve(books, {"tax_summary": None}, response={"result": {"taxes": answer}})
    mended = {
        "name": "report_tax_summary",
        "override": True,
        "records_path": "response.result.taxes",
        "schema": {"basis": {"type": "string"}},
    }
    messages = read({**settings, "custom_streams": [mended]}, "tax_summary")
    found = [record["report_currency"] for record in messages.records["report_tax_summary"]]
    assert found == ["CAD", "CAD"]
    assert len(messages.records["report_tax_summary_rows"]) == len(found)
    catalog = TapFreshBooks(config={**settings, "custom_streams": [mended]}).catalog_dict
    [entry] = [each for each in catalog["streams"] if each["stream"] == mended["name"]]
    assert {"basis", "total_invoiced"} <= entry["schema"]["properties"].keys()


# Keys


def test_no_key_of_a_report_is_ever_empty(books: Sandbox, settings: dict[str, Any]) -> None:
    serve(books, {name: {**answer, "currency_code": ""} for name, answer in ANSWERS.items()})
    first, second = (read(settings, *ANSWERS).records for _ in range(2))
    for name in ANSWERS:
        for stream in (f"report_{name}", f"report_{name}_rows"):
            keys = [*REPORTS[name].record_keys()]
            values = [[record[key] for key in keys] for record in first[stream]]
            assert values == [[record[key] for key in keys] for record in second[stream]]
            assert all(value not in {None, ""} for each in values for value in each)
            assert {record["report_currency"] for record in first[stream]} == {"default"}


def test_payments_of_all_currencies_are_under_one_key_that_is_not_empty(
    books: Sandbox, settings: dict[str, Any]
) -> None:
    found = read(settings, "payments_collected").records
    assert {row["report_currency"] for row in found["report_payments_collected"]} == {"default"}
    asked = read({**settings, "report_currencies": ["EUR"]}, "payments_collected").records
    assert {row["report_currency"] for row in asked["report_payments_collected"]} == {"EUR"}
    assert books


def test_a_currency_code_that_is_no_text_is_a_sentence(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    serve(books, {"cash_flow": {**ANSWERS["cash_flow"], "currency_code": ["CAD"]}})
    assert "currency_code is no text" in failure(settings, "cash_flow", caplog)


def test_a_report_that_ignores_the_currency_is_delivered_once_in_its_own(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The general ledger knows no `currency_code` (docs/freshbooks-api/accounting.md §4)."""
    own = {
        record["account_id"]: record["report_currency"]
        for record in read(settings, "general_ledger").records["report_general_ledger"]
    }
    caplog.clear()
    several = {**settings, "report_currencies": ["USD", "CAD", "EUR"]}
    records = read(several, "general_ledger").records
    found = [
        (record["account_id"], record["report_currency"])
        for record in records["report_general_ledger"]
    ]
    assert sorted(found) == sorted(own.items())
    for row in records["report_general_ledger_rows"]:
        assert row["debit"]["code"] == row["report_currency"]
    assert caplog.text.count("though EUR was asked for") == 1
    assert books


# Paths


@pytest.mark.parametrize(
    "name", ["profit_loss", "general_ledger", "trial_balance", "cash_flow", "expense_details"]
)
def test_a_report_that_is_gone_from_the_account_is_read_below_the_business(
    books: Sandbox, settings: dict[str, Any], name: str
) -> None:
    wide = {**settings, "start_date": "2025-01-01"}
    expected = read(wide, name).records
    books.faults("answer", status=404, path="*/account/*/reports/*", content=NOT_FOUND)
    records = read(wide, name).records
    keys = REPORTS[name].record_keys()
    for stream in (f"report_{name}", f"report_{name}_rows"):
        assert records[stream]
        assert [[record[key] for key in keys] for record in records[stream]] == [
            [record[key] for key in keys] for record in expected[stream]
        ]


NOT_FOUND = (
    '{"response": {"errors": [{"errno": 1012, "field": "", "message": "Not found.", '
    '"object": "report", "value": ""}]}}'
)


def test_status_knows_a_report_that_is_below_the_business(
    books: Sandbox, settings: dict[str, Any], tmp_path: Path, command: Command
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    books.faults("answer", status=404, path="*/account/*/reports/*", content=NOT_FOUND)
    _, output, _ = command("status", "--config", str(config))
    lines = {line.split()[0]: line for line in output.splitlines() if "report_" in line}
    assert "yes, each period" in lines["report_general_ledger"]
    assert "not there" in lines["report_item_sales"]


def test_a_report_that_is_nowhere_is_skipped(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    books.faults("answer", status=404, path="*/reports/*", content=NOT_FOUND)
    assert not sync(settings, "report_cash_flow", "taxes").records["report_cash_flow"]
    assert "Skipped report_cash_flow" in caplog.text


@pytest.mark.parametrize(
    "amount", ['"Infinity"', '"NaN"', "1e1000000", '"x"', "[1]", '{"a": 1}', "true"]
)
def test_an_amount_that_is_none_is_null_and_compared_with_nothing(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture, amount: str
) -> None:
    answer = {**ANSWERS["cash_flow"], "summary": {"net_cash_change": {"amount": "here"}}}
    content = json.dumps({"response": {"result": {"cash_flow": answer}}})
    content = content.replace('"here"', amount)
    books.faults("answer", path="*/account/*/cash_flow", content=content)
    records = read(settings, "cash_flow").records
    for record in records["report_cash_flow"]:
        assert record["summary"]["net_cash_change"]["amount"] is None
    assert len(records["report_cash_flow_rows"]) == 2 * 5
    assert "does not fit" in caplog.text
    assert "do not add up" not in caplog.text
