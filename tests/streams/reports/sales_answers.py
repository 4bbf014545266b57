"""Answers with sales and expenses, by hand from docs/freshbooks-api."""

from __future__ import annotations

from typing import Any

from tests.streams.reports.book_answers import Row, money


def _aged(*amounts: str) -> Row:
    return dict(zip(("0-30", "31-60", "61-90", "91+", "total"), map(money, amounts), strict=True))


ACCOUNTS_AGING = {
    "currency_code": "CAD",
    "totals": _aged("450.00", "2.00", "0.00", "30.00", "482.00"),
    "accounts": [
        {"userid": 1, **_aged("450.00", "0.00", "0.00", "0.00", "450.00")},
        {"userid": 2, **_aged("0.00", "2.00", "0.00", "30.00", "32.00")},
    ],
}

PAYMENTS_COLLECTED = {
    "currency_codes": [],
    "totals": [money("452.00"), {"amount": "7.00", "code": "EUR"}],
    "payments": [
        {"amount": money("400.00"), "clientid": 1},
        {"amount": money("52.00"), "clientid": 2},
        {"amount": {"amount": "7.00", "code": "EUR"}, "clientid": 2},
    ],
}

REVENUE_BY_CLIENT = {
    "currency_code": "CAD",
    "sales_type": "collected",
    "total_sales": money("450.00"),
    "total_sales_data": [money("450.00")],
    "clients": [
        {"name": "one", "sum": money("400.00")},
        {"name": "other", "sum": money("50.00")},
    ],
}


def _summary(total: str, paid: str, outstanding: str) -> Row:
    return {"total": money(total), "paid": money(paid), "outstanding": money(outstanding)}


INVOICE_DETAILS = {
    "currency_code": "CAD",
    "summary": _summary("1052.00", "600.00", "452.00"),
    "clients": [
        {
            "userid": 1,
            "organization": "North Pier",
            "fname": "Mira",
            "lname": "Okafor",
            "email": "mira@northpier.example",
            "summary": _summary("852.00", "400.00", "452.00"),
            "invoices": [
                {
                    "invoiceid": 11,
                    **_summary("452.00", "0.00", "452.00"),
                    "tax_summaries": [
                        {
                            "tax_name": "HST",
                            "tax_number": "RT0001",
                            "tax_rate": "13",
                            "tax_total": money("52.00"),
                        }
                    ],
                    "lines": [{"lineid": 1, "name": "Work", "amount": money("400.00")}],
                },
                {"invoiceid": 12, **_summary("400.00", "400.00", "0.00"), "lines": []},
            ],
        },
        {
            "userid": 2,
            "organization": "Quay Works",
            "summary": _summary("200.00", "200.00", "0.00"),
            "invoices": [{"invoiceid": 13, **_summary("200.00", "200.00", "0.00")}],
        },
    ],
}


def _sold(invoice: int, quantity: str, discount: str, total: str) -> Row:
    return {
        "invoiceid": invoice,
        "qty": quantity,
        "discount": money(discount),
        "amount": money(total),
    }


ITEM_SALES = {
    "currency_code": "CAD",
    "total": money("130.00"),
    "total_qty": "4.5",
    "total_discount": money("-3.00"),
    "items": [
        {
            "name": "Work",
            "total": money("100.00"),
            "total_qty": "2.5",
            "total_discount": money("-1.00"),
            "invoices": [
                _sold(11, "2", "-1.00", "80.00"),
                _sold(12, "0.5", "0.00", "20.00"),
            ],
        },
        {
            "name": "Paper",
            "total": money("30.00"),
            "total_qty": "2",
            "total_discount": money("-2.00"),
            "invoices": [_sold(12, "2", "-2.00", "30.00")],
        },
    ],
}


def _group(groupid: str | None, total: str, expenses: list[Row], *children: Row) -> Row:
    return {
        "groupid": groupid,
        "total": money(total),
        "expenses": expenses,
        "children": list(children),
    }


def _expense(number: int, total: str, **more: Any) -> Row:
    return {"expenseid": number, "amount": money(total), **more}


HASH = "3f9a0c5e7b1d42688c0e5a7714d2b9f6"
EXPENSE_DETAILS = {
    "currency_code": "CAD",
    "group_by": "parent_category",
    "exclude_personal": False,
    "vendors": {HASH: "Print Depot"},
    "authors": {"1": "Mira Okafor"},
    "clients": {},
    "categories": {"7": "Travel", "8": "Flights"},
    "data": [
        _group(
            "7",
            "100.00",
            [_expense(1, "10.00", vendorid=HASH)],
            _group(
                "8",
                "85.00",
                [_expense(2, "60.00"), _expense(3, "20.00")],
                _group("9", "5.00", [_expense(4, "5.00")]),
            ),
            _group("10", "5.00", [_expense(5, "5.00")]),
        ),
        _group("11", "84.20", [_expense(6, "84.20")]),
    ],
}
