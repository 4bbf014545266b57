"""Overviews of all expenses: the names of vendors, and three sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.resource import Resource, everything

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.store import Business, Row


def _vendors(business: Business) -> list[Row]:
    living = (row for row in business.table("expenses").values() if row["vis_state"] != 1)
    return [{"vendor": name} for name in sorted({row.get("vendor") or "" for row in living} - {""})]


EXPENSE_VENDORS = Resource(
    name="expense_vendors",
    family=ACCOUNTING,
    path="expenses/vendors",
    plural="vendors",
    single="vendor",
    scope="expenses",
    key="vendor",
    rows=_vendors,
    is_readable_alone=False,
    order=list,
    visibility=everything,
)


def _summaries(business: Business) -> list[Row]:
    expenses = [row for row in business.table("expenses").values() if row["vis_state"] != 1]
    return [
        _summary("grand_total", expenses),
        _summary("archived", [row for row in expenses if row["vis_state"] == 2]),  # noqa: PLR2004
        _summary("active", [row for row in expenses if row["vis_state"] == 0]),
    ]


def _summary(name: str, expenses: Iterable[Row]) -> Row:
    sums: dict[str, list[int]] = {}
    for row in expenses:
        sums.setdefault(row["_code"], []).append(row["_cents"])
    amounts: list[dict[str, Any]] = [
        # Three decimals here (docs/freshbooks-api/accounting.md §6).
        {"amount": f"{sum(cents) / 100:.3f}", "code": code, "count": len(cents)}
        for code, cents in sums.items()
    ]
    return {"id": name, "counts": sum(entry["count"] for entry in amounts), "amounts": amounts}


def _envelope(rows: bytes, _behaviours: Behaviours) -> bytes:
    """Without any paging key (docs/freshbooks-api/resources/expense_summaries.yaml)."""
    return b'{"response":{"result":{"summaries":[%b]}}}' % rows


EXPENSE_SUMMARIES = Resource(
    name="expense_summaries",
    family=ACCOUNTING,
    path="expenses/summaries",
    plural="summaries",
    single="summary",
    scope="expenses",
    rows=_summaries,
    is_readable_alone=False,
    is_paged=False,
    envelope=_envelope,
    order=list,
    visibility=everything,
)
