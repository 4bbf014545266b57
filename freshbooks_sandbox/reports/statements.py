"""Balance sheet and cash flow: what the business has, and where its cash came from and went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import money
from freshbooks_sandbox.reports.chart import CASH
from freshbooks_sandbox.reports.journal import entries
from freshbooks_sandbox.reports.parameters import CURRENCY, DAYS, FLAG, PERIOD
from freshbooks_sandbox.reports.profit_loss import added
from freshbooks_sandbox.reports.report import company, is_there, ledger_report, report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.reports.chart import Account
    from freshbooks_sandbox.reports.journal import Entry
    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.store import Business

CURRENT = ("Cash & Bank", "Current Asset", "Current Liability")
BLOCKS = (
    ("asset", "current"),
    ("asset", "non_current"),
    ("liability", "current"),
    ("liability", "non_current"),
    ("equity", None),
)


def _category(account: Account) -> str | None:
    if account.type == "equity":
        return None
    return "current" if account.sub_type in CURRENT else "non_current"


class _Sheet:
    """Balances at some dates; what has credit balances is shown positive all the same."""

    def __init__(self, params: Params, business: Business) -> None:
        self.code, self.dates = params["currency_code"], params["dates"]
        self.sums: dict[Account, list[int]] = {}
        self.earned = [0] * len(self.dates)
        cash_based = params["cash_based"]
        for entry in entries(business, self.code, cash_based=cash_based):
            hits = [place for place, day in enumerate(self.dates) if entry.date <= day]
            for account, amount, _ in entry.legs:
                self._book(account, amount, hits)

    def _book(self, account: Account, amount: int, hits: list[int]) -> None:
        if account.type in ("income", "expense"):
            for place in hits:
                self.earned[place] -= amount
            return
        sums = self.sums.setdefault(account, [0] * len(self.dates))
        for place in hits:
            sums[place] += amount if account.type == "asset" else -amount

    def balances(self, sums: list[int]) -> list[dict[str, Any]]:
        """One for each date."""
        return [
            {"date": day, "balance": money(amount, self.code)}
            for day, amount in zip(self.dates, sums, strict=True)
        ]

    def total(self, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
        """Of whole account types; the profit so far belongs to the owners."""
        sums = self._sum([account for account in self.sums if account.type in kinds])
        return self.balances(added(sums, self.earned) if "equity" in kinds else sums)

    def block(self, kind: str, category: str | None) -> dict[str, Any] | None:
        """The accounts of one type and category, each with its sub-accounts.

        Equity has balances but no `accounts`, and the profit so far belongs to it
        (docs/freshbooks-api/accounting.md §13).
        """
        parents: dict[str, list[Account]] = {}
        for account in sorted(self.sums):
            if (account.type, _category(account)) == (kind, category):
                parents.setdefault(account.number, []).append(account)
        sums = self._sum([account for accounts in parents.values() for account in accounts])
        block: dict[str, Any] = {"account_type": kind, "category": category}
        if kind == "equity":
            return {**block, "balances": self.balances(added(sums, self.earned))}
        if not parents:
            return None
        rows = [self._account(accounts) for accounts in parents.values()]
        return {**block, "balances": self.balances(sums), "accounts": rows}

    def _sum(self, accounts: list[Account]) -> list[int]:
        sums = [0] * len(self.dates)
        for account in accounts:
            sums = added(sums, self.sums[account])
        return sums

    def _account(self, accounts: list[Account]) -> dict[str, Any]:
        return {
            "account_name": accounts[0].name,
            "account_number": accounts[0].number,
            "balances": self.balances(self._sum(accounts)),
            "sub_accounts": [
                {
                    "sub_account_name": account.sub_name,
                    "sub_account_number": account.sub_number,
                    "balances": self.balances(self.sums[account]),
                }
                for account in accounts
            ],
        }


def _balance_sheet(params: Params, business: Business) -> Mapping[str, Any]:
    sheet = _Sheet(params, business)
    blocks = [sheet.block(kind, category) for kind, category in BLOCKS]
    return {
        **company(business),
        "currency_code": sheet.code,
        "dates": sheet.dates,
        "assets_total": sheet.total(("asset",)),
        "liabilities_and_equity_total": sheet.total(("liability", "equity")),
        "data": [block for block in blocks if block is not None],
    }


# What an entry that moves cash is called: group, account.
FLOWS = {
    "payment": ("Sales", "Revenue"),
    "other_income": ("Sales", "Other Income"),
    "credit_note": ("Sales", "Customer Credits"),
    "expense": ("Expenses", "Expenses"),
    "bill_payment": ("Bills", "Accounts Payable"),
}


def cash_of(entry: Entry) -> int:
    """Its effect on the cash."""
    return sum(amount for account, amount, _ in entry.legs if account.number == CASH)


def _cash_flow(params: Params, business: Business) -> Mapping[str, Any]:
    code = params["currency_code"]
    start, end = params["start_date"], params["end_date"]
    before = inflow = outflow = 0
    groups: dict[str, dict[str, dict[tuple[str, int | None], int]]] = {}
    for entry in entries(business, code):
        moved = cash_of(entry)
        if entry.date < start:
            before += moved
        if not moved or not start <= entry.date <= end:
            continue
        inflow, outflow = inflow + max(moved, 0), outflow + min(moved, 0)
        group, account = FLOWS.get(entry.kind, ("Other", "Journal entries"))
        sub = _sub(entry, account, business)
        subs = groups.setdefault(group, {}).setdefault(account, {})
        subs[sub] = subs.get(sub, 0) + moved
    return {
        **company(business),
        "currency_code": code,
        "start_date": start,
        "end_date": end,
        "activities": [_activity(groups, inflow + outflow, code)],
        "summary": {
            "starting_balance": money(before, code),
            "gross_cash_inflow": money(inflow, code),
            "gross_cash_outflow": money(outflow, code),
            "net_cash_change": money(inflow + outflow, code),
            "ending_balance": money(before + inflow + outflow, code),
        },
    }


def _sub(entry: Entry, account: str, business: Business) -> tuple[str, int | None]:
    """The category of an expense; others have none."""
    key = next((key for _, _, key in entry.legs if key is not None), None)
    if entry.kind != "expense" or key is None:
        return (account if entry.kind != "payment" else "Sales"), None
    return str(business.table("expense_categories")[key]["category"]), key


def _activity(
    groups: dict[str, dict[str, dict[tuple[str, int | None], int]]], total: int, code: str
) -> dict[str, Any]:
    """All is operating: nothing in the seed data invests or finances."""
    details = []
    for group, accounts in groups.items():
        listed = [
            {
                "name": account,
                "sub_accounts": [
                    {
                        "name": name,
                        "categoryid": key,
                        "sub_accountid": None,
                        "total": money(amount, code),
                    }
                    for (name, key), amount in subs.items()
                ],
                "total": money(sum(subs.values()), code),
            }
            for account, subs in accounts.items()
        ]
        every = sum(sum(subs.values()) for subs in accounts.values())
        details.append({"name": group, "accounts": listed, "total": money(every, code)})
    return {"category": "operating", "details": details, "total": money(total, code)}


_CASH_FLOW = {**PERIOD, "currency_code": CURRENCY, "group_by_category_id": FLAG}
BALANCE_SHEET = report(
    "balance_sheet",
    _balance_sheet,
    {"dates[]": DAYS, "currency_code": CURRENCY, "cash_based": FLAG},
)
CASH_FLOW = report("cash_flow", _cash_flow, _CASH_FLOW, guard=is_there)
MODERN_CASH_FLOW = ledger_report("cash_flow", _cash_flow, _CASH_FLOW)
