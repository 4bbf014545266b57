"""What must hold over all the books of the sandbox."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.unified.mapping import Link, links
from tap_freshbooks.unified.mapping_loader import load
from tests.conftest import settings_for
from tests.support import sync

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox

Rows = dict[str, list[dict[str, Any]]]

MAPPINGS = load()
NATIVE = sorted({source for each in MAPPINGS.values() for source in each.sources})


@pytest.fixture(scope="module")
def rows(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """All unified rows, and the native ones that they are made of."""
    config = settings_for(sandbox, tmp_path_factory.mktemp("unified"))
    return sync(config, *MAPPINGS, *NATIVE).records


def number(text: str) -> Decimal:
    return Decimal(text)


def sums(rows: list[dict[str, Any]], by: tuple[str, ...], amount: str) -> dict[Any, Decimal]:
    total: defaultdict[Any, Decimal] = defaultdict(Decimal)
    for row in rows:
        total[tuple(row[name] for name in by)] += number(row[amount])
    return dict(total)


DOCUMENTS = [
    ("unified_invoices", "unified_invoice_lines", "invoice_id", "lines_total"),
    ("unified_credit_notes", "unified_credit_note_lines", "credit_note_id", "sub_total"),
    ("unified_bills", "unified_bill_lines", "bill_id", "sub_total"),
]


@pytest.mark.parametrize(("documents", "lines", "link", "total"), DOCUMENTS)
def test_lines_add_up_to_their_documents(
    rows: Rows, documents: str, lines: str, link: str, total: str
) -> None:
    found = sums(rows[lines], ("company_id", link), "line_amount")
    counts = Counter((row["company_id"], row[link]) for row in rows[lines])
    assert rows[documents]
    for row in rows[documents]:
        key = (row["company_id"], row["id"])
        assert found.get(key, Decimal()) == number(row[total])
        assert counts[key] == row["line_count"]


@pytest.mark.parametrize(("documents", "lines", "link", "total"), DOCUMENTS)
def test_a_line_is_as_old_as_its_document(
    rows: Rows, documents: str, lines: str, link: str, total: str
) -> None:
    del total
    updated_at = {
        (row["company_id"], row["id"]): row["remote_updated_at"] for row in rows[documents]
    }
    for line in rows[lines]:
        assert line["parent_remote_updated_at"] == updated_at[line["company_id"], line[link]]


def test_invoices_add_up(rows: Rows) -> None:
    assert rows["unified_invoices"]
    for row in rows["unified_invoices"] + rows["unified_estimates"]:
        total, tax = number(row["total_amount"]), number(row["total_tax"])
        assert tax >= 0
        assert number(row["total_discount"]) >= 0
        assert number(row["lines_total"]) - number(row["total_discount"]) + tax == total
        if "amount_due" in row:
            assert number(row["amount_due"]) == total - number(row["amount_paid"])
    for row in rows["unified_bills"]:
        assert number(row["total_amount"]) == number(row["sub_total"]) + number(row["total_tax"])
        assert number(row["amount_due"]) == number(row["total_amount"]) - number(row["amount_paid"])


def test_expenses_add_up(rows: Rows) -> None:
    for row in rows["unified_expenses"]:
        assert number(row["sub_total"]) + number(row["total_tax"]) == number(row["total_amount"])


def test_credit_is_never_overdrawn(rows: Rows) -> None:
    for row in rows["unified_credit_notes"]:
        assert 0 <= number(row["remaining_credit"]) <= number(row["total_amount"])


def live(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if not row["remote_deleted"]]


@pytest.mark.parametrize(
    ("kind", "documents", "link"),
    [
        ("accounts_receivable", "unified_invoices", "invoice_id"),
        ("accounts_payable", "unified_bills", "bill_id"),
    ],
)
def test_documents_less_payments_and_credits_are_the_balance(
    rows: Rows, kind: str, documents: str, link: str
) -> None:
    alive = {(row["company_id"], row["id"]) for row in live(rows[documents])}
    payments = [
        row
        for row in live(rows["unified_payments"])
        if row["type"] == kind and (row["company_id"], row[link]) in alive
    ]
    money = [row for row in payments if not row["is_credit_application"]]
    credits_used = [row for row in payments if row["is_credit_application"]]
    by = ("company_id", "currency")
    owed = sums(live(rows[documents]), by, "total_amount")
    received = sums(money, by, "total_amount")
    applied = sums(credits_used, by, "total_amount")
    assert owed
    assert received
    assert sums(live(rows[documents]), by, "amount_due") == {
        key: total - received.get(key, Decimal()) - applied.get(key, Decimal())
        for key, total in owed.items()
    }


def test_payments_of_a_document_are_what_it_says_is_paid(rows: Rows) -> None:
    payments = live(rows["unified_payments"])
    for documents, link in (("unified_invoices", "invoice_id"), ("unified_bills", "bill_id")):
        paid = sums([row for row in payments if row[link]], ("company_id", link), "total_amount")
        for row in live(rows[documents]):
            found = paid.get((row["company_id"], row["id"]), Decimal())
            assert found == number(row["amount_paid"])


def test_every_entry_of_the_ledger_is_balanced(rows: Rows) -> None:
    nets = sums(rows["unified_journal_lines"], ("company_id", "journal_entry_id"), "net_amount")
    assert nets
    assert set(nets.values()) == {Decimal()}


@pytest.mark.parametrize(
    "link", list(links(MAPPINGS)), ids=lambda link: f"{link.stream}.{link.column}"
)
def test_every_link_resolves(rows: Rows, link: Link) -> None:
    ids = {
        (row["company_id"], row[link.column])
        for row in rows[link.stream]
        if row[link.column] and row[link.column].startswith(f"{link.native}:")
    }
    if link.target:
        assert ids <= {(row["company_id"], row["id"]) for row in rows[link.target]}


UNUSED = {"unified_expenses.project_id", "unified_items.tax_rate_2_id"} | {
    "unified_time_entries.task_id"
}
"""Links that the books of the sandbox do not have."""


def test_the_other_links_are_used(rows: Rows) -> None:
    unused = {
        f"{link.stream}.{link.column}"
        for link in links(MAPPINGS)
        if link.target and not any(row[link.column] for row in rows[link.stream])
    }
    assert unused == UNUSED


def test_postings_find_their_accounts(rows: Rows) -> None:
    accounts = rows["unified_accounts"]
    by_number = {row["account_number"] for row in accounts}
    assert {row["account_number"] for row in rows["unified_journal_lines"]} <= by_number


def test_every_business_is_a_company(rows: Rows) -> None:
    companies = {row["company_id"] for row in rows["unified_company_info"]}
    assert companies == {row["id"] for row in rows["unified_company_info"]}
    for stream in MAPPINGS:
        assert {row["company_id"] for row in rows[stream]} <= companies


@pytest.mark.parametrize("stream", MAPPINGS)
def test_words_are_those_of_the_model(rows: Rows, stream: str) -> None:
    assert rows[stream]
    for column in MAPPINGS[stream].columns.values():
        if column.enum:
            found = {row[column.name] for row in rows[stream]} - {None}
            assert found <= set(column.enum)
            assert "unknown" not in found


@pytest.mark.parametrize("stream", MAPPINGS)
def test_no_row_is_lost_or_made_up(rows: Rows, stream: str) -> None:
    mapping = MAPPINGS[stream]
    native = [row for source in mapping.sources for row in rows[source]]
    wanted = [row for row in native if mapping.where is None or row[mapping.where]]
    keys = [(row["company_id"], row["id"]) for row in rows[stream]]
    assert len(keys) == len(set(keys)) == len(wanted)


# How a row of a stream is found among the native ones: by the account and this key
NATIVE_KEYS = {
    "bill_vendors": ("vendorid",),
    "ledger_accounts": ("uuid",),
    "businesses": ("business_id",),
    "invoice_lines": ("invoiceid", "lineid"),
    "credit_note_lines": ("creditid", "taskno"),
    "bill_lines": ("billid", "id"),
}


@pytest.mark.parametrize("stream", MAPPINGS)
def test_every_row_joins_its_native_row(rows: Rows, stream: str) -> None:
    businesses = {f"businesses:{row['business_id']}": row for row in rows["businesses"]}
    scopes = ("account_id", "business_id", "business_uuid")
    native = set()
    for source in MAPPINGS[stream].sources:
        key = NATIVE_KEYS.get(source, ("id",))
        for row in rows[source]:
            scope = next(name for name in scopes if name in row)
            if source == "businesses":
                scope = "business_id"
            native.add((source, row[scope], ":".join(str(row[name]) for name in key)))
    for row in rows[stream]:
        business = businesses[row["company_id"]]
        places = {(row["remote_stream"], business[name], row["remote_id"]) for name in scopes}
        assert places & native
