"""What the sandbox and PostgreSQL hold at a moment, in a form that can be compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

import requests
from psycopg import sql

from demo.pipeline import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg

DELETED = 1
"""`vis_state` of what was deleted."""

LINES = {"invoice_lines": "invoices", "estimate_lines": "estimates"}
"""Streams of lines, and the documents that hold them."""


def ask(url: str, what: str, **query: str) -> Any:
    """Read one of the sandbox's own pages."""
    answer = requests.get(f"{url}/_sandbox/{what}", params=query, timeout=60)
    answer.raise_for_status()
    return answer.json()


@dataclass(frozen=True)
class Snapshot:
    """Rows per stream, deleted ones included, and the sum of the living invoices per currency."""

    rows: Mapping[str, int]
    sums: Mapping[str, Decimal]

    @classmethod
    def of_sandbox(cls, url: str, streams: Iterable[str]) -> Self:
        """What the owner of the token may read, as the sandbox itself tells it."""
        members = [each for each in ask(url, "businesses")["businesses"] if each["role"] != "none"]
        rows = Counter({"identity": 1, "businesses": len(members)})
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for business in members:
            if business["role"] == "client":
                continue
            rows.update(business["rows"])
            services = ask(url, "truth/services", business=str(business["id"]))["rows"]
            # No request is known that would list the deleted ones.
            rows["services"] -= sum(service["vis_state"] == DELETED for service in services)
            for lines, documents in LINES.items():
                truth = ask(
                    url, f"truth/{documents}", business=str(business["id"]), include="lines"
                )
                rows[lines] += sum(len(document["lines"]) for document in truth["rows"])
            invoices = ask(url, "truth/invoices", business=str(business["id"]))["rows"]
            for invoice in invoices:
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
            rows[stream] = connection.execute(count).fetchall()[0][0]
        sums = connection.execute(
            "select amount__code, sum(amount__amount) from invoices"
            " where _sdc_deleted_at is null group by 1"
        ).fetchall()
        return cls(rows, dict(sums))
