"""The accounts of the ledger as the reports name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from freshbooks_sandbox.resources.journal import account_of

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business

CASH = "1000"
GOODS = "5000"
"""Numbers of accounts that reports single out."""


class Account(NamedTuple):
    """A sub-account with its parent; each has an integer and a uuid."""

    number: str
    sub_number: str
    name: str
    sub_name: str
    type: str
    sub_type: str
    key: int
    sub_key: int
    uuid: str
    sub_uuid: str


def account(name: str, business: Business) -> Account:
    """The sub-account of a posting, by its number or its uuid."""

    def build() -> Account:
        row = account_of(name, business)
        parent = business.table("ledger_accounts")[row["parent_account"]]
        return Account(
            number=parent["number"],
            sub_number=str(row["number"]).rpartition("-")[2],
            name=parent["name"],
            # Names of sub-accounts that the user made come as UUIDs
            # (docs/freshbooks-api/accounting.md §10).
            sub_name=row["name"] if "system_account_name" in row else row["uuid"],
            type=parent["type"],
            sub_type=parent["sub_type"],
            key=parent["jea_id"],
            sub_key=row["jesa_id"],
            uuid=parent["uuid"],
            sub_uuid=row["uuid"],
        )

    return business.cached(("report account", name), build)
