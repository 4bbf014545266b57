"""The journal as the old service shows it: its lines, and the accounts that they stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.resources.journal_lines import Details
from freshbooks_sandbox.resources.postings import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freshbooks_sandbox.resources.postings import Entry, Posting
    from freshbooks_sandbox.store import Business, Row


def account_of(number: str, business: Business) -> Row:
    """The sub-account of a posting, by its number or its uuid."""
    accounts = business.table("ledger_accounts")
    numbers = business.index("ledger_accounts", "number")
    found = accounts.get(number) or next(iter(numbers.get(number, [])), None)
    if found is not None and found["parent_account"] in accounts:
        return found
    # An account that the user removed since: what stood on it stays on the first one.
    return next(row for row in accounts.values() if row["parent_account"] in accounts)


def _account(row: Row, business: Business) -> dict[str, Any]:
    return {
        "id": row["jea_id"],
        "accountid": row["jea_id"],
        "accounting_systemid": business.account_id,
        "account_name": row["name"],
        "account_number": row["number"],
        "account_type": row["type"],
    }


def _sub_name(row: Row) -> str:
    """A uuid where the user made it himself.

    See docs/freshbooks-api/resources/journal_entry_accounts.yaml.
    """
    return str(row["name"] if "system_account_name" in row else row["uuid"])


def _sub_account(row: Row, parent: Row, business: Business) -> dict[str, Any]:
    return {
        "id": row["jesa_id"],
        "sub_accountid": row["jesa_id"],
        "parentid": parent["jea_id"],
        "accounting_systemid": business.account_id,
        "account_sub_name": _sub_name(row),
        "account_sub_number": row["number"].rpartition("-")[2],
    }


def _places(number: str, business: Business) -> tuple[dict[str, Any], dict[str, Any]]:
    """Account and sub-account, the same objects for every line that stands on them."""

    def build() -> tuple[dict[str, Any], dict[str, Any]]:
        row = account_of(number, business)
        parent = business.table("ledger_accounts")[row["parent_account"]]
        return _account(parent, business), _sub_account(row, parent, business)

    return business.cached(("places", number), build)


REFERENCES = (
    *("clientid", "invoiceid", "paymentid", "expenseid", "creditid", "incomeid", "categoryid"),
)


def _entry(entry: Entry, business: Business) -> dict[str, Any]:
    refers = KINDS[entry.kind].refers(entry.row, business)
    return {
        "id": entry.id,
        "entryid": entry.id,
        "accounting_systemid": business.account_id,
        **{name: refers.get(name) for name in REFERENCES},
    }


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    posting: Posting = row["_posting"]
    entry: Entry = row["_entry"]
    account, sub_account = _places(posting.account, business)
    kind = KINDS[entry.kind]
    code = entry.row.get("_code") or entry.row["currency_code"]
    return {
        "accounting_systemid": business.account_id,
        "name": kind.title(entry.row, business),
        "description": posting.description,
        "detail_type": posting.kind,
        # Exactly one of the two is set (docs/freshbooks-api/resources/journal_entry_details.yaml).
        "debit": money(posting.cents, code) if posting.cents >= 0 else None,
        "credit": money(-posting.cents, code) if posting.cents < 0 else None,
        "balance": money(posting.cents, code),
        "account": account,
        "sub_account": sub_account,
        "entry": _entry(entry, business),
    }


def details(business: Business) -> Details:
    """Every line of every entry."""
    return business.cached("details", lambda: Details(business))


def _in_their_order(rows: Iterable[Row]) -> Sequence[Row]:
    """They come sorted, and too many of them to be copied."""
    return cast("Details", rows)


def _sub_accountid(row: Row, business: Business) -> int:
    return int(_places(row["_posting"].account, business)[1]["id"])


JOURNAL_ENTRY_DETAILS = Resource(
    name="journal_entry_details",
    family=ACCOUNTING,
    path="journal_entries/journal_entry_details",
    plural="journal_entry_details",
    single="journal_entry_detail",
    words="detail_type",
    scope="journal_entries",
    alias="detailid",
    is_readable_alone=False,
    rows=details,
    order=_in_their_order,
    computed=_computed,
    hidden=("_posting", "_entry"),
    visibility=everything,
    filters={
        "sub_accountid": filters.number(_sub_accountid),
        "start_date": filters.from_day("user_entered_date"),
        "end_date": filters.to_day("user_entered_date"),
    },
)


def _accounts(business: Business) -> list[Row]:
    if business.account_id is None:
        return []
    parents = business.index("ledger_accounts", "parent_account")
    return [
        _old_account(row, parents.get(row["uuid"], []), business) for row in parents.get(None, [])
    ]


def _old_account(row: Row, children: list[Row], business: Business) -> Row:
    return {
        "id": row["jea_id"],
        "account_name": row["name"],
        "account_number": row["number"],
        "account_type": row["type"],
        "balance": _stale(row["jea_id"]),
        "currency_code": business.currency,
        "created_at": eastern_text(row["updated_at"]),
        "sub_accounts": [_old_sub_account(child, row, business) for child in children],
    }


def _old_sub_account(row: Row, parent: Row, business: Business) -> dict[str, Any]:
    sub_account = _sub_account(row, parent, business)
    del sub_account["accounting_systemid"]
    return {
        **sub_account,
        "account_type": row["type"],
        "balance": _stale(row["jesa_id"]),
        "currency_code": business.currency,
        "custom": "system_account_name" not in row,
        "transaction_posted": row["state"] == "active",
        "created_at": eastern_text(row["updated_at"]),
    }


def _stale(key: int) -> str:
    """Seen to be wrong against the ledger, with none to three decimals (the same file)."""
    return ("0", "-500", "340.54", "12.125")[key % 4]


JOURNAL_ENTRY_ACCOUNTS = Resource(
    name="journal_entry_accounts",
    family=ACCOUNTING,
    path="journal_entry_accounts/journal_entry_accounts",
    plural="journal_entry_accounts",
    single="journal_entry_account",
    scope="journal_entries",
    alias="accountid",
    is_readable_alone=False,
    rows=_accounts,
    # Everything at once, per_page equal to total (docs/freshbooks-api/accounting.md §3).
    is_paged=False,
    order=lambda rows: sorted(rows, key=lambda row: row["account_number"]),
    visibility=everything,
)
