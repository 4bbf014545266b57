"""Entries that were made by hand, as the new service shows them.

See docs/freshbooks-api/resources/journal_entries.yaml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import JOURNAL, keyed_list
from freshbooks_sandbox.money import cents
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.store import Business, Row

VERSION = "2023-09-25"


def _computed(row: Row, _business: Business) -> Mapping[str, Any]:
    year, month, day = (int(part) for part in row["_date"].split("-"))
    return {
        "userEnteredDate": {"year": year, "month": month, "day": day},
        "details": [
            {
                "accountId": account,
                "type": "TYPE_DEBIT" if amount >= 0 else "TYPE_CREDIT",
                # A number, unlike all other money (docs/freshbooks-api/accounting.md §6).
                "amount": {"amount": abs(amount) / 100, "code": row["_code"]},
            }
            for account, amount in row["_details"]
        ],
    }


def _detail(body: Mapping[str, Any], business: Business) -> tuple[str, int]:
    account = body.get("accountId")
    if account not in business.table("ledger_accounts"):
        raise ApiError(404, "Account not found.", None, "accountId")
    sign = -1 if body.get("type") == "TYPE_CREDIT" else 1
    return str(account), sign * cents(body.get("amount") or 0)


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in ("name", "description") if name in body}
    if isinstance(body.get("details"), list):
        details = [_detail(detail, business) for detail in body["details"]]
        if sum(amount for _, amount in details):
            raise ApiError(400, "details: Debits and credits must be equal.", None, "details")
        columns["_details"] = details
    if "userEnteredDate" in body:
        day = body["userEnteredDate"]
        columns["_date"] = f"{day['year']:04d}-{day['month']:02d}-{day['day']:02d}"
    if row is None:
        rows = business.table("journal_entries").values()
        columns["_entryid"] = max((other["_entryid"] for other in rows), default=8800) + 1
        columns["_code"] = business.currency
        columns["journalEntryNumber"] = f"AJE-{len(rows) + 1}"
    return columns


def _example(business: Business) -> dict[str, Any]:
    children = [row for row in business.table("ledger_accounts").values() if row["parent_account"]]
    amount = {"amount": 120.0, "code": business.currency}
    return {
        "details": [
            {"accountId": children[0]["uuid"], "type": "TYPE_DEBIT", "amount": amount},
            {"accountId": children[1]["uuid"], "type": "TYPE_CREDIT", "amount": amount},
        ],
    }


def _envelope(rows: bytes, behaviours: Behaviours) -> bytes:
    """No answer of it was ever published."""
    return keyed_list(behaviours.journal_envelope, rows)


def _newest_first(rows: Any) -> list[Row]:
    return sorted(rows, key=lambda row: (row["_date"], row["_entryid"]), reverse=True)


JOURNAL_ENTRIES = Resource(
    name="journal_entries",
    family=JOURNAL,
    path="journal_entries",
    plural="data",
    single="manualJournalEntry",
    scope="journal_entries",
    needs_version=VERSION,
    key="uuid",
    alias="id",
    is_readable_alone=False,
    blank={"name": "", "journalEntryNumber": "", "description": ""},
    computed=_computed,
    hidden=("uuid", "_date", "_code", "_details", "_entryid"),
    order=_newest_first,
    visibility=everything,
    envelope=_envelope,
    write_rules=WriteRules(
        to_columns=_to_columns,
        example=_example,
        required=("name", "userEnteredDate", "details"),
        updated=None,
        deleted=None,
        delete_by_put=False,
    ),
)
