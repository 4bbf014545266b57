"""What the sandbox and PostgreSQL hold at a moment, in a form that can be compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

import requests
from psycopg import sql

from demo.pipeline import SCHEMA
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg

DELETED = 1
"""`vis_state` of what was deleted."""

LINES = {
    "client_contacts": ("clients", "contacts"),
    "invoice_lines": ("invoices", "lines"),
    "invoice_profile_lines": ("invoice_profiles", "lines"),
    "estimate_lines": ("estimates", "lines"),
    "credit_note_lines": ("credit_notes", "lines"),
    "bill_lines": ("bills", "lines"),
    "journal_entry_lines": ("journal_entries", "details"),
    "journal_entry_sub_accounts": ("journal_entry_accounts", "sub_accounts"),
}
"""Streams of lines, the documents that hold them, and where."""

SHOWN_UNASKED = {"bills", "journal_entries", "journal_entry_accounts"}
"""Documents that show their lines without an include."""

UNLISTED = {"services", "billable_items", "retainers"}
"""Resources of which no request is known that would list the deleted ones."""

NEED_AN_ACCOUNT = {"billable_items", "expense_summaries"}
"""Resources that the sandbox computes for a business without an account as well."""

CONSTANTS = {"ledger_account_types": 5, "ledger_account_sub_types": 10}
"""Lists that are the same for everybody."""


VANISHING = {stream.name for stream in STREAMS if issubclass(stream, HardDeleteStream)}
"""Streams whose deleted rows disappear from FreshBooks; here they stay, marked as deleted."""


def ask(url: str, what: str, **query: str) -> Any:
    """Read one of the sandbox's own pages."""
    answer = requests.get(f"{url}/_sandbox/{what}", params=query, timeout=60)
    answer.raise_for_status()
    return answer.json()


def _count(url: str, stream: str, business: str) -> int:
    """How many rows of a stream a business shows."""
    if stream in LINES:
        documents, field = LINES[stream]
        include = {} if documents in SHOWN_UNASKED else {"include": field}
        truth = ask(url, f"truth/{documents}", business=business, **include)["rows"]
        return sum(len(document[field]) for document in truth)
    truth = ask(url, f"truth/{stream}", business=business)["rows"]
    if stream in UNLISTED:
        truth = [
            row
            for row in truth
            if row.get("vis_state") != DELETED and row.get("active") is not False
        ]
    return len(truth)


@dataclass(frozen=True)
class Snapshot:
    """Rows per stream, deleted ones included, and the sum of the living invoices per currency."""

    rows: Mapping[str, int]
    sums: Mapping[str, Decimal]

    @classmethod
    def of_sandbox(cls, url: str, streams: Iterable[str]) -> Self:
        """What the owner of the token may read, as the sandbox itself tells it."""
        members = [each for each in ask(url, "businesses")["businesses"] if each["role"] != "none"]
        rows = Counter({"identity": 1, "businesses": len(members), **CONSTANTS})
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        streams = list(streams)
        for business in members:
            if business["role"] == "client":
                continue
            here = str(business["id"])
            for stream in streams:
                if stream in NEED_AN_ACCOUNT and business["account_id"] is None:
                    continue
                if stream not in {"identity", "businesses", *CONSTANTS}:
                    rows[stream] += _count(url, stream, here)
            for invoice in ask(url, "truth/invoices", business=here)["rows"]:
                if invoice["vis_state"] != DELETED:
                    sums[invoice["amount"]["code"]] += Decimal(invoice["amount"]["amount"])
        return cls({stream: rows[stream] for stream in streams}, dict(sums))

    @classmethod
    def of_postgres(cls, connection: psycopg.Connection) -> Self:
        """What arrived in the tables."""
        streams = connection.execute(
            "select table_name from information_schema.tables where table_schema = %s order by 1",
            (SCHEMA,),
        ).fetchall()
        rows = {}
        for (stream,) in streams:
            count = sql.SQL("select count(*) from {}").format(sql.Identifier(stream))
            if stream in VANISHING:
                count += sql.SQL(" where _sdc_deleted_at is null")
            rows[stream] = connection.execute(count).fetchall()[0][0]
        sums = connection.execute(
            "select amount__code, sum(amount__amount) from invoices"
            " where _sdc_deleted_at is null group by 1"
        ).fetchall()
        return cls(rows, dict(sums))
