"""Ledger accounts: the chart of accounts of the newer service, all in one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_freshbooks.sandbox.clock import utc_micro_z
from tap_freshbooks.sandbox.families import LEDGER
from tap_freshbooks.sandbox.resource import Resource, everything
from tap_freshbooks.sandbox.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.sandbox.store import Business, Row

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


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    children = business.index("ledger_accounts", "parent_account").get(row["uuid"], [])
    return {"sub_accounts": [child["uuid"] for child in children]}


LEDGER_ACCOUNTS = Resource(
    name="ledger_accounts",
    family=LEDGER,
    path="ledger_accounts/accounts",
    plural="data",
    single="data",
    scope="journal_entries",
    key="uuid",
    # `system_account_name` is absent, not null, on accounts that are no system accounts.
    blank=BLANK,
    computed=_computed,
    stamps={"updated_at": ("updated_at", utc_micro_z)},
    # By number compared as text: 6008-1, 6008-10, 6008-2 (ledger_accounts.yaml).
    order=lambda rows: sorted(rows, key=lambda row: row["number"]),
    visibility=everything,
    writes=Writes(
        required=("name", "number"),
        updated="updated_at",
        deleted=None,
        delete_by_put=False,
        is_served=False,
    ),
)
