"""The ledger's accounts, all in one answer, and the two fixed lists of their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import utc_micro_z
from freshbooks_sandbox.families.base import LEDGER, LEDGER_TYPES
from freshbooks_sandbox.guards import ledger_scope
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

FIRST_ACCOUNT, FIRST_SUB_ACCOUNT = 4_550_000, 6_350_000
BLANK = {
    "name": "",
    "number": "",
    "description": "",
    "type": "expense",
    "sub_type": "",
    "parent_account": None,
    "auto_created": False,
    "state": "active",
    "category_id": None,
    "jea_id": None,
    "jesa_id": None,
}
TYPES = ("asset", "equity", "expense", "income", "liability")
# Name, type, first number; in the order of their ids
# (docs/freshbooks-api/resources/ledger_account_sub_types.yaml).
SUB_TYPES = (
    ("Cash & Bank", "asset", "1000"),
    ("Current Asset", "asset", "1200"),
    ("Property, Plant, and Equipment", "asset", "1500"),
    ("Long-Term Asset", "asset", "1300"),
    ("Current Liability", "liability", "2000"),
    ("Long-Term Liability", "liability", "2500"),
    ("Equity", "equity", "3000"),
    ("Income", "income", "4000"),
    ("Cost of Goods Sold", "expense", "5000"),
    ("Operating Expense", "expense", "6000"),
)


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    children = business.index("ledger_accounts", "parent_account").get(row["uuid"], [])
    return {"sub_accounts": [child["uuid"] for child in children]}


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    columns = {name: body[name] for name in BLANK if name in body and name not in COMPUTED}
    accounts = business.table("ledger_accounts")
    if row is None:
        parent = accounts.get(columns.setdefault("parent_account", None) or "")
        if parent is not None:
            columns |= {"type": parent["type"], "sub_type": parent["sub_type"]}
        name, first = (
            ("jea_id", FIRST_ACCOUNT) if parent is None else ("jesa_id", FIRST_SUB_ACCOUNT)
        )
        columns[name] = max([first, *(other.get(name) or 0 for other in accounts.values())]) + 1
        new = {"type": BLANK["type"], "sub_type": "Operating Expense", "state": BLANK["state"]}
        columns = new | columns
    return columns


def _visibility(_query: Query, context: FilterContext) -> Predicate | None:
    """Whether those that are not active are listed is not certain.

    See docs/freshbooks-api/resources/ledger_accounts.yaml.
    """
    if context.behaviours.inactive_accounts == "shown":
        return None
    return lambda row: bool(row["state"] == "active")


COMPUTED = ("auto_created", "jea_id", "jesa_id", "category_id")
LEDGER_ACCOUNTS = Resource(
    name="ledger_accounts",
    family=LEDGER,
    path="ledger_accounts/accounts",
    plural="data",
    single="data",
    scope="account",
    any_scope=ledger_scope,
    key="uuid",
    # `system_account_name` is absent, not null, on accounts that are no system accounts.
    blank=BLANK,
    computed=_computed,
    timestamps={"updated_at": ("updated_at", utc_micro_z)},
    # By number compared as text: 6008-1, 6008-10, 6008-2
    # (docs/freshbooks-api/resources/ledger_accounts.yaml).
    order=lambda rows: sorted(rows, key=lambda row: row["number"]),
    visibility=_visibility,
    words="type",
    write_rules=WriteRules(
        to_columns=_to_columns,
        required=("name", "number"),
        updated="updated_at",
        deleted=None,
        delete_by_put=False,
        is_served=False,
    ),
)

ANY_TOKEN = ("user:profile:read",)
"""Every token has it (docs/freshbooks-api/auth.md §8)."""

LEDGER_ACCOUNT_TYPES = Resource(
    name="ledger_account_types",
    family=LEDGER_TYPES,
    path="types",
    plural="data",
    single="data",
    scope="",
    any_scope=ANY_TOKEN,
    key="name",
    rows=lambda _business: [{"name": name} for name in TYPES],
    is_readable_alone=False,
    order=list,
    visibility=everything,
)
LEDGER_ACCOUNT_SUB_TYPES = Resource(
    name="ledger_account_sub_types",
    family=LEDGER_TYPES,
    path="sub_types",
    plural="data",
    single="data",
    scope="",
    any_scope=ANY_TOKEN,
    rows=lambda _business: [
        {"id": key, "type": kind, "name": name, "base_number": number}
        for key, (name, kind, number) in enumerate(SUB_TYPES, 1)
    ],
    order=list,
    visibility=everything,
)
