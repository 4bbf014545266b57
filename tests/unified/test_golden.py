"""Records as FreshBooks sends them, and the rows that must follow."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.unified.golden import cases, row_of, rows_of, stream_of, tap_with, without_nulls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.tap import TapFreshBooks

CASES = cases()


@pytest.mark.parametrize("native", CASES)
def test_a_record_gives_these_rows_and_no_others(native: str) -> None:
    rows = rows_of(native, CASES[native]["sent"])
    found = {stream: [without_nulls(row) for row in made] for stream, made in rows.items()}
    assert found == CASES[native]["rows"]


@pytest.mark.parametrize("native", CASES)
def test_every_row_has_the_columns_of_its_schema(native: str) -> None:
    for stream, rows in rows_of(native, CASES[native]["sent"]).items():
        properties = tap_with().streams[stream].schema["properties"]
        for row in rows:
            assert list(row) == list(properties)
            assert not [
                name
                for name, value in row.items()
                if value is None and not nullable(properties, name)
            ]


def nullable(properties: dict[str, Any], name: str) -> bool:
    return "null" in properties[name]["type"]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a record has something that can be missing."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name)
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


MISSING = object()
ODD: tuple[Any, ...] = (
    MISSING,
    None,
    "",
    "x",
    "\N{SNOWMAN}" * 300,
    -1,
    10**30,
    True,
    [],
    [1],
    {},
    {"id": []},
    [[]],
)


@pytest.mark.parametrize("native", CASES)
def test_any_field_may_be_missing_or_odd(native: str) -> None:
    sent = CASES[native]["sent"]
    tap = tap_with()
    vital = {*stream_of(native).key, "business", "system", "lines"}
    for path in places(sent):
        if path == ("business", "business_id") or (path[0] in vital and len(path) == 1):
            continue
        for odd in ODD:
            changed = copy.deepcopy(sent)
            *outer, name = path
            holder = changed
            for part in outer:
                holder = holder[part]
            if odd is not MISSING:
                holder[name] = odd
            elif isinstance(holder, dict):
                del holder[name]
            for stream, rows in rows_of(native, changed).items():
                validator = validator_of(stream, tap)
                for row in rows:
                    errors = [error.message for error in validator.iter_errors(row)]
                    assert not errors, (path, odd)


@cache
def validator_of(stream: str, tap: TapFreshBooks) -> Draft202012Validator:
    return Draft202012Validator(tap.streams[stream].schema)


def money(amount: str | None) -> dict[str, str] | None:
    return None if amount is None else {"amount": amount, "code": "CAD"}


@pytest.mark.parametrize(
    ("word", "alone"),
    [
        ("draft", "draft"),
        ("created", "open"),
        ("sent", "open"),
        ("viewed", "open"),
        ("overdue", "open"),
        ("partial", "partially_paid"),
        ("deposit-partial", "partially_paid"),
        ("deposit-paid", "partially_paid"),
        ("paid", "paid"),
        ("autopaid", "paid"),
        ("success", "paid"),
        ("retry", "open"),
        ("failed", "open"),
        ("declined", "open"),
        ("pending", "open"),
        ("disputed", "open"),
        ("resolved", "open"),
        ("Sent", "open"),
        ("escrow", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_words_of_invoices(word: str | None, alone: str) -> None:
    row = row_of("invoices", v3_status=word)
    assert row["status"] == alone
    assert row["is_disputed"] is (word == "disputed")
    assert row["remote_status"] == (word or None)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (0, "open"),
        (1, "draft"),
        (2, "open"),
        (3, "open"),
        (4, "paid"),
        (5, "paid"),
        (6, "open"),
        (7, "open"),
        (8, "partially_paid"),
        ("4", "paid"),
        (9, "unknown"),
        (None, "unknown"),
    ],
)
def test_numbers_of_invoices_count_where_the_word_is_missing(number: Any, status: str) -> None:
    row = row_of("invoices", status=number)
    assert row["status"] == status
    assert row["is_disputed"] is (number == 0)
    assert row["remote_status"] == (None if number is None else str(number))


@pytest.mark.parametrize(
    ("given", "total", "paid", "due", "status"),
    [
        ({"v3_status": "overdue"}, "100.00", "40.00", "60.00", "partially_paid"),
        ({"v3_status": "overdue"}, "100.00", "0.00", "100.00", "open"),
        ({"v3_status": "overdue"}, "100.00", "100.00", "0.00", "paid"),
        ({"v3_status": "paid"}, "100.00", "0.00", "100.00", "open"),
        ({"v3_status": "partial"}, "100.00", "100.00", "0.00", "paid"),
        ({"v3_status": "deposit-partial"}, "100.00", "0.00", "100.00", "open"),
        ({"v3_status": "deposit-partial"}, "100.00", "10.00", "90.00", "partially_paid"),
        ({"v3_status": "draft"}, "100.00", "0.00", "100.00", "draft"),
        ({"v3_status": "created", "status": 1}, "100.00", "0.00", "100.00", "draft"),
        ({"v3_status": "created", "status": 2}, "100.00", "0.00", "100.00", "open"),
        (
            {"v3_status": "sent", "payment_status": "partial"},
            "1.00",
            "0.00",
            "1.00",
            "partially_paid",
        ),
        ({"v3_status": "sent", "payment_status": "paid"}, "0.00", "0.00", "0.00", "paid"),
        ({"v3_status": "sent", "payment_status": "auto-paid"}, None, None, None, "paid"),
        ({"v3_status": "viewed"}, "0.00", "0.00", "0.00", "open"),
        ({"v3_status": "escrow", "status": 2}, "100.00", "0.00", "100.00", "open"),
        ({"v3_status": "escrow"}, "100.00", "100.00", "0.00", "paid"),
        ({"v3_status": "escrow"}, "100.00", "0.00", "100.00", "unknown"),
        ({"payment_status": "unpaid"}, None, None, None, "open"),
        ({}, "100.00", "0.00", "100.00", "unknown"),
    ],
)
def test_amounts_decide_the_status_of_an_invoice(
    given: dict[str, Any], total: str | None, paid: str | None, due: str | None, status: str
) -> None:
    amounts = {"amount": money(total), "paid": money(paid), "outstanding": money(due)}
    assert row_of("invoices", **given, **amounts)["status"] == status


@pytest.mark.parametrize("given", [{"dispute_status": "disputed"}, {"status": 0}])
def test_a_dispute_is_no_status(given: dict[str, Any]) -> None:
    row = row_of("invoices", v3_status="sent", **given)
    assert (row["status"], row["is_disputed"]) == ("open", True)


@pytest.mark.parametrize(
    ("word", "total", "paid", "due", "status"),
    [
        ("unpaid", "9.00", "0.00", "9.00", "open"),
        ("overdue", "9.00", "0.00", "9.00", "open"),
        ("overdue", "9.00", "3.00", "6.00", "partially_paid"),
        ("partial", "9.00", "3.00", "6.00", "partially_paid"),
        ("unpaid", "9.00", "9.00", "0.00", "paid"),
        ("paid", "9.00", "9.00", "0.00", "paid"),
        ("unpaid", None, None, None, "open"),
        ("overdue", None, None, None, "open"),
        ("partial", None, None, None, "partially_paid"),
        ("paid", None, None, None, "paid"),
        ("held", None, None, None, "unknown"),
        (None, None, None, None, "unknown"),
    ],
)
def test_bills(
    word: str | None, total: str | None, paid: str | None, due: str | None, status: str
) -> None:
    amounts = {"total_amount": money(total), "paid": money(paid), "outstanding": money(due)}
    row = row_of("bills", status=word, **amounts)
    assert (row["status"], row["remote_status"]) == (status, word)


def test_a_bill_is_paid_on_the_day_of_its_last_payment_that_counts() -> None:
    payments = [
        {"id": 1, "paid_date": "2024-05-01", "vis_state": 0},
        {"id": 2, "paid_date": "2024-05-09", "vis_state": 0},
        {"id": 3, "paid_date": "2024-06-01", "vis_state": 1},
    ]
    assert row_of("bills", status="paid", bill_payments=payments)["paid_date"] == "2024-05-09"
    assert row_of("bills", status="partial", bill_payments=payments)["paid_date"] is None
    assert row_of("bills", status="paid", bill_payments=[])["paid_date"] is None


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"status": 1}, "draft"),
        ({"status": 2}, "sent"),
        ({"status": 3}, "sent"),
        ({"status": 4}, "sent"),
        ({"status": 5}, "accepted"),
        ({"status": 6}, "invoiced"),
        *(
            ({"display_status": word}, "sent")
            for word in ("sent", "viewed", "replied", "open", "created")
        ),
        ({"display_status": "draft"}, "draft"),
        ({"display_status": "accepted"}, "accepted"),
        ({"display_status": "invoiced"}, "invoiced"),
        ({"ui_status": "draft"}, "draft"),
        ({"ui_status": "accepted"}, "accepted"),
        ({"status": 2, "accepted": True}, "accepted"),
        ({"status": 2, "accepted": True, "invoiced": True}, "invoiced"),
        ({"status": 1, "display_status": "sent", "accepted": False, "invoiced": False}, "draft"),
        ({"status": 9}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_estimates(given: dict[str, Any], status: str) -> None:
    assert row_of("estimates", **given)["status"] == status


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"status": "draft", "payment_status": "unpaid"}, "draft"),
        ({"display_status": "draft", "payment_status": "unpaid"}, "draft"),
        ({"status": "created", "payment_status": "paid"}, "applied"),
        ({"status": "created", "payment_status": "partial"}, "partially_applied"),
        ({"status": "created", "payment_status": "unpaid"}, "open"),
        *(({"status": word}, "open") for word in ("created", "sent", "viewed")),
        *(({"display_status": word}, "open") for word in ("created", "sent", "viewed")),
        ({"status": "lost"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_credit_notes(given: dict[str, Any], status: str) -> None:
    assert row_of("credit_notes", **given)["status"] == status


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("goodwill", "goodwill"),
        ("overpayment", "overpayment"),
        ("prepayment", "prepayment"),
        ("gift", "unknown"),
        (None, "unknown"),
    ],
)
def test_kinds_of_credit(word: str | None, kind: str) -> None:
    assert row_of("credit_notes", credit_type=word)["type"] == kind


@pytest.mark.parametrize(
    ("number", "rebilling", "billable"),
    [
        (0, "none", False),
        (1, "unbilled", True),
        (2, "billed", True),
        (4, "recovered", True),
        ("4", "recovered", True),
        (3, "unknown", False),
        (None, "unknown", False),
    ],
)
def test_rebilling_of_expenses(number: Any, rebilling: str, billable: bool | None) -> None:
    row = row_of("expenses", status=number)
    assert (row["rebill_status"], row["is_billable"]) == (rebilling, billable)
    assert row_of("expenses", status=number, billable=False)["is_billable"] is False


@pytest.mark.parametrize(
    ("word", "method", "brand"),
    [
        ("Cash", "cash", None),
        ("Check", "check", None),
        ("CHECK", "check", None),
        ("Bank Transfer", "bank_transfer", None),
        ("ACH", "ach", None),
        ("Credit Card", "credit_card", None),
        ("VISA", "credit_card", "visa"),
        ("MASTERCARD", "credit_card", "mastercard"),
        ("DISCOVER", "credit_card", "discover"),
        ("AMEX", "credit_card", "amex"),
        ("DINERS", "credit_card", "diners"),
        ("JCB", "credit_card", "jcb"),
        ("Debit", "debit_card", None),
        ("PayPal", "online", None),
        ("2Checkout", "online", None),
        ("Credit", "credit_balance", None),
        ("Other", "other", None),
        ("Klarna", "other", None),
        ("", "unknown", None),
        (None, "unknown", None),
    ],
)
@pytest.mark.parametrize(
    ("native", "field"), [("payments", "type"), ("bill_payments", "payment_type")]
)
def test_means_of_payment(
    native: str, field: str, word: str | None, method: str, brand: str | None
) -> None:
    row = row_of(native, **{field: word})
    assert (row["payment_method"], row["card_brand"]) == (method, brand)
    assert row["remote_status"] == (word or None)
    assert row["is_credit_application"] is (word == "Credit")


def test_a_payment_from_credit_moves_no_money() -> None:
    assert row_of("payments", type="Other", from_credit=True)["is_credit_application"] is True


@pytest.mark.parametrize(
    ("sub_type", "system_name", "account_type"),
    [
        ("Cash & Bank", None, "bank"),
        ("Current Asset", None, "other_current_asset"),
        ("Current Asset", "Accounts Receivable", "accounts_receivable"),
        ("Equity", "Accounts Receivable", "equity"),
        ("Property, Plant, and Equipment", None, "fixed_asset"),
        ("Long-Term Asset", None, "other_asset"),
        ("Current Liability", "Sales Tax", "other_current_liability"),
        ("Current Liability", "Accounts Payable", "accounts_payable"),
        ("Long-Term Liability", None, "long_term_liability"),
        ("Equity", None, "equity"),
        ("Income", None, "income"),
        ("Cost of Goods Sold", None, "cost_of_goods_sold"),
        ("Operating Expense", None, "operating_expense"),
        ("Crypto", None, None),
        (None, None, None),
    ],
)
def test_account_types(
    sub_type: str | None, system_name: str | None, account_type: str | None
) -> None:
    row = row_of("ledger_accounts", sub_type=sub_type, system_account_name=system_name)
    assert row["account_type"] == account_type


@pytest.mark.parametrize(
    ("word", "classification", "balance"),
    [
        ("asset", "asset", "debit"),
        ("expense", "expense", "debit"),
        ("liability", "liability", "credit"),
        ("equity", "equity", "credit"),
        ("income", "revenue", "credit"),
        ("other", "unknown", None),
        (None, "unknown", None),
    ],
)
def test_classifications(word: str | None, classification: str, balance: str | None) -> None:
    row = row_of("ledger_accounts", type=word)
    assert (row["classification"], row["normal_balance"]) == (classification, balance)
    posting = row_of("journal_entry_details", account={"id": 7, "account_type": word})
    assert posting["classification"] == classification


@pytest.mark.parametrize(
    ("entry", "source_type", "source_id"),
    [
        ({"paymentid": 3, "invoiceid": 4}, "payment", "payments:3"),
        ({"creditid": 3, "paymentid": 0}, "credit_note", "credit_notes:3"),
        ({"expenseid": 3}, "expense", "expenses:3"),
        ({"incomeid": 3}, "other_income", "other_incomes:3"),
        ({"invoiceid": 3}, "invoice", "invoices:3"),
        ({"id": 9}, "none", None),
        (None, "none", None),
    ],
)
def test_what_was_posted(entry: dict[str, int] | None, source_type: str, source_id: str) -> None:
    row = row_of("journal_entry_details", entry=entry)
    assert (row["source_type"], row["source_id"]) == (source_type, source_id)


@pytest.mark.parametrize(
    ("debit", "credit", "net"),
    [
        ("5.00", None, "5.00"),
        (None, "5.00", "-5.00"),
        ("0.00", "5.00", "-5.00"),
        ("5.00", "2.00", "3.00"),
        (None, None, None),
    ],
)
def test_net_amounts(debit: str | None, credit: str | None, net: str | None) -> None:
    row = row_of("journal_entry_details", debit=money(debit), credit=money(credit))
    assert row["net_amount"] == net


@pytest.mark.parametrize(
    ("state", "deleted", "archived"),
    [
        (0, False, False),
        (1, True, False),
        (2, False, True),
        (7, False, False),
        (None, False, False),
    ],
)
@pytest.mark.parametrize(
    "native",
    [
        *("clients", "bill_vendors", "invoices", "estimates", "credit_notes", "bills", "expenses"),
        *("payments", "bill_payments", "items", "tasks"),
    ],
)
def test_deleted_and_archived_are_flags(
    native: str, state: int | None, deleted: bool, archived: bool
) -> None:
    row = row_of(native, vis_state=state)
    assert (row["remote_deleted"], row["remote_archived"]) == (deleted, archived)


@pytest.mark.parametrize(
    ("given", "deleted", "archived", "status"),
    [
        ({"active": True, "complete": False}, False, False, "active"),
        ({"active": True, "complete": True}, False, True, "completed"),
        ({"active": False, "complete": False}, True, False, "active"),
        ({"active": False, "complete": True}, True, True, "completed"),
        ({}, False, False, "active"),
    ],
)
def test_projects(given: dict[str, Any], deleted: bool, archived: bool, status: str) -> None:
    row = row_of("projects", **given)
    assert (row["remote_deleted"], row["remote_archived"]) == (deleted, archived)
    assert row["status"] == status


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("fixed_price", "fixed_price"),
        ("hourly_rate", "time_and_materials"),
        ("barter", "unknown"),
        (None, "unknown"),
    ],
)
def test_billing_methods(kind: str | None, method: str) -> None:
    assert row_of("projects", project_type=kind)["billing_method"] == method


@pytest.mark.parametrize("word", ["unbilled", "partially_billed", "billed"])
def test_billed_states(word: str) -> None:
    assert row_of("projects", billed_status=word)["billed_status"] == word
    assert row_of("projects", billed_status="new")["billed_status"] == "unknown"


@pytest.mark.parametrize(
    ("budget", "seconds"), [(21600, 21600), ("21600", 21600), ("50.00", None), (None, None)]
)
def test_a_budget_that_is_no_whole_number_is_no_time(budget: Any, seconds: int | None) -> None:
    assert row_of("projects", budget=budget)["budget_seconds"] == seconds


@pytest.mark.parametrize(
    ("inventory", "kind"),
    [(None, "non_inventory"), ("", "non_inventory"), ("0", "inventory"), (12, "inventory")],
)
def test_kinds_of_items(inventory: Any, kind: str) -> None:
    assert row_of("items", inventory=inventory)["type"] == kind


@pytest.mark.parametrize(
    ("state", "status", "archived"),
    [("active", "active", False), ("archived", "archived", True), (None, "archived", True)],
)
def test_states_of_accounts(state: str | None, status: str, archived: bool) -> None:
    row = row_of("ledger_accounts", state=state)
    assert (row["status"], row["remote_archived"]) == (status, archived)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, "standard"),
        (1, "rebilled_expense"),
        (5, "recurring_placeholder"),
        (9, "other"),
        (None, "other"),
    ],
)
def test_kinds_of_lines(number: int | None, kind: str) -> None:
    rows = rows_of("invoices", {"id": 1, "lines": [{"lineid": 1, "type": number}]})
    assert [row["line_type"] for row in rows["unified_invoice_lines"]] == [kind]


@pytest.mark.parametrize(
    ("name", "percent", "expected"),
    [
        ("HST", "13", ("HST", "13")),
        ("Zero rated", "0", ("Zero rated", "0")),
        ("", "0", (None, None)),
        (None, "0.00", (None, None)),
        (None, None, (None, None)),
        ("", "5", (None, "5")),
    ],
)
def test_a_tax_of_no_name_and_no_percent_is_none(
    name: str | None, percent: str | None, expected: tuple[str | None, str | None]
) -> None:
    line = {"lineid": 1, "taxName1": name, "taxAmount1": percent}
    [row] = rows_of("invoices", {"id": 1, "lines": [line]})["unified_invoice_lines"]
    assert (row["tax_1_name"], row["tax_1_percent"]) == expected


@pytest.mark.parametrize(
    ("taxes", "total", "before"),
    [
        ({}, "0", "20.00"),
        ({"taxAmount1": "1.00"}, "1.00", "19.00"),
        ({"taxAmount1": "1.00", "taxAmount2": "2.50"}, "3.50", "16.50"),
        ({"taxPercent1": "0"}, "0", "20.00"),
        ({"taxPercent1": "13"}, None, None),
        ({"taxAmount1": "1.00", "taxPercent2": "7"}, None, None),
    ],
)
def test_taxes_of_expenses(taxes: dict[str, str], total: str | None, before: str | None) -> None:
    given = {
        name: money(value) if name.startswith("taxAmount") else value
        for name, value in taxes.items()
    }
    row = row_of("expenses", amount=money("20.00"), **given)
    assert (row["total_tax"], row["sub_total"]) == (total, before)


@pytest.mark.parametrize(
    ("amount", "kind"), [("5.00", "expense"), ("-5.00", "refund"), (None, "expense")]
)
def test_an_expense_of_less_than_nothing_is_a_refund(amount: str | None, kind: str) -> None:
    row = row_of("expenses", amount=money(amount))
    assert (row["type"], row["total_amount"]) == (kind, amount)


# Variants that FreshBooks or its SDKs have shown


def test_older_amounts_are_bare_numbers() -> None:
    row = row_of("invoices", amount="452.00", currency_code="CAD")
    assert (row["total_amount"], row["currency"]) == ("452.00", "CAD")


def test_a_vendor_is_perhaps_only_in_the_include() -> None:
    row = row_of("bills", vendor={"vendorid": 5, "vendor_name": "Harbor"})
    assert (row["contact_id"], row["contact_name"]) == ("bill_vendors:5", "Harbor")


@pytest.mark.parametrize(
    ("category", "category_id"),
    [
        ({"categoryid": 8, "category": "Office"}, "expense_categories:8"),
        ({"id": 8, "category": "Office"}, "expense_categories:8"),
        ("Office", None),
    ],
)
def test_a_category_is_an_object_or_a_name(category: Any, category_id: str | None) -> None:
    rows = rows_of("bills", {"id": 1, "lines": [{"id": 5, "category": category}]})
    [row] = rows["unified_bill_lines"]
    assert (row["category_name"], row["category_id"]) == ("Office", category_id)
    [row] = rows_of("bills", {"id": 1, "lines": [{"id": 5, "categoryid": 3}]})["unified_bill_lines"]
    assert row["category_id"] == "expense_categories:3"


def test_the_address_of_a_client_is_perhaps_no_country_of_this_world() -> None:
    assert row_of("clients", p_country="United States")["billing_country_code"] == "US"
    assert row_of("clients", p_country="Etats-Unis")["billing_country_code"] is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"organization": "Pier", "fname": "Mira", "email": "m@x.example"}, "Pier"),
        ({"organization": "", "fname": "Mira", "lname": "Okafor"}, "Mira Okafor"),
        ({"fname": "", "lname": "Okafor"}, "Okafor"),
        ({"fname": "", "lname": "", "email": "m@x.example"}, "m@x.example"),
        ({}, None),
    ],
)
def test_names_of_clients(given: dict[str, str], name: str | None) -> None:
    assert row_of("clients", **given)["name"] == name


@pytest.mark.parametrize("nothing", [None, 0, ""])
def test_no_id_is_no_link(nothing: Any) -> None:
    row = row_of("invoices", customerid=nothing, estimateid=nothing, parent=nothing)
    assert (row["contact_id"], row["estimate_id"], row["recurring_profile_id"]) == (
        None,
        None,
        None,
    )


def test_no_number_is_no_text() -> None:
    row = row_of("payments", overpaymentid=0, transactionid="0")
    assert (row["overpayment_of_payment_id"], row["gateway_transaction_id"]) == (None, None)


def test_amounts_of_many_places_stay_as_they_are() -> None:
    exact = "12345678901234567890.12345678901234567890123456"
    lines = [{"lineid": 1, "amount": money(exact)}, {"lineid": 2, "amount": money("0.1")}]
    row = row_of("invoices", amount=money(exact), lines=lines, discount_total=money("-" + exact))
    assert row["lines_total"] == "12345678901234567890.22345678901234567890123456"
    assert row["total_discount"] == exact
    assert row["sub_total"] == "0.10000000000000000000000000"


def test_a_line_without_an_amount_leaves_the_total_open() -> None:
    lines = [{"lineid": 1, "amount": money("5.00")}, {"lineid": 2, "amount": None}]
    row = row_of("invoices", amount=money("12.70"), lines=lines, discount_total=money("0.00"))
    assert [row[name] for name in ("lines_total", "sub_total", "total_tax")] == [None] * 3
    assert row["line_count"] == 2
    assert row_of("bills", lines=[None])["line_count"] == 1


def test_without_lines_nothing_is_made_up() -> None:
    row = row_of("invoices", amount=money("5.00"), discount_total=money("0.00"))
    names = ("lines_total", "sub_total", "total_tax", "line_count")
    assert [row[name] for name in names] == [None] * 4


def test_the_compound_tax_depends_on_its_companion() -> None:
    row = row_of("taxes", amount="7", compound=True)
    assert (row["total_tax_rate"], row["effective_tax_rate"]) == ("7", None)


def test_only_logged_time_counts() -> None:
    entry = {"id": 1, "is_logged": False, "active": True}
    assert rows_of("time_entries", entry)["unified_time_entries"] == []
    [row] = rows_of("time_entries", {"id": 1, "is_logged": True, "active": False})[
        "unified_time_entries"
    ]
    assert row["remote_deleted"] is True


@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [
        ("2024-07-01 12:00:00", "2024-07-01T16:00:00Z"),
        ("2024-01-01 12:00:00", "2024-01-01T17:00:00Z"),
        ("2024-11-03 01:30:00", "2024-11-03T05:30:00Z"),  # the first of two
        ("2024-03-10 02:30:00", "2024-03-10T07:30:00Z"),  # skipped: moves forward
        ("2024-07-01T12:00:00Z", "2024-07-01T12:00:00Z"),
        ("", None),
    ],
)
def test_eastern_timestamps(timestamp: str, moment: str | None) -> None:
    assert row_of("invoices", updated=timestamp)["remote_updated_at"] == moment


def test_the_native_record_comes_along_if_wanted() -> None:
    tap = tap_with(remote_data=True)
    rows = rows_of("invoices", CASES["invoices"]["sent"], tap)
    [invoice], [line] = rows["unified_invoices"], rows["unified_invoice_lines"]
    assert invoice["remote_data"]["v3_status"] == "sent"
    assert invoice["remote_data"]["account_id"] == "ACM123"
    assert line["remote_data"]["name"] == "Consulting"
    assert "document" not in line["remote_data"]
    assert (
        "remote_data" not in rows_of("invoices", CASES["invoices"]["sent"])["unified_invoices"][0]
    )
