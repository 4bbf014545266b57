"""The ledger: the chart of accounts of a business."""

# ruff: noqa: PLR2004 chances and positions in a story need no names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calendar import BEGIN, END, spread

if TYPE_CHECKING:
    from .cast import Cast

# Number, name, type, sub type, number of sub-accounts.
ACCOUNTS = (
    ("1000", "Cash", "asset", "Cash & Bank", 2),
    ("1200", "Accounts Receivable", "asset", "Current Asset", 1),
    ("1500", "Property", "asset", "Property, Plant, and Equipment", 0),
    ("2000", "Accounts Payable", "liability", "Current Liability", 0),
    ("2100", "Sales Tax Payable", "liability", "Current Liability", 2),
    ("3000", "Owner's Equity", "equity", "Equity", 2),
    ("4000", "Sales", "income", "Income", 1),
    ("5000", "Cost of Goods Sold", "expense", "Cost of Goods Sold", 2),
    ("6000", "Operating Expenses", "expense", "Operating Expense", 0),
    ("6008", "Office Expenses", "expense", "Operating Expense", 11),
)


def write_ledger(cast: Cast) -> None:
    """Parents and children are rows of one table."""
    business = cast.business
    count = sum(1 + children for *_, children in ACCOUNTS)
    moments = iter(spread(cast.random("ledger"), count, BEGIN, END))
    fake = cast.fakers("ledger")["en_CA"]
    key = 0
    for number, name, kind, sub_type, children in ACCOUNTS:
        parent = business.uuid_of("ledger_accounts", key)
        for child in range(children + 1):
            row: dict[str, Any] = {
                "uuid": business.uuid_of("ledger_accounts", key),
                "name": name if child == 0 else fake.word().title(),
                "number": number if child == 0 else f"{number}-{child}",
                "type": kind,
                "sub_type": sub_type,
                "parent_account": None if child == 0 else parent,
                "auto_created": child == 0,
                "state": "archived" if number == "6008" and child == 9 else "active",
                "jea_id": 4_550_000 + key,
                "updated_at": next(moments),
            }
            if child == 0:
                row["system_account_name"] = name
            business.add("ledger_accounts", row, "uuid")
            key += 1
