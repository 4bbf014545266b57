"""The rows of reports: nothing of an answer is lost, and they add up to its totals."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.streams.reports.answers import ANSWERS, GROUPS, LISTS, empty, without_parts
from tests.streams.reports.facts import Filled, values_in
from tests.streams.reports.reading import read, serve
from tests.streams.reports.sales_answers import HASH
from tests.streams.reports.ties import TIES, amount

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tests.support import Messages

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": ANSWERS,
    "empty": {name: empty(answer, LISTS[name]) for name, answer in ANSWERS.items()},
    **{
        f"groups without parts: {how}, {level}": {
            name: without_parts(ANSWERS[name], ways[level], how)
            for name, ways in GROUPS.items()
            if level < len(ways)
        }
        for how in ("absent", "null", "empty")
        for level in range(3)
    },
}


def assert_ties(messages: Messages, name: str) -> int:
    """Every record of a report has rows that add up to it."""
    rows = messages.records[f"report_{name}_rows"]
    records = messages.records[f"report_{name}"]
    assert records
    heading = ("account_id", "period_start", "report_currency")
    count = 0
    for record in records:
        own = [row for row in rows if all(row[key] == record[key] for key in heading)]
        count += len(own)
        for what, said, found in TIES[name](record, own):
            assert said == found, f"{name}, {what}: {said} in the answer, {found} in the rows"
    assert count == len(rows)
    return count


def test_rows_of_every_report_add_up_to_its_totals(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    year = datetime.now(UTC).date().year
    wide = {**settings, "start_date": f"{year - 1}-01-01", "report_currencies": ["CAD", "USD"]}
    messages = read(wide, *TIES)
    counts = {name: assert_ties(messages, name) for name in TIES}
    assert min(counts.values()) > 0, counts
    assert "do not add up" not in caplog.text
    assert books


@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_add_up_whatever_groups_there_are(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture, variant: str
) -> None:
    answers = VARIANTS[variant]
    serve(books, answers)
    messages = read(settings, *answers)
    for name in answers:
        count = assert_ties(messages, name)
        assert bool(count) is (variant != "empty"), name
    assert "do not add up" not in caplog.text


WRONG = {
    "profit_loss": (("income", 0, "total"), "total_income"),
    "balance_sheet": (("data", 2, "balances", 0, "balance"), "liabilities_and_equity_total"),
    "trial_balance": (("data", 0, "debit"), "total.debit"),
    "accounts_aging": (("accounts", 1, "91+"), "totals.days_91_and_more"),
    "payments_collected": (("payments", 2, "amount"), "totals"),
    "invoice_details": (("clients", 0, "invoices", 1, "paid"), "summary.paid"),
    "expense_details": (("data", 0, "children", 0, "expenses", 1, "amount"), "the groups"),
    "item_sales": (("items", 0, "invoices", 1, "discount"), "total_discount"),
    "general_ledger": (
        ("data", 1, "sub_accounts", 0, "transactions", 0, "credit"),
        "summary.total_credit",
    ),
    "cash_flow": (("activities", 1, "total"), None),
}
"""An amount, and the total that it is a part of; none where it is a total of its own."""


@pytest.mark.parametrize("name", WRONG)
def test_a_report_whose_rows_do_not_add_up_says_so_once(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    (*way, last), total = WRONG[name]
    answer = deepcopy(ANSWERS[name])
    holder: Any = answer
    for key in way:
        holder = holder[key]
    holder[last] = {**holder[last], "amount": "1000000.01"}
    serve(books, {name: answer})
    assert read(settings, name).records[f"report_{name}"]
    said = re.findall(r"(report_.*): the rows do not add up to (.*) of the report", caplog.text)
    assert [each for _, each in said] == ([total] if total else [])
    assert all(f"report_{name} of " in subject for subject, _ in said)


PERIOD_OF_THE_ANSWER = ("start_date", "end_date")
"""Held against the period that was asked for, which is in the keys."""


def test_nothing_that_the_facts_name_is_lost(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """All but the token, which is a credential."""
    left_out = {
        name: (*PERIOD_OF_THE_ANSWER, *(["dates"] if name == "balance_sheet" else []))
        for name in TIES
    }
    filled = {name: Filled(f"report_{name}", *left_out[name]) for name in TIES}
    serve(books, {name: each.answer for name, each in filled.items()})
    messages = read(settings, *TIES)
    for name, each in filled.items():
        records = messages.records[f"report_{name}"] + messages.records[f"report_{name}_rows"]
        delivered = values_in(records)
        lost = {path for value, path in each.values.items() if value not in delivered}
        assert lost == {"download_token"}, name
    assert "clients.invoices.lines.taskno" in filled["invoice_details"].values.values()
    assert "unknown to this version" not in caplog.text
    assert "does not fit" not in caplog.text


def test_a_trial_balance_without_a_closing_row_keeps_its_last_account_and_says_so(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = deepcopy(ANSWERS["trial_balance"])
    cash, named_total, *_ = answer["data"]
    answer["data"] = [cash, named_total]
    serve(books, {"trial_balance": answer})
    records = read(settings, "trial_balance").records
    assert {record["total"] for record in records["report_trial_balance"]} == {None}
    rows = records["report_trial_balance_rows"]
    assert {row["account_number"] for row in rows} == {"1000", "1100"}
    for total in ("total.debit", "total.credit"):
        assert f"add up to {total} of the report, or it has none; please report" in caplog.text


@pytest.mark.parametrize("entry", ["Print Depot", {"name": "Print Depot"}])
def test_the_hash_of_a_vendor_is_resolved(
    books: Sandbox, settings: dict[str, Any], entry: Any
) -> None:
    """Its map has names (docs/freshbooks-api/accounting.md §13), or perhaps objects with them."""
    serve(books, {"expense_details": {**ANSWERS["expense_details"], "vendors": {HASH: entry}}})
    rows = read(settings, "expense_details").records["report_expense_details_rows"]
    names = {row["expenseid"]: row.get("vendor_name") for row in rows}
    assert names[1] == "Print Depot"
    assert {names[number] for number in names if number != 1} == {None}


def with_a_new_field(part: Any) -> Any:
    """A part of an answer in which every object but amounts has a field more."""
    if isinstance(part, list):
        return [with_a_new_field(each) for each in part]
    if not isinstance(part, dict) or part.keys() == {"amount", "code"}:
        return part
    return {**{name: with_a_new_field(value) for name, value in part.items()}, "brand_new": "N"}


MAPS = ("vendors", "authors", "clients", "categories")
NEW_FIELDS = {
    "profit_loss": {"total_income.brand_new", "net_profit.brand_new", "brand_new"},
    "balance_sheet": {
        *("assets_total.brand_new", "group_brand_new", "group_balance_brand_new"),
        *("balance_brand_new", "brand_new"),
    },
    "trial_balance": {"total.brand_new", "brand_new"},
    "tax_summary": {"brand_new"},
    "accounts_aging": {"totals.brand_new", "brand_new"},
    "payments_collected": {"brand_new"},
    "invoice_details": {
        *("summary.brand_new", "client_summary.brand_new"),
        *("client_brand_new", "lines.brand_new", "tax_summaries.brand_new", "brand_new"),
    },
    "expense_details": {"groups.brand_new", "brand_new"},
    "item_sales": {"item_brand_new", "brand_new"},
    "general_ledger": {
        *("summary.brand_new", "account_brand_new"),
        *("sub_account_brand_new", "brand_new"),
    },
    "cash_flow": {
        *("summary.brand_new", "category_brand_new", "detail_brand_new"),
        *("account_brand_new", "brand_new"),
    },
}
"""The paths under which each level of an answer shows what is new in it."""


def test_a_new_field_of_any_level_is_named_and_can_be_kept(
    books: Sandbox, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answers = {name: with_a_new_field(ANSWERS[name]) for name in NEW_FIELDS}
    for name in MAPS:
        answers["expense_details"][name] = ANSWERS["expense_details"][name]
    serve(books, answers)
    for name, expected in NEW_FIELDS.items():
        caplog.clear()
        messages = read({**settings, "unknown_fields": "keep"}, name)
        named = re.findall(r"Fields unknown to this version .*: (.*); please", caplog.text)
        paths = {path for line in named for path in line.split(", ")}
        assert expected <= paths, name
        records = messages.records[f"report_{name}"] + messages.records[f"report_{name}_rows"]
        kept = {path for record in records for path in record["_extra"] or {}}
        assert {re.sub(r"\[\d+\]", "", path) for path in kept} == paths, name


def test_columns_of_profit_and_loss_are_kept(books: Sandbox, settings: dict[str, Any]) -> None:
    """Asked with a resolution, each line has an amount per column."""
    monthly = {"name": "report_profit_loss", "override": True, "query": {"resolution": "m"}}
    records = read({**settings, "custom_streams": [monthly]}, "profit_loss").records
    for report in records["report_profit_loss"]:
        months = len(report["dates"])
        assert months == len(report["labels"]) == len(report["net_profit"]["data"]) > 1
    for row in records["report_profit_loss_rows"]:
        assert len(row["data"]) == months
        assert sum(map(amount, row["data"])) == amount(row["total"])
    assert records["report_profit_loss_rows"]
    assert books
