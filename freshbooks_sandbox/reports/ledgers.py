"""General ledger and trial balance: what was booked on each account in a period."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from freshbooks_sandbox.families.base import encode
from freshbooks_sandbox.money import money, text
from freshbooks_sandbox.reports.journal import entries
from freshbooks_sandbox.reports.parameters import CURRENCY, FLAG, NUMBER, PERIOD, TEXT
from freshbooks_sandbox.reports.report import company, is_there, ledger_report, report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freshbooks_sandbox.reports.chart import Account
    from freshbooks_sandbox.reports.journal import Entry, Leg
    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.store import Business

IDS = ("expenseid", "invoiceid", "paymentid", "incomeid", "creditid", "billid", "bill_paymentid")
Head = Callable[["Entry"], bytes]
Booked = list[tuple["Entry", "Leg"]]


def booked(business: Business, params: Params) -> dict[Account, Booked]:
    """The legs of the period by account, in the order of account numbers."""
    found: dict[Account, Booked] = {}
    start, end = params["start_date"], params["end_date"]
    for entry in entries(business, params["currency_code"]):
        if start <= entry.date <= end:
            for leg in entry.legs:
                found.setdefault(leg[0], []).append((entry, leg))
    return dict(sorted(found.items()))


def _sums(amounts: Iterable[int], code: str) -> dict[str, Any]:
    """Debit, credit, and which of them prevails by how much."""
    debit = credit = 0
    for amount in amounts:
        if amount > 0:
            debit += amount
        else:
            credit -= amount
    return {
        "debit": money(debit, code),
        "credit": money(credit, code),
        "net_movement_debit": money(max(debit - credit, 0), code),
        "net_movement_credit": money(max(credit - debit, 0), code),
    }


def _ledger(params: Params, business: Business, *, is_modern: bool) -> Mapping[str, Any]:
    code = params["currency_code"]
    names = _client_names(business)

    def head(entry: Entry) -> bytes:
        return _head(entry, business, names, is_modern=is_modern)

    parents: dict[str, list[tuple[Account, Booked]]] = {}
    total = 0
    for account, legs in booked(business, params).items():
        kept = _selected(account, legs, params, is_modern=is_modern)
        if kept:
            parents.setdefault(account.number, []).append((account, kept))
            total += sum(leg[1] for _, leg in kept if leg[1] > 0)
    credited = -sum(
        leg[1] for subs in parents.values() for _, legs in subs for _, leg in legs if leg[1] < 0
    )
    return {
        **company(business),
        "currency_code": code,
        "start_date": params["start_date"],
        "end_date": params["end_date"],
        **({"locale": params["locale"]} if is_modern else {}),
        "summary_only": False,
        "summary": {"total_credit": money(credited, code), "total_debit": money(total, code)},
        "data": [_account(subs, code, head, is_modern=is_modern) for subs in parents.values()],
    }


def _selected(account: Account, legs: Booked, params: Params, *, is_modern: bool) -> Booked:
    """The details that `accountid`, `subaccountid` and `categoryid` leave."""
    key, sub_key = (account.uuid, account.sub_uuid) if is_modern else (account.key, account.sub_key)
    if params["accountid"] not in (None, key) or params["subaccountid"] not in (None, sub_key):
        return []
    category = params["categoryid"]
    return legs if category is None else [pair for pair in legs if pair[1][2] == category]


def _client_names(business: Business) -> dict[int, str]:
    clients = business.table("clients").values()
    return {row["id"]: row["organization"] or f"{row['fname']} {row['lname']}" for row in clients}


def _account(
    subs: list[tuple[Account, Booked]], code: str, head: Head, *, is_modern: bool
) -> dict[str, Any]:
    parent = subs[0][0]
    every = (leg[1] for _, legs in subs for _, leg in legs)
    return {
        "accountid": parent.uuid if is_modern else parent.key,
        **({} if is_modern else {"id": parent.key}),
        "account_name": parent.name,
        "account_number": parent.number,
        **_sums(every, code),
        "sub_accounts": [
            {
                "sub_accountid": account.sub_uuid if is_modern else account.sub_key,
                **({} if is_modern else {"id": account.sub_key}),
                "sub_account_name": account.sub_name,
                "sub_account_number": account.sub_number,
                **_sums((leg[1] for _, leg in legs), code),
                "transactions": [_transaction(leg[1], code, head(entry)) for entry, leg in legs],
            }
            for account, legs in subs
        ],
    }


def _transaction(amount: int, code: str, head: bytes) -> Raw:
    """Most of it is the same for all legs of an entry, and there are thousands of them."""
    debit, credit = text(max(amount, 0)), text(max(-amount, 0))
    sums = f',"debit":{{"amount":"{debit}","code":"{code}"}},'
    sums += f'"credit":{{"amount":"{credit}","code":"{code}"}}}}'
    return Raw(head + sums.encode())


def _head(entry: Entry, business: Business, names: dict[int, str], *, is_modern: bool) -> bytes:
    found = entry.heads.get(is_modern)
    if found is None:
        ids = entry.ids(business)
        client = ids.get("clientid")
        row = {
            "entity_type": entry.kind,
            "reference": entry.reference,
            "description": entry.title(business),
            "date": entry.date,
            "client_name": names.get(client or 0),
            **{name: ids.get(name) for name in IDS},
        }
        if not is_modern:
            row["clientid"] = client
        found = entry.heads[is_modern] = encode(row)[:-1]
    return found


def _general_ledger(params: Params, business: Business) -> Mapping[str, Any]:
    # currency_code is not among what was understood here (docs/freshbooks-api/accounting.md §4).
    return _ledger({**params, "currency_code": business.currency}, business, is_modern=False)


def _modern_ledger(params: Params, business: Business) -> Mapping[str, Any]:
    return _ledger(params, business, is_modern=True)


def _trial_balance(params: Params, business: Business) -> Mapping[str, Any]:
    """The last row is the total of the others.

    See docs/freshbooks-api/resources/report_trial_balance.yaml.
    """
    code = params["currency_code"]
    rows = []
    debits = credited = 0
    for account, legs in booked(business, params).items():
        net = sum(leg[1] for _, leg in legs)
        debits += max(net, 0)
        credited += max(-net, 0)
        rows.append(_balance(account, net, code))
    total = {
        "account_name": "total",
        "account_number": None,
        "account_sub_name": None,
        "account_sub_number": None,
        "sub_accountid": None,
        "debit": money(debits, code),
        "credit": money(credited, code),
    }
    return {
        **company(business),
        "currency_code": code,
        "start_date": params["start_date"],
        "end_date": params["end_date"],
        "data": [*rows, total],
    }


def _balance(account: Account, net: int, code: str) -> dict[str, Any]:
    return {
        "account_name": account.name,
        "account_number": account.number,
        "account_sub_name": account.sub_name,
        "account_sub_number": account.sub_number,
        "sub_accountid": account.sub_key,
        "debit": money(max(net, 0), code),
        "credit": money(max(-net, 0), code),
    }


_ACCOUNTS = {"accountid": NUMBER, "subaccountid": NUMBER, "categoryid": NUMBER}
_TRIAL = {**PERIOD, "currency_code": CURRENCY, "group_by_category_id": FLAG}
GENERAL_LEDGER = report(
    "general_ledger",
    _general_ledger,
    {**PERIOD, **_ACCOUNTS, "group_by_category_id": FLAG},
    guard=is_there,
)
MODERN_GENERAL_LEDGER = ledger_report(
    "general_ledger",
    _modern_ledger,
    {
        **PERIOD,
        "accountid": TEXT,
        "subaccountid": TEXT,
        "categoryid": NUMBER,
        "group_by_category_id": FLAG,
        "currency_code": CURRENCY,
        "locale": TEXT,
    },
)
TRIAL_BALANCE = report("trial_balance", _trial_balance, _TRIAL, guard=is_there)
MODERN_TRIAL_BALANCE = ledger_report("trial_balance", _trial_balance, _TRIAL)
