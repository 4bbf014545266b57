"""The feature flags of an account in users/me; they say what the sandbox refuses.

What they gate on the real service is not proven (docs/freshbooks-api/auth.md §9.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from freshbooks_sandbox.store import Business

ALWAYS: dict[str, Any] = {
    "client.limit": -1,
    "staff.limit": -1,
    "retainers.limit": -1,
    "advanced_accounting.access": True,
    "attachments.access": True,
    "latest_released_api_version.access": True,
    "new_payments_page": True,
}
GATES = {
    "accounts_payable.access": (
        "/accounting/account/{account}/bills/bills",
        "/accounting/account/{account}/bill_vendors/bill_vendors",
        "/accounting/account/{account}/bill_payments/bill_payments",
    ),
    "accounts_payable_reports.access": (
        "/accounting/account/{account}/reports/accounting/accounts_payable_aging",
    ),
    "accounting_reports_v2_general_ledger.access": (
        "/accounting/account/{account}/reports/accounting/general_ledger",
        "/accounting/businesses/{uuid}/reports/general_ledger",
    ),
    "BankReconciliation.access": (
        "/accounting/account/{account}/reports/accounting/bank_reconciliation_summary",
    ),
    "billable_items_v2.access": ("/accounting/account/{account}/items/items",),
    "manual_journal_entries_feature.access": ("/accounting/businesses/{uuid}/journal_entries",),
    "payment_links.access": ("/payments/account/{account}/checkout-links",),
    "retainers_feature.access": ("/comments/business/{id}/retainers",),
    "team_members.access": ("/auth/api/v1/businesses/{id}/team_members",),
}
"""The paths behind each flag; one that is refused switches it off."""


def features_of(business: Business, refuses: Callable[[str], bool]) -> dict[str, Any]:
    """The flags of an account; `refuses` says whether a path is without its feature."""
    places = {"account": business.account_id, "uuid": business.uuid, "id": business.id}
    flags = {
        flag: not any(refuses(path.format(**places)) for path in paths)
        for flag, paths in GATES.items()
    }
    if business.behaviours.feature_flags == "unrelated":
        flags = dict.fromkeys(flags, False)
    if business.behaviours.payables_aging == "refused":
        flags["accounts_payable_reports.access"] = False
    return {**ALWAYS, **flags}
