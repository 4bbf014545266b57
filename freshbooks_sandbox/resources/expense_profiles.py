"""Recurring expense profiles; that their list exists is presumed.

See docs/freshbooks-api/resources/expense_profiles.yaml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import cents, money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import documents
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "accounting_systemid": None,
    "frequency": "m",
    "start_date": None,
    "end_date": None,
    "next_issue_date": None,
    "notes": None,
    "vendor": None,
    "staffid": 1,
    "author_name": None,
    "categoryid": None,
    "clientid": 0,
    "taxName1": None,
    "taxAmount1": None,
    "taxPercent1": None,
    "taxName2": None,
    "taxAmount2": None,
    "taxPercent2": None,
    "markup_percent": "0",
    "is_cogs": False,
    "from_bulk_import": False,
    "vis_state": 0,
}


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    return {
        "accounting_systemid": business.account_id,
        "amount": money(row["_cents"], row["_code"]),
    }


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    ignored = ("accounting_systemid", "next_issue_date", "vis_state")
    columns = {name: body[name] for name in BLANK if name in body and name not in ignored}
    if "start_date" in body:
        date = documents.check_date(body["start_date"], "start_date", "expense_profile")
        columns |= {"start_date": date, "next_issue_date": date}
    if "categoryid" in body:
        columns["categoryid"] = int(body["categoryid"])
    if "amount" in body:
        columns["_cents"] = cents(body["amount"])
    if row is None:
        columns["_code"] = business.currency
    return columns


EXPENSE_PROFILES = Resource(
    name="expense_profiles",
    family=ACCOUNTING,
    path="expense_profiles/expense_profiles",
    plural="expense_profiles",
    single="expense_profile",
    words="frequency",
    scope="expenses",
    alias="profileid",
    is_list_presumed=True,
    blank=BLANK,
    computed=_computed,
    timestamps={"updated": ("updated", eastern_text)},
    hidden=("_cents", "_code"),
    filters={"vis_state": filters.number("vis_state")},
    write_rules=WriteRules(
        to_columns=_to_columns,
        required=("amount", "categoryid", "frequency", "start_date"),
    ),
)
