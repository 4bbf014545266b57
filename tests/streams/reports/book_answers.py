"""Answers with the books of a business, by hand from docs/freshbooks-api."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def money(amount: str) -> Row:
    return {"amount": amount, "code": "CAD"}


def _dated(balance: str) -> list[Row]:
    return [{"date": "", "balance": money(balance)}]


def _line(description: str, total: str, *children: Row) -> Row:
    return {
        "description": description,
        "entry_type": "debit",
        "data": [money(total)],
        "total": money(total),
        "children": list(children),
    }


PROFIT_LOSS = {
    "currency_code": "CAD",
    "resolution": None,
    "labels": [],
    "income": [_line("Sales", "900.00"), _line("Other", "10.50")],
    "expenses": [
        _line(
            "Travel",
            "60.00",
            _line("Flights", "45.00", _line("Abroad", "40.00"), _line("At home", "5.00")),
            _line("Hotels", "15.00"),
        ),
        _line("Paper", "0.30"),
    ],
    "total_income": _line("Total", "910.50"),
    "total_expenses": _line("Total Expenses", "60.30"),
    "gross_margin": {"total": {"amount": "100.00", "code": "%"}},
    "net_profit": _line("Net Profit", "850.20"),
}

BALANCE_SHEET = {
    "currency_code": "CAD",
    "assets_total": _dated("150.00"),
    "liabilities_and_equity_total": _dated("150.00"),
    "data": [
        {
            "account_type": "asset",
            "category": "current",
            "balances": _dated("150.00"),
            "accounts": [
                {
                    "account_name": "Cash",
                    "account_number": "1000",
                    "balances": _dated("100.00"),
                    "sub_accounts": [
                        {
                            "sub_account_name": name,
                            "sub_account_number": number,
                            "balances": _dated(balance),
                        }
                        for name, number, balance in (
                            ("Till", "1", "30.00"),
                            ("Bank", "2", "70.00"),
                        )
                    ],
                },
                {
                    "account_name": "Debtors",
                    "account_number": "1200",
                    "balances": _dated("50.00"),
                    "sub_accounts": [],
                },
            ],
        },
        {
            "account_type": "liability",
            "category": "current",
            "balances": _dated("20.00"),
            "accounts": [
                {"account_name": "Taxes", "account_number": "2000", "balances": _dated("20.00")}
            ],
        },
        # Equity has no accounts (docs/freshbooks-api/accounting.md §13).
        {"account_type": "equity", "category": None, "balances": _dated("130.00")},
    ],
}


def _moved(debit: str, credit: str) -> Row:
    return {"debit": money(debit), "credit": money(credit)}


TRIAL_BALANCE = {
    "currency_code": "CAD",
    "data": [
        {
            "account_name": "Cash",
            "account_number": "1000",
            "account_sub_name": "Till",
            "account_sub_number": "1",
            "sub_accountid": 635972,
            **_moved("80.00", "0.00"),
        },
        {
            "account_name": "total",  # an account of that name, which is not the closing row
            "account_number": "1100",
            "account_sub_name": None,
            "account_sub_number": None,
            "sub_accountid": None,
            **_moved("20.00", "0.00"),
        },
        {
            "account_name": "Sales",
            "account_number": "4000",
            "account_sub_name": "Sales",
            "account_sub_number": "1",
            "sub_accountid": 635980,
            **_moved("0.00", "100.00"),
        },
        {
            "account_name": "total",
            "account_number": None,
            "account_sub_name": None,
            "account_sub_number": None,
            "sub_accountid": None,
            **_moved("100.00", "100.00"),
        },
    ],
}

GENERAL_LEDGER = {
    "currency_code": "CAD",
    "summary_only": False,
    "summary": {"total_credit": money("480.00"), "total_debit": money("480.00")},
    "data": [
        {
            "accountid": 545882,
            "id": 545882,
            "account_name": "Cash",
            "account_number": "1000",
            **_moved("300.00", "180.00"),
            "sub_accounts": [
                {
                    "sub_accountid": 635972,
                    "sub_account_name": "Till",
                    "sub_account_number": "1",
                    **_moved("200.00", "180.00"),
                    "transactions": [
                        {"entity_type": "payment", **_moved("200.00", "0.00")},
                        {"entity_type": "expense", **_moved("0.00", "180.00")},
                    ],
                },
                {
                    "sub_accountid": 635973,
                    "sub_account_name": "Bank",
                    "sub_account_number": "2",
                    **_moved("100.00", "0.00"),
                    "transactions": [{"entity_type": "payment", **_moved("100.00", "0.00")}],
                },
            ],
        },
        {
            "accountid": 545883,
            "account_name": "Sales",
            "account_number": "4000",
            **_moved("180.00", "300.00"),
            "sub_accounts": [
                {
                    "sub_accountid": 635990,
                    "sub_account_name": "Sales",
                    "sub_account_number": "1",
                    **_moved("180.00", "300.00"),
                    "transactions": [
                        {"entity_type": "invoice", **_moved("180.00", "300.00")},
                    ],
                }
            ],
        },
    ],
}


def _flow(name: str, total: str, list_name: str, *parts: Row) -> Row:
    return {"name": name, "total": money(total), list_name: list(parts)}


def _sub(name: str, total: str) -> Row:
    return {"name": name, "categoryid": None, "sub_accountid": None, "total": money(total)}


CASH_FLOW = {
    "currency_code": "CAD",
    "activities": [
        {
            "category": "operating",
            "total": money("430.00"),
            "details": [
                _flow(
                    "Sales",
                    "640.00",
                    "accounts",
                    _flow(
                        "Revenue",
                        "600.00",
                        "sub_accounts",
                        _sub("Goods", "400.00"),
                        _sub("Work", "200.00"),
                    ),
                    _flow("Other", "40.00", "sub_accounts", _sub("Interest", "40.00")),
                ),
                _flow(
                    "Expenses",
                    "-210.00",
                    "accounts",
                    _flow("Expenses", "-210.00", "sub_accounts", _sub("Paper", "-210.00")),
                ),
            ],
        },
        {
            "category": "investing",
            "total": money("-30.00"),
            "details": [
                _flow(
                    "Machines",
                    "-30.00",
                    "accounts",
                    _flow("Machines", "-30.00", "sub_accounts", _sub("Mill", "-30.00")),
                )
            ],
        },
    ],
    "summary": {
        "starting_balance": money("50.00"),
        "gross_cash_inflow": money("640.00"),
        "gross_cash_outflow": money("-240.00"),
        "net_cash_change": money("400.00"),
        "ending_balance": money("450.00"),
    },
}

TAX_SUMMARY = {
    "cash_based": False,
    "currency_code": "CAD",
    "total_invoiced": money("452.00"),
    "taxes": [
        {
            "tax_name": "HST",
            "tax_collected": money("52.00"),
            "taxable_amount_collected": money("400.00"),
            "tax_paid": money("13.00"),
            "taxable_amount_paid": money("100.00"),
            "net_tax": money("39.00"),
            "net_taxable_amount": money("300.00"),
        }
    ],
}
