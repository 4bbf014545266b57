"""The scopes that exist (docs/freshbooks-api/auth.md §8)."""

from __future__ import annotations

READ_ONLY = ("profile", "notifications", "reports")
OBJECTS = (
    *("bill_payments", "bill_vendors", "billable_items", "bills", "business", "clients"),
    *("credit_notes", "estimates", "expenses", "invoices", "journal_entries", "notifications"),
    *("online_payments", "other_income", "payments", "profile", "projects", "reports"),
    *("retainers", "taxes", "teams", "time_entries", "uploads", "account"),
)
ALL = frozenset(
    f"user:{name}:{mode}"
    for name in OBJECTS
    for mode in ("read", "write")
    if mode == "read" or name not in READ_ONLY
)
PROFILE = "user:profile:read"
LEGACY = "admin:all:legacy"


def allows(granted: frozenset[str], wanted: str) -> bool:
    """Whether a token with the scopes `granted` may do what `wanted` names."""
    return wanted in granted or LEGACY in granted


def text(scopes: frozenset[str]) -> str:
    """Space-separated, in a stable order."""
    return " ".join(sorted(scopes))
