"""The general ledger."""

from __future__ import annotations

from tap_freshbooks.fields import Array, Boolean, Integer, Object, Text, UtcTime
from tap_freshbooks.streams.base import Replication
from tap_freshbooks.streams.families import LedgerStream
from tap_freshbooks.streams.vanishing import Vanishing


class LedgerAccounts(Vanishing, LedgerStream):
    """The chart of accounts; parents and their sub-accounts are rows of the same list."""

    name = "ledger_accounts"
    resource = "ledger_accounts/accounts"
    oauth_scope = "user:journal_entries:read"
    stamp = "updated_at"
    replication = Replication.COMPARED
    fields = Object(
        uuid=Text(),
        name=Text(),
        number=Text(),
        description=Text(),
        type=Text(),
        sub_type=Text(),
        system_account_name=Text(),
        parent_account=Text(),
        sub_accounts=Array(Text()),
        auto_created=Boolean(),
        state=Text(),
        updated_at=UtcTime(),
        category_id=Integer(),
        jea_id=Integer(),
        jesa_id=Integer(),
    )
