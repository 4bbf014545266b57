"""The ledger: the chart of accounts of a business, and what its accountant adjusted by hand."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.resources.ledger_accounts import FIRST_ACCOUNT, FIRST_SUB_ACCOUNT
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, day_of, spread

if TYPE_CHECKING:
    from freshbooks_sandbox.seed_data.context import SeedContext

# Number, name, type, sub type, and the sub-accounts; a number of them where the user made them.
ACCOUNTS: tuple[tuple[str, str, str, str, tuple[str, ...] | int], ...] = (
    ("1000", "Cash", "asset", "Cash & Bank", ("Chequing", "Petty Cash")),
    ("1200", "Accounts Receivable", "asset", "Current Asset", ("Accounts Receivable",)),
    ("1500", "Property", "asset", "Property, Plant, and Equipment", ()),
    ("2000", "Accounts Payable", "liability", "Current Liability", ("Accounts Payable",)),
    ("2100", "Sales Tax Payable", "liability", "Current Liability", ("Sales Tax", "Local Tax")),
    ("2200", "Client Credit", "liability", "Current Liability", ("Client Credit",)),
    ("3000", "Owner's Equity", "equity", "Equity", ("Investment", "Retained Earnings")),
    ("4000", "Sales", "income", "Income", ("Sales",)),
    ("4100", "Other Income", "income", "Income", ("Other Income",)),
    ("5000", "Cost of Goods Sold", "expense", "Cost of Goods Sold", ("Materials", "Shipping")),
    ("6000", "Operating Expenses", "expense", "Operating Expense", ("General",)),
    ("6008", "Office Expenses", "expense", "Operating Expense", 11),
)
FIRST_JOURNAL_ENTRY = 8801
REASONS = ("Depreciation", "Accrued rent", "Correction", "Opening balance")


def write_ledger(context: SeedContext) -> None:
    """Parents and children are rows of one table."""
    count = sum(1 + (kids if isinstance(kids, int) else len(kids)) for *_, kids in ACCOUNTS)
    moments = iter(spread(context.random("ledger"), count, BEGIN, END))
    fake = context.fakers("ledger")["en_CA"]
    for number, name, kind, sub_type, children in ACCOUNTS:
        common = {"type": kind, "sub_type": sub_type, "updated_at": None}
        parent = _account(context, {**common, "name": name, "number": number}, next(moments))
        parent |= {"auto_created": True, "system_account_name": name}
        is_own = isinstance(children, int)
        names = (
            tuple(fake.word().title() for _ in range(children))
            if isinstance(children, int)
            else children
        )
        for position, child in enumerate(names, 1):
            row = {**common, "name": child, "number": f"{number}-{position}"}
            row["parent_account"] = parent["uuid"]
            row = _account(context, row, next(moments))
            if not is_own:
                row["system_account_name"] = child
            elif position == 9:
                row["state"] = "archived"


def _account(context: SeedContext, row: dict[str, Any], moment: int) -> dict[str, Any]:
    key = len(context.business.table("ledger_accounts"))
    row |= {
        "uuid": context.business.uuid_of("ledger_accounts", key),
        "parent_account": row.get("parent_account"),
        "auto_created": False,
        "state": "active",
        "updated_at": moment,
    }
    if row["parent_account"] is None:
        row["jea_id"] = FIRST_ACCOUNT + key
    else:
        row["jesa_id"] = FIRST_SUB_ACCOUNT + key
    return context.business.add("ledger_accounts", row, "uuid")


def write_journal(context: SeedContext) -> None:
    """One adjustment to thirty invoices; every one balances."""
    business, random = context.business, context.random("journal_entries")
    children = [row for row in business.table("ledger_accounts").values() if row["parent_account"]]
    accounts = [row["uuid"] for row in children if row["state"] == "active"]
    count = max(18, min(context.scale // 30, 2000))
    for position, moment in enumerate(spread(random, count)):
        cents = random.randrange(100, 90_000)
        debit, credit, rest = random.sample(accounts, 3)
        details = [(debit, cents), (credit, -cents)]
        if position % 3 == 0:
            details = [(debit, cents), (credit, -(cents // 3)), (rest, cents // 3 - cents)]
        row = {
            "uuid": business.uuid_of("journal_entries", position),
            "name": f"{REASONS[position % 4]} {day_of(moment):%B}",
            "journalEntryNumber": f"AJE-{position + 1}",
            "description": ("", None, "By the accountant")[position % 3],
            "_date": day_of(moment).isoformat(),
            "_code": business.currency,
            "_details": details,
            "_entryid": FIRST_JOURNAL_ENTRY + position,
        }
        business.add("journal_entries", row, "uuid")
